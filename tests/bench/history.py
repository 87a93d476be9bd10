"""Rows of a long past: orders of other packages, and a month of inbox and notifications."""

from collections.abc import Sequence

import asyncpg

from tests.bench import place
from tests.bench.installation import Installation

AT_ONCE = 500_000
"""Rows in one transaction."""

NOTIFIED = 1_000
"""Notifications of one happening, as many as orders of one package."""

ADD_ORDERS = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, comment, parameters, status,
                    version, approval_deadline, placed_at, approved_at, changed_at, changed_by)
SELECT 'OLD' || n, CASE WHEN scattered THEN ($4::text[])[n % $3 + 1] ELSE 'PAST' || n / 1000 END,
       1, 'OU' || n / $3 % $6::int, 'Order ' || n || ' of the winter campaign',
       'Please deliver the posters to the back entrance before the shop opens in the morning.',
       '{"copies": 250, "format": "A2", "paper": "matt"}',
       CASE WHEN scattered THEN 'ordered'
            ELSE (ARRAY['available', 'canceled', 'approved', 'rejected'])[n % 4 + 1] END,
       2, now() - interval '20 days', now() - interval '23 days', now() - interval '22 days',
       now() - interval '22 days', 'm.durand'
FROM generate_series($1::int, $2 - 1) AS n,
     LATERAL (SELECT n % $3 < cardinality($4::text[]) AND n < $3 * $5::int AS scattered) AS s
"""
ADD_INBOX = """
INSERT INTO inbox (source, id, type, received_at, outcome, version)
SELECT '/past', 'past-' || n, 'relais.order.place.v1',
       now() - interval '29 days' * (1 - n::float8 / $3), 'accepted', 1
FROM generate_series($1::int, $2 - 1) AS n
"""
ADD_NOTIFICATIONS = """
WITH happened AS (
    INSERT INTO happenings (kind, subject, edition, happening, package_id, version, happened_at,
                            notice, cause)
    SELECT 'package_available', 'PAST' || n, 1, '', 'PAST' || n, 4, now() - interval '25 days',
           '{}', '{}'
    FROM generate_series($1::int / $3, ($2 - 1) / $3) AS n
    RETURNING happening_id, package_id
)
INSERT INTO notifications (happening_id, recipient_type, recipient_id, channel, package_id,
                           recipient_label, attempts, status, added_at, sent_at)
SELECT happening_id, 'entity', 'OU' || n, 'mailbox', package_id, 'Agency ' || n, 1, 'sent',
       now() - interval '25 days', now() - interval '25 days'
FROM happened, generate_series(0, $3 - 1) AS n
"""


async def add(
    one: Installation,
    *,
    orders: int,
    rows: int,
    entities: int,
    scattered: Sequence[str],
    size: int,
) -> None:
    """Add so many orders, and rows of inbox (of orders and of notifications) and of notifications.

    The orders are of entities OU0, OU1 and so on.  Each scattered package has size open orders,
    which lie far apart among those of others.
    """
    apart = max(orders // size, 1)
    await _fill(one, "orders", ADD_ORDERS, orders, apart, list(scattered), size, entities)
    await _fill(one, "orders", ADD_INBOX, rows, rows)
    await _fill(one, "notifications", ADD_INBOX, rows, rows)
    await _fill(one, "notifications", ADD_NOTIFICATIONS, rows, NOTIFIED)
    for service in ("orders", "notifications"):
        # Or Postgres would begin with that by itself, in the midst of a measurement.
        await place.execute(one.postgres[service], "VACUUM (ANALYZE)")


async def _fill(
    one: Installation, service: str, statement: str, rows: int, *values: object
) -> None:
    conn = await asyncpg.connect(one.postgres[service])
    try:
        for first in range(0, rows, AT_ONCE):
            await conn.execute(statement, first, min(first + AT_ONCE, rows), *values)
    finally:
        await conn.close()
