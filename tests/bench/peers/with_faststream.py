"""FastStream, tuned: as many messages at once as connections, acknowledged when handled."""

import logging
import sys

import uvloop
from faststream import FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue

from tests.bench.peers import filling
from tests.bench.peers.asynchronous import Database
from tests.bench.peers.effect import AMQP_URL, AT_ONCE

QUEUE = "bench.faststream"

database = Database()
broker = RabbitBroker(
    AMQP_URL, default_channel=Channel(prefetch_count=AT_ONCE), log_level=logging.DEBUG
)
app = FastStream(broker, logger=None)


@app.on_startup
async def connect() -> None:
    """Open the database before the first message."""
    await database.open()


@broker.subscriber(RabbitQueue(QUEUE, queue_type=QueueType.QUORUM, durable=True))
async def place(body: bytes, message: RabbitMessage) -> None:
    """Handle one message."""
    await database.handle(message.body)


if __name__ == "__main__":
    uvloop.run(filling.fill(QUEUE, int(sys.argv[1])) if sys.argv[1:] else app.run())
