"""Parked messages: one by one, and by their cause with the harm that they do."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.fields import Id
from services.runtime.service import Pool, Row
from services.tracking.queries import counts
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Asked, Dated, Text, chosen
from services.tracking.queries.keyset import INSTANT, NUMBER, TEXT, Scan, Sort

_KEYS = (("t.parked_at", INSTANT), ("t.service", TEXT), ("t.number", NUMBER))
SORTS = {"newest": Sort(_KEYS, descending=True), "oldest": Sort(_KEYS)}
COLUMNS = """t.service, t.number, t.reason, t.message_id, t.type, t.package_id, t.error,
    t.error_kind, t.attempts, t.parked_at, t.body_bytes"""
SOURCE = "parked AS t"
IS_PARKED = "t.released_at IS NULL"


class Filters(Dated):
    """Which parked messages, and in which order."""

    service: Id | None = None
    reason: Text | None = None
    type: Text | None = None
    error_kind: Annotated[
        Text | None, Field(description="What errors of one cause have in common; as in groups.")
    ] = None
    package: Id | None = None
    sort: Literal["newest", "oldest"] | None = None


async def scan(_: Pool, filters: Filters) -> Scan:
    """The rows of the list: what is parked still."""
    sort = SORTS[chosen(filters.sort, tuple(SORTS), "where parked messages are asked for")]
    made = Scan(COLUMNS, SOURCE, sort)
    made.conditions.append(IS_PARKED)
    made.dated(filters.since, filters.until)
    made.equal("t.service", filters.service)
    made.equal("t.reason", filters.reason)
    made.equal("t.type", filters.type)
    made.equal("t.error_kind", filters.error_kind)
    made.equal("t.package_id", filters.package)
    return made


async def tabs(pool: Pool, filters: Filters) -> Counts:
    """How many messages are parked with these filters."""
    return {"parked": await counts.up_to(pool, await scan(pool, filters))}


class Groups(Asked):
    """Of which service groups are shown."""

    service: Id | None = None


MOST_GROUPS = 200
GROUPS = f"""
SELECT service, reason, type, error_kind, count(*) AS count, min(parked_at) AS first,
       max(parked_at) AS last
FROM parked
WHERE released_at IS NULL AND ($1::text IS NULL OR service = $1)
GROUP BY service, reason, type, error_kind
ORDER BY last DESC, service, reason, type, error_kind LIMIT {MOST_GROUPS}
"""
# An order that should be canceled with its package is live because the service orders has not
# handled what it was told; a cancel is not complete before each of three services has reported.
HARM = """
WITH about AS (
    SELECT DISTINCT service, reason, type, error_kind, package_id FROM parked
    WHERE released_at IS NULL AND package_id IS NOT NULL AND ($1::text IS NULL OR service = $1)
)
SELECT a.service, a.reason, a.type, a.error_kind, count(DISTINCT a.package_id) AS packages,
       sum(live.n) FILTER (WHERE a.service = 'orders') AS orders_live,
       count(c.package_id) FILTER (WHERE c.completed_at IS NULL AND CASE a.service
           WHEN 'orders' THEN c.orders_report IS NULL
           WHEN 'campaigns' THEN c.campaigns_report IS NULL
           WHEN 'notifications' THEN c.notifications_report IS NULL ELSE false END)
           AS cancels_waiting
FROM about AS a
LEFT JOIN cancellations AS c ON c.package_id = a.package_id AND c.completed_at IS NULL
LEFT JOIN LATERAL (
    SELECT sum(n) AS n FROM model.counts
    WHERE list = 'orders' AND scope = 'package:' || c.package_id || ':' || c.edition
        AND status IN ('ordered', 'approved', 'available')
) AS live ON true
GROUP BY a.service, a.reason, a.type, a.error_kind
"""
Group = tuple[str, str | None, str | None, str | None]


async def groups(pool: Pool, service: str | None) -> list[Row]:
    """What is parked by service, reason, type and error, the latest first."""
    return await pool.fetch(GROUPS, service)


async def harm(pool: Pool, service: str | None) -> dict[Group, Row]:
    """What harm each group does: packages it is about, orders still live, cancels that wait."""
    rows = await pool.fetch(HARM, service)
    return {(r["service"], r["reason"], r["type"], r["error_kind"]): r for r in rows}


FIND = "SELECT * FROM parked WHERE service = $1 AND number = $2"


async def find(pool: Pool, service: str, number: int) -> Row | None:
    """One message that is or was parked."""
    return await pool.fetchrow(FIND, service, number)
