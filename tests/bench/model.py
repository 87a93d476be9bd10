"""A read model of a large organisation, made in SQL."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg

AT_ONCE = 500_000
"""Rows in one statement."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows there are of each."""

    orders: int
    packages: int
    entities: int = 10_000
    commands: int = 100_000
    parked: int = 5_000

    @property
    def campaigns(self) -> int:
        """Reference campaigns, and one for every 20th order."""
        return self.packages // 10 + self.orders // 20

    @property
    def notifications(self) -> int:
        """One for every fifth order."""
        return self.orders // 5


_STATE: dict[str, Any] = {
    "description": "Posters, mails and a window sticker for the season.",
    "documents": [{"name": "Guide", "url": "https://example.org/guide"}],
    "assigned_to": None,
    "available_at": None,
    "registration_deadline": None,
    "personalization_deadline": None,
    "approval_mode": "manual",
    "approval_period_days": 3,
    "reviewers": None,
    "reminders": None,
    "several_orders": None,
    "start_targeting_on_order_approval": None,
    "notification_message": None,
    "max_documents": None,
    "approval_deadline": None,
    "submitted_at": None,
    "approved_at": None,
    "published_at": None,
    "canceled_at": None,
    "changed_by": "m.durand",
}

# Of a hundred packages 2 are being edited, 1 waits, 1 is approved, 1 rejected, 75 are published
# (nine in ten of these are over) and 20 canceled.
PACKAGES = """
INSERT INTO model.packages (package_id, label, distribution_level, campaign_id, folder,
    assigned_to, status, edition, version, starts_at, ends_at, created_at, changed_at, changed_by,
    late_from, closed_from, audience_digest, state)
SELECT 'CAT' || n, label, level, 'OP' || n % ($3 / 10 + 1), 'Region ' || n % 40 || '/' || n % 200,
    'op' || n % 100, status, edition, 9, starts_at, ends_at, created_at, changed_at, 'm.durand',
    CASE WHEN status IN ('being_edited', 'pending_approval', 'approved') THEN starts_at END,
    CASE WHEN status = 'published' THEN ends_at END,
    CASE WHEN n % 10 = 0 THEN 'x' END,
    $4::jsonb || jsonb_build_object('package_id', 'CAT' || n, 'label', label,
        'distribution_level', level, 'campaign_id', 'OP' || n % ($3 / 10 + 1),
        'folder', 'Region ' || n % 40 || '/' || n % 200, 'status', status, 'edition', edition,
        'version', 9, 'starts_at', starts_at, 'ends_at', ends_at, 'created_at', created_at,
        'changed_at', changed_at)
FROM generate_series($1::int, $2 - 1) AS n,
LATERAL (SELECT
    (ARRAY['Summer', 'Winter', 'Spring', 'Autumn', 'Opening', 'Jubilee'])[n % 6 + 1]
        || ' sales of season ' || n AS label,
    (ARRAY['local', 'collaborative_by_form', 'collaborative_by_campaign',
           'collaborative_by_target_approval', 'collaborative_simple'])[n % 5 + 1] AS level,
    CASE WHEN n * 37 % 100 < 2 THEN 'being_edited' WHEN n * 37 % 100 < 3 THEN 'pending_approval'
         WHEN n * 37 % 100 < 4 THEN 'approved' WHEN n * 37 % 100 < 5 THEN 'rejected'
         WHEN n * 37 % 100 < 80 THEN 'published' ELSE 'canceled' END AS status,
    1 + (n % 10 = 7)::int AS edition,
    date_trunc('second', now()) - interval '1 s' * (n * 7919::bigint % 94608000) AS created_at
) AS a,
LATERAL (SELECT
    created_at + interval '1 day' AS starts_at,
    CASE WHEN n % 10 = 3 THEN now() + interval '1 hour' * (n % 2000 + 10)
         ELSE least(created_at + interval '90 days', now() - interval '1 minute') END AS ends_at,
    least(created_at + interval '1 hour' * (n % 700), now()) AS changed_at
) AS b
"""
# A hundredth of all orders are of CAT3, as many of ten others, the rest are spread.
ORDERS = """
INSERT INTO model.orders (order_id, package_id, edition, entity_id, status, status_version,
    changed_at, changed_by, late_from, placed_at, approved_at, terms_version, label, comment,
    parameters, campaign_id, approval_deadline)
SELECT 'ORD' || n, 'CAT' || package, 1 + (package % 10 = 7)::int,
    'OU' || (n * 7907::bigint % $4), status, 2, placed_at + interval '1 hour' * (n % 2000),
    'j.petit', CASE WHEN status = 'ordered' THEN placed_at + interval '3 days' END, placed_at,
    placed_at + interval '1 day', 2,
    (ARRAY['Windows', 'Doors', 'Flyers', 'Posters'])[n % 4 + 1] || ' ' || n || ' of the season',
    'Please deliver to the back entrance.', '{"copies": 250, "format": "A2"}',
    CASE WHEN n % 20 = 0 THEN 'OU' || (n * 7907::bigint % $4) || '_OP' || n END,
    placed_at + interval '3 days'
FROM generate_series($1::int, $2 - 1) AS n,
LATERAL (SELECT
    CASE WHEN n % 100 = 0 THEN 3 WHEN n % 100 = 1 THEN 10 + n / 100 % 10
         ELSE n * 104729::bigint % $3 END AS package,
    CASE WHEN n * 53::bigint % 100 < 5 THEN 'ordered' WHEN n * 53::bigint % 100 < 25 THEN 'approved'
         WHEN n * 53::bigint % 100 < 30 THEN 'rejected'
         WHEN n * 53::bigint % 100 < 75 THEN 'available' ELSE 'canceled' END AS status,
    date_trunc('second', now()) - interval '1 s' * (n * 15485863::bigint % 94608000) AS placed_at
) AS a
"""
CAMPAIGNS = """
INSERT INTO model.campaigns (campaign_id, label, kind, distribution_level, program, status,
    version, package_id, order_id, parent_id, changed_at, changed_by, state)
SELECT 'OP' || n, 'Campaign ' || n, CASE WHEN n % 5 = 0 THEN 'template' ELSE 'reference' END,
    'collaborative_by_form', 'Program ' || n % 20,
    (ARRAY['being_edited', 'started', 'finished', 'canceled'])[n % 4 + 1], 3, NULL, NULL, NULL,
    now() - interval '1 s' * (n * 7919::bigint % 94608000), 'm.durand', '{}'
FROM generate_series(0, $1 / 10) AS n
"""
CHILDREN = """
INSERT INTO model.campaigns (campaign_id, label, kind, distribution_level, program, status,
    version, package_id, order_id, parent_id, changed_at, changed_by, state)
SELECT o.campaign_id, 'Campaign of ' || o.order_id, 'child', 'collaborative_by_campaign', NULL,
    (ARRAY['being_edited', 'started', 'finished', 'canceled'])[hashtext(o.order_id) & 3 | 1],
    2, o.package_id, o.order_id, p.campaign_id, o.changed_at, NULL, '{}'
FROM model.orders AS o JOIN model.packages AS p USING (package_id) WHERE o.campaign_id IS NOT NULL
"""
PROCESSES = """
INSERT INTO model.processes (campaign_id, process_id, kind, label, channel, status, version,
    changed_at)
SELECT campaign_id, 'DM' || n, 'delivery', 'Mail ' || n, 'email', 'running', 2, changed_at
FROM model.campaigns, generate_series(1, 3) AS n WHERE kind <> 'child'
"""
ENTITIES = """
INSERT INTO model.entities (entity_id, label, active, mailbox, channels, version, changed_at, state)
SELECT 'OU' || n, 'Agency ' || n || ' of region ' || n % 40, n % 50 <> 0, 'OU' || n,
    ARRAY['mailbox'], 1, now() - interval '1 minute' * n,
    jsonb_build_object('entity_id', 'OU' || n, 'label', 'Agency ' || n, 'mailbox', 'OU' || n,
        'active', true, 'version', 1, 'changed_at', now(), 'order_reviewers',
        jsonb_build_array(jsonb_build_object('id', 'reviewer' || n / 20, 'label', 'R')))
FROM generate_series(0, $1 - 1) AS n
"""
AUDIENCES = """
INSERT INTO model.audiences (package_id, entity_id)
SELECT package_id, 'OU' || m FROM model.packages, generate_series(0, 99) AS m
WHERE audience_digest IS NOT NULL
UNION
SELECT 'CAT10', entity_id FROM model.entities
"""
NOTIFICATIONS = """
INSERT INTO model.notifications (notification_id, kind, recipient_type, recipient_id, channel,
    package_id, edition, order_id, status, attempts, at)
SELECT md5(n::text), (ARRAY['package_available', 'order_approved', 'campaign_available',
        'package_canceled', 'registration_closed'])[n % 5 + 1],
    CASE WHEN n % 50 = 7 THEN 'operator' ELSE 'entity' END,
    CASE WHEN n % 50 = 7 THEN 'm-durand' ELSE 'OU' || (n * 7907::bigint % $4) END,
    (ARRAY['mailbox', 'email'])[n % 2 + 1],
    'CAT' || CASE WHEN n % 100 = 0 THEN 3 ELSE n * 104729::bigint % $3 END, 1,
    CASE WHEN n % 5 = 1 THEN 'ORD' || n * 5 END,
    CASE WHEN n % 1000 = 0 THEN 'failed' WHEN n % 1000 < 10 THEN 'superseded' ELSE 'sent' END, 1,
    date_trunc('second', now()) - interval '1 s' * (n * 15485863::bigint % 94608000)
FROM generate_series($1::int, $2 - 1) AS n
"""
DUE = """
INSERT INTO model.due (package_id, kind, at)
SELECT package_id, 'end', ends_at FROM model.packages WHERE status = 'published'
UNION ALL
SELECT package_id, 'publication', starts_at FROM model.packages WHERE status = 'approved'
"""
CANCELLATIONS = """
INSERT INTO cancellations (package_id, edition, canceled_at, canceled_by, orders_done,
    orders_expected, changed_at)
SELECT package_id, edition, changed_at, 'm.durand', 3, 4, changed_at
FROM model.packages WHERE status = 'canceled'
"""
COMMANDS = """
INSERT INTO commands (command_id, type, subject, sender, state, created_at, outcome)
SELECT 'c' || n, 'relais.order.approve.v1', 'ORD' || n, 'op' || n % 50, 'decided',
    now() - interval '1 minute' * n, CASE WHEN n % 50 = 0 THEN 'refused' ELSE 'accepted' END
FROM generate_series(1, $1) AS n
"""
PARKED = """
INSERT INTO parked (service, number, reason, message_id, type, package_id, error, error_kind,
    attempts, parked_at, body, body_bytes)
SELECT (ARRAY['orders', 'campaigns', 'notifications'])[n % 3 + 1], n, 'failed', 'm' || n,
    'relais.package.canceled.v1', 'CAT' || n, 'KeyError: OU' || n, 'KeyError: …', 3,
    now() - interval '1 minute' * n, '{}', 2
FROM generate_series(1, $1) AS n
"""
# Ten events of each package, a thousand more of CAT3, and two of every 20th order; each package has
# 20 of processes and campaigns besides.
HISTORY = """
INSERT INTO history (event_id, source, at, type, kind, subject, version, package_id, edition,
    actor, comment, causationid, correlationid, status, state)
SELECT substr(md5('p' || package_id), 1, 20) || '-' || v, '/relais/packages',
    created_at + interval '1 minute' * v, 'relais.package.edited.v1', 'package', package_id, v,
    package_id, edition, 'm.durand', NULL, package_id || '-' || v, package_id || '-' || v,
    'being_edited', state::text
FROM model.packages, LATERAL generate_series(1, CASE package_id WHEN 'CAT3' THEN 1010 ELSE 10 END)
    AS v
UNION ALL
SELECT substr(md5('k' || package_id), 1, 20) || '-' || v, '/relais/campaigns',
    created_at + interval '1 hour' * v, 'relais.process.started.v1', 'process', 'OP' || v || '/DM1',
    v, package_id, edition, NULL, NULL, substr(md5('p' || package_id), 1, 20) || '-1', 'c1',
    'running', NULL
FROM model.packages, LATERAL generate_series(1, 20) AS v
UNION ALL
SELECT substr(md5('o' || order_id), 1, 20) || '-' || v, '/relais/orders',
    placed_at + interval '1 hour' * v, CASE v WHEN 1 THEN 'relais.order.placed.v1'
        ELSE 'relais.order.' || status || '.v1' END, 'order', order_id, v, package_id, edition,
    'j.petit', NULL, order_id || '-' || v, order_id || '-' || v,
    CASE v WHEN 1 THEN 'ordered' ELSE status END, NULL
FROM model.orders, LATERAL generate_series(1, 2) AS v WHERE campaign_id IS NOT NULL
"""
COUNTS = """
INSERT INTO model.counts (list, scope, status, shard, n)
SELECT 'packages', '', status, 0, count(*) FROM model.packages GROUP BY status
UNION ALL SELECT 'packages', 'folder:' || folder, status, 0, count(*)
    FROM model.packages GROUP BY folder, status
UNION ALL SELECT 'orders', '', status, 0, count(*) FROM model.orders GROUP BY status
UNION ALL SELECT 'orders', 'entity:' || entity_id, status, 0, count(*)
    FROM model.orders GROUP BY entity_id, status
UNION ALL SELECT 'orders', 'package:' || package_id || ':' || edition, status, 0, count(*)
    FROM model.orders GROUP BY package_id, edition, status
UNION ALL SELECT 'campaigns', '', status, 0, count(*) FROM model.campaigns GROUP BY status
UNION ALL SELECT 'campaigns', 'kind:' || kind, status, 0, count(*)
    FROM model.campaigns GROUP BY kind, status
UNION ALL SELECT 'entities', '', CASE WHEN active THEN 'active' ELSE 'inactive' END, 0, count(*)
    FROM model.entities GROUP BY active
UNION ALL SELECT 'notifications', '', status, 0, count(*) FROM model.notifications GROUP BY status
UNION ALL SELECT 'notifications', 'entity:' || recipient_id, status, 0, count(*)
    FROM model.notifications GROUP BY recipient_id, status
UNION ALL SELECT 'notifications', 'package:' || package_id || ':' || edition, status, 0, count(*)
    FROM model.notifications GROUP BY package_id, edition, status
"""
INDEXES = """
SELECT schemaname || '.' || quote_ident(indexname), indexdef FROM pg_indexes
WHERE schemaname = 'model' AND tablename = ANY ('{orders,notifications,campaigns}')
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
"""


