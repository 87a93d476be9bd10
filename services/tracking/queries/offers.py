"""What an entity may order now."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from contracts.fields import Id
from contracts.packages import DistributionLevel
from contracts.values import Known
from services.runtime.service import Pool, Row
from services.tracking.queries import counts, search
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Paging, Search, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort
from services.tracking.queries.packages import offered_to

DEADLINE = Sort((("t.closed_from", INSTANT), ("t.package_id", TEXT)))
COLUMNS = """t.package_id, t.label, t.distribution_level, t.campaign_id, t.folder, t.edition,
    t.starts_at, t.ends_at, t.closed_from, t.state"""
SOURCE = "model.packages AS t"


class Filters(Paging):
    """Which offers; the one whose time to order ends first comes first."""

    level: Known[DistributionLevel] | None = None
    q: Annotated[Search | None, Field(description="Text in id or label.")] = None
    entity: Annotated[
        Id | None, Field(description="To whom; that of a local operator is its own.")
    ] = None
    sort: Literal["deadline"] | None = None


async def scan(pool: Pool, filters: Filters, entity: str) -> Scan:
    """The rows of the list."""
    chosen(filters.sort, ("deadline",), "where offers are asked for")
    made = Scan(COLUMNS, SOURCE, DEADLINE)
    made.equal("t.distribution_level", filters.level)
    await search.narrow(pool, made, "model.packages", "package_id", filters.q)
    offered_to(made, entity)
    return made


async def tabs(pool: Pool, filters: Filters, entity: str) -> Counts:
    """How many offers there are."""
    return {"offered": await counts.up_to(pool, await scan(pool, filters, entity), counts.FOUND)}


ORDERED = """
SELECT DISTINCT ON (package_id, edition) package_id, edition, order_id, status
FROM model.orders WHERE entity_id = $1 AND package_id = ANY ($2::text[])
ORDER BY package_id, edition, status IN ('canceled', 'rejected'), placed_at DESC
"""


async def ordered(
    pool: Pool, entity: str, packages: Sequence[str]
) -> dict[tuple[str, int], dict[str, str]]:
    """The orders that an entity has of some packages, by package and edition."""
    rows = await pool.fetch(ORDERED, entity, [*packages])
    return {
        (r["package_id"], r["edition"]): {"order_id": r["order_id"], "status": r["status"]}
        for r in rows
    }


FIND = """
SELECT state, closed_from FROM model.packages AS t
WHERE package_id = $1
AND status = 'published' AND starts_at <= now() AND closed_from >= now()
AND (audience_digest IS NULL OR EXISTS (
    SELECT FROM model.audiences AS a WHERE a.package_id = t.package_id AND a.entity_id = $2))
"""


async def find(pool: Pool, package_id: str, entity: str) -> Row | None:
    """One offer."""
    return await pool.fetchrow(FIND, package_id, entity)
