"""The settings that a worker would start with, and where each comes from."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings
from rich.table import Table

from services.cli import running
from services.cli.console import console
from services.runtime import settings
from services.runtime.service import Service
from services.runtime.settings import ConfigurationError

SECRET_WORDS = ("password", "secret", "token", "key")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its value as it may be shown, its origin and its meaning."""

    variable: str
    value: Any
    origin: str
    meaning: str


def config(service: str, *, as_json: bool) -> int:
    """Print every setting of a service, secrets hidden, and then what is wrong with them."""
    wrong: list[str] = []
    found = list(effective(running.service(service), wrong))
    if as_json:
        print(json.dumps([asdict(setting) for setting in found]))
        return _result(wrong)
    table = Table(box=None, pad_edge=False)
    table.add_column("variable", no_wrap=True)
    for heading in ("value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for setting in found:
        value = "-" if setting.value is None else str(setting.value)
        table.add_row(setting.variable, value, setting.origin, setting.meaning)
    console().print(table)
    return _result(wrong)


def _result(wrong: list[str]) -> int:
    if wrong:
        raise ConfigurationError("; ".join(wrong))
    return 0


def effective(service: Service, wrong: list[str]) -> Iterator[Setting]:
    """The settings of a service; errors about missing and invalid ones are added to wrong."""
    # Reading a secret's file puts it into the environment, so the origins are read before.
    given = _given()
    kinds: list[type[BaseSettings]] = [settings.Settings]
    if service.settings is not None:
        kinds.append(service.settings)
    for kind in kinds:
        try:
            values = settings.load(kind)
        except ConfigurationError as error:
            wrong.append(str(error))
            values = None
        for name, field in kind.model_fields.items():
            variable = f"RELAIS_{name.upper()}"
            value = _given_as(variable, field.default) if values is None else getattr(values, name)
            yield _setting(variable, value, given.get(variable, "default"), field.description)
    yield _database(service.name, given, wrong)


def _given_as(variable: str, default: Any) -> Any:
    """An invalid setting as it was given; text that is no URL may hold a password anywhere."""
    if variable.endswith("_URL") and variable in os.environ:
        return "***"
    return os.environ.get(variable, default)


def _setting(variable: str, value: Any, origin: str, meaning: str | None) -> Setting:
    if value is PydanticUndefined:
        return Setting(variable, None, "not set", meaning or "")
    return Setting(variable, redacted(variable, value), origin, meaning or "")


def _given() -> dict[str, str]:
    """What the environment gives, by variable: itself, or the file that holds it."""
    origins = {}
    for name in os.environ:
        if name.startswith("RELAIS_") and name.endswith("_FILE"):
            origins[name.removesuffix("_FILE")] = f"file {os.environ[name]}"
    # A variable of its own goes before its file.
    origins |= {n: "environment" for n in os.environ if n.startswith("RELAIS_")}
    return origins


def _database(service: str, given: dict[str, str], wrong: list[str]) -> Setting:
    variable = settings.database_variable(service)
    meaning = "The database of this service alone."
    try:
        url = settings.database_url(service)
    except ConfigurationError as error:
        wrong.append(str(error))
        value = _given_as(variable, PydanticUndefined)
        return _setting(variable, value, given.get(variable, "not set"), meaning)
    origin = given.get(variable) or f"RELAIS_POSTGRES_URL ({given.get('RELAIS_POSTGRES_URL')})"
    return _setting(variable, url, origin, meaning)


def redacted(variable: str, value: Any) -> Any:
    """A value without what must stay secret."""
    if not isinstance(value, str):
        return value
    if any(word in variable.lower() for word in SECRET_WORDS):
        return "***"
    scheme, separator, rest = value.partition("://")
    if not separator:
        return value
    user, at, place = rest.rpartition("@")
    shown = f"{user.partition(':')[0]}:***@{place}" if ":" in user else f"{user}{at}{place}"
    where, mark, query = shown.partition("?")
    hidden = any(word in query.lower() for word in SECRET_WORDS)
    return f"{scheme}://{where}{mark}{'***' if hidden else query}"