async def is_filled(url: str) -> bool:
    """Whether there are orders."""
    conn = await asyncpg.connect(url)
    try:
        found: bool = await conn.fetchval("SELECT EXISTS (SELECT FROM model.orders)")
    finally:
        await conn.close()
    return found


async def fill(url: str, sizes: Sizes) -> None:
    """Fill the tables; large ones get their indexes at the end, which takes a third of the time."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
        indexes = await conn.fetch(INDEXES)
        for name, _ in indexes:
            await conn.execute(f"DROP INDEX {name}")
        await _fill(conn, sizes)
        for _, definition in indexes:
            await conn.execute(definition)
        await conn.execute(COUNTS)
        await conn.execute("VACUUM (ANALYZE)")
    finally:
        await conn.close()


async def _fill(conn: asyncpg.Connection, sizes: Sizes) -> None:
    state = json.dumps(_STATE)
    await conn.execute(ENTITIES, sizes.entities)
    await _in_parts(conn, PACKAGES, sizes.packages, sizes.packages, state)
    await _in_parts(conn, ORDERS, sizes.orders, sizes.packages, sizes.entities)
    await conn.execute(CAMPAIGNS, sizes.packages)
    await conn.execute("ANALYZE")
    await conn.execute(CHILDREN)
    await _in_parts(conn, NOTIFICATIONS, sizes.notifications, sizes.packages, sizes.entities)
    for statement in (PROCESSES, AUDIENCES, DUE, CANCELLATIONS, HISTORY):
        await conn.execute(statement)
    await conn.execute(COMMANDS, sizes.commands)
    await conn.execute(PARKED, sizes.parked)


async def _in_parts(conn: asyncpg.Connection, statement: str, rows: int, *values: object) -> None:
    for first in range(0, rows, AT_ONCE):
        await conn.execute(statement, first, min(first + AT_ONCE, rows), *values)
