"""All the SQL of the orders service."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from contracts.orders import OrderState
from contracts.packages import DistributionLevel, PackageStatus
from services.orders.domain import OPEN, Offer
from services.runtime.service import Conflict, Connection, Row, as_json

Pair = tuple[str, str]
"""A package and an entity."""
Place = tuple[str, int, str]
"""A package, one of its editions, and an entity that orders it."""
Cursor = list[str]
"""An entity and an order: where a cancel has got to."""
FIRST = ("", "")
"""Before every order."""

LOCK_OFFERS = """
SELECT package_id, version, edition, status, distribution_level, campaign_id, starts_at, ends_at,
       registration_deadline, several_orders, max_documents, audience_digest, canceled_editions
FROM offers WHERE package_id = ANY ($1::text[]) ORDER BY package_id FOR UPDATE
"""


async def lock_offers(conn: Connection, ids: Iterable[str]) -> dict[str, Offer]:
    """Lock the copies of these packages: a cancel and a new order take turns here."""
    wanted = list(ids)
    rows = await conn.fetch(LOCK_OFFERS, wanted) if wanted else []
    return {row["package_id"]: _offer(row) for row in rows}


def _offer(row: Row) -> Offer:
    values = dict(row)
    values["status"] = PackageStatus(row["status"])
    values["distribution_level"] = DistributionLevel(row["distribution_level"])
    values["canceled_editions"] = tuple(row["canceled_editions"])
    return Offer(**values)


# One that was loaded is locked and cannot have moved. One that was not there and is now was made by
# another worker meanwhile: it is left alone.
SAVE_OFFERS = """
INSERT INTO offers AS o (package_id, version, edition, status, distribution_level, campaign_id,
                         starts_at, ends_at, registration_deadline, several_orders,
                         max_documents, audience_digest, canceled_editions)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (package_id) DO UPDATE SET
    version = excluded.version, edition = excluded.edition, status = excluded.status,
    distribution_level = excluded.distribution_level, campaign_id = excluded.campaign_id,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    registration_deadline = excluded.registration_deadline,
    several_orders = excluded.several_orders, max_documents = excluded.max_documents,
    audience_digest = excluded.audience_digest, canceled_editions = excluded.canceled_editions
WHERE $14
RETURNING o.package_id
"""


async def save_offers(conn: Connection, offers: Sequence[Offer], loaded: Collection[str]) -> None:
    """Store copies in their last state; raises Conflict where one was made twice."""
    if not offers:
        return
    ordered = sorted(offers, key=lambda offer: offer.package_id)
    rows = [(*asdict(offer).values(), offer.package_id in loaded) for offer in ordered]
    if len(await conn.fetchmany(SAVE_OFFERS, rows)) != len(rows):
        raise Conflict("another worker made a copy of one of these packages first")


CLEAR_AUDIENCES = "DELETE FROM audiences WHERE package_id = ANY ($1::text[])"
ADD_AUDIENCES = """
INSERT INTO audiences (package_id, entity_id)
SELECT package_id, entity_id FROM unnest($1::text[], $2::text[]) AS m (package_id, entity_id)
ORDER BY package_id, entity_id
"""


async def save_audiences(conn: Connection, audiences: Mapping[str, frozenset[str] | None]) -> None:
    """Replace the audiences of these packages; None is everybody."""
    if not audiences:
        return
    await conn.execute(CLEAR_AUDIENCES, sorted(audiences))
    rows = [(package_id, e) for package_id, ids in audiences.items() for e in ids or ()]
    if rows:
        await conn.execute(ADD_AUDIENCES, [p for p, _ in rows], [e for _, e in rows])


# Columns are named as the fields; a field that has none fails the test of statements.
order_columns = ", ".join(OrderState.model_fields)

LOCK_ORDERS = f"""
SELECT {order_columns}
FROM orders WHERE order_id = ANY ($1::text[])
ORDER BY package_id, edition, entity_id, order_id FOR UPDATE
"""


async def lock_orders(conn: Connection, ids: Iterable[str]) -> dict[str, OrderState]:
    """Lock orders in the order in which a cancel walks over them."""
    wanted = list(ids)
    rows = await conn.fetch(LOCK_ORDERS, wanted) if wanted else []
    return {row["order_id"]: OrderState.model_validate(dict(row)) for row in rows}


# Orders of one package are placed one batch after the other. One that is there now and was not
# before was placed on another package meanwhile: it is left alone. No parameters are those that
# are there, and empty ones are none: writing a megabyte again takes 30 ms.
SAVE_ORDERS = """
INSERT INTO orders AS o (order_id, package_id, edition, entity_id, label, comment, parameters,
                         documents, status, version, campaign_id, approval_deadline, placed_at,
                         approved_at, available_at, canceled_at, changed_at, changed_by)
