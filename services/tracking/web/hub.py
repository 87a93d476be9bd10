"""The hints of the reader in this process: from RabbitMQ to whoever listens to a stream."""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress

import aio_pika
import orjson
import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from contracts.hosts import Url
from services.runtime.service import broker
from services.tracking import hints
from services.tracking.web.problems import Problem

log = structlog.get_logger()

RING = 1_000
"""Hints that are kept for streams that come back."""
MOST_WAITING = 100
"""Hints that a slow reader may have before it; more, and it is told to read everything again."""
MOST_STREAMS, MOST_PER_CALLER = 2_000, 1_200
"""Streams at a time of this process, and of one caller of it."""
QUEUE_LENGTH = 1_000
PAUSE = 1.0
RESYNC = "resync"

Hint = tuple[str, tuple[str, ...]]
"""Its id, and what has changed."""


class Listener:
    """One stream: topics are those it is about, None is everything."""

    __slots__ = ("_event", "_hints", "missed", "topics")

    def __init__(self, topics: frozenset[str] | None) -> None:
        self.topics = topics
        self.missed = False
        self._hints: deque[Hint] = deque()
        self._event = asyncio.Event()

    def matching(self, topics: Iterable[str]) -> tuple[str, ...]:
        """Those of these topics that it is about."""
        if self.topics is None:
            return tuple(topics)
        return tuple(one for one in topics if one in self.topics or one == hints.ANYTHING)

    def put(self, id: str, topics: Iterable[str]) -> None:
        """Add a hint; one that is too many means that it has missed some."""
        found = self.matching(topics)
        if not found:
            return
        if len(self._hints) >= MOST_WAITING:
            self.miss()
            return
        self._hints.append((id, found))
        self._event.set()

    def miss(self) -> None:
        """It has missed hints, and has to read everything again."""
        self._hints.clear()
        self.missed = True
        self._event.set()

    def wake(self) -> None:
        """Let it look at once."""
        self._event.set()

    async def wait(self, seconds: float) -> list[Hint]:
        """The hints since the last call; none after so many seconds."""
        if not self._hints and not self.missed:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._event.wait()
        self._event.clear()
        found = list(self._hints)
        self._hints.clear()
        return found


class Hub:
    """Takes hints from a queue of this process, keeps the last, and passes them to listeners."""

    def __init__(self, url: Url) -> None:
        self._url = url
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._ring: deque[Hint] = deque(maxlen=RING)
        self._listeners: set[Listener] = set()
        self._streams: Counter[str] = Counter()
        self.closing = False
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End the streams and the connection."""
        self.end()
        self._task.cancel()
        await asyncio.wait({self._task})

    def end(self) -> None:
        """Let every stream end."""
        self.closing = True
        for one in self._listeners:
            one.wake()

    def announce(self, topics: Collection[str]) -> None:
        """Pass a hint on."""
        self._number += 1
        id = f"{self._epoch}-{self._number}"
        self._ring.append((id, tuple(topics)))
        for one in self._listeners:
            one.put(id, topics)

    def listen(self, topics: frozenset[str] | None) -> Listener:
        """A listener from now on; leave it when done."""
        listener = Listener(topics)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        self._listeners.discard(listener)

    def open_stream(self, caller: str, topics: frozenset[str] | None) -> Listener:
        """A listener that counts as a stream; raises Problem 429."""
        total = sum(self._streams.values())
        for n, most, who in (
            (total, MOST_STREAMS, "this process"),
            (self._streams[caller], MOST_PER_CALLER, caller),
        ):
            if n >= most:
                text = f"{who} has {n} streams open; at most {most} are accepted: close some"
                raise Problem(429, "too_many_streams", text, headers={"Retry-After": "10"})
        self._streams[caller] += 1
        return self.listen(topics)

    def close_stream(self, caller: str, listener: Listener) -> None:
        """The stream has ended."""
        self.leave(listener)
        self._streams[caller] -= 1
        if not self._streams[caller]:
            del self._streams[caller]

    @property
    def last_id(self) -> str:
        """The id of the last hint."""
        return f"{self._epoch}-{self._number}"

    def since(self, id: str) -> list[Hint] | None:
        """The hints after this one; None where that cannot be said, and all has to be read."""
        if id == self.last_id:
            return []
        found = list(self._ring)
        at = next((n for n, (known, _) in enumerate(found) if known == id), None)
        if at is None:
            first = self._number - len(found)
            return found if id == f"{self._epoch}-{first}" else None
        return found[at + 1 :]

    def _resync(self) -> None:
        """Hints may have been lost: whoever comes back has to read everything again."""
        self._ring.clear()
        self._epoch = secrets.token_hex(4)
        self._number = 0
        for one in self._listeners:
            one.miss()

    async def _run(self) -> None:
        while True:
            try:
                async with broker.connected(self._url, "relais tracking hints") as connection:
                    lost = await self._consume(connection)
                    self._resync()
                    await lost
                    log.warning("hints_lost")
            except asyncio.CancelledError:
                if broker.is_canceled():
                    raise
            except Exception as error:
                if not broker.is_fault(error):
                    log.exception("hints_failed")
            await asyncio.sleep(PAUSE)

    async def _consume(self, connection: AbstractConnection) -> "asyncio.Future[None]":
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def lose(*_: object) -> None:
            if not lost.done():
                lost.set_result(None)

        channel = await connection.channel()
        connection.close_callbacks.add(lose)
        channel.close_callbacks.add(lose)
        (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lose)
        queue = await channel.declare_queue(
            f"{hints.EXCHANGE}.{secrets.token_hex(8)}",
            exclusive=True,
            auto_delete=True,
            arguments={"x-max-length": QUEUE_LENGTH, "x-overflow": "drop-head"},
        )
        await queue.bind(await channel.get_exchange(hints.EXCHANGE, ensure=False))
        await queue.consume(self._take, no_ack=True)
        return lost

    async def _take(self, message: AbstractIncomingMessage) -> None:
        with suppress(aio_pika.exceptions.AMQPError, ValueError, KeyError, TypeError):
            self.announce([str(topic) for topic in orjson.loads(message.body)["topics"]])


@asynccontextmanager
async def opened(url: Url) -> AsyncIterator[Hub]:
    """A hub while the block lasts."""
    hub = Hub(url)
    try:
        yield hub
    finally:
        await hub.close()
