"""Entities: the list, and one."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.directory import Channel
from contracts.values import Known
from services.runtime.service import Pool, Row
from services.tracking.queries import counts, search
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Search, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Branch, Scan, Sort

_ID = ("t.entity_id", TEXT)
SORTS = {
    "label": Sort((('lower(t.label) COLLATE "C"', TEXT), _ID)),
    "modified": Sort((("t.changed_at", INSTANT), _ID), descending=True),
}
COLUMNS = """t.entity_id, t.label, t.active, t.mailbox, t.channels, t.version, t.changed_at"""
SOURCE = "model.entities AS t"
ACTIVE = (Branch("active", "t.active"), Branch("inactive", "NOT t.active"))


class Filters(Dated):
    """Which entities, and in which order."""

    active: Literal["true", "false"] | None = None
    channel: Known[Channel] | None = None
    q: Annotated[Search | None, Field(description="Text in id or label.")] = None
    sort: Literal["label", "modified"] | None = None


async def scan(pool: Pool, filters: Filters, entity: str | None) -> Scan:
    """The rows of the list; with an entity only that."""
    made = await _common(pool, filters, entity)
    wanted = {"true": ACTIVE[:1], "false": ACTIVE[1:]}
    made.branches = list(wanted[filters.active] if filters.active else ACTIVE)
    return made


async def _common(pool: Pool, filters: Filters, entity: str | None) -> Scan:
    sort = SORTS[chosen(filters.sort, tuple(SORTS), "where entities are asked for")]
    made = Scan(COLUMNS, SOURCE, sort)
    made.dated(filters.since, filters.until)
    made.equal("t.entity_id", entity)
    if filters.channel:
        made.conditions.append(f"t.channels @> ARRAY[{made.bind(filters.channel)}]")
    await search.narrow(pool, made, "model.entities", "entity_id", filters.q)
    return made


async def tabs(pool: Pool, filters: Filters, entity: str | None) -> Counts:
    """How many active and inactive entities there are with these filters."""
    if not any((entity, filters.channel, filters.q, filters.since, filters.until)):
        found = await counts.exact(pool, "entities", [""])
        return counts.filled(found[""], [branch.label for branch in ACTIVE])
    every = await _common(pool, filters, entity)
    every.branches = list(ACTIVE)
    return await counts.by_branch(pool, every)


OF_EACH = """
SELECT list, scope, status, sum(n)::bigint AS n FROM model.counts
WHERE list = ANY ('{orders,notifications}') AND scope = ANY ($1::text[])
GROUP BY list, scope, status HAVING sum(n) <> 0
"""
Figures = dict[str, dict[str, int]]


async def figures(pool: Pool, ids: list[str]) -> dict[str, Figures]:
    """How many orders and notifications some entities have, by entity, list and status."""
    scopes = {f"entity:{id}": id for id in ids}
    found: dict[str, Figures] = {id: {"orders": {}, "notifications": {}} for id in ids}
    for list_, scope, status, n in await pool.fetch(OF_EACH, list(scopes)):
        found[scopes[scope]][list_][status] = n
    return found


FIND = "SELECT * FROM model.entities WHERE entity_id = $1"


async def find(pool: Pool, entity_id: str) -> Row | None:
    """One entity."""
    return await pool.fetchrow(FIND, entity_id)
