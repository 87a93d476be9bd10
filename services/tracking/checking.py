"""Compares the counts of a model with its rows: one look at all of it, which changes nothing."""

from datetime import timedelta
from typing import NamedTuple

from services.runtime.service import Connection, Pool


class Difference(NamedTuple):
    """A count that is not what it should be: list, scope and status, what is kept and what is."""

    list: str
    scope: str
    status: str
    counted: int
    rows: int

    def __str__(self) -> str:
        """One line for people."""
        scope = f" of {self.scope}" if self.scope else ""
        return (
            f"{self.list}{scope}, {self.status}: counted {self.counted:,}, there are {self.rows:,}"
        )


# Both sides are of one moment: counts and rows change in the same transactions.
COMPARE = """
WITH found AS (
    SELECT 'packages' AS list, s.scope, p.status, count(*) AS n
    FROM model.packages AS p
    CROSS JOIN LATERAL (VALUES (''), ('folder:' || p.folder)) AS s (scope)
    WHERE s.scope IS NOT NULL GROUP BY s.scope, p.status
    UNION ALL
    SELECT 'orders', CASE grouping(package_id, entity_id)
                     WHEN 1 THEN 'package:' || package_id || ':' || edition
                     WHEN 2 THEN 'entity:' || entity_id ELSE '' END, status, count(*)
    FROM model.orders
    GROUP BY GROUPING SETS ((status), (package_id, edition, status), (entity_id, status))
    UNION ALL
    SELECT 'campaigns', s.scope, c.status, count(*)
    FROM model.campaigns AS c CROSS JOIN LATERAL (VALUES (''), ('kind:' || c.kind)) AS s (scope)
    GROUP BY s.scope, c.status
    UNION ALL
    SELECT 'entities', '', CASE WHEN active THEN 'active' ELSE 'inactive' END, count(*)
    FROM model.entities GROUP BY active
    UNION ALL
    SELECT 'notifications', '', status, count(*) FROM model.notifications GROUP BY status
    UNION ALL
    SELECT 'notifications', 'package:' || package_id || ':' || edition, status, count(*)
    FROM model.notifications WHERE package_id IS NOT NULL GROUP BY package_id, edition, status
    UNION ALL
    SELECT 'notifications', 'entity:' || recipient_id, status, count(*)
    FROM model.notifications WHERE recipient_type = 'entity' GROUP BY recipient_id, status
), counted AS (
    SELECT list, scope, status, sum(n)::bigint AS n FROM model.counts GROUP BY list, scope, status
)
SELECT list, scope, status, coalesce(c.n, 0) AS counted, coalesce(f.n, 0) AS rows
FROM found AS f FULL JOIN counted AS c USING (list, scope, status)
WHERE coalesce(c.n, 0) <> coalesce(f.n, 0)
ORDER BY list, scope, status LIMIT $1
"""
PATIENCE = 3_600.0
"""Seconds that a look at everything may take."""
LISTED = 1_000
"""Differences that are listed at most."""

# A worker asks by key; this reads whole tables.
ANY_PLAN = """
SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on
"""


async def compare(conn: Connection, schema: str = "model") -> list[Difference]:
    """The counts of a schema that differ from its rows."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute(ANY_PLAN)
        statement = COMPARE if schema == "model" else COMPARE.replace("model.", f"{schema}.")
        found = await conn.fetch(statement, LISTED, timeout=PATIENCE)
    return [Difference(*row) for row in found]


CLAIM = """
INSERT INTO checks AS c (name, checked_at) VALUES ('counts', now())
ON CONFLICT (name) DO UPDATE SET checked_at = now() WHERE c.checked_at < now() - $1::interval
RETURNING 1
"""


async def claim(pool: Pool, every: timedelta) -> bool:
    """Whether it is time to compare again, and nobody else does; the first time is in a day."""
    return await pool.fetchval(CLAIM, every) is not None
