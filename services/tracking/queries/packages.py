"""Packages: the list, one, and who they are offered to."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.fields import Id
from contracts.packages import DistributionLevel, PackageStatus
from contracts.values import Known
from services.runtime.service import Pool, Row
from services.tracking.queries import counts, search
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Search, Text, Yes, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort

_ID = ("t.package_id", TEXT)
SORTS = {
    "newest": Sort((("t.created_at", INSTANT), _ID), descending=True),
    "oldest": Sort((("t.created_at", INSTANT), _ID)),
    "label": Sort((('lower(t.label) COLLATE "C"', TEXT), _ID)),
    "modified": Sort((("t.changed_at", INSTANT), _ID), descending=True),
}
LATE = Sort((("t.late_from", INSTANT), _ID))
CLOSED = Sort((("t.closed_from", INSTANT), _ID))

COLUMNS = """t.package_id, t.label, t.distribution_level, t.campaign_id, t.folder, t.assigned_to,
    t.status, t.edition, t.version, t.starts_at, t.ends_at, t.created_at, t.changed_at,
    t.changed_by, t.late_from, t.closed_from"""
SOURCE = "model.packages AS t"
CAMPAIGN = "LEFT JOIN model.campaigns AS c ON c.campaign_id = page.campaign_id"
MORE = "c.label AS campaign_label"
IS_LATE, IS_CLOSED = "t.late_from <= now()", "t.closed_from <= now()"


class Filters(Dated):
    """Which packages, and in which order."""

    status: Known[PackageStatus] | None = None
    late: Annotated[Yes | None, Field(description="Only late ones; sorted by how long.")] = None
    closed: Annotated[Yes | None, Field(description="Only closed ones.")] = None
    folder: Text | None = None
    level: Known[DistributionLevel] | None = None
    campaign: Id | None = None
    assigned: Annotated[Id | None, Field(description="The operator it is assigned to.")] = None
    q: Annotated[Search | None, Field(description="Text in id or label.")] = None
    sort: Literal["newest", "oldest", "label", "modified", "longest"] | None = None

    @property
    def is_tab(self) -> bool:
        """Whether nothing is asked for that tabs do not show: their counts are exact."""
        asked = (self.level, self.campaign, self.assigned, self.q, self.since, self.until)
        return asked == (None,) * len(asked)


def _sort(filters: Filters) -> Sort:
    if filters.late or filters.closed:
        where = "where late or closed packages are asked for"
        chosen(filters.sort, ("longest",), where)
        return LATE if filters.late else CLOSED
    if filters.campaign:
        where = "where packages of one campaign are asked for"
        return SORTS[chosen(filters.sort, ("newest", "oldest"), where)]
    return SORTS[chosen(filters.sort, tuple(SORTS), "where not only late or closed ones are")]


async def scan(pool: Pool, filters: Filters, entity: str | None) -> Scan:
    """The rows of the list; with an entity those that are offered to it."""
    sort = _sort(filters)
    made = await _common(pool, filters, entity, sort)
    if filters.late or filters.closed:
        made.conditions.append(IS_LATE if filters.late else IS_CLOSED)
    if filters.late or filters.closed or filters.campaign or filters.folder:
        made.equal("t.status", filters.status)
        if filters.closed and filters.status not in (None, PackageStatus.PUBLISHED):
            # Only published ones are ever closed: nobody has to look for others among them.
            made.conditions.append("false")
    elif filters.status:
        made.branch("t.status", [filters.status])
    else:
        made.branch("t.status", await counts.statuses(pool, "packages", PackageStatus))
    return made


async def _common(pool: Pool, filters: Filters, entity: str | None, sort: Sort) -> Scan:
    """What is asked for, whichever tab is shown."""
    made = Scan(COLUMNS, SOURCE, sort, CAMPAIGN, MORE)
    made.dated(filters.since, filters.until)
    made.equal("t.folder", filters.folder)
    made.equal("t.campaign_id", filters.campaign)
    made.equal("t.distribution_level", filters.level)
    made.equal("t.assigned_to", filters.assigned)
    await search.narrow(pool, made, "model.packages", "package_id", filters.q)
    if entity is not None:
        offered_to(made, entity)
    return made


def offered_to(scan: Scan, entity: str) -> None:
    """Only packages that an entity may order now."""
    scan.conditions.append(
        "t.status = 'published' AND t.starts_at <= now() AND t.closed_from >= now() "
        "AND (t.audience_digest IS NULL OR EXISTS (SELECT FROM model.audiences AS a "
        f"WHERE a.package_id = t.package_id AND a.entity_id = {scan.bind(entity)}))"
    )


async def tabs(pool: Pool, filters: Filters, entity: str | None) -> Counts:
    """How many packages each tab has with these filters."""
    statuses = await counts.statuses(pool, "packages", PackageStatus)
    sort = _sort(filters)
    if filters.late or filters.closed:
        # Their dates are those of another order.
        filters = filters.model_copy(update={"since": None, "until": None})
    every = await _common(pool, filters, entity, sort)
    if entity is not None:
        # What is offered is published, and neither late nor closed.
        offered = await counts.up_to(pool, replace(every, sort=CLOSED), counts.FOUND)
        return counts.filled({"published": offered}, [*statuses, "late", "closed"])
    if not (filters.since or filters.until or filters.campaign):
        # Most indexes know this order.
        every = replace(every, sort=SORTS["newest"])
    most = counts.FOUND if filters.q else counts.MOST
    if filters.is_tab:
        scope = f"folder:{filters.folder}" if filters.folder else ""
        found = await counts.exact(pool, "packages", [scope])
        exact: Counts = counts.filled(found[scope], statuses)
    else:
        every.branch("t.status", statuses)
        exact = await counts.by_branch(pool, every, most)
    # By their indexes alone where nothing else is asked for.
    most = counts.MOST if filters.is_tab else counts.FOUND
    for name, condition, sort in (("late", IS_LATE, LATE), ("closed", IS_CLOSED, CLOSED)):
        conditions = [*every.conditions, condition]
        some = replace(every, sort=sort, conditions=conditions, branches=[])
        exact[name] = await counts.up_to(pool, some, most)
    return exact


FIND = """
SELECT state, cause, caused_by, caused_at, caused_actor, late_from, closed_from, audience_digest,
       (SELECT count(*) FROM model.audiences AS a WHERE a.package_id = t.package_id) AS entities
