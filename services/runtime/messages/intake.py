"""What the broker has delivered and nobody has begun, and how it is taken in batches."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiormq.abc import AbstractChannel
from pamqp.common import FieldTable

from contracts import names
from services.runtime import telemetry
from services.runtime.amqp.reader import Delivery
from services.runtime.messages import item
from services.runtime.messages.item import DRAIN, LANE, Item
from services.runtime.service import Service

log = structlog.get_logger()

MAX_ELEMENTS = 500
MAX_BYTES = 4 * 1024 * 1024
HELD_BYTES = 64 * 1024 * 1024
"""What may lie here undecided before the connection is left unread for a while."""
READ_AT_ONCE = 50
"""Elements read before other tasks run."""
SUSPECT_AFTER = 3
"""Deliveries of one message after which it may be what kills the worker."""


@dataclass(slots=True)
class Batch:
    """Elements of consecutive deliveries, or of one, and the tag that acknowledges them all.

    size is in bytes.  Of a suspect one something may be what kills the worker.  begun is when it
    was taken.
    """

    items: list[Item]
    tag: int
    size: int
    suspect: bool
    begun: float = 0.0


class Intake:
    """What the broker has delivered and nobody has begun.

    It is read a little at a time while the database works on the batch before; a batch is cut
    only when somebody takes it, so that under load it is as large as it may be.
    room is set as long as the connection may be read.
    """

    def __init__(self, service: Service, major: int = 0) -> None:
        """major: the version of RabbitMQ; from 4 on a quorum queue heeds priorities."""
        self._service = service
        self._major = major
        self._deliveries: deque[Delivery] = deque()
        self._read: deque[Batch] = deque()
        self._elements = 0
        self._bytes_read = 0
        self._bytes_held = 0
        self.room = asyncio.Event()
        self.room.set()
        self._to_read = asyncio.Event()
        self._to_take = asyncio.Event()
        self.delivering: set[str] = set()
        """The queues that have delivered something since it began."""
        self.expired = 0
        """Messages that a policy, and not their sender, let expire in a queue of ours."""
        self._has_begun = False
        self._ended: str | None = None
        self._next = ""
        foreign = [*service.drains, *map(names.expired, service.drains)]
        self._foreign = dict.fromkeys(foreign, DRAIN)

    async def consume(
        self,
        channel: AbstractChannel,
        queues: Sequence[str],
        priorities: Sequence[int],
        expired_since: str | None = None,
    ) -> None:
        """Consume every lane with its priority, what is drained, and what has expired there.

        A stream is never empty: it is read from a moment on, and the inbox knows the rest.
        It is one channel for all: its tags tell the order of arrival across lanes.
        """
        channel.on_consumer_cancel_callbacks.add(lambda _: self.end("canceled by the broker"))
        channel.closing.add_done_callback(lambda _: self.end("channel closed"))
        # What is dead is older than what is in the lanes.
        drained = [names.dead(self._service.name), *self._service.drains]
        wanted: dict[str, FieldTable] = {queue: {} for queue in drained}
        wanted |= {q: {"x-priority": p} for q, p in zip(queues, priorities, strict=True)}
        if expired_since is not None:
            wanted |= {names.expired(q): {"x-stream-offset": expired_since} for q in drained}
        try:
            for queue, arguments in wanted.items():
                self._next = queue
                await channel.basic_consume(queue, _unused, arguments=arguments, consumer_tag=queue)
                # No stream that is slow to answer keeps the lanes from being read.
                self._has_begun = self._has_begun or queue == queues[-1]
        except BaseException:
            self.end("cannot consume")
            raise
        telemetry.LANES_HELD.set(len(queues))

    def deliver(self, delivery: Delivery) -> None:
        """Take one delivery from the connection."""
        self._deliveries.append(delivery)
        self.delivering.add(delivery.consumer)
        self._hold(delivery.size)
        self._to_read.set()

    def _hold(self, size: int) -> None:
        """The broker counts messages; large ones are held back by their size."""
        self._bytes_held += size
        if self._bytes_held < HELD_BYTES or self._ended:
            self.room.set()
        else:
            self.room.clear()

    def end(self, why: str) -> None:
        """Give nothing more; whatever was not begun goes back."""
        if self._ended is None:
            log.info("intake_ended", why=why)
            self._ended = why
        self.room.set()
        self._to_read.set()
        self._to_take.set()

    @property
    def is_consuming(self) -> bool:
        """Whether every lane is consumed, and messages come in."""
        return self._has_begun and self._ended is None

    @property
    def why_not(self) -> str:
        """Why no message comes in, where none does."""
        return self._ended or f"RabbitMQ has not confirmed the consumer of {self._next}"

    async def read_ahead(self) -> None:
        """Read what is delivered, up to a batch ahead, until the intake ends."""
        while not self._ended:
            is_ahead = self._elements >= MAX_ELEMENTS or self._bytes_read >= MAX_BYTES
            if self._deliveries and not is_ahead:
                self._read_some()
                self._to_take.set()
                # What the database has answered meanwhile goes first.
                await asyncio.sleep(0)
            else:
                self._to_read.clear()
                await self._to_read.wait()

    def _read_some(self) -> None:
        until = self._elements + READ_AT_ONCE
        while self._deliveries and self._elements < until:
            delivery = self._deliveries.popleft()
            origin = item.origin_of(delivery, heeds_priority=self._major >= 4)
            source = self._foreign.get(delivery.consumer, LANE)
            items = item.read(origin, delivery.body, self._service.routes, source=source)
            suspect = _is_suspect(delivery)
            self.expired += _has_expired(delivery)
            self._read.append(Batch(items, delivery.tag, delivery.size, suspect))
            self._bytes_read += delivery.size
            self._elements += len(items)

    async def take(self) -> Batch | None:
        """What is there now, at most a batch of it; None when the intake has ended."""
        while not self._read and not self._ended:
            self._to_take.clear()
            await self._to_take.wait()
        return None if self._ended else self._cut()

    def _cut(self) -> Batch:
        """Whole deliveries, in order of arrival."""
        batch = self._read.popleft()
        batch.begun = time.monotonic()
        while self._read:
            following = self._read[0]
            elements = len(batch.items) + len(following.items)
            if elements > MAX_ELEMENTS or batch.size + following.size > MAX_BYTES:
                break
            self._read.popleft()
            batch.items += following.items
            batch.tag = following.tag
            batch.suspect = batch.suspect or following.suspect
            batch.size += following.size
        self._elements -= len(batch.items)
        self._bytes_read -= batch.size
        self._hold(-batch.size)
        self._to_read.set()
        return batch


async def _unused(_: object) -> None:
    """Deliveries are taken out of the stream before they come here."""


def _has_expired(delivery: Delivery) -> bool:
    """Whether a policy has made it expire, or has found it one too many."""
    if b"x-first-death-reason" not in delivery.table:
        return False
    headers = delivery.headers()
    deaths = headers.get("x-death")
    of_its_own = isinstance(deaths, list) and "original-expiration" in str(deaths)
    return headers.get("x-first-death-reason") in ("expired", "maxlen") and not of_its_own


def _is_suspect(delivery: Delivery) -> bool:
    """Whether it was delivered so often that it may be what kills the worker.

    RabbitMQ 4 counts failures and hand-outs apart; either may be a worker that died.
    """
    table = delivery.table
    if not (b"x-delivery-count" in table or b"x-acquired-count" in table or b"x-death" in table):
        return False
    headers = delivery.headers()
    if headers.get("x-first-death-reason") == "delivery_limit":
        return True
    counts = map(headers.get, ("x-delivery-count", "x-acquired-count"))
    return max((c for c in counts if isinstance(c, int)), default=0) >= SUSPECT_AFTER
