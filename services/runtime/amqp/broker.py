"""Connections to RabbitMQ, and what its faults look like."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aio_pika
import aiormq
from aio_pika.abc import AbstractConnection
from yarl import URL

from services.runtime.amqp import reader

CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
HEARTBEAT = 10

FAULTS: tuple[type[Exception], ...] = (
    aiormq.exceptions.AMQPError,
    OSError,
    TimeoutError,
    RuntimeError,
)
"""What a broker that is away, or a channel that died, raises; aiormq also says RuntimeError."""


def is_fault(error: BaseException) -> bool:
    """Whether this is the broker's: aiormq may end what waits with nothing but an Exception."""
    return isinstance(error, FAULTS) or type(error) is Exception


async def connect(url: str, name: str) -> AbstractConnection:
    """A connection that ends when the broker goes; whoever holds it makes a new one."""
    return await aio_pika.connect(
        _target(url), timeout=CONNECT_TIMEOUT, client_properties={"connection_name": name}
    )


def _target(url: str) -> URL:
    target = URL(url)
    return target if "heartbeat" in target.query else target.update_query(heartbeat=HEARTBEAT)


@asynccontextmanager
async def consuming(
    url: str, name: str, take: reader.Take, room: asyncio.Event | None = None
) -> AsyncIterator[aiormq.abc.AbstractChannel]:
    """The one channel of a connection of its own, whose deliveries go to take; see there."""
    async with asyncio.timeout(CONNECT_TIMEOUT):
        connection = await reader.connect(_target(url), name, take, room)
    try:
        yield await connection.channel(publisher_confirms=False)
    finally:
        await close(connection)


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[AbstractConnection]:
    """A connection for a while."""
    connection = await connect(url, name)
    try:
        yield connection
    finally:
        await close(connection)


_CLOSING: set[asyncio.Task[None]] = set()


async def close(connection: AbstractConnection | aiormq.abc.AbstractConnection) -> None:
    """Close, but never wait long for a broker that does not answer.

    The library waits until all it wrote has been read, canceled or not: it is left alone to it.
    """
    closing = asyncio.create_task(_close(connection))
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)
    await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT)


async def _close(connection: AbstractConnection | aiormq.abc.AbstractConnection) -> None:
    with suppress(Exception):
        await connection.close()


def underlying(connection: AbstractConnection) -> aiormq.abc.AbstractConnection:
    """The aiormq connection below an aio-pika one."""
    if connection.transport is None:
        raise ConnectionError("the connection to the broker is closed")
    return connection.transport.connection


def is_canceled() -> bool:
    """Whether it is really this task that is canceled: aiormq raises the same when it closes."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