SELECT order_id, package_id, edition, entity_id, label, comment, parameters,
       documents, status, version, campaign_id, approval_deadline, placed_at,
       approved_at, available_at, canceled_at, changed_at, changed_by
FROM json_populate_recordset(NULL::orders, $1::text::json)
ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE SET
    label = excluded.label, comment = excluded.comment,
    parameters = nullif(coalesce(excluded.parameters, o.parameters), '{}'),
    documents = excluded.documents, status = excluded.status, version = excluded.version,
    campaign_id = excluded.campaign_id, approved_at = excluded.approved_at,
    available_at = excluded.available_at, canceled_at = excluded.canceled_at,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by
WHERE excluded.package_id = o.package_id
"""


async def save_orders(
    conn: Connection, orders: Sequence[OrderState], before: Mapping[str, OrderState]
) -> None:
    """Store orders in their last state; raises Conflict where one was placed twice.

    before are those that were there, as they were.
    """
    if not orders:
        return
    rows = [_only_changed(order, before.get(order.order_id)) for order in orders]
    status = await conn.execute(SAVE_ORDERS, as_json(rows))
    if int(status.rpartition(" ")[2]) != len(orders):
        raise Conflict("another worker placed one of these orders first")


def _only_changed(order: OrderState, before: OrderState | None) -> OrderState:
    """The order without its parameters where they are the same, and with empty ones for none."""
    if before is None or before.parameters is None:
        return order
    if order.parameters is before.parameters:
        return order.model_copy(update={"parameters": None})
    return order.model_copy(update={"parameters": order.parameters or {}})


# One row with arrays costs a quarter of one row for each place and each entity.
FIND_APPLICANTS = """
SELECT places.in_audience, places.has_order, known.entity_ids, known.versions, known.active
FROM (SELECT array_agg(m.n) FILTER (WHERE EXISTS (
                 SELECT 1 FROM audiences a
                 WHERE a.package_id = m.package_id AND a.entity_id = m.entity_id)) AS in_audience,
             array_agg(m.n) FILTER (WHERE EXISTS (
                 SELECT 1 FROM orders r
                 WHERE r.package_id = m.package_id AND r.edition = m.edition
                   AND r.entity_id = m.entity_id AND r.status = ANY ($4::text[]))) AS has_order
      FROM unnest($1::text[], $2::int[], $3::text[])
          WITH ORDINALITY AS m (package_id, edition, entity_id, n)) AS places,
     (SELECT array_agg(entity_id) AS entity_ids, array_agg(version) AS versions,
             array_agg(active) AS active
      FROM entities WHERE entity_id = ANY ($5::text[])) AS known
