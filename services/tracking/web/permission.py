"""Who may send a command: what it is about decides where a role has only its own."""

from collections.abc import Collection
from dataclasses import dataclass

from contracts.message import Command
from contracts.orders import ApproveOrder, OrderCommand, PlaceOrder, RejectOrder
from contracts.packages import ApprovePackage, RejectPackage
from services.runtime.service import Pool
from services.tracking.queries import subjects
from services.tracking.web import rights
from services.tracking.web.problems import Problem
from services.tracking.web.rights import Reach
from services.tracking.web.roles import Caller, Role


async def check_send(pool: Pool, caller: Caller, command: Command) -> None:
    """Let a caller send only what they may; raises Problem 403, or 404 for an unknown order."""
    entity: str | None = None
    reviewers: Collection[str] = ()
    if reach(caller, type(command)) is Reach.OWN:
        if caller.role is Role.LOCAL and isinstance(command, OrderCommand):
            entity = await _entity(pool, caller, command)
        if caller.role is Role.REVIEWER:
            reviewers = await _reviewers(pool, command)
    rights.check_send(caller, command.wire_type, entity=entity, reviewers=reviewers)


def reach(caller: Caller, kind: type[Command]) -> Reach:
    """How far the right of a caller to send a command goes."""
    rule = rights.rule_of_command(kind.TYPE)
    return Reach.NONE if rule is None else rule.of(caller)


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which orders a caller may send a command: of one entity's, of those they review."""

    entity: str | None = None
    reviewer: str | None = None


def scope(caller: Caller, kind: type[Command]) -> Scope:
    """Of which orders a caller may send this command; raises Problem 403 where of none."""
    match reach(caller, kind):
        case Reach.ALL:
            return Scope()
        case Reach.OWN:
            return Scope(caller.scope, caller.reviewer)
        case _:
            rights.check_send(caller, kind.TYPE)
            raise AssertionError("what reaches nothing was let through")


async def _entity(pool: Pool, caller: Caller, command: OrderCommand) -> str:
    """The entity of the order that a command is about; of others' no more is told than of none."""
    if isinstance(command, PlaceOrder):
        return command.entity_id
    known = await subjects.load(pool, [command])
    order = known.orders.get(command.order_id)
    if order is None or order["entity_id"] != caller.entity:
        text = f"order {command.order_id} is not known, or it is not yours"
        raise Problem(404, "unknown_order", text)
    return str(order["entity_id"])


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
