"""What tests of notifications hear: the events of the other services."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from contracts.cancellation import PackageOrdersCanceled
from contracts.directory import EntityEvent
from contracts.orders import OrderEvent, OrderRef, OrdersCanceled, OrderStatus
from contracts.packages import (
    PackageCanceled,
    PackageDecided,
    PackagePublished,
    PackageStatus,
)

EventT = TypeVar("EventT", bound=PackageDecided)
OrderT = TypeVar("OrderT", bound=OrderEvent)
EntityT = TypeVar("EntityT", bound=EntityEvent)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)

OPERATOR = {"id": "p-martin", "label": "Paule Martin"}


def entity(kind: type[EntityT], id: str, **changes: Any) -> EntityT:
    """An event of an entity that reads its own mailbox, unless changes say otherwise."""
    values: dict[str, Any] = {
        "entity_id": id,
        "label": f"Agency {id}",
        "channels": ["mailbox"],
        "mailbox": id,
        "active": True,
        "version": 1,
        "changed_at": NOW,
    }
    return kind(**(values | changes))


def package(kind: type[EventT], version: int, **changes: Any) -> EventT:
    """An event of the package CAT86, published to OU1 and OU2 unless changes say otherwise."""
    values: dict[str, Any] = {
        "package_id": "CAT86",
        "label": "Spring windows",
        "distribution_level": "collaborative_by_campaign",
        "campaign_id": "OP13",
        "audience": ["OU1", "OU2"],
        "starts_at": NOW - DAY,
        "ends_at": NOW + 30 * DAY,
        "registration_deadline": NOW + 5 * DAY,
        "status": PackageStatus.PUBLISHED,
        "edition": 1,
        "version": version,
        "created_at": NOW - 3 * DAY,
        "published_at": NOW,
        "changed_at": NOW + timedelta(minutes=version),
        "changed_by": "m.durand",
    }
    return kind(**(values | changes))


def published(version: int = 4, **changes: Any) -> PackagePublished:
    """The publication of CAT86."""
    return package(PackagePublished, version, **changes)


def canceled(version: int = 5, **changes: Any) -> PackageCanceled:
    """The cancel of CAT86."""
    values: dict[str, Any] = {
        "status": PackageStatus.CANCELED,
        "decision_comment": "supplier withdrew",
        "canceled_at": NOW + DAY,
    }
    return package(PackageCanceled, version, **(values | changes))


def order(kind: type[OrderT], version: int = 2, **changes: Any) -> OrderT:
    """An event of the order ORD29 of OU1 for CAT86."""
    values: dict[str, Any] = {
        "order_id": "ORD29",
        "package_id": "CAT86",
        "edition": 1,
        "entity_id": "OU1",
        "label": "Windows for Lyon",
        "status": _STATUS[kind.__name__],
        "version": version,
        "placed_at": NOW,
        "changed_at": NOW + timedelta(minutes=version),
        "changed_by": "p.martin",
    }
    return kind(**(values | changes))


_STATUS = {
    "OrderApproved": OrderStatus.APPROVED,
    "OrderRejected": OrderStatus.REJECTED,
    "OrderCanceled": OrderStatus.CANCELED,
}


def pack(
    entities: Iterable[str], first: int = 1, edition: int = 1, package_id: str = "CAT86"
) -> OrdersCanceled:
    """One order of each of these entities, canceled with CAT86."""
    orders = [
        OrderRef(order_id=f"ORD{number}", entity_id=id, version=2)
        for number, id in enumerate(entities, first)
    ]
    return OrdersCanceled(package_id=package_id, edition=edition, orders=orders)


def orders_report(
    number: int = 0, edition: int = 1, package_id: str = "CAT86"
) -> PackageOrdersCanceled:
    """Orders is done with the cancel of CAT86."""
    return PackageOrdersCanceled(
        package_id=package_id, edition=edition, canceled=number, already_final=0
    )
