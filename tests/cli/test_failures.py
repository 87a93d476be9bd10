"""What a person is told of a server that is away: which one, where, and what to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from contracts import client
from services.cli import failures
from services.cli.problems import UNAVAILABLE
from services.runtime.amqp import broker
from services.runtime.amqp.publisher import Publisher
from services.runtime.postgres import database, migrate

AT_RABBITMQ = "amqp://user:secret@{}/vhost"
AT_POSTGRES = "postgresql://user:secret@{}/relais_orders"


@asynccontextmanager
async def bad_server(*, hangs_up: bool) -> AsyncIterator[str]:
    """The place of a server that hangs up at once, or else accepts and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not hangs_up:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"{host}:{port}"
    server.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a broker."""
    monkeypatch.setattr(broker, "CONNECT_TIMEOUT", 0.2)


async def _connected(url: str) -> None:
    async with broker.connected(url, "test"):
        pass


async def _published(url: str) -> None:
    await Publisher(url, "test").open()


async def _sent(url: str) -> None:
    async with client.connect(url, source="/test", timeout=0.2):
        pass


async def _looked(url: str) -> None:
    async with database.connect(url, "test"):
        pass


async def _pooled(url: str) -> None:
    async with database.pool(url, "test"):
        pass


async def _migrated(url: str) -> None:
    await migrate.apply(url, [])


Use = Callable[[str], Awaitable[None]]
TO_RABBITMQ = [_connected, _published, _sent]
TO_POSTGRES = [_pooled, _migrated, _looked]


async def told(use: Use, url: str) -> str:
    """What a person is told when this fails."""
    try:
        await use(url)
    except Exception as error:
        problem = failures.explain(error)
    else:
        pytest.fail("it connected")
    assert problem is not None
    assert problem.exit_code == UNAVAILABLE
    assert "secret" not in str(problem)
    return str(problem)


class TestTheCulprit:
    """Whoever raises an error says which server it is about; nobody guesses it from its class."""

    @pytest.mark.parametrize("use", TO_RABBITMQ)
    @pytest.mark.parametrize("hangs_up", [True, False])
    async def test_is_rabbitmq_where_it_is(self, use: Use, hangs_up: bool) -> None:
        """It accepts and says nothing, or hangs up."""
        async with bad_server(hangs_up=hangs_up) as place:
            text = await told(use, AT_RABBITMQ.format(place))
        assert "RabbitMQ" in text
        assert "Postgres" not in text

    @pytest.mark.parametrize("use", TO_POSTGRES)
    async def test_is_postgres_where_it_is(self, use: Use) -> None:
        """With its place and the database, since there are several."""
        async with bad_server(hangs_up=True) as place:
            text = await told(use, AT_POSTGRES.format(place))
        assert f"Postgres at {place} (database relais_orders) does not answer" in text
        assert "RabbitMQ" not in text

    @pytest.mark.parametrize("error", [TimeoutError(), OSError("no space"), ConnectionError("x")])
    def test_is_nobody_where_nobody_knows(self, error: Exception) -> None:
        """A wrong one would send somebody to the wrong server."""
        problem = failures.explain(error)
        assert problem is not None
        assert not any(name in str(problem) for name in ("Postgres", "RabbitMQ", "stack"))
