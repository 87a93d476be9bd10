"""What happened to one thing, a page at a time, with the fields that changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.runtime.service import Pool
from services.tracking.queries.keyset import INSTANT, NUMBER, TEXT, Position, Sort

SORT = Sort((("at", INSTANT), ("version", NUMBER), ("event_id", TEXT), ("source", TEXT)))
"""The keys of an event among the others of a thing."""

_EVENT = """h.event_id, h.source, h.at, h.type, h.kind, h.subject, h.version, h.package_id,
       h.edition, h.actor, h.comment, h.causationid, h.correlationid, h.status, h.count"""
_KEY = "h.at, coalesce(h.version, 0), h.event_id, h.source"
_BY_KEY = "h.at {d}, coalesce(h.version, 0) {d}, h.event_id {d}, h.source {d}"
OFFER = "offer"
"""A package as those see it to whom it is offered."""
_SUBJECTS = {
    "package": "h.package_id = $1 AND h.kind <> 'order'",
    OFFER: "h.package_id = $1 AND h.kind = 'package'",
    "order": "h.kind = 'order' AND h.subject = $1",
    "campaign": "h.kind = 'campaign' AND h.subject = $1",
    "entity": "h.kind = 'entity' AND h.subject = $1",
}
"""By kind of thing, which rows of the history are about it."""


def statement(kind: str, *, newest: bool, packed: bool = False) -> str:
    """One page of events: of $1, by actor $2, of kind $3, of edition $4, after $5 to $8; $9 rows.

    packed are the rows $10 besides, which tell of an order among others.
    """
    direction, beyond, bound = ("DESC", "<", "<=") if newest else ("ASC", ">", ">=")
    order = _BY_KEY.format(d=direction)

    def part(condition: str) -> str:
        return f"""
SELECT h.* FROM history AS h WHERE {condition}
  AND ($2::text IS NULL OR h.actor = $2)
  AND ($3::text IS NULL OR h.kind = $3)
  AND ($4::int IS NULL OR h.edition = $4)
  AND ($5::timestamptz IS NULL
       OR (h.at {bound} $5 AND ({_KEY}) {beyond} ($5, $6::int, $7::text, $8::text)))
ORDER BY {order} LIMIT $9"""

    parts = [part(_SUBJECTS[kind])]
    if packed:
        parts.append(part("h.event_id = ANY ($10::text[])"))
    rows = " UNION ALL ".join(f"({text})" for text in parts)
    # The state before: versions of one moment were made in one transaction.
    return f"""
SELECT {_EVENT}, h.state, b.state AS state_before
FROM ({rows}) AS h LEFT JOIN LATERAL (
    SELECT b.state FROM history AS b
    WHERE h.state IS NOT NULL AND b.kind = h.kind AND b.subject = h.subject AND b.at <= h.at
      AND b.version < h.version AND b.state IS NOT NULL
    ORDER BY b.at DESC, b.version DESC LIMIT 1
) AS b ON true
ORDER BY {order} LIMIT $9
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; None where all are."""

    actor: str | None = None
    kind: str | None = None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A field, and what it was before and after."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, with the fields that it changed; the first of a thing changed all of them."""

    event_id: str
    source: str
    at: datetime
    type: str
    kind: str
    subject: str
    version: int | None
    package_id: str | None
    edition: int | None
    actor: str | None
    comment: str | None
    causationid: str | None
    correlationid: str | None
    status: str | None
    count: int
    changes: list[Change]

    def position(self, direction: Literal["next", "prev"]) -> Position:
        """Where the page that follows it, or the one before, begins."""
        return Position(direction, (self.at, self.version or 0, self.event_id, self.source))


@dataclass(frozen=True, slots=True)
class Happenings:
    """A page of events, and where its neighbors begin."""

    items: list[Happened]
    next: Position | None
    prev: Position | None


async def page(
    pool: Pool,
    kind: str,
    id: str,
    wanted: Filter,
    *,
    position: Position | None,
    limit: int,
    newest: bool,
    packed: Sequence[str] = (),
) -> Happenings:
    """A page of events; packed are ids of rows that tell of an order among others."""
    back = position is not None and position.direction == "prev"
    place = position.keys if position else (None, None, None, None)
    asked: list[Any] = [id, wanted.actor, wanted.kind, wanted.edition, *place, limit + 1]
    if packed:
        asked.append(list(packed))
    rows = await pool.fetch(statement(kind, newest=newest != back, packed=bool(packed)), *asked)
    found = [_happened(dict(row)) for row in rows[:limit]]
    more = len(rows) > limit
    if back:
        found.reverse()
    has_next, has_prev = (bool(found), more) if back else (more, position is not None)
    return Happenings(
        found,
        found[-1].position("next") if found and has_next else None,
        found[0].position("prev") if found and has_prev else None,
    )


def _happened(row: dict[str, Any]) -> Happened:
    state, before = row.pop("state"), row.pop("state_before")
    return Happened(**row, changes=changes(_read(before), _read(state)) if before else [])


def _read(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


ALWAYS = frozenset({"version", "changed_at", "changed_by"})
"""What changes with every event, and is told of it anyway."""


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """The fields that differ, in the order in which a state lists them. Pure."""
    fields = [*new, *(name for name in old if name not in new)]
    return [
        Change(name, old.get(name), new.get(name))
        for name in fields
        if name not in ALWAYS and old.get(name) != new.get(name)
    ]


# What packed events say of one order: the row itself knows only the last of them.
FIND_ORDER = """
SELECT entity_id,
       (SELECT array_agg(h.event_id) FROM history AS h
        WHERE h.package_id = o.package_id AND h.kind = 'orders' AND h.edition = o.edition
          AND CASE h.type WHEN 'relais.orders.placed.v1' THEN o.approved_at >= h.at
                          WHEN 'relais.orders.available.v1' THEN o.available_at >= h.at
                          WHEN 'relais.orders.canceled.v1' THEN o.canceled_at >= h.at END
          AND NOT EXISTS (SELECT FROM history AS own
                          WHERE own.kind = 'order' AND own.subject = o.order_id
                            AND own.type = replace(h.type, '.orders.', '.order.'))) AS packed
FROM model.orders AS o WHERE order_id = $1
"""


async def find_order(pool: Pool, order_id: str) -> tuple[str, list[str]] | None:
    """The entity of an order, and the ids of the rows that tell of it among others."""
    row = await pool.fetchrow(FIND_ORDER, order_id)
    return None if row is None else (row["entity_id"], row["packed"] or [])


FIND_OWNER = {
    "package": "SELECT NULL FROM model.packages WHERE package_id = $1",
    "campaign": """
SELECT (SELECT entity_id FROM model.orders AS o WHERE o.order_id = c.order_id)
FROM model.campaigns AS c WHERE campaign_id = $1""",
    "entity": "SELECT entity_id FROM model.entities WHERE entity_id = $1",
}


async def find_owner(pool: Pool, kind: str, id: str) -> tuple[str | None] | None:
    """The entity whose a thing is, where it is one's; None where there is no such thing."""
    row = await pool.fetchrow(FIND_OWNER[kind], id)
    return (row[0],) if row is not None else None
