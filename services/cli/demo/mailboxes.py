"""Read the mailboxes as the gateways of local entities do: each notice once, and its repeats."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel

from contracts import names
from services.cli.demo.expected import Notice
from services.runtime.amqp import broker
from services.runtime.amqp.reader import Delivery

AHEAD = 2_000
QUIET = 0.3
"""Seconds without a delivery after which the queues are asked whether they are empty."""


@dataclass(slots=True)
class Read:
    """Every notice read so far, with the ids that it came under."""

    ids: dict[Notice, set[str]] = field(default_factory=dict)
    repeats: int = 0
    unreadable: int = 0
    messages: int = 0

    def take(self, body: bytes) -> None:
        """Store the notices of one message."""
        self.messages += 1
        for envelope in _envelopes(body):
            try:
                notice = _notice(envelope["data"])
                id = envelope["id"]
            except (KeyError, TypeError):
                self.unreadable += 1
                continue
            known = self.ids.setdefault(notice, set())
            self.repeats += id in known
            known.add(id)

    def of(self, kind: str, edition: int) -> int:
        """How many notices of a kind were read, each once."""
        return sum(1 for notice in self.ids if notice[0] == kind and notice[3] == edition)


def _envelopes(body: bytes) -> Iterator[Any]:
    value = orjson.loads(body)
    yield from value if isinstance(value, list) else [value]


def _notice(data: Any) -> Notice:
    package, order = data["package"], data["order"]
    recipient = data["recipient"]["id"]
    order_id = order["order_id"] if order else None
    return data["kind"], recipient, package["package_id"], package["edition"], order_id


async def drain(
    amqp_url: str, mailboxes: Sequence[str], read: Read, progress: Callable[[int], None]
) -> None:
    """Read until the mailboxes are empty; progress gets the number of messages read so far."""
    queues = [names.mailbox(name) for name in mailboxes]
    reader = _Reader(read, progress)
    name = "relais demo mailboxes"
    async with (
        broker.connected(amqp_url, name) as asking,
        broker.consuming(amqp_url, name, reader.deliver) as channel,
    ):
        await channel.basic_qos(prefetch_count=AHEAD)
        for queue in queues:
            await channel.basic_consume(queue, _unused, consumer_tag=queue)
        while await reader.has_more(channel) or await _left(asking, queues):
            pass


class _Reader:
    """Stores deliveries, and acknowledges what it has stored."""

    def __init__(self, read: Read, progress: Callable[[int], None]) -> None:
        self._read = read
        self._progress = progress
        self._tag = 0
        self._arrived = asyncio.Event()

    def deliver(self, delivery: Delivery) -> None:
        self._read.take(delivery.body)
        self._tag = delivery.tag
        self._arrived.set()

    async def has_more(self, channel: AbstractChannel) -> bool:
        """Wait for deliveries and acknowledge them; false after a moment without any."""
        try:
            async with asyncio.timeout(QUIET):
                await self._arrived.wait()
        except TimeoutError:
            return False
        self._arrived.clear()
        # An acknowledgement must have gone out before the connection is closed.
        await channel.basic_ack(self._tag, multiple=True)
        self._progress(self._read.messages)
        return True


async def _left(connection: AbstractConnection, queues: Sequence[str]) -> int:
    async with connection.channel() as channel:
        declared = [await channel.declare_queue(queue, passive=True) for queue in queues]
        return sum(queue.declaration_result.message_count or 0 for queue in declared)


async def _unused(_: object) -> None:
    """Deliveries are taken out of the stream before they come here."""
