"""A whole stack for the tests of one module, on the servers of this session."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from contracts import client
from contracts.client import Client
from infra.local.servers import Servers
from infra.local.stack import Stack, stack
from services.cli import endpoints, up
from services.cli.demo import environment
from services.runtime import declared

RELAIS = Path(sys.executable).with_name("relais")


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the command line finds the stack."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def running(amqp_url: str, postgres_url: str, beside: Path) -> Iterator[Stack]:
    """One worker of each service, and its API; nothing of it is left behind."""
    pair = Servers(amqp_url, postgres_url, ())
    prefix = f"relais_test_{secrets.token_hex(3)}"
    try:
        workers = dict.fromkeys(declared.names(), 1)
        with stack(pair, beside, workers=workers, web=1, databases=prefix) as started:
            assert started.http_url is not None
            # It is served to operations and to central by what the command line finds here.
            written = beside / endpoints.WRITTEN
            written.parent.mkdir(parents=True)
            with up.published(written, up.endpoints(started)):
                yield started
    finally:
        asyncio.run(environment.clear(pair, prefix, declared.names(), ["west"]))


@pytest.fixture
async def upstream(running: Stack) -> AsyncIterator[Client]:
    """A publisher of commands."""
    async with client.connect(running.amqp_url, source="/test") as sender:
        yield sender


@pytest.fixture
def relais(running: Stack, beside: Path) -> Callable[..., Awaitable[Ran]]:
    """Run a command of the command line beside the stack."""

    async def run(*arguments: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            RELAIS,
            *arguments,
            cwd=beside,
            env=running.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    return run


@pytest.fixture
def count(running: Stack) -> Callable[..., Awaitable[int]]:
    """What a statement counts in the database of a service."""

    async def counted(service: str, statement: str, *arguments: object) -> int:
        conn = await asyncpg.connect(running.postgres[service])
        try:
            return int(await conn.fetchval(statement, *arguments))
        finally:
            await conn.close()

    return counted
