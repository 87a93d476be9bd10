"""The ledger of a cancel: who has reported, who is waited for, and when it is complete. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.cancellation import (
    CampaignsReport,
    CancellationCompleted,
    CancellationStalled,
    NotificationsReport,
    OrdersReport,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)
from services.runtime.decision import Decision, Unchanged, accepted

Report = PackageOrdersCanceled | PackageCampaignsCanceled | PackageEntitiesNotified


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One cancel of one edition; a report is None until its service is done."""

    package_id: str
    edition: int
    started_at: datetime
    orders: OrdersReport | None = None
    campaigns: CampaignsReport | None = None
    notifications: NotificationsReport | None = None
    completed_at: datetime | None = None

    @property
    def waiting_for(self) -> list[str]:
        """The services that have not reported."""
        reports = {
            "orders": self.orders,
            "campaigns": self.campaigns,
            "notifications": self.notifications,
        }
        return [service for service, report in reports.items() if report is None]


def record(
    ledger: Cancellation | None, report: Report, *, now: datetime
) -> tuple[Cancellation | None, Decision]:
    """The ledger with a report in it; the third one completes it, however late it comes."""
    if ledger is None or ledger.completed_at is not None:
        return ledger, Unchanged("no cancel waits for this report")
    if _service(report) not in ledger.waiting_for:
        return ledger, Unchanged("reported before")
    filled = _fill(ledger, report)
    if filled.orders is None or filled.campaigns is None or filled.notifications is None:
        return filled, accepted()
    completed = CancellationCompleted(
        package_id=filled.package_id,
        edition=filled.edition,
        orders=filled.orders,
        campaigns=filled.campaigns,
        notifications=filled.notifications,
        seconds=max((now - filled.started_at).total_seconds(), 0.0),
    )
    return replace(filled, completed_at=now), accepted(completed)


def stalled(ledger: Cancellation) -> CancellationStalled:
    """The announcement that this cancel takes too long."""
    return CancellationStalled(
        package_id=ledger.package_id,
        edition=ledger.edition,
        waiting_for=ledger.waiting_for,
        orders=ledger.orders,
        campaigns=ledger.campaigns,
        notifications=ledger.notifications,
    )


def _service(report: Report) -> str:
    match report:
        case PackageOrdersCanceled():
            return "orders"
        case PackageCampaignsCanceled():
            return "campaigns"
        case PackageEntitiesNotified():
            return "notifications"


def _fill(ledger: Cancellation, report: Report) -> Cancellation:
    match report:
        case PackageOrdersCanceled(canceled=canceled, already_final=final):
            return replace(ledger, orders=OrdersReport(canceled=canceled, already_final=final))
        case PackageCampaignsCanceled(campaigns=n, processes_stopped=stopped, too_late=late):
            campaigns = CampaignsReport(campaigns=n, processes_stopped=stopped, too_late=late)
            return replace(ledger, campaigns=campaigns)
        case PackageEntitiesNotified(notified=notified, superseded=superseded, failed=failed):
            told = NotificationsReport(notified=notified, superseded=superseded, failed=failed)
            return replace(ledger, notifications=told)
