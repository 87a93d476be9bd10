"""Which orders a reviewer may see: those of entities that name them."""

from collections.abc import Mapping

from services.runtime.service import Pool
from services.tracking.web.problems import Problem
from services.tracking.web.roles import Caller

OF_ORDERS = "/api/orders/{}"
WHY = "/api/why/{}/{}"


def order_of(path: str, given: Mapping[str, str]) -> str | None:
    """The order that a request is about, by the path of its route and its parameters."""
    if path.startswith(OF_ORDERS):
        return next(iter(given.values()))
    return given["id"] if path == WHY and given["kind"] == "order" else None


REVIEWS = """
SELECT EXISTS (
    SELECT FROM model.orders AS o JOIN model.entities AS e USING (entity_id)
    WHERE o.order_id = $1
      AND e.state -> 'order_reviewers' @> jsonb_build_array(jsonb_build_object('id', $2::text)))
"""


async def check(pool: Pool, caller: Caller, order: str | None) -> None:
    """Show a reviewer no order that is not theirs; raises Problem 404, as if it were not there."""
    # What is no id is for the route to complain about.
    if caller.reviewer is None or order is None or "\0" in order:
        return
    if not await pool.fetchval(REVIEWS, order, caller.reviewer):
        raise Problem(404, "not_found", f"there is no order {order[:64]!r}")
