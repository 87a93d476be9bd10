"""The rules of orders. Pure: time and everything else comes in as a value."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, assert_never

from contracts import names
from contracts.message import differing, too_heavy
from contracts.orders import (
    ApproveOrder,
    CancelOrder,
    EditOrder,
    OrderApproved,
    OrderCanceled,
    OrderCommand,
    OrderEdited,
    OrderPlaced,
    OrderRejected,
    OrderState,
    OrderStatus,
    PlaceOrder,
    RejectOrder,
)
from contracts.outcomes import RefusalCode
from contracts.packages import DistributionLevel, PackageStatus
from contracts.sentences import last_change
from services.runtime.decision import Decision, Refused, Unchanged, Unknown, accepted

Status = OrderStatus

APPROVAL_PERIOD = timedelta(days=3)
HEAVY = frozenset({"comment", "documents", "parameters"})
OPEN = frozenset({Status.ORDERED, Status.APPROVED, Status.AVAILABLE})
"""The statuses that a cancel ends."""

LifeCommand = ApproveOrder | RejectOrder | CancelOrder
"""Commands that move an order from one status to another."""

ALLOWED: dict[type[OrderCommand], frozenset[Status]] = {
    EditOrder: OPEN,
    ApproveOrder: frozenset({Status.ORDERED}),
    RejectOrder: frozenset({Status.ORDERED}),
    CancelOrder: OPEN,
}
TARGET: dict[type[OrderCommand], Status] = {
    ApproveOrder: Status.APPROVED,
    RejectOrder: Status.REJECTED,
    CancelOrder: Status.CANCELED,
}


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
NOT_PLACED = OrderState(
    order_id="-",
    package_id="-",
    edition=1,
    entity_id="-",
    label="-",
    status=Status.ORDERED,
    version=1,
    placed_at=_LONG_AGO,
    changed_at=_LONG_AGO,
)
"""What an order is made from: an event of it costs a third of one built field by field."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What orders knows of a package.

    audience_digest is None where the audience is not limited; canceled_editions are those whose
    cancel takes their orders along, which that of a local package does not.
    """

    package_id: str
    version: int
    edition: int
    status: PackageStatus
    distribution_level: DistributionLevel
    campaign_id: str
    starts_at: datetime
    ends_at: datetime
    registration_deadline: datetime | None = None
    several_orders: bool = False
    max_documents: int | None = None
    audience_digest: str | None = None
    canceled_editions: tuple[int, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether an entity may take it several times, where it says so."""
        return self.distribution_level == DistributionLevel.LOCAL

    def has_canceled(self, edition: int) -> bool:
        """Whether the open orders of an edition are as good as canceled."""
        return edition in self.canceled_editions


class Applicant(NamedTuple):
    """What matters of an entity that wants to order; active is None where it is not known."""

    active: bool | None
    in_audience: bool
    has_order: bool


def place(
    order: OrderState | None,
    command: PlaceOrder,
    offer: Offer | None,
    applicant: Applicant,
    *,
    campaign_limit: int | None,
    now: datetime,
    actor: str | None,
) -> Decision:
    """Take a package for an entity; campaign_limit is its campaign's max_documents."""
    if order is not None:
        return Refused(
            RefusalCode.ALREADY_EXISTS,
            f"order {order.order_id} exists already, placed by {order.entity_id} on package "
            f"{order.package_id}; use another id",
            order.version,
        )
    if offer is None:
        return unknown_package(command.package_id)
    if applicant.active is None:
        text = f"entity {command.entity_id} is not known; register it with entity.register first"
        return Unknown(RefusalCode.UNKNOWN_ENTITY, text)
    if refusal := _check_applicant(command, offer, applicant, now):
        return refusal
    limit = offer.max_documents if offer.max_documents is not None else campaign_limit
    if refusal := _check_documents(command.order_id, command.documents, limit):
        return refusal
    if refusal := _check_size(command, command.model_fields_set):
        return refusal
    return accepted(
        OrderPlaced.of(
            NOT_PLACED,
            order_id=command.order_id,
            package_id=command.package_id,
            edition=offer.edition,
            entity_id=command.entity_id,
            label=command.label,
            comment=command.comment,
            parameters=command.parameters,
            documents=command.documents,
            approval_deadline=now + APPROVAL_PERIOD,
            placed_at=now,
            changed_at=now,
            changed_by=actor,
        )
    )


def _check_applicant(
    command: PlaceOrder, offer: Offer, applicant: Applicant, now: datetime
) -> Refused | None:
    package, entity = f"package {offer.package_id}", f"entity {command.entity_id}"
    if not applicant.active:
        text = f"{entity} is not active; activate it with entity.activate to let it order"
        return Refused(RefusalCode.ENTITY_INACTIVE, text)
    if not _is_offered(offer, now):
        return Refused(
            RefusalCode.NOT_OFFERED,
            f"{package} is {offer.status}, from {_shown(offer.starts_at)} to "
            f"{_shown(offer.ends_at)}; only a published package takes orders, within its dates",
        )
    deadline = offer.registration_deadline
    if deadline is not None and now > deadline:
        text = f"{package} took orders until {_shown(deadline)}; it is too late for another"
        return Refused(RefusalCode.REGISTRATION_CLOSED, text)
    if not applicant.in_audience:
        text = f"{entity} is not in the audience of {package}; add it with package.edit first"
        return Refused(RefusalCode.NOT_IN_AUDIENCE, text)
    if applicant.has_order and not (offer.is_local and offer.several_orders):
        text = f"{entity} has an order of {package} already; only one is accepted"
        return Refused(RefusalCode.ALREADY_ORDERED, text)
    return None


