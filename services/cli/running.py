"""Run one worker in this process."""

from importlib.metadata import entry_points

from services.cli.endpoints import service_names
from services.cli.problems import USAGE, Problem
from services.runtime import worker
from services.runtime.service import Service


def run(name: str) -> int:
    """Run a worker of a service until SIGTERM or SIGINT."""
    worker.run(service(name))
    return 0


def service(name: str) -> Service:
    """An installed service; raises Problem that names those there are."""
    for point in entry_points(group="relais.services", name=name):
        found: Service = point.load()
        return found
    raise Problem(f"there is no service {name!r}; there are {', '.join(service_names())}", USAGE)
