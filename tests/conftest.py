"""The servers that tests run on, and a database of its own for each test."""

import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from services.runtime.postgres import migrate
from services.runtime.service import installed, jobs
from tests.harness import Harness, open_harness

# What runs in the background of a shell, or under nohup, passes on that these are ignored; the
# programs that tests end by them are to listen.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

# Nothing here is about time, least of all on a machine that does other things as well.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def on_server(url: str, database: str) -> str:
    """The same server, another database or virtual host."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


# Processes of pytest that run at once each have a virtual host, of their name.
if (_url := os.environ.get("RELAIS_AMQP_URL")) and (_me := os.environ.get("PYTEST_XDIST_WORKER")):
    os.environ["RELAIS_AMQP_URL"] = on_server(_url, _me)

HOW = "start them with `./run test`, or set RELAIS_AMQP_URL and RELAIS_POSTGRES_URL"


ONE_STACK = ("tests/faults", "tests/upgrade")
"""Folders whose tests share one stack: they run in one process, after each other."""


class ByStack(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps in one process what shares a stack: a file, or a folder."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = path.rpartition("/")[0]
        return folder if folder in ONE_STACK else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByStack:
    """How tests are dealt out where pytest runs several processes."""
    return ByStack(config, log)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A server on which this session may create databases."""
    url = os.environ.get("RELAIS_POSTGRES_URL")
    if not url:
        pytest.skip(f"needs a Postgres: {HOW}")
    return url


@pytest.fixture(scope="session")
def amqp_url() -> str:
    """A broker whose virtual host this session may configure."""
    url = os.environ.get("RELAIS_AMQP_URL")
    if not url:
        pytest.skip(f"needs a RabbitMQ: {HOW}")
    return url


@pytest.fixture(scope="session")
async def templates(postgres_url: str) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """A migrated template database per service, made when first asked for."""
    made: dict[str, str] = {}

    async def template(service: str) -> str:
        if service not in made:
            name = f"t_{service}_{secrets.token_hex(4)}"
            await _execute(postgres_url, f"CREATE DATABASE {name}")
            found = migrate.found(service, installed()[service].migrations)
            await migrate.apply(on_server(postgres_url, name), found)
            made[service] = name
        return made[service]

    yield template
    for name in made.values():
        await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def databases(
    postgres_url: str, templates: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Makes databases of services, which are there while the block lasts."""
    made: list[str] = []

    async def create(service: str) -> str:
        template = await templates(service)
        name = f"d_{service}_{secrets.token_hex(6)}"
        await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        return on_server(postgres_url, name)

    try:
        yield create
    finally:
        for name in made:
            await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(
    postgres_url: str, templates: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """A fresh migrated database of a service, by name of the service; gives its URL."""
    async with databases(postgres_url, templates) as create:
        yield create


@pytest.fixture
async def make_harness(
    database: Callable[[str], Awaitable[str]],
) -> AsyncIterator[Callable[[str], Awaitable[Harness]]]:
    """A service's handlers and sweeps on a fresh database, without a broker."""
    opened: list[Harness] = []

    async def create(service: str) -> Harness:
        opened.append(await open_harness(installed()[service], await database(service)))
        return opened[-1]

    yield create
    for one in opened:
        await one.close()


@pytest.fixture
async def make_harnesses(
    database: Callable[[str], Awaitable[str]],
) -> AsyncIterator[Callable[[str], Awaitable[tuple[Harness, Harness]]]]:
    """Two harnesses of a service on one fresh database, like two workers."""
    opened: list[Harness] = []

    async def create(service: str) -> tuple[Harness, Harness]:
        url = await database(service)
        one, two = [await open_harness(installed()[service], url) for _ in range(2)]
        opened.extend((one, two))
        return one, two

    yield create
    for one in opened:
        await one.close()


PieceSizes = Callable[..., None]


@pytest.fixture
def piece_sizes(monkeypatch: pytest.MonkeyPatch) -> PieceSizes:
    """Bounds the rows of a piece of a job; all pieces are the sweep's unless `first` is given."""

    def bound(size: int, *, first: int = 0) -> None:
        monkeypatch.setattr(jobs, "PIECE", size)
        monkeypatch.setattr(jobs, "FIRST_PIECES", first)
        monkeypatch.setattr(jobs, "SMALLEST_PIECE", 1)

    return bound


async def _execute(url: str, statement: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()
