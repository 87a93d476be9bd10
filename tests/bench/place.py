"""Where a bench runs: servers that write to disk, and databases and exchanges of its own."""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from infra.local import servers as local_servers
from infra.local.fresh import fresh
from infra.local.keeping import Kept, Process, keeping
from infra.local.servers import Servers, unwinding
from services.cli import removal
from services.runtime.amqp import broker, topology
from services.runtime.postgres import migrate
from services.runtime.service import Service, installed
from services.runtime.settings import Settings

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / ".local/bench"
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Place:
    """The servers, and the keeper of every process that a bench starts."""

    servers: Servers
    state: Path
    kept: Kept
    others: list[float] = field(default_factory=list)
    """The share of the processors that other work took, each time that ours stood still."""

    @property
    def amqp_url(self) -> str:
        """The broker, with the right to configure it."""
        return self.servers.amqp_url

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        environment: Mapping[str, str],
        cwd: Path = PROJECT,
    ) -> Process:
        """Start a process, with a log of its own."""
        self.log(name).unlink(missing_ok=True)
        env = {**os.environ, **environment}
        return self.kept.start(name, argv, env=env, cwd=cwd, log=self.log(name))

    def run(
        self,
        name: str,
        argv: Sequence[str | Path],
        environment: Mapping[str, str],
        cwd: Path = PROJECT,
    ) -> str:
        """Run a process to its end; what it wrote."""
        env = {**os.environ, **environment}
        return self.kept.run(name, argv, env=env, cwd=cwd, log=self.log(name))

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.state / f"{name}.log"


@contextmanager
def place(*, durable: bool = True) -> Iterator[Place]:
    """Servers of our own, or those that the environment names, while the block lasts.

    durable=False is for tests: it measures nothing real, and is faster.
    """
    with (
        unwinding(),
        fresh(FOLDER) as state,
        local_servers.servers(state / "servers", durable=durable) as pair,
        keeping(state / "processes") as kept,
    ):
        yield Place(pair, state, kept)


@asynccontextmanager
async def empty_database(here: Place) -> AsyncIterator[str]:
    """A database that is dropped at the end; its URL."""
    admin = here.servers.postgres_url
    name = f"bench_{secrets.token_hex(4)}"
    await execute(admin, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))
    finally:
        await drop(here, name)


@asynccontextmanager
async def database(here: Place, service: str) -> AsyncIterator[str]:
    """A migrated database of a service, dropped at the end; its URL."""
    async with empty_database(here) as url:
        await migrate.apply(url, migrate.found(service, installed()[service].migrations))
        yield url


async def kept_database(here: Place, service: str, name: str) -> str:
    """A migrated database of a service that outlasts the bench, made where there is none; its URL.

    Its server outlasts the bench where RELAIS_POSTGRES_URL names it.
    """
    admin = here.servers.postgres_url
    conn = await asyncpg.connect(admin)
    try:
        if not await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await conn.execute(f'CREATE DATABASE "{name}"')
    finally:
        await conn.close()
    url = urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))
    await migrate.apply(url, migrate.found(service, installed()[service].migrations))
    return url


async def drop(here: Place, name: str) -> None:
    """Drop a database, and the role of the same name if there is one."""
    await execute(here.servers.postgres_url, f"DROP DATABASE {name} WITH (FORCE)")
    await execute(here.servers.postgres_url, f"DROP ROLE IF EXISTS {name}")


async def execute(url: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


def reader(service: Service) -> topology.Reader:
    """What a service needs on the broker, with as many lanes as workers expect."""
    return service.reader(Settings(amqp_url="amqp://unused").lanes)


@asynccontextmanager
async def exchanges(here: Place, services: Sequence[Service]) -> AsyncIterator[None]:
    """Everything that `relais setup` makes for these services; new, and taken off at the end."""
    readers = [reader(service) for service in services]
    async with broker.connected(here.amqp_url, "bench") as connection:
        await removal.remove(connection, readers)
        await topology.apply(connection, readers)
    try:
        yield
    finally:
        async with broker.connected(here.amqp_url, "bench") as connection:
            await removal.remove(connection, readers)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of the benches in a process of its own."""
    return [sys.executable, "-m", module, *arguments]
