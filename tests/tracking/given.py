"""What tests of single rows begin with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.campaigns import CampaignState, ProcessState
from contracts.notifications import NotificationState
from contracts.orders import OrderState
from contracts.packages import PackageState
from services.tracking.domain import Origin

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def origin(event: str = "a-1", at: datetime = NOW, cause: str | None = "c-1") -> Origin:
    """Where an event comes from."""
    return Origin(event, cause, at, "m.durand")


def package(status: str = "being_edited", **changes: Any) -> PackageState:
    """CAT86 in a status."""
    state: dict[str, Any] = {
        "package_id": "CAT86",
        "label": "Winter windows",
        "distribution_level": "collaborative_simple",
        "campaign_id": "OP13",
        "starts_at": NOW + DAY,
        "ends_at": NOW + 30 * DAY,
        "status": status,
        "edition": 1,
        "version": 1,
        "created_at": NOW - DAY,
        "changed_at": NOW,
    }
    return PackageState(**(state | changes))


def order(status: str = "ordered", **changes: Any) -> OrderState:
    """ORD1 of OU1 in a status."""
    state: dict[str, Any] = {
        "order_id": "ORD1",
        "package_id": "CAT86",
        "edition": 1,
        "entity_id": "OU1",
        "label": "Windows",
        "status": status,
        "version": 1,
        "placed_at": NOW - DAY,
        "approval_deadline": NOW + 2 * DAY,
        "changed_at": NOW - DAY,
    }
    return OrderState(**(state | changes))


def campaign(status: str = "started", **changes: Any) -> CampaignState:
    """OP13 in a status."""
    state: dict[str, Any] = {
        "campaign_id": "OP13",
        "label": "Winter",
        "kind": "reference",
        "distribution_level": "collaborative_simple",
        "status": status,
        "version": 1,
        "changed_at": NOW,
    }
    return CampaignState(**(state | changes))


def process(status: str = "running", **changes: Any) -> ProcessState:
    """WKF1 of OP13 in a status."""
    state: dict[str, Any] = {
        "process_id": "WKF1",
        "campaign_id": "OP13",
        "kind": "workflow",
        "label": "Targeting",
        "status": status,
        "version": 1,
        "changed_at": NOW,
    }
    return ProcessState(**(state | changes))


def notification(status: str = "sent", **changes: Any) -> NotificationState:
    """A notification of OU1 about CAT86 in a status."""
    state: dict[str, Any] = {
        "notification_id": "N1",
        "kind": "package_canceled",
        "recipient_type": "entity",
        "recipient_id": "OU1",
        "channel": "mailbox",
        "package_id": "CAT86",
        "edition": 1,
        "status": status,
        "attempts": 1,
        "sent_at": NOW if status == "sent" else None,
    }
    return NotificationState(**(state | changes))
