"""What tests of orders begin with, and a way to decide one message without a database."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from contracts.campaigns import CampaignCreated
from contracts.directory import EntityDeactivated, EntityEvent, EntityRegistered
from contracts.envelope import Envelope
from contracts.message import Body
from contracts.orders import (
    ApproveOrder,
    CancelOrder,
    EditOrder,
    OrderCommand,
    OrderState,
    OrderStatus,
    PlaceOrder,
    RejectOrder,
)
from contracts.packages import (
    DistributionLevel,
    PackageCanceled,
    PackageEvent,
    PackagePublished,
    PackageReinitialized,
    PackageStatus,
    audience_digest,
)
from services.orders import handlers
from services.orders.domain import LifeCommand, Offer
from services.orders.handlers import World
from services.runtime.decision import Decision, Loaded, Received
from services.runtime.service import Jobs

EventT = TypeVar("EventT", bound=PackageEvent)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)

LIFE: dict[str, type[LifeCommand]] = {
    "approve": ApproveOrder,
    "reject": RejectOrder,
    "cancel": CancelOrder,
}
"""The commands that move an order through its life, by their name on the wire."""


def place(**data: Any) -> PlaceOrder:
    """The command by which OU1 takes CAT86 as ORD1, or others."""
    usual = {"order_id": "ORD1", "package_id": "CAT86", "entity_id": "OU1", "label": "Windows"}
    return PlaceOrder(**(usual | data))


def edit(**changes: Any) -> EditOrder:
    """The command that changes some fields of ORD1, or of another."""
    return EditOrder(**({"order_id": "ORD1", "package_id": "CAT86"} | changes))


def life(name: str, **data: Any) -> LifeCommand:
    """One of LIFE about ORD1, or another, with a comment where it needs one."""
    if name == "reject":
        data.setdefault("comment", "not this year")
    return LIFE[name](**({"order_id": "ORD1", "package_id": "CAT86"} | data))


def documents(count: int) -> list[dict[str, str]]:
    """So many documents."""
    return [{"name": f"Document {n}", "url": f"https://example.org/{n}"} for n in range(count)]


def order(status: str = "ordered", **changes: Any) -> OrderState:
    """ORD1 in this status, of edition 1 and version 4."""
    state: dict[str, Any] = {
        "order_id": "ORD1",
        "package_id": "CAT86",
        "edition": 1,
        "entity_id": "OU1",
        "label": "Windows",
        "status": OrderStatus(status),
        "version": 4,
        "placed_at": NOW - DAY,
        "changed_at": NOW - DAY,
    }
    return OrderState(**(state | changes))


def offer(
    status: str = "published", *, audience: Iterable[str] | None = None, **more: Any
) -> Offer:
    """CAT86 as orders knows it: published, open to everybody, from yesterday for a month."""
    state: dict[str, Any] = {
        "package_id": "CAT86",
        "version": 4,
        "edition": 1,
        "status": PackageStatus(status),
        "distribution_level": DistributionLevel.COLLABORATIVE_BY_FORM,
        "campaign_id": "OP13",
        "starts_at": NOW - DAY,
        "ends_at": NOW + 30 * DAY,
        "audience_digest": audience_digest(audience),
    }
    return Offer(**(state | more))


def world(
    *offers: Offer,
    orders: Iterable[OrderState] = (),
    entities: Iterable[str] = ("OU1", "OU2"),
    inactive: Iterable[str] = (),
    audience: Iterable[str] = (),
    limits: dict[str, int | None] | None = None,
) -> World:
    """A world of these things; audience is that of CAT86 where its offer is limited."""
    known = list(orders)
    return World(
        offers=Loaded((one.package_id, one) for one in offers),
        loaded=frozenset(one.package_id for one in offers),
        orders=Loaded((one.order_id, one) for one in known),
        entities=Loaded(
            [(id, (1, True)) for id in entities] + [(id, (2, False)) for id in inactive]
        ),
        limits=Loaded(limits or {}),
        in_audience={("CAT86", entity_id) for entity_id in audience},
        has_order={
            (one.package_id, one.edition, one.entity_id)
            for one in known
            if one.status in {"ordered", "approved", "available"}
        },
        jobs=Jobs(),
    )


def decide(known: World, body: Body, now: datetime = NOW) -> Decision:
    """Decide one message against a world."""
    envelope = Envelope(
        specversion="1.0",
        id="1",
        source="/test",
        type=body.wire_type,
        subject=body.subject,
        actor="m.durand",
    )
    return handlers.handle(known, Received(envelope, body, now))


def decide_about(
    state: OrderState | None, command: OrderCommand, about: Offer | None = None
) -> Decision:
    """Decide a command about one order; its package is published unless another is given."""
    return decide(world(about or offer(), orders=[state] if state else []), command)


def _package(kind: type[EventT], status: str, **state: Any) -> EventT:
    usual: dict[str, Any] = {
        "package_id": "CAT86",
        "label": "Winter windows",
        "distribution_level": "collaborative_by_form",
        "campaign_id": "OP13",
        "starts_at": NOW - 400 * DAY,
        "ends_at": NOW + 4000 * DAY,
        "status": status,
        "edition": 1,
        "version": 4,
        "created_at": NOW - 500 * DAY,
        "published_at": NOW - 400 * DAY,
        "changed_at": NOW,
    }
    return kind.model_validate(usual | state)


def published(**state: Any) -> PackagePublished:
    """CAT86, or another, is offered; whatever the real date is."""
    return _package(PackagePublished, "published", **state)


def canceled(**state: Any) -> PackageCanceled:
    """CAT86, or another, is canceled."""
    return _package(PackageCanceled, "canceled", **({"version": 5, "canceled_at": NOW} | state))


def reinitialized(**state: Any) -> PackageReinitialized:
    """CAT86, or another, begins its second edition."""
    return _package(PackageReinitialized, "being_edited", **({"version": 6, "edition": 2} | state))


def registered(entity_id: str = "OU1", **state: Any) -> EntityRegistered:
    """An entity is known."""
    return EntityRegistered.model_validate(_entity(entity_id) | state)


def deactivated(entity_id: str = "OU1", **state: Any) -> EntityEvent:
    """An entity places no more orders."""
    values = _entity(entity_id) | {"active": False, "version": 2} | state
    return EntityDeactivated.model_validate(values)


def _entity(entity_id: str) -> dict[str, Any]:
    return {
        "entity_id": entity_id,
        "label": entity_id,
        "mailbox": entity_id,
        "active": True,
        "version": 1,
        "changed_at": NOW,
    }


def campaign_created(campaign_id: str = "OP13", **state: Any) -> CampaignCreated:
    """A campaign was made."""
    usual = {
        "campaign_id": campaign_id,
        "label": "Windows",
        "kind": "reference",
        "distribution_level": "collaborative_by_form",
        "status": "being_edited",
        "version": 1,
        "changed_at": NOW,
    }
    return CampaignCreated.model_validate(usual | state)
