"""What is said to and by the packages service about campaign packages."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from contracts.fields import (
    Audience,
    Comment,
    Flag,
    Id,
    Instant,
    Label,
    Name,
    OptionalComment,
    Prose,
    Text,
    Version,
    Whole,
    or_none,
)
from contracts.message import ABSENT, Command, Edit, StateEvent
from contracts.values import Documents, Known, OpenEnum, Operator, Operators, Value

PackageEdition = tuple[str, int]
"""A package and one of its editions."""


class PackageStatus(OpenEnum):
    """Where a package is in its life."""

    BEING_EDITED = "being_edited"
    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUBLISHED = "published"
    CANCELED = "canceled"


class DistributionLevel(OpenEnum):
    """How far local entities take part in a campaign."""

    LOCAL = "local"
    COLLABORATIVE_BY_FORM = "collaborative_by_form"
    COLLABORATIVE_BY_CAMPAIGN = "collaborative_by_campaign"
    COLLABORATIVE_BY_TARGET_APPROVAL = "collaborative_by_target_approval"
    COLLABORATIVE_SIMPLE = "collaborative_simple"


class ApprovalMode(OpenEnum):
    """Whether orders wait for an approval."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class Reminder(Value):
    """When reviewers are reminded: some days after the submission, or at a moment.

    It has neither where a newer service knows another way to say when.
    """

    days_after: Annotated[int, Field(strict=True, ge=0, le=365)] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    at: Instant | None = Field(default=None, exclude_if=lambda value: value is None)


def _either(reminder: Reminder) -> Reminder:
    if (reminder.days_after is None) == (reminder.at is None):
        raise ValueError("must have either days_after or at")
    return reminder


def _or_manual(value: Any) -> Any:
    return ApprovalMode.MANUAL if value is None else value


def _or_three(value: Any) -> Any:
    return 3 if value is None else value


Mode = Annotated[ApprovalMode, BeforeValidator(_or_manual)]
KnownMode = Annotated[Known[ApprovalMode], BeforeValidator(_or_manual)]
Reminders: TypeAlias = (
    Annotated[list[Reminder], Field(max_length=100), AfterValidator(or_none)] | None
)
KnownReminders: TypeAlias = (
    Annotated[
        list[Annotated[Reminder, AfterValidator(_either)]],
        Field(max_length=100),
        AfterValidator(or_none),
    ]
    | None
)
ApprovalDays = Annotated[int, Field(strict=True, ge=1, le=365), BeforeValidator(_or_three)]


class PackageTerms(Value):
    """What a package is about: the fields that its creation gives it."""

    package_id: Id
    label: Name
    distribution_level: DistributionLevel
    campaign_id: Id
    folder: Name | None = None
    description: Prose | None = None
    documents: Documents = None
    assigned_to: Operator | None = None
    audience: Audience | None = None
    starts_at: Instant
    ends_at: Instant
    available_at: Instant | None = None
    registration_deadline: Instant | None = None
    personalization_deadline: Instant | None = None
    approval_mode: Mode = ApprovalMode.MANUAL
    approval_period_days: ApprovalDays = 3
    reviewers: Operators = None
    reminders: Reminders = None
    several_orders: Flag | None = None
    start_targeting_on_order_approval: Flag | None = None
    notification_message: Prose | None = None
    max_documents: Whole | None = None


class PackageCommand(Command):
    """A command about one package."""

    SUBJECT: ClassVar[str] = "package_id"

    package_id: Id


class CreatePackage(PackageTerms, PackageCommand):
    """Make a package."""

    TYPE: ClassVar[str] = "relais.package.create.v1"

    label: Label
    distribution_level: Known[DistributionLevel]
    approval_mode: KnownMode = ApprovalMode.MANUAL
    reminders: KnownReminders = None


class EditPackage(PackageCommand, Edit):
    """Change some fields of a package."""

    TYPE: ClassVar[str] = "relais.package.edit.v1"
    ADDRESS: ClassVar[frozenset[str]] = frozenset({"package_id", "expected_version"})

    label: Label = ABSENT
    distribution_level: Known[DistributionLevel] = ABSENT
    campaign_id: Id = ABSENT
    folder: Name | None = None
    description: Prose | None = None
    documents: Documents = None
    assigned_to: Operator | None = None
    audience: Audience | None = None
    starts_at: Instant = ABSENT
    ends_at: Instant = ABSENT
    available_at: Instant | None = None
    registration_deadline: Instant | None = None
    personalization_deadline: Instant | None = None
    approval_mode: KnownMode = ApprovalMode.MANUAL
    approval_period_days: ApprovalDays = 3
    reviewers: Operators = None
    reminders: KnownReminders = None
    several_orders: Flag | None = None
    start_targeting_on_order_approval: Flag | None = None
    notification_message: Prose | None = None
    max_documents: Whole | None = None
    expected_version: Version | None = None


