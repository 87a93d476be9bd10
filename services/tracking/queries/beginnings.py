"""Orders of a package or of entities whose id or label begins with a text."""

from collections.abc import Sequence

from contracts.envelope import FieldError
from contracts.orders import OrderStatus
from services.runtime.service import Pool
from services.tracking.queries import counts
from services.tracking.queries.filters import Unserved
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort, fetch
from services.tracking.queries.search import FEW, begin_with

LABEL = 'lower(t.label) COLLATE "C"'
_NOTHING = Sort((("t.placed_at", INSTANT), ("t.order_id", TEXT)))


async def narrow(
    pool: Pool,
    scan: Scan,
    text: str,
    package: str | None,
    edition: int | None,
    entities: Sequence[str] | None,
) -> None:
    """Only orders that begin with a text; raises Unserved where too many would be looked at.

    Few orders of the package or the entities are looked at one by one; of many, those are that
    begin so among all orders, where these are few.
    """
    if min(await _sizes(pool, package, edition, entities)) <= FEW:
        begin = scan.bind(text)
        scan.conditions.append(
            f"(starts_with(t.order_id, {begin}) OR starts_with(lower(t.label), lower({begin})))"
        )
        return
    ids = await _found(pool, text, package, edition, entities)
    scan.conditions.append(f"t.order_id = ANY ({scan.bind(ids, 'text[]')})")


async def _sizes(
    pool: Pool, package: str | None, edition: int | None, entities: Sequence[str] | None
) -> list[int]:
    """How many orders the package has, and the entities together."""
    of_package = [f"package:{package}:{edition}"] if package else []
    of_entities = [f"entity:{entity}" for entity in entities or ()]
    found = await counts.exact(pool, "orders", [*of_package, *of_entities])
    return [
        sum(sum(found[scope].values()) for scope in scopes)
        for scopes, is_asked in ((of_package, package), (of_entities, entities is not None))
        if is_asked
    ]


async def _found(
    pool: Pool,
    text: str,
    package: str | None,
    edition: int | None,
    entities: Sequence[str] | None,
) -> list[str]:
    made = Scan("t.order_id, t.package_id, t.edition, t.entity_id", "model.orders AS t", _NOTHING)
    begin_with(made, "t.order_id", text)
    begin_with(made, LABEL, text, lowered=True)
    by_id, by_label = made.conditions
    statuses = await counts.statuses(pool, "orders", OrderStatus)
    parts = [by_id, *(f"t.status = {made.bind(status)} AND {by_label}" for status in statuses)]
    rows = " UNION ALL ".join(
        f"(SELECT {made.columns} FROM {made.source} WHERE {part} LIMIT {FEW + 1})" for part in parts
    )
    is_asked = (
        f"({made.bind(package)} IS NULL OR package_id = {made.bind(package)} "
        f"AND edition = {made.bind(edition, 'int')})"
    )
    if entities is not None:
        is_asked += f" AND entity_id = ANY ({made.bind([*entities], 'text[]')})"
    ((n, ids),) = await fetch(
        pool,
        f"SELECT count(*), array_agg(DISTINCT order_id) FILTER (WHERE {is_asked}) "
        f"FROM (SELECT * FROM ({rows}) AS u LIMIT {FEW + 1}) AS f",
        made.arguments,
    )
    if n > FEW:
        whose = f"package {package} has" if package else "these entities have"
        problem = (
            f"must be longer: more than {FEW:,} orders begin with {text[:40]!r}, and {whose} more "
            f"than {FEW:,} orders; or leave it out"
        )
        raise Unserved(FieldError("q", problem))
    found: list[str] = ids or []
    return found