def _is_offered(offer: Offer, now: datetime) -> bool:
    return (
        offer.status == PackageStatus.PUBLISHED
        and not offer.has_canceled(offer.edition)
        and offer.starts_at <= now <= offer.ends_at
    )


def _check_documents(
    order_id: str, documents: Sequence[Any] | None, limit: int | None
) -> Refused | None:
    count = len(documents or ())
    if limit is None or count <= limit:
        return None
    text = f"order {order_id} has {count} documents; at most {limit} are accepted"
    return Refused(RefusalCode.TOO_MANY_DOCUMENTS, text)


def _check_size(terms: PlaceOrder | OrderState, changed: Collection[str]) -> Refused | None:
    """Every event carries the whole order."""
    error = too_heavy(terms, HEAVY, changed)
    if error is None:
        return None
    return Refused(RefusalCode.INVALID, f"{error.field} {error.message}", errors=(error,))


def present(order: OrderState, offer: Offer | None) -> OrderState:
    """The order as it counts: canceled from the moment that its package's cancel was seen."""
    if offer is not None and offer.has_canceled(order.edition) and order.status in OPEN:
        return order.model_copy(update={"status": Status.CANCELED})
    return order


def edit(
    order: OrderState,
    command: EditOrder,
    *,
    limit: int | None,
    now: datetime,
    actor: str | None,
) -> Decision:
    """Change some fields of an open order; limit is the most documents it may have."""
    changes = differing(order, command.changes)
    if not changes:
        text = f"order {order.order_id} has these values, {_changed(order)}"
        return Unchanged(text, order.version)
    if refusal := _check_turn(order, command, command.expected_version):
        return refusal
    documents = changes.get("documents")
    if refusal := _check_documents(order.order_id, documents, limit):
        return refusal
    edited = OrderEdited.of(
        order, version=order.version + 1, changed_at=now, changed_by=actor, **changes
    )
    return _check_size(edited, changes) or accepted(edited)


def decide(
    order: OrderState, command: LifeCommand, *, now: datetime, actor: str | None
) -> Decision:
    """Move an order through its life."""
    if order.status == TARGET[type(command)]:
        text = f"order {order.order_id} is {order.status} already, {_changed(order)}"
        return Unchanged(text, order.version)
    if refusal := _check_turn(order, command, command.expected_version):
        return refusal
    changed: dict[str, Any] = {
        "version": order.version + 1,
        "changed_at": now,
        "changed_by": actor,
        "decision_comment": command.comment,
        "status": TARGET[type(command)],
    }
    match command:
        case ApproveOrder():
            return accepted(OrderApproved.of(order, approved_at=now, **changed))
        case RejectOrder():
            return accepted(OrderRejected.of(order, **changed))
        case CancelOrder():
            return accepted(OrderCanceled.of(order, canceled_at=now, **changed))
    assert_never(command)


def _check_turn(order: OrderState, command: OrderCommand, expected: int | None) -> Refused | None:
    """The version, then the status."""
    if expected is not None and expected != order.version:
        return Refused(
            RefusalCode.VERSION_CONFLICT,
            f"order {order.order_id} has version {order.version}, not {expected}; "
            "read it again and decide again",
            order.version,
        )
    if order.status not in ALLOWED[type(command)]:
        allowed = ", ".join(sorted(ALLOWED[type(command)]))
        return Refused(
            RefusalCode.WRONG_STATUS,
            f"order {order.order_id} is {order.status}, {_changed(order)}; "
            f"{names.short_type(command.wire_type)} is accepted from {allowed}",
            order.version,
        )
    return None


def _changed(order: OrderState) -> str:
    if order.status == Status.CANCELED and order.canceled_at is None:
        return "with its package, whose cancel is on the way to it"
    return last_change(order.changed_at, order.changed_by)


def unknown_package(package_id: str) -> Unknown:
    """The package has not been heard of."""
    text = f"package {package_id} is not known; create it with package.create first"
    return Unknown(RefusalCode.UNKNOWN_PACKAGE, text)


def unknown_order(order_id: str) -> Unknown:
    """The order has not been heard of."""
    text = f"order {order_id} is not known; place it with order.place first"
    return Unknown(RefusalCode.UNKNOWN_ORDER, text)


def of_another_package(order: OrderState, command: OrderCommand) -> Refused:
    """The order is one of another package than the command says."""
    return Refused(
        RefusalCode.UNKNOWN_ORDER,
        f"order {order.order_id} is one of package {order.package_id}, not of "
        f"{command.package_id}; name its own package",
        order.version,
    )


def canceled(offer: Offer, edition: int) -> Offer:
    """The offer once a cancel that takes the orders of an edition along has been seen."""
    return replace(offer, canceled_editions=(*offer.canceled_editions, edition))


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
