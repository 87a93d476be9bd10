"""The URLs of a running stack: from the environment, else from the file of `./run up`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.cli.problems import UNAVAILABLE, Problem
from services.runtime import declared, settings

PROJECT = Path(__file__).parents[2]
WRITTEN = Path(".local/state/endpoints.json")
"""Written by `./run up` once its stack is ready."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A broker, and the database of each service by its name; origin is where they come from."""

    amqp_url: str
    postgres: dict[str, str]
    origin: str


def find(*wanted: str) -> Endpoints:
    """The stack to talk to, with these services' databases; raises Problem where none is known."""
    if _is_in_environment(declared.names()):
        return _from_environment(wanted)
    for folder in (Path.cwd(), PROJECT):
        if (written := folder / WRITTEN).is_file():
            return _from_file(written)
    raise Problem(
        f"no stack is known: start one with ./run up (it writes {WRITTEN}), "
        "or set RELAIS_AMQP_URL and RELAIS_POSTGRES_URL",
        UNAVAILABLE,
    )


def _is_in_environment(services: Iterable[str]) -> bool:
    variables = {"RELAIS_AMQP_URL", "RELAIS_POSTGRES_URL"}
    variables |= {settings.database_variable(service) for service in services}
    return any(settings.given(name) for name in variables)


def _from_environment(wanted: Iterable[str]) -> Endpoints:
    if not settings.given("RELAIS_AMQP_URL"):
        raise settings.ConfigurationError(
            f"RELAIS_AMQP_URL is not set, though databases are; set it to {settings.AMQP_FORM}"
        )
    amqp_url = settings.amqp_url()
    postgres = {service: settings.database_url(service) for service in wanted}
    return Endpoints(amqp_url, postgres, "the environment")


def _from_file(path: Path) -> Endpoints:
    try:
        written = json.loads(path.read_text())
        return Endpoints(written["amqp_url"], dict(written["postgres"]), str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> Problem:
    """What `./run up` wrote makes no sense."""
    return Problem(
        f"{path} cannot be read ({error!r}); stop the stack with ./run down and start it again",
        UNAVAILABLE,
    )
