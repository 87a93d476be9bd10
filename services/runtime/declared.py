"""The installed services, by entry points: their names are known without importing one."""

from importlib.metadata import entry_points
from typing import Any

GROUP = "relais.services"


def names() -> list[str]:
    """The names of the installed services, sorted."""
    return sorted(entry_points(group=GROUP).names)


def load(name: str) -> Any:
    """Import a service and return what its entry point names."""
    return entry_points(group=GROUP)[name].load()