FROM model.packages AS t WHERE package_id = $1
"""
FIND_OFFERED = f"""{FIND}
AND status = 'published' AND starts_at <= now() AND closed_from >= now()
AND (audience_digest IS NULL OR EXISTS (
    SELECT FROM model.audiences AS a WHERE a.package_id = t.package_id AND a.entity_id = $2))
"""


async def find(pool: Pool, package_id: str, entity: str | None) -> Row | None:
    """One package; with an entity only if it is offered to it."""
    if entity is None:
        return await pool.fetchrow(FIND, package_id)
    return await pool.fetchrow(FIND_OFFERED, package_id, entity)


EDITION = "SELECT edition FROM model.packages WHERE package_id = $1"


async def edition(pool: Pool, package_id: str) -> int | None:
    """The present edition of a package; None where there is none."""
    found: int | None = await pool.fetchval(EDITION, package_id)
    return found


ORDERS = """
SELECT scope, status, sum(n)::bigint AS n FROM model.counts
WHERE list = 'orders' AND scope = ANY ($1::text[])
GROUP BY scope, status HAVING sum(n) <> 0
"""


async def orders(pool: Pool, rows: list[Row]) -> dict[str, dict[str, int]]:
    """How many orders the present editions of some packages have, by package and status."""
    scopes = {f"package:{r['package_id']}:{r['edition']}": r["package_id"] for r in rows}
    found: dict[str, dict[str, int]] = {id: {} for id in scopes.values()}
    for scope, status, n in await pool.fetch(ORDERS, list(scopes)):
        found[scopes[scope]][status] = n
    return found


def state(row: Row) -> dict[str, Any]:
    """A package as the API shows it."""
    return {
        **row["state"],
        **{n: row[n] for n in ("cause", "caused_by", "caused_at", "caused_actor")},
        "late_from": row["late_from"],
        "closed_from": row["closed_from"],
        "limited_to": {"entities": row["entities"]} if row["audience_digest"] else None,
    }
