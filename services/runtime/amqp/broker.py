"""Connections to RabbitMQ, and what its faults look like."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aio_pika
import aiormq
from aiormq.abc import AbstractChannel, AbstractConnection
from pamqp.common import FieldTable
from yarl import URL

from contracts import hosts
from contracts.hosts import Url
from services.runtime.amqp import reader

CONNECT_TIMEOUT = hosts.PATIENCE
CLOSE_TIMEOUT = 3.0
HEARTBEAT = 10
WORKERS_HEARTBEAT = 3
"""Seconds; a worker sees as late as this, and a second more, that a node has stopped."""

FAULTS = (aiormq.exceptions.AMQPError, OSError, RuntimeError)
"""What a broker that is away, or a channel that died, raises; aiormq also says RuntimeError."""


class Unavailable(ConnectionError):
    """RabbitMQ does not answer; a bare OSError or TimeoutError would not say who."""


@contextmanager
def _named(url: Url) -> Iterator[None]:
    """Let what the network raises while the block lasts say that it is about RabbitMQ."""
    try:
        yield
    except OSError as error:
        if isinstance(error, aiormq.exceptions.AMQPError):
            raise
        raise Unavailable(
            f"RabbitMQ at {hosts.place(url)} does not answer: {str(error) or 'no answer'}"
        ) from error


def is_fault(error: BaseException) -> bool:
    """Whether this is the broker's: aiormq may end what waits with nothing but an Exception."""
    return isinstance(error, FAULTS) or type(error) is Exception


def is_canceled() -> bool:
    """Whether it is really this task that is canceled: aiormq raises the same when it closes."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Connection(aiormq.Connection):
    """Given up after a heartbeat and a second without a word, where the library waits for three."""

    HEARTBEAT_GRACE_MULTIPLIER = 1


def _target(url: str, heartbeat: int) -> URL:
    target = URL(url)
    return target if "heartbeat" in target.query else target.update_query(heartbeat=heartbeat)


async def connect(
    url: Url, name: str, transport: reader.Transport | None = None
) -> AbstractConnection:
    """A connection that ends when the broker goes; whoever holds it makes a new one."""
    about: FieldTable = {"connection_name": name}

    async def one(address: str) -> AbstractConnection:
        connection = _Connection(_target(address, WORKERS_HEARTBEAT), transport_factory=transport)
        await connection.connect(client_properties=about)
        return connection

    with _named(url):
        return await hosts.first(url, one, CONNECT_TIMEOUT)


@asynccontextmanager
async def opened(
    url: Url, name: str, transport: reader.Transport | None = None
) -> AsyncIterator[AbstractConnection]:
    """The same for a while."""
    connection = await connect(url, name, transport)
    try:
        yield connection
    finally:
        await close(connection)


@asynccontextmanager
async def consuming(
    url: Url, name: str, take: reader.Take, room: asyncio.Event | None = None
) -> AsyncIterator[AbstractChannel]:
    """The one channel of a connection of its own, whose deliveries go to take; see reader."""
    async with opened(url, name, reader.Transport(take, room)) as connection:
        yield await connection.channel(publisher_confirms=False)


@asynccontextmanager
async def connected(url: Url, name: str) -> AsyncIterator[aio_pika.abc.AbstractConnection]:
    """A connection for a while, to declare, to look and to ask."""
    about: FieldTable = {"connection_name": name}

    async def one(address: str) -> aio_pika.abc.AbstractConnection:
        return await aio_pika.connect(_target(address, HEARTBEAT), client_properties=about)

    with _named(url):
        connection = await hosts.first(url, one, CONNECT_TIMEOUT)
    try:
        yield connection
    finally:
        await close(connection)


def version(connection: aio_pika.abc.AbstractConnection) -> str:
    """The version of the broker, such as 4.3.6."""
    assert connection.transport is not None
    properties = connection.transport.connection.server_properties
    found = properties.get("version", "of unknown version")
    return found.decode() if isinstance(found, bytes) else str(found)


def major(version: str) -> int:
    """The number that decides what a broker can do; 0 where it does not say."""
    first = version.partition(".")[0]
    return int(first) if first.isdigit() else 0


_CLOSING: set[asyncio.Future[Any]] = set()


def closing(
    connection: AbstractConnection | aio_pika.abc.AbstractConnection,
) -> asyncio.Future[Any]:
    """Close.

    The library waits until all it wrote has been read, canceled or not: it is left alone to it.
    """
    closing = asyncio.gather(connection.close(), return_exceptions=True)
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)
    return closing


async def close(connection: AbstractConnection | aio_pika.abc.AbstractConnection) -> None:
    """Close, but never wait long for a broker that does not answer."""
    await asyncio.wait({closing(connection)}, timeout=CLOSE_TIMEOUT)
