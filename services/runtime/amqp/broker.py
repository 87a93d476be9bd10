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

from services.runtime.amqp import reader

CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
HEARTBEAT = 10

FAULTS = (aiormq.exceptions.AMQPError, OSError, RuntimeError)
"""What a broker that is away, or a channel that died, raises; aiormq also says RuntimeError."""


class Unavailable(ConnectionError):
    """RabbitMQ does not answer; a bare OSError or TimeoutError would not say who."""


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Let what the network raises while the block lasts say that it is about RabbitMQ."""
    try:
        yield
    except OSError as error:
        if isinstance(error, aiormq.exceptions.AMQPError):
            raise
        place = URL(url).authority.rpartition("@")[2]
        raise Unavailable(
            f"RabbitMQ at {place} does not answer: {str(error) or 'no answer'}"
        ) from error


def is_fault(error: BaseException) -> bool:
    """Whether this is the broker's: aiormq may end what waits with nothing but an Exception."""
    return isinstance(error, FAULTS) or type(error) is Exception


def is_canceled() -> bool:
    """Whether it is really this task that is canceled: aiormq raises the same when it closes."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _target(url: str) -> URL:
    target = URL(url)
    return target if "heartbeat" in target.query else target.update_query(heartbeat=HEARTBEAT)


async def connect(
    url: str, name: str, transport: reader.Transport | None = None
) -> AbstractConnection:
    """A connection that ends when the broker goes; whoever holds it makes a new one."""
    about: FieldTable = {"connection_name": name}
    with _named(url):
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return await aiormq.connect(
                _target(url), client_properties=about, transport_factory=transport
            )


@asynccontextmanager
async def opened(
    url: str, name: str, transport: reader.Transport | None = None
) -> AsyncIterator[AbstractConnection]:
    """The same for a while."""
    connection = await connect(url, name, transport)
    try:
        yield connection
    finally:
        await close(connection)


@asynccontextmanager
async def consuming(
    url: str, name: str, take: reader.Take, room: asyncio.Event | None = None
) -> AsyncIterator[AbstractChannel]:
    """The one channel of a connection of its own, whose deliveries go to take; see reader."""
    async with opened(url, name, reader.Transport(take, room)) as connection:
        yield await connection.channel(publisher_confirms=False)


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[aio_pika.abc.AbstractConnection]:
    """A connection for a while, to declare, to look and to ask."""
    about: FieldTable = {"connection_name": name}
    with _named(url):
        connection = await aio_pika.connect(
            _target(url), timeout=CONNECT_TIMEOUT, client_properties=about
        )
    try:
        yield connection
    finally:
        await close(connection)


_CLOSING: set[asyncio.Future[Any]] = set()


async def close(connection: AbstractConnection | aio_pika.abc.AbstractConnection) -> None:
    """Close, but never wait long for a broker that does not answer.

    The library waits until all it wrote has been read, canceled or not: it is left alone to it.
    """
    closing = asyncio.gather(connection.close(), return_exceptions=True)
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)
    await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT)
