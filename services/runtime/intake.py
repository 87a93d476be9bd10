"""What the broker has delivered and nobody has begun, and how it is taken in batches."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiormq.abc import AbstractChannel
from pamqp.common import FieldTable

from contracts import names
from services.runtime import item, metrics
from services.runtime.deliveries import Delivery
from services.runtime.item import Item
from services.runtime.service import Service

log = structlog.get_logger()

MAX_ELEMENTS = 500
MAX_BYTES = 4 * 1024 * 1024
SUSPECT_AFTER = 3
"""Deliveries of one message after which it may be what kills the worker."""


@dataclass(slots=True)
class Batch:
    """Elements of consecutive deliveries, and the tag that acknowledges them all."""

    items: list[Item]
    tag: int
    suspect: bool
    begun: float


class Intake:
    """What the broker has delivered and nobody has begun."""

    def __init__(self, service: Service, stopping: asyncio.Event) -> None:
        """Nothing is consumed before consume."""
        self._service = service
        self._stopping = stopping
        self._deliveries: list[Delivery] = []
        self._at = 0
        self._arrived = asyncio.Event()
        self._ended: str | None = None
        self._drains: dict[str, str] = {}

    async def consume(
        self, channel: AbstractChannel, queues: Sequence[str], priorities: Sequence[int]
    ) -> None:
        """Consume every lane with its priority, and what is drained into parked.

        It is one channel for all: its tags tell the order of arrival across lanes.
        """
        channel.on_consumer_cancel_callbacks.add(lambda _: self.end("canceled by the broker"))
        channel.closing.add_done_callback(lambda _: self.end("channel closed"))
        self._drains = {names.dead(self._service.name): "dead"}
        self._drains |= dict.fromkeys(self._service.drains, "unknown_type")
        for queue, priority in zip(queues, priorities, strict=True):
            await _consume(channel, queue, {"x-priority": priority})
        for queue in self._drains:
            await _consume(channel, queue, {})
        metrics.LANES_HELD.set(len(queues))

    def deliver(self, delivery: Delivery) -> None:
        """Take one delivery from the connection."""
        self._deliveries.append(delivery)
        self._arrived.set()

    def end(self, why: str) -> None:
        """Take nothing more; whatever was not begun goes back."""
        if self._ended is None:
            log.info("intake_ended", why=why)
            self._ended = why
        self._arrived.set()

    @property
    def has_ended(self) -> bool:
        """Whether nothing comes in any more."""
        return self._ended is not None

    async def take(self) -> Batch | None:
        """What is there now, at most a batch of it; None when the intake has ended."""
        while self._at == len(self._deliveries):
            if not await self._more():
                return None
        if self._ended or self._stopping.is_set():
            return None
        return self._batch()

    async def _more(self) -> bool:
        self._deliveries.clear()
        self._at = 0
        self._arrived.clear()
        if self._ended:
            return False
        arrived = asyncio.create_task(self._arrived.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({arrived, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrived.cancel()
            stopping.cancel()
        return not self._stopping.is_set() and self._ended is None

    def _batch(self) -> Batch:
        """Whole deliveries, in order of arrival; one that keeps coming back is taken alone."""
        now = datetime.now(UTC)
        batch = Batch([], 0, False, time.monotonic())
        size = 0
        while self._at < len(self._deliveries):
            delivery = self._deliveries[self._at]
            suspect = _deliveries_so_far(delivery) >= SUSPECT_AFTER
            elements = [] if suspect and batch.items else self._read(delivery, now)
            full = len(batch.items) + len(elements) > MAX_ELEMENTS
            if batch.items and (suspect or full or size + len(delivery.body) > MAX_BYTES):
                break
            batch.items += elements
            batch.tag = delivery.tag
            batch.suspect = suspect
            size += len(delivery.body)
            self._at += 1
            if suspect:
                break
        del self._deliveries[: self._at]
        self._at = 0
        return batch

    def _read(self, delivery: Delivery, now: datetime) -> list[Item]:
        drained = self._drains.get(delivery.consumer)
        return item.read(
            item.origin_of(delivery), delivery.body, self._service.routes, now, drained=drained
        )


async def _consume(channel: AbstractChannel, queue: str, arguments: FieldTable) -> None:
    async def unused(_: object) -> None:
        """Deliveries are taken out of the stream before they come here."""

    await channel.basic_consume(queue, unused, arguments=arguments, consumer_tag=queue)


def _deliveries_so_far(delivery: Delivery) -> int:
    """RabbitMQ 4 counts failures and hand-outs apart; either may be a worker that died."""
    if not (delivery.may_have(b"x-delivery-count") or delivery.may_have(b"x-acquired-count")):
        return 0
    headers = delivery.headers()
    counts = (headers.get("x-delivery-count"), headers.get("x-acquired-count"))
    return max((c for c in counts if isinstance(c, int)), default=0)
