"""What makes a service: its routes, its rooms and its sweeps. The runtime does the rest."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from contracts.message import Body
from services.runtime import declared
from services.runtime.decision import Decision
from services.runtime.postgres.database import Connection
from services.runtime.received import Received
from services.runtime.tables.transaction import Work

Routes = Mapping[str, type[Body]]


def routes(*bodies: type[Body]) -> Routes:
    """The messages a service reads, by wire name."""
    return {body.TYPE: body for body in bodies}


@dataclass(frozen=True, slots=True)
class Sweep:
    """Table work: run does the next piece and says whether there is more right now.

    It runs again at once while there is more, when a commit of this process wakes it by name,
    and otherwise every so many seconds.
    """

    name: str
    run: Callable[[Work], Awaitable[bool]]
    every: float = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    load locks and reads what a batch names; handle decides one message against that world and
    changes it; save stores what changed and names the sweeps that have new work.
    drains are foreign queues whose messages this service keeps as parked.
    settings is the class of those that it alone has; a worker checks them as it starts.
    """

    name: str
    routes: Routes
    load: Callable[[Connection, Sequence[Received]], Awaitable[Any]]
    handle: Callable[[Any, Received], Decision]
    save: Callable[[Connection, Any], Awaitable[Iterable[str]]]
    migrations: Path
    sweeps: Sequence[Sweep] = field(default=())
    drains: Sequence[str] = field(default=())
    settings: type[BaseSettings] | None = None


def installed() -> dict[str, Service]:
    """Every service of this installation, by name."""
    return {name: declared.load(name) for name in declared.names()}
