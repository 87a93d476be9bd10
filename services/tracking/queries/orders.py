"""Orders: the list, of all or of one package, and one."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import FieldError
from contracts.fields import Id
from contracts.orders import OrderStatus
from contracts.values import Known
from services.runtime.service import Pool, Row
from services.tracking.queries import beginnings, counts, packages
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Number, Search, Unserved, Yes, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Branch, Scan, Sort
from services.tracking.queries.search import FEW, begin_with

_ID = ("t.order_id", TEXT)
_LABEL = 'lower(t.label) COLLATE "C"'
SORTS = {
    "newest": Sort((("t.placed_at", INSTANT), _ID), descending=True),
    "oldest": Sort((("t.placed_at", INSTANT), _ID)),
    "modified": Sort((("t.changed_at", INSTANT), _ID), descending=True),
    "longest": Sort((("t.late_from", INSTANT), _ID)),
    "match": Sort(((_LABEL, TEXT), _ID)),
}
COLUMNS = """t.order_id, t.label, t.package_id, t.edition, t.entity_id, t.campaign_id, t.status,
    greatest(t.status_version, t.terms_version) AS version, t.placed_at, t.approved_at,
    t.available_at, t.canceled_at, t.changed_at, t.changed_by, t.late_from"""
SOURCE = "model.orders AS t"
AROUND = """LEFT JOIN model.packages AS p ON p.package_id = page.package_id
    LEFT JOIN model.entities AS e ON e.entity_id = page.entity_id"""
MORE = "p.label AS package_label, p.starts_at, p.ends_at, e.label AS entity_label"
IS_LATE = "t.late_from <= now()"
IS_LATE_AMONG = "coalesce(t.late_from, 'infinity') <= now()"
"""The same where few orders are looked at: by no index, which would bring in everybody's."""
MOST_ENTITIES = 20
"""Of so many a reviewer sees the orders in one list."""
WINDOW = 1_000
"""Among so many ids of the same beginning those of one status are looked for."""


class OfPackage(Dated):
    """Which orders of a package, and in which order."""

    status: Known[OrderStatus] | None = None
    late: Annotated[Yes | None, Field(description="Only late ones; sorted by how long.")] = None
    entity: Id | None = None
    edition: Annotated[
        Number | None, Field(description="Of the package; its present one if absent.")
    ] = None
    q: Annotated[
        Search | None,
        Field(description="What id or label begin with; without package and entity by label."),
    ] = None
    sort: Literal["newest", "oldest", "modified", "longest", "match"] | None = None


class Filters(OfPackage):
    """Which orders, and in which order."""

    package: Id | None = None


class Which(Filters):
    """The orders that somebody asks for and may see: of these entities, where they are a limit."""

    entities: tuple[str, ...] | None = None


def _sort(asked: Which) -> str:
    is_all = not asked.package and asked.entities is None
    if not is_all:
        # Of all orders an index knows who is late; of one package or entity only who waits, and
        # since when: who has waited longest comes first.
        where = "where orders of one package or entity are asked for"
        if asked.late:
            return chosen(asked.sort, ("oldest",), f"{where} that are late")
        return chosen(asked.sort, ("newest", "oldest"), where)
    if asked.q:
        return chosen(asked.sort, ("match",), "where a text is looked for in all orders")
    if asked.late:
        return chosen(asked.sort, ("longest",), "where late orders are asked for")
    return chosen(asked.sort, ("newest", "oldest", "modified"), "where all orders are asked for")


async def scan(pool: Pool, asked: Which) -> Scan:
    """The rows of the list."""
    statuses = (
        (asked.status,) if asked.status else await counts.statuses(pool, "orders", OrderStatus)
    )
    return await _scan(pool, asked, statuses)


async def _scan(pool: Pool, asked: Which, statuses: Sequence[str]) -> Scan:
    name = _sort(asked)
    made = Scan(COLUMNS, SOURCE, SORTS[name], AROUND, MORE)
    if asked.edition and not asked.package:
        raise Unserved(FieldError("edition", "needs package: editions are those of one"))
    made.dated(asked.since, asked.until)
    made.equal("t.package_id", asked.package)
    edition = await _edition(pool, asked) if asked.package else None
    made.equal("t.edition", edition, "int")
    status = asked.status
    if asked.late:
        made.conditions.append(IS_LATE if name == "longest" else IS_LATE_AMONG)
        if status not in (None, OrderStatus.ORDERED):
            # No others are ever late: nobody has to look for them.
            made.conditions.append("false")
        statuses, status = (OrderStatus.ORDERED,), OrderStatus.ORDERED
    if name == "match":
        assert asked.q is not None
        _match(made, asked.q, statuses, status)
        return made
    if name != "longest" and not await _is_found(pool, made, asked, edition, statuses):
        _branches(made, asked, statuses)
    if asked.q:
        await beginnings.narrow(pool, made, asked.q, asked.package, edition, asked.entities)
    return made


async def _edition(pool: Pool, asked: Which) -> int:
    assert asked.package is not None
    return asked.edition or await packages.edition(pool, asked.package) or 1


