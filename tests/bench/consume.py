"""The limit of a worker: the same messages, read on the same class of channel, and nothing done.

    python -m tests.bench.consume COUNT QUEUE...

writes the seconds from the first consume to the last acknowledgement.
"""

import asyncio
import sys
import time

import uvloop
from aiormq.abc import AbstractChannel

from services.runtime.amqp import broker
from services.runtime.amqp.reader import Delivery
from services.runtime.settings import Settings
from tests.bench import place
from tests.bench.place import Place

BATCH = 500
"""Deliveries for one acknowledgement, as a worker takes them."""


def apart(here: Place, queues: list[str], count: int) -> float:
    """The seconds that a process of its own takes to read so many messages."""
    output = here.run(
        "consume",
        place.python("tests.bench.consume", str(count), *queues),
        {"RELAIS_AMQP_URL": here.amqp_url},
    )
    return float(output)


async def consume(settings: Settings, queues: list[str], count: int) -> float:
    """Read so many messages and give the seconds."""
    inbox = Inbox()
    async with broker.consuming(settings.amqp_url, "bench consumer", inbox.take) as channel:
        await channel.basic_qos(prefetch_count=settings.prefetch)
        began = time.perf_counter()
        for queue in queues:
            await channel.basic_consume(queue, _unused)
        await inbox.acknowledge(channel, count)
        return time.perf_counter() - began


class Inbox:
    """What was delivered and not acknowledged."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._tags: list[int] = []
        self._arrived = asyncio.Event()

    def take(self, delivery: Delivery) -> None:
        """One more."""
        self._tags.append(delivery.tag)
        self._arrived.set()

    async def acknowledge(self, channel: AbstractChannel, count: int) -> None:
        """Acknowledge what is there, at most a batch at once, until that was so many."""
        while count:
            await self._arrived.wait()
            batch, self._tags = self._tags[:BATCH], self._tags[BATCH:]
            if not self._tags:
                self._arrived.clear()
            await channel.basic_ack(batch[-1], multiple=True, wait=False)
            count -= len(batch)


async def _unused(_: object) -> None:
    """Deliveries are taken out of the stream before they come here."""


if __name__ == "__main__":
    seconds = uvloop.run(consume(Settings(), sys.argv[2:], int(sys.argv[1])))
    sys.stdout.write(f"{seconds}\n")
