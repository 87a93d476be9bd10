"""Records what went over the broker: all events, and all notices in the mailboxes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from contracts import envelope, names
from contracts.envelope import Envelope
from services.runtime.amqp import broker

AT_ONCE = 100


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
    while True:
        got = await asyncio.gather(*(source.get(no_ack=True, fail=False) for _ in range(AT_ONCE)))
        found += [message for message in got if message is not None]
        if None in got:
            return found


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
