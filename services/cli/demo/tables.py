"""What the demo counts in the services' own tables, and what it imports into one."""

from collections import Counter
from collections.abc import Mapping

from services.cli.demo.expected import Rows
from services.runtime.postgres.database import Pool

Pools = Mapping[str, Pool]

PACKAGES = "SELECT package_id, edition, status, count(*) FROM packages GROUP BY 1, 2, 3"
ORDERS = "SELECT package_id, edition, status, count(*) FROM orders GROUP BY 1, 2, 3"
CAMPAIGNS = "SELECT campaign_id, status, count(*) FROM campaigns GROUP BY 1, 2"
PROCESSES = "SELECT campaign_id, status, count(*) FROM processes GROUP BY 1, 2"
NOTIFICATIONS = """
SELECT h.kind, n.package_id, h.edition, n.status, count(*)
FROM notifications n JOIN happenings h USING (happening_id)
WHERE n.recipient_type = 'entity' GROUP BY 1, 2, 3, 4
"""
LEDGER = """
SELECT package_id, edition, orders, campaigns, notifications, completed_at IS NOT NULL AS complete
FROM cancellations
"""


async def rows(pools: Pools, service: str, statement: str) -> Rows:
    """The groups of a statement with their counts, which are its last column."""
    found = await pools[service].fetch(statement)
    return Counter({tuple(row.values())[:-1]: row["count"] for row in found})


IMPORT = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, status, version, placed_at,
                    approved_at, changed_at)
SELECT order_id, $3, 1, entity_id, 'Imported order ' || order_id, 'approved', 2, now(), now(), now()
FROM unnest($1::text[], $2::text[]) AS m (order_id, entity_id)
ON CONFLICT DO NOTHING
"""
NOTIFICATIONS_SENT = "SELECT count(*) FROM notifications WHERE status = 'sent'"
ACTIVE = {
    "directory": "SELECT count(*) FROM entities WHERE active",
    "orders": "SELECT count(*) FROM entities WHERE active",
    "notifications": "SELECT count(*) FROM entities WHERE active_during @> now()",
}
"""The entities that each service knows to be active."""

# An order that was canceled or rejected has changed once more than its approval accounts for.
CHANGED_TWICE = """
SELECT count(*) FROM orders
WHERE version > 1 + (approved_at IS NOT NULL)::int + (status IN ('canceled', 'rejected'))::int
"""
EMITTED = "SELECT coalesce(sum(count), 0) FROM emitted WHERE type = $1"


async def changed_twice(pools: Pools) -> int:
    """Orders that were changed more often than commands asked for."""
    return int(await pools["orders"].fetchval(CHANGED_TWICE))


async def emitted(pools: Pools, service: str, kind: str) -> int:
    """How many events of this type a service has emitted."""
    return int(await pools[service].fetchval(EMITTED, kind))


async def canceled(pools: Pools, edition: int) -> dict[str, int]:
    """The counts of the cancel of an edition, from the table of each service."""
    orders = await rows(pools, "orders", ORDERS)
    campaigns = await rows(pools, "campaigns", CAMPAIGNS)
    processes = await rows(pools, "campaigns", PROCESSES)
    return {
        "orders": sum(n for key, n in orders.items() if key[1:] == (edition, "canceled")),
        "campaigns": sum(n for key, n in campaigns.items() if key[1] == "canceled"),
        "processes": sum(n for key, n in processes.items() if key[1] == "stopped"),
    }
