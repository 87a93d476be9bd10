"""Who may send a command: what it is about decides where a role has only its own."""

from collections.abc import Collection

from contracts import names
from contracts.message import Command
from contracts.orders import ApproveOrder, OrderCommand, PlaceOrder, RejectOrder
from contracts.packages import ApprovePackage, RejectPackage
from services.runtime.service import Pool
from services.tracking.queries import subjects
from services.tracking.web.callers import Caller, Role
from services.tracking.web.problems import Problem

MENDING = ("parked.", "snapshot.", "notification.retry")
OF_ORDERS = ("order.place", "order.edit", "order.cancel")
OF_REVIEWERS = ("package.approve", "package.reject", "order.approve", "order.reject")


async def may_send(pool: Pool, caller: Caller, command: Command) -> Problem | None:
    """Why a caller may not send a command; None where they may."""
    name = names.short_type(command.wire_type)
    entity: str | None = None
    reviewers: Collection[str] = ()
    if caller.role is Role.LOCAL and isinstance(command, OrderCommand):
        entity = await _entity(pool, command)
        if name in OF_ORDERS and entity is None:
            text = f"order {command.order_id} is not known; place it with order.place first"
            return Problem(404, "unknown_order", text)
    if caller.role is Role.REVIEWER:
        reviewers = await _reviewers(pool, command)
    if _is_allowed(caller, name, entity, reviewers):
        return None
    what = f"{name} for entity {entity}" if entity else f"{name} of {command.subject}"
    text = f"{caller.name} ({caller.role}) may not send {what}"
    return Problem(403, "forbidden", text)


def _is_allowed(caller: Caller, name: str, entity: str | None, reviewers: Collection[str]) -> bool:
    match caller.role:
        case Role.CENTRAL:
            return True
        case Role.OPERATIONS:
            return name.startswith(MENDING)
        case Role.LOCAL:
            return name in OF_ORDERS and entity is not None and entity == caller.entity
        case Role.REVIEWER:
            return name in OF_REVIEWERS and caller.name in reviewers
        case _:
            return False


async def _entity(pool: Pool, command: OrderCommand) -> str | None:
    """The entity of the order that a command is about."""
    if isinstance(command, PlaceOrder):
        return command.entity_id
    known = await subjects.load(pool, [command])
    order = known.orders.get(command.order_id)
    return None if order is None else str(order["entity_id"])


REVIEWERS_OF_PACKAGE = "SELECT state -> 'reviewers' FROM model.packages WHERE package_id = $1"
REVIEWERS_OF_ORDER = """
SELECT e.state -> 'order_reviewers' FROM model.orders AS o
JOIN model.entities AS e USING (entity_id) WHERE o.order_id = $1
"""


async def _reviewers(pool: Pool, command: Command) -> Collection[str]:
    """Those whom the package, or the entity of the order, names."""
    match command:
        case ApprovePackage() | RejectPackage():
            found = await pool.fetchval(REVIEWERS_OF_PACKAGE, command.package_id)
        case ApproveOrder() | RejectOrder():
            found = await pool.fetchval(REVIEWERS_OF_ORDER, command.order_id)
        case _:
            return ()
    return {reviewer["id"] for reviewer in found or ()}
