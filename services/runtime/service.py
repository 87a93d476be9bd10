"""The face of the runtime: what a service declares, and all that it may use.

A service imports this module and the values in decision; nothing behind them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings
from starlette.types import ASGIApp

from contracts.hosts import Url
from contracts.message import Body, Command
from contracts.operations import DiscardParked, ReplaceParked, RequestSnapshot, RetryParked
from services.runtime import declared
from services.runtime.amqp import broker, topology
from services.runtime.amqp.frames import Outgoing, Published
from services.runtime.decision import Decision, Received
from services.runtime.postgres.database import (
    Conflict,
    Connection,
    Pool,
    Row,
    as_json,
    attempt,
    is_transient,
    persist,
)
from services.runtime.tables import jobs
from services.runtime.tables.jobs import Job, JobKind, Jobs
from services.runtime.tables.snapshots import Page, Snapshot
from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Transaction, Work

__all__ = ["Service", "installed", "routes"]
__all__ += ["Conflict", "Connection", "Pool", "Row", "as_json", "attempt"]
__all__ += ["is_transient", "persist"]
__all__ += ["Job", "JobKind", "Jobs", "Sweep", "Transaction", "Work", "jobs"]
__all__ += ["Outgoing", "Page", "Published", "Snapshot", "broker", "topology"]
__all__ += ["Served", "Site"]


Routes = Mapping[str, type[Body]]


def routes(*bodies: type[Body]) -> Routes:
    """The messages a service reads, by wire name."""
    return {body.TYPE: body for body in bodies}


OPERATIONS = routes(RetryParked, DiscardParked, ReplaceParked, RequestSnapshot)
"""The commands about the work of a service, which the runtime answers for every one."""


@dataclass(frozen=True, slots=True)
class Served:
    """What pages and answers are made with: the service's database, and where the broker is."""

    service: str
    pool: Pool
    amqp_url: Url


@dataclass(frozen=True, slots=True)
class Site:
    """What a service serves over HTTP; unready gives the reasons why it cannot, in sentences.

    end is called before the server stops: answers that have no end of their own are to end.
    """

    app: ASGIApp
    unready: Callable[[], list[str]]
    end: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Service:
    """One service: everything that setup, workers and the command line know of it.

    routes are the messages that it reads; those of OPERATIONS are added to them.
    load locks and reads what a batch names; handle decides one message against that world and
    changes it; save stores what changed, adds jobs and wakes sweeps.
    jobs are its kinds of long work, sweeps its other table work.
    snapshots tell how the present state of each thing that it owns is read.
    set_back are statements that move back by an interval what waits for a moment, where the clock
    of the database was set back by so much.
    drains are foreign queues whose messages this service keeps as parked.
    fanouts are exchanges for what it tells whoever listens just now.
    settings is the class of those that it alone has; a worker checks them as it starts.
    web is what it serves over HTTP, in processes of their own.
    """

    name: str
    routes: Routes
    load: Callable[[Connection, Sequence[Received]], Awaitable[Any]]
    handle: Callable[[Any, Received], Decision]
    save: Callable[[Transaction, Any], Awaitable[None]]
    migrations: Path
    jobs: Sequence[JobKind] = ()
    sweeps: Sequence[Sweep] = ()
    set_back: Sequence[str] = ()
    drains: Sequence[str] = ()
    fanouts: Sequence[str] = ()
    settings: type[BaseSettings] | None = None
    web: Callable[[Served], AbstractAsyncContextManager[Site]] | None = None
    snapshots: Sequence[Snapshot] = ()

    def __post_init__(self) -> None:
        """Every service reads the commands about its work."""
        object.__setattr__(self, "routes", {**self.routes, **OPERATIONS})

    @property
    def table_work(self) -> Sequence[Sweep]:
        """All its sweeps, with the one that works on its jobs."""
        return (*self.sweeps, jobs.sweep(self.jobs)) if self.jobs else self.sweeps

    @property
    def commands(self) -> frozenset[str]:
        """The types of command that it reads."""
        return frozenset(t for t, body in self.routes.items() if issubclass(body, Command))

    def reader(self, lanes: int) -> topology.Reader:
        """What it needs on the broker."""
        events = frozenset(self.routes.keys() - self.commands)
        return topology.Reader(self.name, self.commands, events, lanes, tuple(self.fanouts))


def heard(services: Mapping[str, Service]) -> frozenset[str]:
    """The message types that some service reads."""
    return frozenset(type_ for service in services.values() for type_ in service.routes)


@cache
def read_elsewhere(name: str) -> frozenset[str]:
    """The message types that other services of this installation read."""
    return heard({other: service for other, service in installed().items() if other != name})


@cache
def commands() -> frozenset[str]:
    """The types of command that this installation reads."""
    return frozenset(type_ for s in installed().values() for type_ in s.commands)


@cache
def events() -> frozenset[str]:
    """The types of event that this installation reads."""
    return heard(installed()) - commands()


@cache
def installed_names() -> frozenset[str]:
    """The names of the services of this installation."""
    return frozenset(declared.names())


def installed() -> dict[str, Service]:
    """Every service of this installation, by name."""
    return {name: declared.load(name) for name in declared.names()}
