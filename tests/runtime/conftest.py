"""Databases, a harness and an environment for the probe service."""

import asyncio
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
import structlog

from services.runtime import worker
from services.runtime.postgres import database, migrate
from services.runtime.service import Service
from services.runtime.worker import Worker
from tests.conftest import on_server
from tests.faults.proxy import Proxy, proxied
from tests.harness import Harness, open_harness
from tests.runtime import environment, probe
from tests.runtime.environment import Environment
from tests.runtime.probe import TOKEN, Hooks
from tests.runtime.running import RunningWorker, RunWorker, free_port

NUMBERS = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Lines without the art of a terminal, which takes its time for each traceback."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(),
        ]
    )


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again soon."""
    monkeypatch.setattr(database, "BACKOFF_CEILING", 0.02)


TABLES = ("things", "journal", "inbox", "outbox", "emitted", "kept", "jobs", "attempts")


@pytest.fixture(scope="session")
async def probe_database(postgres_url: str) -> AsyncIterator[str]:
    """A migrated database of the probe."""
    name = f"d_probe_{secrets.token_hex(6)}"
    await execute(postgres_url, f"CREATE DATABASE {name}")
    url = on_server(postgres_url, name)
    await migrate.apply(url, migrate.found("probe", probe.MIGRATIONS))
    yield url
    await execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database_url(probe_database: str) -> str:
    """The same, emptied: many a test needs one, and making one anew takes a while."""
    await execute(probe_database, ";".join(f"DELETE FROM {table}" for table in TABLES))
    return probe_database


@pytest.fixture
def hooks() -> Hooks:
    """What is to go wrong in the probe."""
    return Hooks()


@pytest.fixture
async def harness(database_url: str, hooks: Hooks) -> AsyncIterator[Harness]:
    """The probe's handlers on a fresh database, without a broker."""
    harness = await open_harness(probe.service("probe", hooks), database_url)
    yield harness
    hooks.gate.set()
    await harness.close()


MakeEnvironment = Callable[..., Awaitable[Environment]]


@pytest.fixture
async def make_env(
    amqp_url: str, database_url: str, hooks: Hooks
) -> AsyncIterator[MakeEnvironment]:
    """Makes an environment with so many lanes."""
    async with AsyncExitStack() as stack:

        async def make(lanes: int = 2, foreign: bool = False) -> Environment:
            name = f"probe_{TOKEN}_{next(NUMBERS)}"
            drains = [f"{name}.foreign"] if foreign else []
            service = probe.service(name, hooks, drains)
            prepared = environment.prepared(amqp_url, database_url, service, hooks, lanes)
            return await stack.enter_async_context(prepared)

        yield make


@pytest.fixture
async def env(make_env: MakeEnvironment) -> Environment:
    """An environment with two lanes."""
    return await make_env()


@pytest.fixture
def run_worker(env: Environment, monkeypatch: pytest.MonkeyPatch) -> RunWorker:
    """Opens a worker in this process; signals and the collector stay the tests' own."""
    monkeypatch.setattr(Worker, "_listen", lambda _: None)
    monkeypatch.setattr(worker, "_spare_the_collector", lambda: None)

    @asynccontextmanager
    async def opened(
        service: Service = env.service,
        database_url: str = env.database_url,
        **settings: Any,
    ) -> AsyncIterator[RunningWorker]:
        monkeypatch.setattr(worker, "installed", lambda: {service.name: service})
        port = free_port()
        config = env.settings(http_port=port, **settings)
        for name, url in (
            (f"RELAIS_{service.name.upper()}_POSTGRES_URL", database_url),
            ("RELAIS_AMQP_URL", config.amqp_url),
        ):
            if not os.environ.get(f"{name}_FILE"):
                monkeypatch.setenv(name, url)
        one = Worker(service, config)
        run_worker = RunningWorker(one, asyncio.create_task(one.run()), port)
        try:
            yield run_worker
        finally:
            env.hooks.gate.set()
            one.stop()
            await asyncio.wait({run_worker.running})

    return opened


async def execute(url: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


@pytest.fixture
async def broker_proxy(amqp_url: str) -> AsyncIterator[Proxy]:
    """A way to the broker that can be cut."""
    async with proxied(amqp_url) as proxy:
        yield proxy


@pytest.fixture
async def database_proxy(database_url: str) -> AsyncIterator[Proxy]:
    """A way to the database that can be cut."""
    async with proxied(database_url) as proxy:
        yield proxy
