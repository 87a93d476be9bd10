"""Notifications: the list, and one."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.directory import Channel
from contracts.envelope import FieldError
from contracts.fields import Id
from contracts.notifications import NotificationKind, NotificationStatus
from contracts.values import Known
from services.runtime.service import Pool, Row
from services.tracking.queries import counts
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Number, Unserved, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort

_ID = ("t.notification_id", TEXT)
SORTS = {
    "newest": Sort((("t.at", INSTANT), _ID), descending=True),
    "oldest": Sort((("t.at", INSTANT), _ID)),
}
COLUMNS = """t.notification_id, t.kind, t.recipient_type, t.recipient_id, t.channel, t.package_id,
    t.edition, t.order_id, t.status, t.attempts, t.error, t.at"""
SOURCE = "model.notifications AS t"
AROUND = """LEFT JOIN model.packages AS p ON p.package_id = page.package_id
    LEFT JOIN model.entities AS e
    ON e.entity_id = page.recipient_id AND page.recipient_type = 'entity'"""
MORE = "p.label AS package_label, e.label AS recipient_label"


class Filters(Dated):
    """Which notifications, and in which order."""

    status: Known[NotificationStatus] | None = None
    kind: Annotated[Known[NotificationKind] | None, Field(description="Not beside operator.")] = (
        None
    )
    channel: Known[Channel] | None = None
    entity: Annotated[Id | None, Field(description="To an entity.")] = None
    operator: Annotated[Id | None, Field(description="To an operator.")] = None
    package: Annotated[Id | None, Field(description="About a package.")] = None
    edition: Annotated[Number | None, Field(description="Of the package.")] = None
    order: Annotated[Id | None, Field(description="About an order.")] = None
    sort: Literal["newest", "oldest"] | None = None


async def scan(pool: Pool, filters: Filters) -> Scan:
    """The rows of the list."""
    made = await _common(pool, filters)
    statuses = await counts.statuses(pool, "notifications", NotificationStatus)
    made.branch("t.status", [filters.status] if filters.status else statuses)
    return made


async def _common(pool: Pool, filters: Filters) -> Scan:
    sort = SORTS[chosen(filters.sort, tuple(SORTS), "where notifications are asked for")]
    made = Scan(COLUMNS, SOURCE, sort, AROUND, MORE)
    if filters.edition and not filters.package:
        raise Unserved(FieldError("edition", "needs package: editions are those of one"))
    if filters.entity and filters.operator:
        raise Unserved(FieldError("operator", "cannot be given beside entity: there is one reader"))
    others = (filters.entity, filters.operator, filters.package, filters.order)
    if filters.channel and not any(others):
        text = "needs one of entity, operator, package and order: no index knows channels"
        raise Unserved(FieldError("channel", text))
    if filters.kind and filters.operator:
        text = "cannot be given beside operator: no index knows both"
        raise Unserved(FieldError("kind", text))
    made.dated(filters.since, filters.until)
    made.equal("t.kind", filters.kind)
    made.equal("t.channel", filters.channel)
    made.equal("t.recipient_id", filters.entity or filters.operator)
    if filters.entity or filters.operator:
        kind = made.bind("entity" if filters.entity else "operator")
        # As no statistics know it: of one recipient all are of one type, not so many in a hundred.
        made.conditions.append(f"CASE WHEN t.recipient_type = {kind} THEN true END")
    made.equal("t.package_id", filters.package)
    made.equal("t.edition", filters.edition, "int")
    made.equal("t.order_id", filters.order)
    return made


async def tabs(pool: Pool, filters: Filters) -> Counts:
    """How many notifications there are of each status with these filters."""
    statuses = await counts.statuses(pool, "notifications", NotificationStatus)
    scope = _scope(filters)
    if scope is not None:
        found = await counts.exact(pool, "notifications", [scope])
        return counts.filled(found[scope], statuses)
    every = await _common(pool, filters)
    every.branch("t.status", statuses)
    others = (filters.entity, filters.operator, filters.package, filters.order)
    return await counts.by_branch(pool, every, counts.FOUND if any(others) else counts.MOST)


def _scope(filters: Filters) -> str | None:
    """The scope that the reader counts these notifications in, if it does."""
    others = (filters.kind, filters.channel, filters.operator, filters.order)
    if any((*others, filters.since, filters.until)):
        return None
    match filters.entity, filters.package, filters.edition:
        case None, None, None:
            return ""
        case str() as entity, None, None:
            return f"entity:{entity}"
        case None, str() as package, int() as edition:
            return f"package:{package}:{edition}"
        case _:
            return None


FIND = """
SELECT t.*, p.label AS package_label, e.label AS recipient_label
FROM model.notifications AS t
LEFT JOIN model.packages AS p USING (package_id)
LEFT JOIN model.entities AS e ON e.entity_id = t.recipient_id AND t.recipient_type = 'entity'
WHERE notification_id = $1
    AND ($2::text IS NULL OR (t.recipient_type = 'entity' AND t.recipient_id = $2))
"""


async def find(pool: Pool, notification_id: str, entity: str | None) -> Row | None:
    """One notification; with an entity only if it is to that."""
    return await pool.fetchrow(FIND, notification_id, entity)
