"""What notifications says of its work, and the notices that mailboxes receive."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from contracts.directory import Channel
from contracts.fields import Flag, Id, Instant, Name, OptionalComment, Text, Version, Whole
from contracts.message import Command, Event, StateEvent
from contracts.orders import OrderStatus
from contracts.packages import DistributionLevel
from contracts.values import OpenEnum, Value


class NotificationKind(OpenEnum):
    """What a recipient is told of."""

    PACKAGE_AVAILABLE = "package_available"
    PACKAGE_SUBMITTED = "package_submitted"
    PACKAGE_APPROVAL_REMINDER = "package_approval_reminder"
    PACKAGE_REJECTED = "package_rejected"
    PACKAGE_CANCELED = "package_canceled"
    REGISTRATION_CLOSED = "registration_closed"
    ORDER_SUBMITTED = "order_submitted"
    ORDER_APPROVED = "order_approved"
    ORDER_REJECTED = "order_rejected"
    ORDER_CANCELED = "order_canceled"
    CAMPAIGN_AVAILABLE = "campaign_available"


class NotificationStatus(OpenEnum):
    """Whether a notification has reached its channel."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class RecipientType(OpenEnum):
    """Who is told."""

    ENTITY = "entity"
    OPERATOR = "operator"


def _yes(value: bool) -> bool:
    if not value:
        raise ValueError("must be true or left out")
    return value


Yes = Annotated[Flag, AfterValidator(_yes)]


class RetryNotifications(Command):
    """Try failed notifications about a package again: some by their ids, or all of an edition."""

    TYPE: ClassVar[str] = "relais.notification.retry.v1"
    SUBJECT: ClassVar[str] = "package_id"

    package_id: Id
    notification_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = None
    failed: Yes | None = None
    edition: Version | None = None

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if (self.notification_ids is None) == (self.failed is None):
            raise ValueError("must have either notification_ids or failed")
        return self


class NotificationState(Value):
    """Everything that others may know of a notification."""

    notification_id: Id
    kind: NotificationKind
    recipient_type: RecipientType
    recipient_id: Id
    channel: Channel
    package_id: Id | None = None
    edition: Version | None = None
    order_id: Id | None = None
    status: NotificationStatus
    attempts: Whole
    error: Text | None = None
    sent_at: Instant | None = None


class NotificationEvent(NotificationState, StateEvent[NotificationState]):
    """Something happened to a notification; this is its state since."""

    STATE = NotificationState
    SUBJECT: ClassVar[str] = "recipient_id"

    @property
    def key(self) -> str:
        """The package that it is about, else its recipient."""
        return self.package_id or self.recipient_id


class NotificationSent(NotificationEvent):
    """A notification has reached its channel."""

    TYPE: ClassVar[str] = "relais.notification.sent.v1"


class NotificationFailed(NotificationEvent):
    """A notification could not be delivered, and is kept."""

    TYPE: ClassVar[str] = "relais.notification.failed.v1"


class NotificationSuperseded(NotificationEvent):
    """A notification was dropped before it was sent: its package was canceled."""

    TYPE: ClassVar[str] = "relais.notification.superseded.v1"


class NotificationSnapshot(NotificationEvent):
    """The present state of a notification, for a reader that begins; only on request."""

    TYPE: ClassVar[str] = "relais.notification.snapshot.v1"


NOTICE_TYPES: dict[NotificationKind, str] = {
    NotificationKind.PACKAGE_AVAILABLE: "relais.notification.package_available.v1",
    NotificationKind.PACKAGE_SUBMITTED: "relais.notification.package_submitted.v1",
    NotificationKind.PACKAGE_APPROVAL_REMINDER: "relais.notification.package_approval_reminder.v1",
    NotificationKind.PACKAGE_REJECTED: "relais.notification.package_rejected.v1",
    NotificationKind.PACKAGE_CANCELED: "relais.notification.package_canceled.v1",
    NotificationKind.REGISTRATION_CLOSED: "relais.notification.registration_closed.v1",
    NotificationKind.ORDER_SUBMITTED: "relais.notification.order_submitted.v1",
    NotificationKind.ORDER_APPROVED: "relais.notification.order_approved.v1",
    NotificationKind.ORDER_REJECTED: "relais.notification.order_rejected.v1",
    NotificationKind.ORDER_CANCELED: "relais.notification.order_canceled.v1",
    NotificationKind.CAMPAIGN_AVAILABLE: "relais.notification.campaign_available.v1",
}


class Recipient(Value):
    """Who a notice is for."""

    type: RecipientType
    id: Id
    label: Name


class PackageInfo(Value):
    """The package that a notice is about."""

    package_id: Id
    label: Name
    edition: Version
    distribution_level: DistributionLevel
    campaign_id: Id
    starts_at: Instant
    ends_at: Instant
    available_at: Instant | None = None
    registration_deadline: Instant | None = None
    personalization_deadline: Instant | None = None


class OrderInfo(Value):
    """The order that a notice is about."""

    order_id: Id
    label: Name
    status: OrderStatus


class Notice(Event):
    """What a recipient reads: one model for every kind, each with a wire name of its own."""

    notification_id: Id
    kind: NotificationKind
    recipient: Recipient
    subject_line: Text
    text: Text
    package: PackageInfo | None = None
    order: OrderInfo | None = None
    comment: OptionalComment | None = None
    actor: Text | None = None
    happened_at: Instant

    @property
    def wire_type(self) -> str:
        """The wire name of its kind."""
        return NOTICE_TYPES[self.kind]

    @property
    def subject(self) -> str:
        """The id of the recipient."""
        return self.recipient.id

    @property
    def key(self) -> str:
        """The package that it is about, else its recipient."""
        return self.package.package_id if self.package else self.recipient.id
