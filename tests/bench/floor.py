"""The floor of a cancel: its row changes in plain SQL, its messages published, and nothing else."""

import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from contracts import names
from services.runtime.amqp import broker
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.publisher import Publisher
from services.runtime.amqp.reader import Delivery
from tests.bench import hops, place, plain
from tests.bench.listening import listening
from tests.bench.place import Place

RECORDED = "bench.recorded"
QUEUE = "bench.floor"

ADD_NOTIFICATIONS = """
INSERT INTO notifications (happening_id, recipient_type, recipient_id, channel, package_id,
                           added_at, next_try_at)
SELECT $1, 'entity', 'OU' || n, 'mailbox', $2, now(), now() FROM generate_series(0, $3 - 1) AS n
"""
MARK_SENT = """
UPDATE notifications SET status = 'sent', attempts = 1, sent_at = now()
WHERE happening_id = $1 AND package_id = $2 AND status = 'pending'
"""
ADD_OUTBOX = """
INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                    content_type, mandatory, body, taken_until)
SELECT '', $1, type, message_id, '', '', '', true, body, now() + interval '5 s'
FROM unnest($2::text[], $3::text[], $4::bytea[]) AS m (type, message_id, body)
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What services published for one cancel: events of orders, of notifications, and notices."""

    orders: list[Outgoing] = field(default_factory=list)
    notifications: list[Outgoing] = field(default_factory=list)
    notices: list[Outgoing] = field(default_factory=list)

    def take(self, delivery: Delivery) -> None:
        """Keep one of them; events go to a queue of the floor's own, where nobody reads them."""
        if delivery.exchange == names.NOTIFICATIONS:
            self.notices.append(_again(delivery, names.NOTIFICATIONS, delivery.routing_key))
        elif delivery.routing_key.startswith("relais.orders."):
            self.orders.append(_again(delivery, "", QUEUE))
        else:
            self.notifications.append(_again(delivery, "", QUEUE))


def _again(delivery: Delivery, exchange: str, routing_key: str) -> Outgoing:
    stated = delivery.properties
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=delivery.body,
        type=stated["type"],
        message_id=stated["message_id"],
        content_type=stated["content_type"],
        app_id=stated["app_id"],
        correlation_id=stated.get("correlation_id", ""),
        partitionkey=delivery.headers().get(names.PARTITION_KEY),
    )


@asynccontextmanager
async def recording(here: Place) -> AsyncIterator[Recorded]:
    """All that is published of the kinds that grow with a cancel, while the block lasts."""
    recorded = Recorded()
    async with hops.queue(here, RECORDED):
        async with broker.connected(here.amqp_url, "bench") as connection:
            channel = await connection.channel()
            queue = await channel.get_queue(RECORDED, ensure=False)
            for events in ("relais.orders.#", "relais.notification.#"):
                await queue.bind(names.EVENTS, events)
            await queue.bind(names.NOTIFICATIONS, "#")
        async with listening(here.amqp_url, [RECORDED], recorded.take):
            yield recorded


class Floor:
    """Does the work of a cancel in one row: the orders, then the notices, then what became of them.

    Services do parts of it at the same time; that is how they may come close.
    """

    def __init__(
        self, orders: asyncpg.Connection, notifications: asyncpg.Connection, publisher: Publisher
    ) -> None:
        """See floor."""
        self._orders = orders
        self._notifications = notifications
        self._publisher = publisher
        self._numbers = itertools.count(1)

    async def work(self, size: int, entities: int, recorded: Recorded) -> float:
        """The seconds that it takes for so many orders."""
        number = next(self._numbers)
        package_id = f"CAT{number}"
        await plain.seed_orders(self._orders, package_id, size, entities)
        await self._orders.execute("ANALYZE orders")
        began = time.perf_counter()
        await self._change(self._orders, recorded.orders, plain.CANCEL_ORDERS, package_id)
        await self._notifications.execute(ADD_NOTIFICATIONS, number, package_id, entities)
        await self._publish(recorded.notices)
        await self._change(
            self._notifications, recorded.notifications, MARK_SENT, number, package_id
        )
        return time.perf_counter() - began

    async def _change(
        self,
        conn: asyncpg.Connection,
        messages: Sequence[Outgoing],
        statement: str,
        *values: object,
    ) -> None:
        """Change rows, and publish the events of it through the outbox as services do."""
        async with conn.transaction():
            await conn.execute(statement, *values)
            await conn.execute(
                ADD_OUTBOX,
                QUEUE,
                [m.type for m in messages],
                [m.message_id for m in messages],
                [m.body for m in messages],
            )
        await self._publish(messages)
        await conn.execute("DELETE FROM outbox")

    async def _publish(self, messages: Sequence[Outgoing]) -> None:
        published = await self._publisher.publish(messages)
        if not published.clean:
            raise RuntimeError(f"the broker did not take every message: {published}")


@asynccontextmanager
async def floor(here: Place) -> AsyncIterator[Floor]:
    """Databases of its own, and a queue for its events, while the block lasts."""
    publisher = Publisher(here.amqp_url, "bench floor")
    async with (
        place.database(here, "orders") as orders_url,
        place.database(here, "notifications") as notifications_url,
        hops.queue(here, QUEUE),
    ):
        orders = await asyncpg.connect(orders_url)
        notifications = await asyncpg.connect(notifications_url)
        try:
            yield Floor(orders, notifications, publisher)
        finally:
            await publisher.close()
            await orders.close()
            await notifications.close()
