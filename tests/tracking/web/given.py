"""Events that tests of the web fill the tables of tracking with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.campaigns import CampaignCreated, ProcessStarted
from contracts.directory import EntityRegistered
from contracts.notifications import NotificationSent
from contracts.orders import OrderPlaced
from contracts.packages import PackageEvent, PackagePublished

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2099, 1, 1, tzinfo=UTC)


def package(
    event: type[PackageEvent] = PackagePublished, id: str = "CAT86", **changes: Any
) -> PackageEvent:
    """What happened to CAT86, or another, which is offered for many years."""
    status = {"PackageCreated": "being_edited"}.get(
        event.__name__, event.TYPE.split(".")[2].removesuffix(".v1")
    )
    usual: dict[str, Any] = {
        "package_id": id,
        "label": f"Summer sales {id}",
        "distribution_level": "collaborative_by_form",
        "campaign_id": "OP13",
        "starts_at": LONG_AGO,
        "ends_at": FAR_AHEAD,
        "status": status,
        "edition": 1,
        "version": 4,
        "created_at": NOW,
        "changed_at": NOW,
        "changed_by": "m.durand",
    }
    return event(**(usual | changes))


def order(event: Any = OrderPlaced, id: str = "ORD1", **changes: Any) -> Any:
    """What happened to ORD1 of OU1, or another."""
    status = "ordered" if event is OrderPlaced else event.TYPE.split(".")[2]
    usual: dict[str, Any] = {
        "order_id": id,
        "package_id": "CAT86",
        "edition": 1,
        "entity_id": "OU1",
        "label": f"Windows {id}",
        "status": status,
        "version": 1,
        "placed_at": NOW,
        "changed_at": NOW,
        "changed_by": "j.petit",
    }
    return event(**(usual | changes))


def campaign(event: Any = CampaignCreated, id: str = "OP13", **changes: Any) -> Any:
    """What happened to OP13, or another."""
    usual: dict[str, Any] = {
        "campaign_id": id,
        "label": f"Summer {id}",
        "kind": "reference",
        "distribution_level": "collaborative_by_form",
        "status": "being_edited",
        "version": 1,
        "changed_at": NOW,
    }
    return event(**(usual | changes))


def process(event: Any = ProcessStarted, id: str = "DM6", **changes: Any) -> Any:
    """What happened to the delivery DM6 of OP13, or another."""
    usual: dict[str, Any] = {
        "process_id": id,
        "campaign_id": "OP13",
        "kind": "delivery",
        "label": f"Mail {id}",
        "channel": "email",
        "status": {"started": "running"}.get(event.TYPE.split(".")[2], event.TYPE.split(".")[2]),
        "version": 2,
        "changed_at": NOW,
    }
    return event(**(usual | changes))


def entity(event: Any = EntityRegistered, id: str = "OU1", **changes: Any) -> Any:
    """What happened to OU1, or another."""
    usual: dict[str, Any] = {
        "entity_id": id,
        "label": f"Agency {id}",
        "mailbox": id,
        "active": True,
        "version": 1,
        "changed_at": NOW,
    }
    return event(**(usual | changes))


def notification(event: Any = NotificationSent, id: str = "N1", **changes: Any) -> Any:
    """What happened to N1, which tells OU1 of CAT86, or another."""
    usual: dict[str, Any] = {
        "notification_id": id,
        "kind": "package_available",
        "recipient_type": "entity",
        "recipient_id": "OU1",
        "channel": "mailbox",
        "package_id": "CAT86",
        "edition": 1,
        "status": event.TYPE.split(".")[2],
        "attempts": 1,
        "sent_at": NOW,
    }
    return event(**(usual | changes))