OF_BOTH = f"""
SELECT order_id FROM model.orders
WHERE entity_id = ANY ($1::text[]) AND package_id = $2 AND edition = $3 LIMIT {FEW + 1}
"""


async def _is_found(
    pool: Pool, scan: Scan, asked: Which, edition: int | None, statuses: Sequence[str]
) -> bool:
    """Whether the orders that some entities have of one package are few, and found so.

    The index of either knows the other as well, which a page by date would look up row by row.
    """
    if asked.entities is None or not asked.package:
        return False
    rows = await pool.fetch(OF_BOTH, [*asked.entities], asked.package, edition)
    if len(rows) > FEW:
        return False
    ids = scan.bind([row["order_id"] for row in rows], "text[]")
    scan.conditions.append(f"t.order_id = ANY ({ids})")
    scan.branch("t.status", statuses)
    return True


def _branches(scan: Scan, asked: Which, statuses: Sequence[str]) -> None:
    """One for each status, and where entities are asked for, for each of them."""
    if asked.entities is None:
        scan.branch("t.status", statuses)
    else:
        places = [(s, scan.bind(s)) for s in statuses]
        for entity in map(scan.bind, asked.entities):
            scan.branches += [
                Branch(s, f"t.entity_id = {entity} AND t.status = {place}") for s, place in places
            ]
        if not asked.entities:
            scan.conditions.append("false")


def _match(scan: Scan, text: str, statuses: Sequence[str], status: str | None) -> None:
    """One branch for ids, in their order, and one for labels of each status, in theirs."""
    keys = Scan("", "", scan.sort, arguments=scan.arguments)
    begin_with(keys, "t.order_id", text)
    begin_with(keys, _LABEL, text, lowered=True)
    by_id, by_label = keys.conditions
    condition = by_id
    if status:
        window = by_id.replace("t.order_id", "w.order_id")
        condition = (
            f"t.status = {scan.bind(status)} AND t.order_id IN (SELECT w.order_id "
            f"FROM model.orders AS w WHERE {window} ORDER BY w.order_id LIMIT {WINDOW})"
        )
    scan.branches = [Branch("id", condition, ("t.order_id", "t.order_id"))]
    for one in statuses:
        found = f"t.status = {scan.bind(one)} AND {by_label} AND NOT ({by_id})"
        scan.branches.append(Branch(one, found))


async def tabs(pool: Pool, asked: Which) -> Counts:
    """How many orders each tab has with these filters."""
    statuses = await counts.statuses(pool, "orders", OrderStatus)
    every = asked.model_copy(update={"status": None, "late": None, "sort": None})
    scopes = await _scopes(pool, every)
    if scopes is not None:
        exact = counts.filled({}, statuses)
        for found in (await counts.exact(pool, "orders", scopes)).values():
            exact = counts.added(exact, found)
    else:
        made = await _scan(pool, every, statuses)
        exact = counts.filled(await _count(pool, made), statuses)
    late = await _scan(pool, every.model_copy(update={"late": "true"}), statuses)
    # Of one package or entity each has to be looked at; of all an index knows them.
    is_all = scopes == [""]
    exact["late"] = await counts.up_to(pool, late, counts.MOST if is_all else counts.FOUND)
    return exact


async def _count(pool: Pool, made: Scan) -> Counts:
    by_id = [branch for branch in made.branches if branch.label == "id"]
    made.branches = [branch for branch in made.branches if branch.label != "id"]
    if not by_id:
        return await counts.by_branch(pool, made, counts.FOUND)
    found = await counts.by_branch(pool, made, counts.FOUND)
    made.branches = by_id
    return counts.added(found, await counts.by_value(pool, made, "t.status", counts.FOUND))


async def _scopes(pool: Pool, asked: Which) -> list[str] | None:
    """The scopes that the reader counts these orders in, if it does."""
    if asked.q or asked.since or asked.until:
        return None
    if asked.entities is None:
        of = f"package:{asked.package}:{await _edition(pool, asked)}" if asked.package else ""
        return [of]
    return None if asked.package else [f"entity:{entity}" for entity in asked.entities]


FIND = """
SELECT t.*, greatest(t.status_version, t.terms_version) AS version, p.label AS package_label,
       p.status AS package_status, p.distribution_level, p.starts_at, p.ends_at, p.state,
       e.label AS entity_label
FROM model.orders AS t
LEFT JOIN model.packages AS p USING (package_id)
LEFT JOIN model.entities AS e USING (entity_id)
WHERE order_id = $1 AND ($2::text[] IS NULL OR entity_id = ANY ($2::text[]))
"""


async def find(pool: Pool, order_id: str, entities: Sequence[str] | None) -> Row | None:
    """One order, if it is of one of these entities."""
    return await pool.fetchrow(FIND, order_id, None if entities is None else [*entities])


REVIEWED = """
SELECT entity_id FROM model.entities
WHERE state -> 'order_reviewers' @> jsonb_build_array(jsonb_build_object('id', $1::text))
ORDER BY entity_id
"""


async def reviewed(pool: Pool, operator: str) -> list[str]:
    """The entities whose orders somebody reviews."""
    return [row["entity_id"] for row in await pool.fetch(REVIEWED, operator)]
