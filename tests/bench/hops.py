"""The smallest steps: a message through a quorum queue, and a commit."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.runtime.amqp import broker
from services.runtime.amqp.publisher import Publisher
from services.runtime.amqp.reader import Delivery
from tests.bench import drain, orders, place, upstream
from tests.bench.listening import listening
from tests.bench.place import Place

QUEUE = "bench.hop"
ADD_NOTE = "INSERT INTO notes (body) VALUES ($1)"


class Steps:
    """Does single steps and gives their seconds."""

    def __init__(self, publisher: Publisher, conn: asyncpg.Connection) -> None:
        """See steps."""
        self._publisher = publisher
        self._conn = conn
        # On a busy machine a commit may last until the next one is due.
        self._committing = asyncio.Lock()
        self._numbers = itertools.count()
        self._awaited: dict[str, asyncio.Future[float]] = {}

    async def hop(self) -> float:
        """From publishing a message to when it was confirmed and has come out of its queue."""
        message = upstream.order_to(QUEUE, next(self._numbers))
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._awaited[message.message_id] = arrived
        began = time.perf_counter()
        await self._publisher.publish([message])
        confirmed = time.perf_counter()
        return max(await arrived, confirmed) - began

    async def commit(self) -> float:
        """One row and its commit, on disk."""
        body = orders.place(next(self._numbers), 1).body
        async with self._committing:
            began = time.perf_counter()
            await self._conn.execute(ADD_NOTE, body)
            return time.perf_counter() - began

    def take(self, delivery: Delivery) -> None:
        """Note when a message came."""
        self._awaited.pop(delivery.properties["message_id"]).set_result(time.perf_counter())


@asynccontextmanager
async def steps(here: Place) -> AsyncIterator[Steps]:
    """A queue and a table for single steps, while the block lasts."""
    publisher = Publisher(here.amqp_url, "bench hops")
    async with place.empty_database(here) as url, queue(here, QUEUE):
        conn = await asyncpg.connect(url)
        await conn.execute("CREATE TABLE notes (body bytea)")
        one = Steps(publisher, conn)
        try:
            async with listening(here.amqp_url, [QUEUE], one.take):
                yield one
        finally:
            await publisher.close()
            await conn.close()


@asynccontextmanager
async def queue(here: Place, name: str) -> AsyncIterator[None]:
    """An empty quorum queue while the block lasts."""
    async with broker.connected(here.amqp_url, "bench") as connection:
        await drain.quorum_queue(connection, name)
    try:
        yield
    finally:
        async with broker.connected(here.amqp_url, "bench") as connection:
            await drain.delete_queue(connection, name)
