"""What tests of packages begin with, and a way to decide one message without a database."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from contracts.campaigns import (
    CampaignCanceled,
    CampaignCreated,
    CampaignKind,
    CampaignReinitialized,
)
from contracts.cancellation import (
    CampaignsReport,
    NotificationsReport,
    OrdersReport,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)
from contracts.envelope import Envelope
from contracts.message import Body
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    CreatePackage,
    EditPackage,
    PackageState,
    PackageStatus,
    PublishPackage,
    ReinitializePackage,
    RejectPackage,
    SubmitPackage,
)
from services.packages import handlers
from services.packages.conditions import Campaign
from services.packages.domain import LifeCommand
from services.packages.handlers import World
from services.packages.ledger import Cancellation, Report
from services.runtime.decision import Decision, Loaded, Received

ReportT = TypeVar("ReportT", bound=Report)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)

REVIEWER = {"id": "p-martin", "label": "Paule Martin", "email": "p.martin@example.org"}

TERMS: dict[str, Any] = {
    "label": "Winter windows",
    "distribution_level": "collaborative_by_form",
    "campaign_id": "OP13",
    "audience": ["OU1", "OU2"],
    "starts_at": NOW - DAY,
    "ends_at": NOW + 30 * DAY,
    "available_at": NOW + 10 * DAY,
    "registration_deadline": NOW + 5 * DAY,
    "personalization_deadline": NOW + 7 * DAY,
    "reviewers": [REVIEWER],
}
"""A collaborative package as it is created, its dates around NOW."""

EVERYTHING: dict[str, Any] = {
    "label": "Spring windows",
    "distribution_level": "local",
    "campaign_id": "OP7",
    "folder": "Spring",
    "description": "Windows again",
    "documents": [{"name": "Guide", "url": "https://example.org/guide"}],
    "assigned_to": {"id": "j-petit", "label": "Jo Petit"},
    "audience": ["OU9"],
    "starts_at": NOW + DAY,
    "ends_at": NOW + 60 * DAY,
    "available_at": NOW + 2 * DAY,
    "registration_deadline": NOW + 3 * DAY,
    "personalization_deadline": None,
    "approval_mode": "automatic",
    "approval_period_days": 9,
    "reviewers": None,
    "reminders": [{"days_after": 1}],
    "several_orders": True,
    "start_targeting_on_order_approval": True,
    "notification_message": "Here you are",
    "max_documents": 4,
}
"""Another value for every field that a package is created with."""

LIFE: dict[str, type[LifeCommand]] = {
    "submit": SubmitPackage,
    "approve": ApprovePackage,
    "reject": RejectPackage,
    "publish": PublishPackage,
    "cancel": CancelPackage,
    "reinitialize": ReinitializePackage,
}
"""The commands that move a package through its life, by their name on the wire."""


def creation(**terms: Any) -> CreatePackage:
    """The command that makes CAT86, or another; terms replace some of TERMS."""
    return CreatePackage(**({"package_id": "CAT86"} | TERMS | terms))


def edit(**changes: Any) -> EditPackage:
    """The command that changes some fields of CAT86, or of another."""
    return EditPackage(**({"package_id": "CAT86"} | changes))


def life(name: str, **data: Any) -> LifeCommand:
    """One of LIFE about CAT86, or another, with a comment where it needs one."""
    if name in {"reject", "cancel"}:
        data.setdefault("comment", "supplier withdrew")
    return LIFE[name](**({"package_id": "CAT86"} | data))


def package(status: str = "being_edited", **changes: Any) -> PackageState:
    """A package of edition 1 and version 4 in this status."""
    state: dict[str, Any] = TERMS | {
        "package_id": "CAT86",
        "status": PackageStatus(status),
        "edition": 1,
        "version": 4,
        "created_at": NOW - 2 * DAY,
        "changed_at": NOW - DAY,
    }
    return PackageState(**(state | changes))


def campaign(
    campaign_id: str = "OP13",
    kind: str = "reference",
    *,
    version: int = 1,
    canceled: bool = False,
    by: tuple[str, int] | None = None,
) -> Campaign:
    """A campaign as packages knows it; by is the package and edition that canceled it."""
    return Campaign(campaign_id, version, CampaignKind(kind), canceled or by is not None, by)


def cancellation(package_id: str = "CAT86", edition: int = 1, *, complete: bool) -> Cancellation:
    """The ledger of a cancel that began an hour before NOW."""
    ledger = Cancellation(package_id, edition, started_at=NOW - timedelta(hours=1))
    if not complete:
        return ledger
    return Cancellation(
        package_id,
        edition,
        started_at=ledger.started_at,
        orders=OrdersReport(canceled=0, already_final=0),
        campaigns=CampaignsReport(campaigns=0, processes_stopped=0, too_late=0),
        notifications=NotificationsReport(notified=0, superseded=0, failed=0),
        completed_at=NOW,
    )


def world(
    packages: Iterable[PackageState] = (),
    campaigns: Iterable[Campaign] = (campaign(), campaign("OP7", "template")),
    ledgers: Iterable[Cancellation] = (),
) -> World:
    """A world of these things."""
    return World(
        packages=Loaded((p.package_id, p) for p in packages),
        campaigns=Loaded((c.campaign_id, c) for c in campaigns),
        ledgers=Loaded(((c.package_id, c.edition), c) for c in ledgers),
    )


def received(body: Body, now: datetime = NOW, actor: str | None = "m.durand") -> Received:
    """A message as the service sees it."""
    envelope = Envelope(
        specversion="1.0",
        id="1",
        source="/test",
        type=body.wire_type,
        subject=body.subject,
        actor=actor,
    )
    return Received(envelope, body, now)


def decide(
    body: Body,
    package: PackageState | None = None,
    *campaigns: Campaign,
    ledgers: Iterable[Cancellation] = (),
    now: datetime = NOW,
) -> Decision:
    """Decide one message about at most one package; without campaigns the usual ones are known."""
    known = world([package] if package else [], campaigns or world().campaigns.values(), ledgers)
    return handlers.handle(known, received(body, now))


def reports(package_id: str = "CAT86", edition: int = 1, **counts: int) -> tuple[Report, ...]:
    """What orders, campaigns and notifications report of a cancel; counts replace some zeros."""

    def made(kind: type[ReportT], *names: str) -> ReportT:
        values = {name: counts.get(name, 0) for name in names}
        return kind(package_id=package_id, edition=edition, **values)

    return (
        made(PackageOrdersCanceled, "canceled", "already_final"),
        made(PackageCampaignsCanceled, "campaigns", "processes_stopped", "too_late"),
        made(PackageEntitiesNotified, "notified", "superseded", "failed"),
    )


def campaign_created(campaign_id: str = "OP13", **state: Any) -> CampaignCreated:
    """The event that a campaign was made; state replaces some of it."""
    return CampaignCreated.model_validate(_campaign_state(campaign_id) | state)


def campaign_canceled(
    campaign_id: str = "OP13", by: tuple[str, int] | None = None, **state: Any
) -> CampaignCanceled:
    """The event that a campaign was canceled, perhaps by an edition of a package."""
    values = _campaign_state(campaign_id) | {"status": "canceled", "version": 2} | state
    if by is not None:
        values["canceled_by"] = {"package_id": by[0], "edition": by[1]}
    return CampaignCanceled.model_validate(values)


def campaign_reinitialized(campaign_id: str = "OP13", **state: Any) -> CampaignReinitialized:
    """The event that a campaign can be used again."""
    values = _campaign_state(campaign_id) | {"version": 3} | state
    return CampaignReinitialized.model_validate(values)


def _campaign_state(campaign_id: str) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "label": "Windows",
        "kind": "reference",
        "distribution_level": "collaborative_by_form",
        "status": "being_edited",
        "version": 1,
        "changed_at": NOW,
    }
