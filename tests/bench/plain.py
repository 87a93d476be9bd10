"""The same row changes in plain SQL, and nothing else."""

from collections.abc import Sequence

import asyncpg

from tests.bench.peers.effect import Statement

ADD_INBOXES = """
INSERT INTO inbox (source, id, type, received_at, outcome, version)
SELECT source, id, type, clock_timestamp(), 'accepted', 1
FROM unnest($1::text[], $2::text[], $3::text[]) AS m (source, id, type) ORDER BY source, id
"""
ADD_ORDERS = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, comment, parameters, status,
                    version, approval_deadline, placed_at, changed_at, changed_by)
SELECT order_id, package_id, 1, entity_id, label, comment, parameters, 'ordered', 1,
       approval_deadline, placed_at, changed_at, changed_by
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[],
            $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[])
    AS m (order_id, package_id, entity_id, label, comment, parameters, approval_deadline,
          placed_at, changed_at, changed_by)
ORDER BY order_id
"""
ADD_OUTBOXES = """
INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                    content_type, mandatory, body, taken_until)
SELECT 'relais.events', 'relais.order.placed.v1', 'relais.order.placed.v1', message_id,
       correlation_id, partitionkey, 'application/cloudevents+json', true, body,
       now() + interval '5 s'
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
    AS m (message_id, correlation_id, partitionkey, body)
"""


async def add(conn: asyncpg.Connection, effects: Sequence[Sequence[Statement]]) -> None:
    """Store the effects of many messages: one statement for each table."""
    for place, statement in enumerate((ADD_INBOXES, ADD_ORDERS, ADD_OUTBOXES)):
        rows = [effect[place][1] for effect in effects]
        await conn.execute(statement, *(list(column) for column in zip(*rows, strict=True)))


SEED_ORDERS = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, comment, parameters, status,
                    version, approval_deadline, placed_at, changed_at, changed_by)
SELECT $1 || '-ORD' || n, $1, 1, 'OU' || n % $3, 'Order ' || n || ' of the spring campaign',
       'Please deliver the posters to the back entrance before the shop opens in the morning.',
       '{"copies": 250, "format": "A2", "paper": "matt"}', 'ordered', 1,
       now() + interval '3 days', now(), now(), 'm.durand'
FROM generate_series(0, $2 - 1) AS n
"""


async def seed_orders(
    conn: asyncpg.Connection, package_id: str, orders: int, entities: int
) -> None:
    """Have so many open orders of a package, dealt out over entities OU0, OU1 and so on.

    Rules would allow one order an entity; a cancel does not ask.
    """
    await conn.execute(SEED_ORDERS, package_id, orders, entities)


CANCEL_ORDERS = """
UPDATE orders SET status = 'canceled', version = version + 1, canceled_at = now(),
                  changed_at = now(), changed_by = 'm.durand'
WHERE package_id = $1 AND edition = 1 AND status IN ('ordered', 'approved', 'available')
"""

ADD_EVENTS = """
INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                    content_type, mandatory, body, taken_until)
SELECT 'relais.events', 'relais.order.canceled.v1', 'relais.order.canceled.v1', 'run-' || n, '',
       'CAT', 'application/cloudevents+json', true, convert_to(repeat('x', 500), 'UTF8'),
       now() + interval '5 s'
FROM generate_series(1, $1) AS n
"""
