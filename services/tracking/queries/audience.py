"""To whom a package is offered, who of them has ordered it, and who was told."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from services.runtime.service import Pool, Row
from services.tracking.queries import counts
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Number, Paging
from services.tracking.queries.keyset import TEXT, Scan, Sort

BY_ID = Sort((("t.entity_id", TEXT),))
LIMITED = "model.audiences AS t"
EVERYBODY = "model.entities AS t"
AROUND = "LEFT JOIN model.entities AS e ON e.entity_id = page.entity_id"
MORE = "e.label, e.active"


class Filters(Paging):
    """Of which edition orders and notifications are shown."""

    edition: Annotated[
        Number | None, Field(description="Of the package; its present one if absent.")
    ] = None


FIND = """
SELECT edition, audience_digest IS NOT NULL AS limited FROM model.packages WHERE package_id = $1
"""


async def find(pool: Pool, package_id: str) -> Row | None:
    """The edition of a package, and whether its audience is limited."""
    return await pool.fetchrow(FIND, package_id)


def scan(package_id: str, limited: bool, entity: str | None) -> Scan:
    """The entities; with an entity only that."""
    made = Scan("t.entity_id", LIMITED if limited else EVERYBODY, BY_ID, AROUND, MORE)
    if limited:
        made.equal("t.package_id", package_id)
    else:
        made.conditions.append("t.active")
    made.equal("t.entity_id", entity)
    return made


async def tabs(pool: Pool, package_id: str, limited: bool, entity: str | None) -> Counts:
    """How many entities there are."""
    if limited or entity:
        return {"entities": await counts.up_to(pool, scan(package_id, limited, entity))}
    found = await counts.exact(pool, "entities", [""])
    return {"entities": found[""].get("active", 0)}


ORDERED = """
SELECT DISTINCT ON (entity_id) entity_id, order_id, status
FROM model.orders
WHERE entity_id = ANY ($1::text[]) AND package_id = $2 AND edition = $3
ORDER BY entity_id, status IN ('canceled', 'rejected'), placed_at DESC
"""
TOLD = """
SELECT DISTINCT ON (recipient_id) recipient_id AS entity_id, notification_id, status, at
FROM model.notifications
WHERE recipient_id = ANY ($1::text[]) AND package_id = $2 AND edition = $3
    AND recipient_type = 'entity' AND kind = 'package_available'
ORDER BY recipient_id, status = 'sent' DESC, at DESC
"""


async def ordered(
    pool: Pool, entities: Sequence[str], package_id: str, edition: int
) -> dict[str, Row]:
    """The order that each entity has of an edition, one that is not ended first."""
    rows = await pool.fetch(ORDERED, [*entities], package_id, edition)
    return {row["entity_id"]: row for row in rows}


async def told(
    pool: Pool, entities: Sequence[str], package_id: str, edition: int
) -> dict[str, Row]:
    """The notification that told each entity of an edition."""
    rows = await pool.fetch(TOLD, [*entities], package_id, edition)
    return {row["entity_id"]: row for row in rows}
