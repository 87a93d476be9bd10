"""Fill a quorum queue with orders, for peers that read plain messages."""

import asyncio

import aio_pika
from pamqp.common import FieldTable

from tests.bench import orders
from tests.bench.peers.effect import AMQP_URL

AT_ONCE = 500
QUORUM: FieldTable = {"x-queue-type": "quorum"}


async def fill(queue: str, count: int) -> None:
    """Publish so many orders of one package, persistent and confirmed."""
    connection = await aio_pika.connect(AMQP_URL)
    async with connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True, arguments=QUORUM)
        for at in range(0, count, AT_ONCE):
            numbers = range(at, min(at + AT_ONCE, count))
            publishes = (
                channel.default_exchange.publish(_message(number), queue) for number in numbers
            )
            await asyncio.gather(*publishes)


def _message(number: int) -> aio_pika.Message:
    place = orders.place(number, 1)
    return aio_pika.Message(
        place.body,
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=place.id,
        type=orders.TYPE,
        headers={"partitionkey": place.package_id},
    )
