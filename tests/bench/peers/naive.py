"""A worker as one writes it first: aio-pika and asyncpg, a transaction a message.

With BENCH_RELAY it also publishes each event, with a confirm, and deletes its outbox row.
"""

import asyncio
import os
import sys

import aio_pika
import uvloop
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

from tests.bench.peers import filling
from tests.bench.peers.asynchronous import Database
from tests.bench.peers.effect import AMQP_URL, AT_ONCE

QUEUE = "bench.naive"


async def work() -> None:
    """Handle messages until the process is ended."""
    database = Database()
    await database.open()
    connection = await aio_pika.connect(AMQP_URL)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=AT_ONCE)
        queue = await channel.declare_queue(QUEUE, durable=True, arguments=filling.QUORUM)
        events = None
        if os.environ.get("BENCH_RELAY"):
            events = await (await connection.channel()).get_exchange("relais.events", ensure=False)

        async def handle(message: AbstractIncomingMessage) -> None:
            row, event = await database.handle(message.body)
            if events is not None:
                await publish(events, event)
                await database.forget(row)
            await message.ack()

        await queue.consume(handle)
        await asyncio.Event().wait()


async def publish(events: AbstractExchange, event: tuple[str, str, str, bytes]) -> None:
    """Publish one event and wait for its confirm."""
    message_id, correlation_id, partition_key, body = event
    message = aio_pika.Message(
        body,
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message_id,
        correlation_id=correlation_id,
        type="relais.order.placed.v1",
        headers={"partitionkey": partition_key},
    )
    await events.publish(message, "relais.order.placed.v1")


if __name__ == "__main__":
    uvloop.run(filling.fill(QUEUE, int(sys.argv[1])) if sys.argv[1:] else work())
