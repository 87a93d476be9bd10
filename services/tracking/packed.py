"""Writes what a large packed event says of its orders, set by set.

It is what domain.packed_order makes of each of them, without a row that is read, changed and
written: of a cancel of 100,000 orders that is most of the work.  Order and repetition of events
change nothing, so that it does not matter when in its batch such an event is written.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

from contracts.message import Body
from contracts.orders import OrdersAvailable, OrdersCanceled, OrdersEvent, OrdersPlaced
from services.runtime.service import Conflict, Connection
from services.tracking import counts, domain, schemas
from services.tracking.counts import Count
from services.tracking.domain import Origin

FEWEST = 100
"""Of so many orders an event is written by statements of its own."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A packed event, and where it comes from."""

    event: OrdersEvent
    origin: Origin


def _update(date: str) -> str:
    """Change those that are there, each register where the event is newer than what set it.

    Ids, entities and versions come as lines: ids have no line end.
    """
    return f"""
WITH known AS MATERIALIZED (
    SELECT order_id, r.version, t.status
    FROM unnest(string_to_array($1::text, E'\\n'), string_to_array($2::text, E'\\n')::integer[])
        AS r (order_id, version)
    JOIN model.orders AS t USING (order_id) ORDER BY order_id FOR UPDATE OF t
), changed AS (
    UPDATE model.orders AS t
    SET status = CASE WHEN k.version > t.status_version THEN $3 ELSE t.status END,
        changed_at = CASE WHEN k.version > t.status_version THEN $4 ELSE t.changed_at END,
        changed_by = CASE WHEN k.version > t.status_version THEN $5 ELSE t.changed_by END,
        late_from = CASE WHEN k.version > t.status_version THEN NULL ELSE t.late_from END,
        status_version = greatest(t.status_version, k.version),
        placed_at = CASE WHEN t.terms_version = 0 THEN least(t.placed_at, $4) ELSE t.placed_at END,
        {date} = coalesce(t.{date}, $4),
        cause = CASE WHEN k.version > t.cause_version THEN $6 ELSE t.cause END,
        caused_by = CASE WHEN k.version > t.cause_version THEN $7 ELSE t.caused_by END,
        caused_at = CASE WHEN k.version > t.cause_version THEN $4 ELSE t.caused_at END,
        caused_actor = CASE WHEN k.version > t.cause_version THEN $5 ELSE t.caused_actor END,
        cause_version = greatest(t.cause_version, k.version)
    FROM known AS k WHERE t.order_id = k.order_id
    RETURNING t.entity_id, k.status AS before, t.status AS after
)
SELECT entity_id, before, after, count(*) AS n FROM changed GROUP BY entity_id, before, after
"""


def _insert(date: str) -> str:
    """Make those that are not there."""
    return f"""
WITH made AS (
    INSERT INTO model.orders (order_id, package_id, edition, entity_id, status, status_version,
                              changed_at, changed_by, placed_at, {date}, terms_version,
                              cause_version, cause, caused_by, caused_at, caused_actor)
    SELECT order_id, $8, $9, entity_id, $3, version, $4, $5, $4, $4, 0, version, $6, $7, $4, $5
    FROM unnest(string_to_array($1::text, E'\\n'), string_to_array($2::text, E'\\n')::integer[],
                string_to_array($10::text, E'\\n')) AS r (order_id, version, entity_id)
    ORDER BY order_id ON CONFLICT (order_id) DO NOTHING
    RETURNING entity_id, status
)
SELECT entity_id, NULL AS before, status AS after, count(*) AS n
FROM made GROUP BY entity_id, status
"""


UPDATE_PLACED, INSERT_PLACED = _update("approved_at"), _insert("approved_at")
UPDATE_AVAILABLE, INSERT_AVAILABLE = _update("available_at"), _insert("available_at")
UPDATE_CANCELED, INSERT_CANCELED = _update("canceled_at"), _insert("canceled_at")
_STATEMENTS: dict[type[Body], tuple[str, str]] = {
    OrdersPlaced: (UPDATE_PLACED, INSERT_PLACED),
    OrdersAvailable: (UPDATE_AVAILABLE, INSERT_AVAILABLE),
    OrdersCanceled: (UPDATE_CANCELED, INSERT_CANCELED),
}


def is_large(event: Body) -> bool:
    """Whether it is written by statements of its own."""
    return type(event) in _STATEMENTS and len(cast(OrdersEvent, event).orders) >= FEWEST


async def save(conn: Connection, schema: str, pack: Pack) -> Counter[Count]:
    """Write a packed event, and say what it adds to the counts."""
    event, origin = pack.event, pack.origin
    update, insert = _STATEMENTS[type(event)]
    # An order that is named twice is what its newest version says.
    refs = {ref.order_id: ref for ref in sorted(event.orders, key=lambda ref: ref.version)}
    values = refs.values()
    arguments: list[Any] = [
        "\n".join(refs),
        "\n".join([str(ref.version) for ref in values]),
        domain.packed_status(event),
        origin.at,
        origin.actor,
        origin.event,
        origin.caused_by,
    ]
    found = await conn.fetch(schemas.within(schema, update), *arguments)
    if sum(row["n"] for row in found) < len(refs):
        entities = "\n".join([ref.entity_id for ref in values])
        more = event.package_id, event.edition, entities
        found += await conn.fetch(schemas.within(schema, insert), *arguments, *more)
    if sum(row["n"] for row in found) != len(refs):
        raise Conflict("another worker made one of these orders first")
    return _moved(event, [tuple(row) for row in found])


def _moved(event: OrdersEvent, groups: list[tuple[str, str | None, str, int]]) -> Counter[Count]:
    """What so many orders of an entity add to the counts, by what they were and are."""
    moved: Counter[Count] = Counter()
    for entity_id, before, after, n in groups:
        if before == after:
            continue
        about = {"package_id": event.package_id, "edition": event.edition, "entity_id": entity_id}
        for count in counts.order_counts({**about, "status": after}):
            moved[count] += n
        for count in counts.order_counts({**about, "status": before}) if before else ():
            moved[count] -= n
    return moved
