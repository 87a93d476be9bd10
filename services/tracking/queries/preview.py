"""What the cancel of a package would do, as the read model shows it; without any effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.service import Connection, Pool, Row

PERCENT, ORDERS = 0.01, 10
"""The figures of a preview have drifted where orders moved by more than both."""

SHARING_SHOWN = 100
UNTOLD_SHOWN = 100
LOCAL = "local"

# open are the orders that the cancel ends, by the counts that the reader keeps.
PACKAGE = """
SELECT p.package_id, p.label, p.status, p.edition, p.version, p.distribution_level, p.campaign_id,
       p.audience_digest, p.state ->> 'published_at' IS NOT NULL AS published, now() AS as_of,
       (SELECT coalesce(json_object_agg(status, n), '{}') FROM (
            SELECT status, sum(n) AS n FROM model.counts
            WHERE list = 'orders' AND scope = 'package:' || p.package_id || ':' || p.edition
            GROUP BY status HAVING sum(n) <> 0) AS c) AS orders
FROM model.packages AS p WHERE package_id = $1
"""
# A channel works where it has an address.  Everybody is told who is invited to a published package,
# or whose order is canceled.
ENTITIES = """
WITH concerned AS (
    SELECT entity_id FROM model.audiences WHERE $3 AND package_id = $1
    UNION
    SELECT entity_id FROM model.entities WHERE $4 AND active
    UNION
    SELECT entity_id FROM model.orders
    WHERE package_id = $1 AND edition = $2 AND status IN ('ordered', 'approved', 'available')
), judged AS (
    SELECT c.entity_id, e.entity_id IS NULL
        OR NOT ('mailbox' = ANY (e.channels)
                OR 'email' = ANY (e.channels) AND e.state ->> 'email' IS NOT NULL
                OR 'webhook' = ANY (e.channels) AND e.state ->> 'webhook_url' IS NOT NULL) AS untold
    FROM concerned AS c LEFT JOIN model.entities AS e USING (entity_id)
)
SELECT count(*) AS n, count(*) FILTER (WHERE untold) AS untold,
       (array_agg(entity_id) FILTER (WHERE untold))[1:$5] AS examples
FROM judged
"""
# The reference campaign, and those made for orders of this edition, which of the first are all.  No
# event tells of a process that nobody has started, or that waits again: its campaign names it.
_of_edition = """JOIN model.orders AS o
    ON o.order_id = c.order_id AND o.package_id = $1 AND o.edition = $2"""
_ending = """
WITH ended AS (
    SELECT campaign_id, true AS reference FROM model.campaigns
    WHERE campaign_id = $3 AND status IN ('being_edited', 'started')
    UNION ALL
    SELECT c.campaign_id, false FROM model.campaigns AS c {of_edition}
    WHERE c.package_id = $1 AND $2::int > 0 AND c.status IN ('being_edited', 'started')
      AND c.campaign_id <> $3
), each_process AS (
    SELECT c.campaign_id, c.reinitialized_at, p.process_id
    FROM ended JOIN model.campaigns AS c USING (campaign_id)
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(c.state -> 'process_ids') = 'array'
             THEN c.state -> 'process_ids' ELSE '[]' END) AS p (process_id)
), judged AS (
    SELECT CASE WHEN p.status IS NULL THEN 'pending'
                WHEN p.status = 'stopped' AND p.changed_at < e.reinitialized_at THEN 'pending'
                ELSE p.status END AS status
    FROM each_process AS e LEFT JOIN model.processes AS p USING (campaign_id, process_id)
)
SELECT (SELECT count(*) FROM ended) AS campaigns,
       (SELECT campaign_id FROM ended WHERE reference) AS reference,
       count(*) FILTER (WHERE status IN ('pending', 'running', 'paused')) AS to_stop,
       count(*) FILTER (WHERE status IN ('finished', 'failed')) AS too_late
