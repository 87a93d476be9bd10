"""Campaigns: the list, and one with its processes."""

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.campaigns import CampaignKind, CampaignStatus, ProcessStatus
from contracts.fields import Id
from contracts.values import Known
from services.runtime.service import Pool, Row
from services.tracking.queries import counts, search
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Search, Text, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort

_ID = ("t.campaign_id", TEXT)
SORTS = {
    "modified": Sort((("t.changed_at", INSTANT), _ID), descending=True),
    "unmodified": Sort((("t.changed_at", INSTANT), _ID)),
    "id": Sort((_ID,)),
}
COLUMNS = """t.campaign_id, t.label, t.kind, t.distribution_level, t.program, t.status, t.version,
    t.package_id, t.order_id, t.parent_id, t.canceled_by, t.changed_at, t.changed_by"""
SOURCE = "model.campaigns AS t"


class Filters(Dated):
    """Which campaigns, and in which order."""

    status: Known[CampaignStatus] | None = None
    kind: Known[CampaignKind] | None = None
    program: Text | None = None
    package: Annotated[Id | None, Field(description="Those made for orders of a package.")] = None
    parent: Annotated[Id | None, Field(description="Those made from a campaign.")] = None
    q: Annotated[Search | None, Field(description="Text in id or label.")] = None
    sort: Annotated[
        Literal["modified", "unmodified", "id"] | None,
        Field(description="`id` where package or parent is given, else by date of change."),
    ] = None


async def scan(pool: Pool, filters: Filters, entity: str | None) -> Scan:
    """The rows of the list; with an entity those made for its orders."""
    made = await _common(pool, filters, entity)
    statuses = await counts.statuses(pool, "campaigns", CampaignStatus)
    made.branch("t.status", [filters.status] if filters.status else statuses)
    return made


async def _common(pool: Pool, filters: Filters, entity: str | None) -> Scan:
    if filters.package or filters.parent:
        where = "where campaigns of one package or parent are asked for"
        made = Scan(COLUMNS, SOURCE, SORTS[chosen(filters.sort, ("id",), where)])
    else:
        where = "where neither package nor parent is given"
        sort = SORTS[chosen(filters.sort, ("modified", "unmodified"), where)]
        made = Scan(COLUMNS, SOURCE, sort)
    made.dated(filters.since, filters.until)
    made.equal("t.kind", filters.kind)
    made.equal("t.program", filters.program)
    made.equal("t.package_id", filters.package)
    made.equal("t.parent_id", filters.parent)
    await search.narrow(pool, made, "model.campaigns", "campaign_id", filters.q)
    if entity is not None:
        # Found first: a page by date would look at those of everybody on its way.
        ids = [row["campaign_id"] for row in await pool.fetch(OF_ENTITY, entity)]
        made.conditions.append(f"t.campaign_id = ANY ({made.bind(ids, 'text[]')})")
    return made


# By the index alone; and by key, whatever the statistics say.
OF_ENTITY = """
SELECT c.campaign_id FROM model.orders AS o
CROSS JOIN LATERAL (
    SELECT campaign_id FROM model.campaigns AS c WHERE c.order_id = o.order_id OFFSET 0) AS c
WHERE o.entity_id = $1
"""


async def tabs(pool: Pool, filters: Filters, entity: str | None) -> Counts:
    """How many campaigns there are of each status with these filters."""
    statuses = await counts.statuses(pool, "campaigns", CampaignStatus)
    others = (filters.program, filters.package, filters.parent, filters.q)
    if entity is None and not any((*others, filters.since, filters.until)):
        scope = f"kind:{filters.kind}" if filters.kind else ""
        found = await counts.exact(pool, "campaigns", [scope])
        return counts.filled(found[scope], statuses)
    every = await _common(pool, filters, entity)
    every.branch("t.status", statuses)
    return await counts.by_branch(pool, every, counts.FOUND if filters.q else counts.MOST)


FIND = """
SELECT t.*, p.label AS package_label, o.entity_id
FROM model.campaigns AS t
LEFT JOIN model.packages AS p USING (package_id)
LEFT JOIN model.orders AS o USING (order_id)
WHERE t.campaign_id = $1 AND ($2::text IS NULL OR o.entity_id = $2)
"""
PROCESSES = "SELECT * FROM model.processes WHERE campaign_id = $1 ORDER BY process_id"


async def find(pool: Pool, campaign_id: str, entity: str | None) -> Row | None:
    """One campaign; with an entity only if it was made for an order of it."""
    return await pool.fetchrow(FIND, campaign_id, entity)


async def processes(pool: Pool, campaign: Row) -> list[dict[str, Any]]:
    """The processes of a campaign, as they are now."""
    found = await pool.fetch(PROCESSES, campaign["campaign_id"])
    return [{**dict(process), "status": status(campaign, process)} for process in found]


def status(campaign: Row, process: Row) -> str:
    """The status of a process: no event tells that stopped ones wait again."""
    known: str = process["status"]
    again = campaign["reinitialized_at"]
    if known != ProcessStatus.STOPPED or again is None or process["changed_at"] > again:
        return known
    # What one batch did has one moment: then the campaign tells which of the two came last.
    is_last = process["changed_at"] == again and campaign["status"] == CampaignStatus.CANCELED
    return known if is_last else ProcessStatus.PENDING