class SubmitPackage(PackageCommand):
    """Ask the reviewers to approve a package."""

    TYPE: ClassVar[str] = "relais.package.submit.v1"

    comment: OptionalComment | None = None
    expected_version: Version | None = None


class ApprovePackage(PackageCommand):
    """Let a package be published."""

    TYPE: ClassVar[str] = "relais.package.approve.v1"

    comment: OptionalComment | None = None
    expected_version: Version | None = None


class RejectPackage(PackageCommand):
    """Send a package back to be edited."""

    TYPE: ClassVar[str] = "relais.package.reject.v1"

    comment: Comment
    expected_version: Version | None = None


class PublishPackage(PackageCommand):
    """Offer a package to its audience."""

    TYPE: ClassVar[str] = "relais.package.publish.v1"

    comment: OptionalComment | None = None
    expected_version: Version | None = None


class CancelPackage(PackageCommand):
    """Withdraw a package, and everything that was made of it."""

    TYPE: ClassVar[str] = "relais.package.cancel.v1"

    comment: Comment
    expected_version: Version | None = None


class ReinitializePackage(PackageCommand):
    """Begin the next edition of a package."""

    TYPE: ClassVar[str] = "relais.package.reinitialize.v1"

    comment: OptionalComment | None = None
    expected_version: Version | None = None


class PackageState(PackageTerms):
    """Everything that others may know of a package."""

    status: PackageStatus
    edition: Version
    version: Version
    approval_deadline: Instant | None = None
    created_at: Instant
    submitted_at: Instant | None = None
    approved_at: Instant | None = None
    published_at: Instant | None = None
    canceled_at: Instant | None = None
    changed_at: Instant
    changed_by: Text | None = None


class PackageEvent(PackageState, StateEvent[PackageState]):
    """Something happened to a package; this is its state since."""

    STATE = PackageState
    SUBJECT: ClassVar[str] = "package_id"


class PackageDecided(PackageEvent):
    """Somebody decided it, perhaps with a comment."""

    decision_comment: OptionalComment | None = None


class PackageCreated(PackageDecided):
    """A package was made."""

    TYPE: ClassVar[str] = "relais.package.created.v1"


class PackageEdited(PackageDecided):
    """Some fields of a package changed."""

    TYPE: ClassVar[str] = "relais.package.edited.v1"


class PackageSubmitted(PackageDecided):
    """A package waits for approval."""

    TYPE: ClassVar[str] = "relais.package.submitted.v1"


class PackageApproved(PackageDecided):
    """A package may be published."""

    TYPE: ClassVar[str] = "relais.package.approved.v1"


class PackageRejected(PackageDecided):
    """A package was sent back to be edited."""

    TYPE: ClassVar[str] = "relais.package.rejected.v1"


class PackagePublished(PackageDecided):
    """A package is offered to its audience."""

    TYPE: ClassVar[str] = "relais.package.published.v1"


class PackageCanceled(PackageDecided):
    """A package was withdrawn; every service applies it to its own tables."""

    TYPE: ClassVar[str] = "relais.package.canceled.v1"


class PackageReinitialized(PackageDecided):
    """A package begins its next edition."""

    TYPE: ClassVar[str] = "relais.package.reinitialized.v1"


class PackageClosed(PackageEvent):
    """A package takes no more orders: its end or its registration deadline has passed."""

    TYPE: ClassVar[str] = "relais.package.closed.v1"


class PackageApprovalOverdue(PackageEvent):
    """A package still waits for approval after its approval deadline."""

    TYPE: ClassVar[str] = "relais.package.approval_overdue.v1"


class PackageSnapshot(PackageEvent):
    """The present state of a package, for a reader that begins; only on request."""

    TYPE: ClassVar[str] = "relais.package.snapshot.v1"


def audience_digest(audience: Iterable[str] | None) -> str | None:
    """A short name for an audience, to tell whether it changed; None is everybody."""
    if audience is None:
        return None
    return hashlib.sha256("\n".join(sorted(audience)).encode()).hexdigest()
