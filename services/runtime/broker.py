"""Connections to RabbitMQ, and publishing with confirms."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractConnection
from yarl import URL

from services.runtime import deliveries
from services.runtime.channel import BatchChannel, Outgoing, Published, open_channel

log = structlog.get_logger()

CONNECT_TIMEOUT = 10.0
CONFIRM_TIMEOUT = 30.0
CLOSE_TIMEOUT = 3.0
APART_TIMEOUT = 5.0
APART_AT_ONCE = 50
HEARTBEAT = 10

FAULTS: tuple[type[Exception], ...] = (
    aiormq.exceptions.AMQPError,
    OSError,
    TimeoutError,
    RuntimeError,
)
"""What a broker that is away, or a channel that died, raises; aiormq also says RuntimeError."""


class PublishFailed(ConnectionError):
    """The broker did not say of every message that it has it; it may have some."""


class Unconfirmed(PublishFailed):
    """It took them and did not say so in time: one queue without a leader is enough for that."""


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
    url: str, name: str, take: deliveries.Take, room: asyncio.Event | None = None
) -> AsyncIterator[aiormq.abc.AbstractChannel]:
    """The one channel of a connection of its own, whose deliveries go to take; see there."""
    async with asyncio.timeout(CONNECT_TIMEOUT):
        connection = await deliveries.connect(_target(url), name, take, room)
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
        raise PublishFailed("the connection to the broker is closed")
    return connection.transport.connection


def is_canceled() -> bool:
    """Whether it is really this task that is canceled: aiormq raises the same when it closes."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


# Routable nowhere: a broker that takes anything at all confirms it at once.
_SIGN_OF_LIFE = Outgoing("", "relais.nowhere", b"", "", "", "", "", mandatory=False)


class Publisher:
    """Publishes batches on a connection of its own, made when needed and again after a fault."""

    def __init__(self, url: str, name: str) -> None:
        """Nothing is opened before the first publish."""
        self._url = url
        self._name = name
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: BatchChannel | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last publish left a working channel."""
        return self._channel is not None and not self._channel.is_closed

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """Publish in order; raises PublishFailed when not every confirm came.

        The channel of a publish that failed or was canceled is thrown away: its confirms
        no longer count from where we think.
        """
        if not messages:
            return Published()
        channel = None
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT):
                channel = await self._ready()
                return await channel.publish_batch(messages)
        except BaseException as error:
            await asyncio.shield(self._throw_away(channel))
            if isinstance(error, asyncio.CancelledError) and not is_canceled():
                raise PublishFailed("the connection closed while publishing") from error
            if isinstance(error, FAULTS):
                late = isinstance(error, TimeoutError) and channel is not None
                kind = Unconfirmed if late else PublishFailed
                raise kind(f"{len(messages)} messages not confirmed: {error!r}") from error
            raise

    async def publish_apart(self, messages: Sequence[Outgoing]) -> list[Published | None]:
        """Publish each on a channel of its own; None for one that is not confirmed in time.

        The broker keeps whatever comes on a channel behind a message for a queue that has no
        leader: so it is found out which of several queues has none.  Raises PublishFailed when
        the broker takes nothing at all.
        """
        if not messages:
            return []
        room = asyncio.Semaphore(APART_AT_ONCE)

        async def publish(message: Outgoing) -> Published | None:
            async with room:
                try:
                    async with asyncio.timeout(APART_TIMEOUT):
                        channel = await open_channel(underlying(connection))
                        published = await channel.publish_batch([message])
                        await channel.close()
                        return published
                except TimeoutError:
                    return None

        try:
            async with connected(self._url, f"{self._name} apart") as connection:
                said = await asyncio.gather(*(publish(message) for message in messages))
                if None in said and await publish(_SIGN_OF_LIFE) is None:
                    raise PublishFailed("the broker confirms nothing")
                return said
        except FAULTS as error:
            raise PublishFailed(f"{len(messages)} messages not confirmed: {error!r}") from error

    async def open(self) -> None:
        """Connect now, so that a worker is not ready before it can publish."""
        await self._ready()

    async def _ready(self) -> BatchChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self._discard()
                self._connection = await connect(self._url, self._name)
                self._channel = await open_channel(underlying(self._connection))
            return self._channel

    async def _throw_away(self, channel: BatchChannel | None) -> None:
        """Only a channel of our own: meanwhile somebody may have opened another."""
        async with self._opening:
            if channel is not None and channel is self._channel:
                await self._discard()

    async def close(self) -> None:
        """Throw the connection away."""
        async with self._opening:
            await self._discard()

    async def _discard(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await close(connection)