FROM judged
"""
CAMPAIGNS_OF_FIRST = _ending.format(of_edition="")
CAMPAIGNS = _ending.format(of_edition=_of_edition)
SHARING = """
SELECT package_id, label, status FROM model.packages
WHERE campaign_id = $2 AND package_id <> $1 AND status <> 'canceled'
ORDER BY created_at, package_id LIMIT $3
"""
OPEN = ("ordered", "approved", "available")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a preview has shown, and a command may hold on to."""

    package_id: str
    edition: int
    version: int
    orders: int

    @property
    def columns(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "package_id": self.package_id,
            "edition": self.edition,
            "version": self.version,
            "orders": self.orders,
        }


def has_drifted(then: Figures, now: Figures) -> bool:
    """Whether what was shown is no longer what would happen: orders moved, or another edition."""
    moved = abs(now.orders - then.orders)
    return now.edition != then.edition or (moved > ORDERS and moved > PERCENT * then.orders)


def drift(then: Figures, now: Figures) -> str:
    """The drift in a sentence."""
    return (
        f"the preview of package {then.package_id} showed {then.orders} open orders of edition "
        f"{then.edition}, and there are {now.orders} of edition {now.edition} now; look again"
    )


def _figures(package: Row) -> Figures:
    counts: Mapping[str, int] = package["orders"]
    is_local = package["distribution_level"] == LOCAL
    ended = (
        0
        if is_local or package["status"] == "canceled"
        else sum(int(counts.get(status, 0)) for status in OPEN)
    )
    return Figures(package["package_id"], package["edition"], package["version"], ended)


async def figures(conn: Connection | Pool, package_id: str) -> Figures | None:
    """The figures of a package now; None where it is not known."""
    package = await conn.fetchrow(PACKAGE, package_id)
    return None if package is None else _figures(package)


async def preview(pool: Pool, package_id: str) -> dict[str, Any] | None:
    """What the cancel of a package would do now; None where it is not known."""
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        package = await conn.fetchrow(PACKAGE, package_id)
        return None if package is None else await _preview(conn, package)


async def _preview(conn: Connection, package: Row) -> dict[str, Any]:
    found = _figures(package)
    counts = {status: int(n) for status, n in package["orders"].items()}
    has_effect = package["status"] != "canceled" and package["distribution_level"] != LOCAL
    as_of: datetime = package["as_of"]
    return {
        "package_id": found.package_id,
        "label": package["label"],
        "status": package["status"],
        "edition": found.edition,
        "version": found.version,
        "orders": {
            "by_status": counts,
            "to_cancel": found.orders,
            "stay": sum(counts.values()) - found.orders,
        },
        "entities": await _entities(conn, package, has_effect),
        **await _campaigns(conn, package, has_effect),
        "shared_with": await _sharing(conn, package) if has_effect else [],
        "as_of": as_of,
    }


async def _entities(conn: Connection, package: Row, has_effect: bool) -> dict[str, Any]:
    if not has_effect:
        return {"to_notify": 0, "without_channel": 0, "without_channel_ids": []}
    limited, published = package["audience_digest"] is not None, package["published"]
    row = await conn.fetchrow(
        ENTITIES,
        package["package_id"],
        package["edition"],
        published and limited,
        published and not limited,
        UNTOLD_SHOWN,
    )
    assert row is not None
    ids = sorted(row["examples"] or ())
    return {"to_notify": row["n"], "without_channel": row["untold"], "without_channel_ids": ids}


async def _campaigns(conn: Connection, package: Row, has_effect: bool) -> dict[str, Any]:
    row = None
    if has_effect:
        row = await conn.fetchrow(
            CAMPAIGNS_OF_FIRST if package["edition"] == 1 else CAMPAIGNS,
            package["package_id"],
            package["edition"],
            package["campaign_id"],
        )
    return {
        "campaigns": {
            "to_cancel": row["campaigns"] if row else 0,
            "reference": row["reference"] if row else None,
        },
        "processes": {
            "to_stop": row["to_stop"] if row else 0,
            "too_late": row["too_late"] if row else 0,
        },
    }


async def _sharing(conn: Connection, package: Row) -> list[dict[str, Any]]:
    rows = await conn.fetch(SHARING, package["package_id"], package["campaign_id"], SHARING_SHOWN)
    return [dict(row) for row in rows]
