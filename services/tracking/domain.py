"""The rows of the read model, and what an event changes in them. Pure.

A row consists of registers.  Each is set by the event with the highest version that has something
to say of it, so that neither the order of events nor their repetition changes what comes out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.campaigns import (
    CampaignCanceled,
    CampaignEvent,
    CampaignReinitialized,
    CampaignSnapshot,
    ProcessEvent,
    ProcessSnapshot,
)
from contracts.directory import EntityEvent, EntitySnapshot, EntityUpdated
from contracts.message import Event
from contracts.notifications import (
    NotificationEvent,
    NotificationSnapshot,
    NotificationStatus,
)
from contracts.orders import (
    OrderEdited,
    OrderEvent,
    OrderRef,
    OrdersAvailable,
    OrdersCanceled,
    OrdersEvent,
    OrderSnapshot,
    OrdersPlaced,
    OrderStatus,
)
from contracts.packages import (
    PackageApprovalOverdue,
    PackageClosed,
    PackageEdited,
    PackageEvent,
    PackageSnapshot,
    PackageStatus,
    audience_digest,
)
from services.tracking.counts import Count

_SILENT: frozenset[type[Event]] = frozenset(
    (
        *(PackageEdited, PackageClosed, PackageApprovalOverdue, PackageSnapshot),
        *(OrderEdited, OrderSnapshot, CampaignSnapshot, ProcessSnapshot),
        *(EntityUpdated, EntitySnapshot),
    )
)
"""Events that leave the status as it is."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event comes from: its id, what caused it, when and by whom."""

    event: str
    caused_by: str | None
    at: datetime
    actor: str | None


@dataclass
class Row:
    """One row: its columns by name, and as what it was counted when it was loaded.

    terms is whether a newer event has set those columns that are never loaded; audience_moved is
    whether the audience of a package is another than it was.
    """

    columns: dict[str, Any]
    counted: tuple[Count, ...] = ()
    changed: bool = False
    terms: bool = False
    audience_moved: bool = False

    def set(self, **columns: Any) -> None:
        """Change some columns."""
        self.columns.update(columns)
        self.changed = True


CAUSE: dict[str, Any] = {
    "cause_version": 0,
    "cause": None,
    "caused_by": None,
    "caused_at": None,
    "caused_actor": None,
}
"""Nothing is known of what set the status."""


def _cause(row: Row, version: int, origin: Origin) -> None:
    if version > row.columns["cause_version"]:
        row.set(
            cause_version=version,
            cause=origin.event,
            caused_by=origin.caused_by,
            caused_at=origin.at,
            caused_actor=origin.actor,
        )


def package(row: Row | None, event: PackageEvent, origin: Origin) -> Row:
    """What an event makes of a package."""
    row = row or Row({"version": 0, **CAUSE})
    if event.version > row.columns["version"]:
        state = event.state.__dict__.copy()
        audience = audience_digest(state.pop("audience"))
        row.audience_moved |= audience != row.columns.get("audience_digest")
        row.set(
            package_id=event.package_id,
            label=event.label,
            distribution_level=event.distribution_level,
            campaign_id=event.campaign_id,
            folder=event.folder,
            assigned_to=event.assigned_to.id if event.assigned_to else None,
            status=event.status,
            edition=event.edition,
            version=event.version,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            created_at=event.created_at,
            changed_at=event.changed_at,
            changed_by=event.changed_by,
            late_from=late_from(event),
            closed_from=closed_from(event),
            audience_digest=audience,
            state=state,
        )
        row.terms = True
    if type(event) not in _SILENT:
        _cause(row, event.version, origin)
    return row


_BEFORE_OFFER = (PackageStatus.BEING_EDITED, PackageStatus.PENDING_APPROVAL, PackageStatus.APPROVED)


def late_from(event: PackageEvent) -> datetime | None:
    """From when a package is late, unless its status changes."""
    if event.status not in _BEFORE_OFFER:
        return None
    if event.status != PackageStatus.PENDING_APPROVAL or event.approval_deadline is None:
        return event.starts_at
    return min(event.starts_at, event.approval_deadline)


def closed_from(event: PackageEvent) -> datetime | None:
    """From when a published package takes no more orders."""
    if event.status != PackageStatus.PUBLISHED:
        return None
    return min(event.ends_at, event.registration_deadline or event.ends_at)


def due(event: PackageEvent) -> dict[str, datetime]:
    """What will happen to a package by itself, and when."""
    match event.status:
        case PackageStatus.PENDING_APPROVAL if event.approval_deadline:
            return {"approval_deadline": event.approval_deadline}
        case PackageStatus.APPROVED:
            return {"publication": event.available_at or event.starts_at}
        case PackageStatus.PUBLISHED:
            found = {"end": event.ends_at}
            if event.available_at:
                found["availability"] = event.available_at
            if event.registration_deadline:
                found["registration_deadline"] = event.registration_deadline
            if event.personalization_deadline:
                found["personalization_deadline"] = event.personalization_deadline
            return found
        case _:
            return {}


_DATES = ("approved_at", "available_at", "canceled_at")


_NEW_ORDER: dict[str, Any] = {
    "status_version": 0,
    "terms_version": 0,
    "placed_at": None,
    **dict.fromkeys(_DATES),
    **CAUSE,
}


def _new_order() -> Row:
    return Row(_NEW_ORDER.copy())


