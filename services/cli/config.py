"""The settings that a worker would start with, and where each comes from."""

import importlib
import inspect
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic_settings import BaseSettings
from rich.table import Table

from services.cli import running
from services.cli.console import console
from services.runtime import settings

SECRET_WORDS = ("password", "secret", "token", "key")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its value as it may be shown, its origin and its meaning."""

    variable: str
    value: Any
    origin: str
    meaning: str


def config(service: str, *, as_json: bool) -> int:
    """Print every setting of a service; secrets are hidden."""
    running.service(service)
    found = list(effective(service))
    if as_json:
        print(json.dumps([asdict(setting) for setting in found]))
        return 0
    table = Table(box=None, pad_edge=False)
    table.add_column("variable", no_wrap=True)
    for heading in ("value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for setting in found:
        table.add_row(setting.variable, str(setting.value), setting.origin, setting.meaning)
    console().print(table, markup=False)
    return 0


def effective(service: str) -> Iterator[Setting]:
    """The settings of a service; raises ConfigurationError where one is missing or wrong."""
    # Reading a secret's file puts it into the environment, so the origins are told before.
    given = _given()
    kinds: list[type[BaseSettings]] = [settings.Settings, *_own(service)]
    for kind in kinds:
        values = settings.load(kind)
        for name, field in kind.model_fields.items():
            variable = f"RELAIS_{name.upper()}"
            shown = redacted(variable, getattr(values, name))
            yield Setting(variable, shown, given.get(variable, "default"), field.description or "")
    yield _database(service, given)


def _given() -> dict[str, str]:
    """What the environment gives, by variable: itself, or the file that holds it."""
    origins = {}
    for name in os.environ:
        if name.startswith("RELAIS_") and name.endswith("_FILE"):
            origins[name.removesuffix("_FILE")] = f"file {os.environ[name]}"
    # A variable of its own goes before its file.
    origins |= {n: "environment" for n in os.environ if n.startswith("RELAIS_")}
    return origins


def _own(service: str) -> list[type[BaseSettings]]:
    """The settings classes of a service alone."""
    room = f"{inspect.getmodule(running.service(service).handle).__package__}.settings"  # type: ignore[union-attr]
    try:
        module = importlib.import_module(room)
    except ModuleNotFoundError:
        return []
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, BaseSettings)
        and kind.__module__ == module.__name__
    ]


def _database(service: str, given: dict[str, str]) -> Setting:
    variable = f"RELAIS_{service.upper()}_POSTGRES_URL"
    url = redacted(variable, settings.database_url(service))
    origin = given.get(variable) or f"RELAIS_POSTGRES_URL ({given.get('RELAIS_POSTGRES_URL')})"
    return Setting(variable, url, origin, "The database of this service alone.")


def redacted(variable: str, value: Any) -> Any:
    """A value without what must stay secret."""
    if not isinstance(value, str):
        return value
    if any(word in variable.lower() for word in SECRET_WORDS):
        return "***"
    try:
        parts = urlsplit(value)
        if parts.password is None:
            return value
    except ValueError:
        return "***"
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))