"""


@dataclass(frozen=True, slots=True)
class Applicants:
    """Pairs in an audience, places with an open order, and version and activity of entities."""

    in_audience: set[Pair]
    has_order: set[Place]
    entities: dict[str, tuple[int, bool]]


async def find_applicants(
    conn: Connection, places: Iterable[Place], entities: Collection[str]
) -> Applicants:
    """What the tables say of these places and these entities."""
    if not entities:
        return Applicants(set(), set(), {})
    asked = list(places)
    columns = ([p for p, _, _ in asked], [e for _, e, _ in asked], [e for _, _, e in asked])
    row = await conn.fetchrow(FIND_APPLICANTS, *columns, sorted(OPEN), list(entities))
    assert row is not None
    has_order = [asked[n - 1] for n in row["has_order"] or ()]
    in_audience = [asked[n - 1] for n in row["in_audience"] or ()]
    copies = zip(row["versions"] or (), row["active"] or (), strict=True)
    return Applicants(
        {(package_id, entity_id) for package_id, _, entity_id in in_audience},
        set(has_order),
        dict(zip(row["entity_ids"] or (), copies, strict=True)),
    )


SAVE_ENTITIES = """
INSERT INTO entities AS e (entity_id, version, active)
SELECT entity_id, version, active
FROM unnest($1::text[], $2::int[], $3::boolean[]) AS m (entity_id, version, active)
ORDER BY entity_id
ON CONFLICT (entity_id) DO UPDATE SET version = excluded.version, active = excluded.active
WHERE excluded.version > e.version
"""


async def save_entities(conn: Connection, entities: Mapping[str, tuple[int, bool]]) -> None:
    """Store copies, each only where it is newer."""
    if entities:
        versions = [version for version, _ in entities.values()]
        active = [active for _, active in entities.values()]
        await conn.execute(SAVE_ENTITIES, list(entities), versions, active)


FIND_LIMITS = (
    "SELECT campaign_id, max_documents FROM campaigns WHERE campaign_id = ANY ($1::text[])"
)


async def find_limits(conn: Connection, ids: Iterable[str]) -> dict[str, int | None]:
    """The most documents that orders of these campaigns may have; None is no limit."""
    wanted = list(ids)
    rows = await conn.fetch(FIND_LIMITS, wanted) if wanted else []
    return {row["campaign_id"]: row["max_documents"] for row in rows}


SAVE_LIMITS = """
INSERT INTO campaigns (campaign_id, max_documents)
SELECT campaign_id, max_documents
FROM unnest($1::text[], $2::int[]) AS m (campaign_id, max_documents) ORDER BY campaign_id
ON CONFLICT (campaign_id) DO NOTHING
"""


async def save_limits(conn: Connection, limits: Mapping[str, int | None]) -> None:
    """Keep the limits of campaigns; they never change."""
    if limits:
        await conn.execute(SAVE_LIMITS, list(limits), list(limits.values()))


# By the index that a cancel walks, so that orders of one package follow each other.
NEXT_ORDERS = f"""
SELECT {order_columns} FROM orders
WHERE (package_id, edition, entity_id, order_id) > ($1, $2::int, $3, $4)
ORDER BY package_id, edition, entity_id, order_id LIMIT $5
"""


async def next_orders(
    conn: Connection, after: tuple[str, int, str, str], size: int
) -> list[OrderState]:
    """The next orders by package, edition, entity and id, none of which ever changes."""
    rows = await conn.fetch(NEXT_ORDERS, *after, size)
    return [OrderState.model_validate(dict(row)) for row in rows]


FIND_END = """
SELECT entity_id, order_id, count(*) OVER () AS count
FROM (SELECT entity_id, order_id FROM orders
      WHERE package_id = $1 AND edition = $2 AND (entity_id, order_id) > ($3, $4)
      ORDER BY entity_id, order_id LIMIT $5) AS chunk
ORDER BY entity_id DESC, order_id DESC LIMIT 1
"""


class End(NamedTuple):
    """Where a piece of a cancel ends, and how many orders it walks over.

    The last one finds less than it asked for: nothing can come after it, since no order of a
    canceled edition is placed any more.
    """

    cursor: Cursor | None
    walked: int
    is_last: bool


async def find_end(
    conn: Connection, package_id: str, edition: int, after: Cursor | None, size: int
) -> End:
    """The end of the next orders after a cursor."""
    found = await conn.fetchrow(FIND_END, package_id, edition, *(after or FIRST), size)
    if found is None:
        return End(after, 0, is_last=True)
    cursor = [found["entity_id"], found["order_id"]]
    return End(cursor, found["count"], is_last=found["count"] < size)


# One walk along the index: it waits for a row that somebody holds, and looks at its status again.
CANCEL = """
UPDATE orders
SET status = 'canceled', version = version + 1, canceled_at = $7, changed_at = $7, changed_by = $8
WHERE package_id = $1 AND edition = $2
  AND (entity_id, order_id) > ($3, $4) AND (entity_id, order_id) <= ($5, $6)
  AND status = ANY ($9::text[])
RETURNING order_id, entity_id, version
"""


async def cancel(
    conn: Connection,
    package_id: str,
    edition: int,
    span: tuple[Cursor | None, Cursor],
    now: datetime,
    actor: str | None,
) -> list[dict[str, Any]]:
    """Cancel the open orders behind the first cursor up to the second."""
    after, last = span
    where = (package_id, edition, *(after or FIRST), *last)
    rows = await conn.fetch(CANCEL, *where, now, actor, sorted(OPEN))
    return [dict(row) for row in rows]


COUNT_OPEN = """
SELECT count(*) FROM orders
WHERE package_id = $1 AND edition = $2 AND status = ANY ($3::text[])
"""


async def count_open(conn: Connection, package_id: str, edition: int) -> int:
    """The open orders of an edition."""
    return int(await conn.fetchval(COUNT_OPEN, package_id, edition, sorted(OPEN)))