def order(row: Row | None, event: OrderEvent, origin: Origin) -> Row:
    """What an event about one order makes of it."""
    row = row or _new_order()
    if event.version > row.columns["terms_version"]:
        row.set(
            order_id=event.order_id,
            package_id=event.package_id,
            edition=event.edition,
            entity_id=event.entity_id,
            placed_at=event.placed_at,
            terms_version=event.version,
            label=event.label,
            comment=event.comment,
            parameters=event.parameters,
            documents=event.documents,
            campaign_id=event.campaign_id,
            approval_deadline=event.approval_deadline,
        )
        row.terms = True
    if event.version > row.columns["status_version"]:
        waits = event.status == OrderStatus.ORDERED
        row.set(
            status=event.status,
            status_version=event.version,
            changed_at=event.changed_at,
            changed_by=event.changed_by,
            late_from=event.approval_deadline if waits else None,
        )
    for name in _DATES:
        if (at := getattr(event, name)) is not None and row.columns[name] != at:
            # Each is reached once in the life of an order; a packed event knows it less exactly.
            row.set(**{name: at})
    if type(event) not in _SILENT:
        _cause(row, event.version, origin)
    return row


_PACKED: dict[type[OrdersEvent], tuple[OrderStatus, str]] = {
    OrdersPlaced: (OrderStatus.APPROVED, "approved_at"),
    OrdersAvailable: (OrderStatus.AVAILABLE, "available_at"),
    OrdersCanceled: (OrderStatus.CANCELED, "canceled_at"),
}
"""What a packed event says of its orders, and which date it sets."""


def packed_status(event: OrdersEvent) -> OrderStatus:
    """The status that a packed event brings its orders to."""
    return _PACKED[type(event)][0]


def packed_order(row: Row | None, event: OrdersEvent, ref: OrderRef, origin: Origin) -> Row:
    """What an event about many orders makes of one of them: its terms stay as they are."""
    status, date = _PACKED[type(event)]
    if row is None:
        row = _new_order()
        row.set(
            order_id=ref.order_id,
            package_id=event.package_id,
            edition=event.edition,
            entity_id=ref.entity_id,
        )
    columns, at = row.columns, origin.at
    row.changed = True
    if not columns["terms_version"]:
        placed_at = columns["placed_at"]
        columns["placed_at"] = min(placed_at, at) if placed_at else at
    if ref.version > columns["status_version"]:
        columns["status"] = status
        columns["status_version"] = ref.version
        columns["changed_at"] = at
        columns["changed_by"] = origin.actor
        columns["late_from"] = None
    if columns[date] is None:
        columns[date] = at
    _cause(row, ref.version, origin)
    return row


def campaign(row: Row | None, event: CampaignEvent, origin: Origin) -> Row:
    """What an event makes of a campaign."""
    row = row or Row(
        {
            "version": 0,
            "canceled_version": 0,
            "canceled_by": None,
            "reinitialized_at": None,
            **CAUSE,
        }
    )
    if event.version > row.columns["version"]:
        row.set(
            campaign_id=event.campaign_id,
            label=event.label,
            kind=event.kind,
            distribution_level=event.distribution_level,
            program=event.program,
            status=event.status,
            version=event.version,
            package_id=event.package_id,
            order_id=event.order_id,
            parent_id=event.parent_id,
            changed_at=event.changed_at,
            changed_by=event.changed_by,
            state=event.state,
        )
        row.terms = True
    if isinstance(event, CampaignCanceled) and event.version > row.columns["canceled_version"]:
        row.set(canceled_version=event.version, canceled_by=event.canceled_by)
    if isinstance(event, CampaignReinitialized):
        known = row.columns["reinitialized_at"]
        row.set(reinitialized_at=max(known, event.changed_at) if known else event.changed_at)
    if type(event) not in _SILENT:
        _cause(row, event.version, origin)
    return row


def process(row: Row | None, event: ProcessEvent, origin: Origin) -> Row:
    """What an event makes of a process."""
    row = row or Row({"version": 0, **CAUSE})
    if event.version > row.columns["version"]:
        row.set(**event.state.__dict__)
    if type(event) not in _SILENT:
        _cause(row, event.version, origin)
    return row


def entity(row: Row | None, event: EntityEvent, origin: Origin) -> Row:
    """What an event makes of an entity."""
    row = row or Row({"version": 0, **CAUSE})
    if event.version > row.columns["version"]:
        row.set(
            entity_id=event.entity_id,
            label=event.label,
            active=event.active,
            mailbox=event.mailbox,
            channels=event.channels,
            version=event.version,
            changed_at=event.changed_at,
            state=event.state,
        )
        row.terms = True
    if type(event) not in _SILENT:
        _cause(row, event.version, origin)
    return row


_RANK = {
    NotificationStatus.PENDING: 0,
    NotificationStatus.FAILED: 1,
    NotificationStatus.SUPERSEDED: 2,
    NotificationStatus.SENT: 3,
}


def notification(row: Row | None, event: NotificationEvent, origin: Origin) -> Row:
    """What an event makes of a notification; it has no version, but is tried ever more often.

    A snapshot is no cause, and knows no moment of what was not sent: the event of the same state
    has both, whichever comes first.
    """
    row = row or Row({"attempts": -1, "status": NotificationStatus.PENDING, "cause": None})
    is_cause = not isinstance(event, NotificationSnapshot)
    reached = row.columns["attempts"], _RANK.get(row.columns["status"], 0)
    given = event.attempts, _RANK.get(event.status, 0)
    if given > reached:
        columns = event.state.__dict__.copy()
        sent_at = columns.pop("sent_at")
        row.set(**columns, at=sent_at or origin.at, cause=None, caused_by=None)
    elif given < reached or row.columns["cause"] is not None:
        return row
    if is_cause:
        at = event.sent_at or origin.at
        row.set(at=at, cause=origin.event, caused_by=origin.caused_by)
    elif event.sent_at is None:
        row.set(at=min(row.columns["at"], origin.at))
    return row
