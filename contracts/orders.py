"""What is said to and by the orders service about orders of packages."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.fields import (
    Comment,
    Id,
    Instant,
    Label,
    Name,
    OptionalComment,
    Parameters,
    Text,
    Version,
)
from contracts.message import ABSENT, Command, Edit, Event, StateEvent
from contracts.values import Documents, OpenEnum, Value


class OrderStatus(OpenEnum):
    """Where an order is in its life."""

    ORDERED = "ordered"
    APPROVED = "approved"
    REJECTED = "rejected"
    AVAILABLE = "available"
    CANCELED = "canceled"


class OrderCommand(Command):
    """A command about one order; order is kept by its package."""

    SUBJECT: ClassVar[str] = "order_id"
    KEY: ClassVar[str] = "package_id"

    order_id: Id
    package_id: Id


class PlaceOrder(OrderCommand):
    """Take a package for an entity."""

    TYPE: ClassVar[str] = "relais.order.place.v1"

    entity_id: Id
    label: Label
    comment: OptionalComment | None = None
    parameters: Parameters = None
    documents: Documents = None


class EditOrder(OrderCommand, Edit):
    """Change some fields of an order."""

    TYPE: ClassVar[str] = "relais.order.edit.v1"
    ADDRESS: ClassVar[frozenset[str]] = frozenset({"order_id", "package_id", "expected_version"})

    label: Label = ABSENT
    comment: OptionalComment | None = None
    parameters: Parameters = None
    documents: Documents = None
    expected_version: Version | None = None


class ApproveOrder(OrderCommand):
    """Grant an order."""

    TYPE: ClassVar[str] = "relais.order.approve.v1"

    comment: OptionalComment | None = None
    expected_version: Version | None = None


class RejectOrder(OrderCommand):
    """Refuse an order, and say why."""

    TYPE: ClassVar[str] = "relais.order.reject.v1"

    comment: Comment
    expected_version: Version | None = None


class CancelOrder(OrderCommand):
    """Withdraw an order, and the campaign made of it."""

    TYPE: ClassVar[str] = "relais.order.cancel.v1"

    comment: OptionalComment | None = None
    expected_version: Version | None = None


class OrderState(Value):
    """Everything that others may know of an order."""

    order_id: Id
    package_id: Id
    edition: Version
    entity_id: Id
    label: Name
    comment: OptionalComment | None = None
    parameters: Parameters = None
    documents: Documents = None
    status: OrderStatus
    version: Version
    campaign_id: Id | None = None
    approval_deadline: Instant | None = None
    placed_at: Instant
    approved_at: Instant | None = None
    available_at: Instant | None = None
    canceled_at: Instant | None = None
    changed_at: Instant
    changed_by: Text | None = None


class OrderEvent(OrderState, StateEvent[OrderState]):
    """Something happened to an order; this is its state since."""

    STATE = OrderState
    SUBJECT: ClassVar[str] = "order_id"
    KEY: ClassVar[str] = "package_id"


class OrderDecided(OrderEvent):
    """What a command came to, with its comment; it never overwrites the order's own."""

    decision_comment: OptionalComment | None = None


class OrderPlaced(OrderDecided):
    """An entity took a package."""

    TYPE: ClassVar[str] = "relais.order.placed.v1"


class OrderEdited(OrderDecided):
    """Some fields of an order changed."""

    TYPE: ClassVar[str] = "relais.order.edited.v1"


class OrderApproved(OrderDecided):
    """An order was granted."""

    TYPE: ClassVar[str] = "relais.order.approved.v1"


class OrderRejected(OrderDecided):
    """An order was refused."""

    TYPE: ClassVar[str] = "relais.order.rejected.v1"


class OrderAvailable(OrderDecided):
    """The campaign of an order can be used."""

    TYPE: ClassVar[str] = "relais.order.available.v1"


class OrderCanceled(OrderDecided):
    """An order was withdrawn."""

    TYPE: ClassVar[str] = "relais.order.canceled.v1"


class OrderSnapshot(OrderEvent):
    """The present state of an order, for a reader that begins; only on request."""

    TYPE: ClassVar[str] = "relais.order.snapshot.v1"


class OrderRef(Value):
    """One order of a fan-out."""

    order_id: Id
    entity_id: Id
    version: Version


class OrdersEvent(Event):
    """The same happened to many orders of one package at once."""

    SUBJECT: ClassVar[str] = "package_id"

    package_id: Id
    edition: Version
    orders: Annotated[list[OrderRef], Field(max_length=1000)]


class OrdersPlaced(OrdersEvent):
    """Orders were made for entities of an audience."""

    TYPE: ClassVar[str] = "relais.orders.placed.v1"


class OrdersAvailable(OrdersEvent):
    """The campaigns of these orders can be used."""

    TYPE: ClassVar[str] = "relais.orders.available.v1"


class OrdersCanceled(OrdersEvent):
    """These orders were canceled with their package."""

    TYPE: ClassVar[str] = "relais.orders.canceled.v1"
