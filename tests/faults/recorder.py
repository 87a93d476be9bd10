"""Records what went over the broker: all events, and all notices in the mailboxes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from contracts import envelope, names
from contracts.envelope import Envelope
from services.runtime.amqp import broker

QUIET = 2.0
"""Seconds without a message after which a queue is empty."""


@dataclass
class Recording:
    """Envelopes by source and id, each once; repeats counts those that came again."""

    envelopes: dict[tuple[str, str], Envelope] = field(default_factory=dict)
    repeats: int = 0

    def take(self, body: bytes) -> None:
        """Note every envelope of one AMQP message."""
        for element in envelope.read(body):
            assert isinstance(element, Envelope), f"not an envelope: {element!r}"
            identity = (element.source, element.id)
            self.repeats += identity in self.envelopes
            self.envelopes[identity] = element


async def read(channel: AbstractChannel, queue: str) -> list[AbstractIncomingMessage]:
    """Take everything that is in a queue now."""
    found: list[AbstractIncomingMessage] = []
    source = await channel.get_queue(queue, ensure=False)
    while count := await _count(channel, queue):
        taken: list[AbstractIncomingMessage] = []
        async with source.iterator(timeout=QUIET) as messages:
            # The count of a quorum queue may be an old one.
            with suppress(TimeoutError):
                while len(taken) < count:
                    taken.append(await anext(messages))
        if taken:
            await taken[-1].ack(multiple=True)
        found += taken
    return found


async def _count(channel: AbstractChannel, queue: str) -> int:
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0


@asynccontextmanager
async def recording(amqp_url: str, queue: str) -> AsyncIterator[str]:
    """A durable queue that gets a copy of every event while the block lasts."""
    async with broker.connected(amqp_url, "faults") as connection, connection.channel() as channel:
        declared = await channel.declare_queue(queue, durable=True)
        await declared.bind(names.EVENTS, "#")
    try:
        yield queue
    finally:
        await delete(amqp_url, [queue])


async def delete(amqp_url: str, queues: Sequence[str]) -> None:
    """Remove queues, whatever is in them."""
    async with broker.connected(amqp_url, "faults") as connection, connection.channel() as channel:
        for queue in queues:
            await channel.queue_delete(queue, if_unused=False, if_empty=False)
