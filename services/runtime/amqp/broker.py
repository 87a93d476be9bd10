"""Connections to RabbitMQ, and publishing with confirms."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractConnection
from yarl import URL

from services.runtime.amqp import reader
from services.runtime.amqp.channel import BatchChannel, Outgoing, Published, open_channel

log = structlog.get_logger()

CONNECT_TIMEOUT = 10.0
CONFIRM_TIMEOUT = 30.0
CLOSE_TIMEOUT = 3.0
APART_TIMEOUT = 5.0
APART_AT_ONCE = 200
SILENT_FOR = 60.0
"""Seconds for which nothing more is sent to a queue that did not answer."""
REMEMBERED_FOR = 3600.0
"""Seconds for which it is tried before it is trusted again, unless it has answered."""
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
        self._silent: dict[str, float] = {}

    @property
    def is_open(self) -> bool:
        """Whether the last publish left a working channel."""
        return self._channel is not None and not self._channel.is_closed

    async def publish(
        self, messages: Sequence[Outgoing], queues: Sequence[str | None] | None = None
    ) -> Published:
        """Publish in order; raises PublishFailed when not every confirm came.

        queues names for each message the queue that it is for, where nobody else is to wait for
        that queue: the broker keeps whatever comes on a channel behind a message for one that has
        no leader.  Where confirms do not come, the first message of each goes on a channel of its
        own; a queue that does not answer is left alone for a while, and its messages are silent.
        """
        if queues is None:
            return await self._together(messages)
        if not self._silent:
            try:
                return await self._together(messages)
            except Unconfirmed as error:
                return await self._search(_Said(messages, queues), error)
        said = _Said(messages, queues)
        await self._probe(said, self._doubted())
        try:
            await self._rest(said)
        except Unconfirmed as error:
            return await self._search(said, error)
        return said.published

    async def _search(self, said: "_Said", why: Unconfirmed) -> Published:
        """Find out which queues do not answer, and publish for all others."""
        log.warning("silent_queue_sought", error=str(why))
        await self._probe(said, {queue for queue in said.queues if queue is not None})
        await self._rest(said)
        return said.published

    def _doubted(self) -> set[str]:
        """The queues that did not answer some time ago."""
        now = time.monotonic()
        gone = [queue for queue, until in self._silent.items() if until + REMEMBERED_FOR < now]
        for queue in gone:
            del self._silent[queue]
        return {queue for queue, until in self._silent.items() if until <= now}

    def _is_silent(self, queue: str | None) -> bool:
        return queue is not None and self._silent.get(queue, 0) > time.monotonic()

    async def _probe(self, said: "_Said", queues: AbstractSet[str]) -> None:
        """Publish the first message for each of these queues on a channel of its own."""
        firsts: dict[str, int] = {}
        for at in said.open:
            queue = said.queues[at]
            if queue in queues and not self._is_silent(queue):
                firsts.setdefault(queue, at)  # type: ignore[arg-type]
        if not firsts:
            return
        answers = await self._apart([said.messages[at] for at in firsts.values()])
        for (queue, at), answer in zip(firsts.items(), answers, strict=True):
            if answer is None:
                self._silent[queue] = time.monotonic() + SILENT_FOR
                log.error("silent_queue", queue=queue)
            else:
                self._silent.pop(queue, None)
                said.take([at], answer)

    async def _rest(self, said: "_Said") -> None:
        """Publish together what has not been published, but nothing for a silent queue."""
        said.give_up([at for at in said.open if self._is_silent(said.queues[at])])
        left = list(said.open)
        said.take(left, await self._together([said.messages[at] for at in left]))

    async def _together(self, messages: Sequence[Outgoing]) -> Published:
        """Publish on the one channel.

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
            late = isinstance(error, TimeoutError) and channel is not None
            kind = Unconfirmed if late else PublishFailed
            if failure := _failure(len(messages), error, kind):
                raise failure from error
            raise

    async def _apart(self, messages: Sequence[Outgoing]) -> list[Published | None]:
        """Publish each on a channel of its own; None for one that is not confirmed in time.

        Raises PublishFailed when the broker takes nothing at all, before or after.
        """
        room = asyncio.Semaphore(APART_AT_ONCE)

        async def publish(message: Outgoing) -> Published | None:
            async with room:
                published = None
                with suppress(TimeoutError):
                    async with asyncio.timeout(APART_TIMEOUT):
                        channel = await open_channel(underlying(connection))
                        published = await channel.publish_batch([message])
                        await channel.close()
                return published

        async def check() -> None:
            if await publish(_SIGN_OF_LIFE) is None:
                raise PublishFailed("the broker confirms nothing")

        try:
            async with connected(self._url, f"{self._name} apart") as connection:
                await check()
                answers = await asyncio.gather(*(publish(message) for message in messages))
                if None in answers:
                    await check()
                return answers
        except BaseException as error:
            if failure := _failure(len(messages), error):
                raise failure from error
            raise

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


def _failure(
    count: int, error: BaseException, kind: type[PublishFailed] = PublishFailed
) -> PublishFailed | None:
    """What a publish that ended so raises; None where it is no fault of the broker."""
    if isinstance(error, asyncio.CancelledError) and not is_canceled():
        return PublishFailed("the connection closed while publishing")
    if is_fault(error):
        return kind(f"{count} messages not confirmed: {error!r}")
    return None


class _Said:
    """What the broker has said so far of the messages of a batch."""

    def __init__(self, messages: Sequence[Outgoing], queues: Sequence[str | None]) -> None:
        self.messages = messages
        self.queues = queues
        self.open = dict.fromkeys(range(len(messages)))
        self._returned: set[int] = set()
        self._nacked: set[int] = set()
        self._silent: set[int] = set()

    def take(self, places: Sequence[int], published: Published) -> None:
        """These were published, with this result."""
        self._returned.update(places[n] for n in published.returned)
        self._nacked.update(places[n] for n in published.nacked)
        for at in places:
            del self.open[at]

    def give_up(self, places: Sequence[int]) -> None:
        """These are for queues that do not answer."""
        self._silent.update(places)
        for at in places:
            del self.open[at]

    @property
    def published(self) -> Published:
        return Published(
            frozenset(self._returned), frozenset(self._nacked), frozenset(self._silent)
        )
