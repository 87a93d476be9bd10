"""taskiq on aio-pika, tuned."""

import asyncio
import sys

import uvloop
from taskiq import TaskiqEvents, TaskiqState
from taskiq_aio_pika import AioPikaBroker, Queue

from tests.bench import orders
from tests.bench.peers.asynchronous import Database
from tests.bench.peers.effect import AMQP_URL, AT_ONCE

QUEUE = "bench.taskiq"

database = Database()
broker = AioPikaBroker(AMQP_URL, qos=AT_ONCE, task_queues=[Queue(name=QUEUE)])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def connect(_: TaskiqState) -> None:
    """Open the database before the first message."""
    await database.open()


@broker.task(task_name="place")
async def place(body: str) -> None:
    """Handle one message."""
    await database.handle(body.encode())


async def fill(count: int) -> None:
    """Put so many orders into the queue."""
    await broker.startup()
    for at in range(0, count, 500):
        numbers = range(at, min(at + 500, count))
        await asyncio.gather(*(place.kiq(orders.place(n, 1).body.decode()) for n in numbers))
    await broker.shutdown()


if __name__ == "__main__":
    uvloop.run(fill(int(sys.argv[1])))
