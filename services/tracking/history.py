"""What an event leaves in the history, in the ledger of a cancel and beside a command. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.campaigns import CampaignEvent, CampaignSnapshot, ProcessEvent, ProcessSnapshot
from contracts.cancellation import (
    CancellationCompleted,
    CancellationEvent,
    CancellationProgressed,
    CancellationStalled,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)
from contracts.directory import EntityEvent, EntitySnapshot
from contracts.envelope import Envelope
from contracts.message import Event, to_json
from contracts.notifications import NotificationEvent, NotificationSnapshot
from contracts.operations import SnapshotCompleted, WorkerSeen
from contracts.orders import OrderEdited, OrderEvent, OrderPlaced, OrdersEvent, OrderSnapshot
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, MessageReleased
from contracts.packages import PackageCanceled, PackageEvent, PackageSnapshot, audience_digest
from services.tracking.families import Families

_EVENT_ID = re.compile(r"[0-9a-f]{20}-\d+")
MAX_STATE_BYTES = 64 * 1024
"""Of a larger state the history keeps nothing; the row itself has its last."""

SNAPSHOT = ".snapshot.v1"


def is_event_id(text: str | None) -> bool:
    """Whether an id is one that services give to their events, and not that of a command."""
    return text is not None and _EVENT_ID.fullmatch(text) is not None


@dataclass(slots=True)
class Line:
    """One row of the history."""

    event_id: str
    source: str
    at: datetime
    type: str
    kind: str
    subject: str
    version: int | None = None
    package_id: str | None = None
    edition: int | None = None
    actor: str | None = None
    comment: str | None = None
    causationid: str | None = None
    correlationid: str | None = None
    status: str | None = None
    count: int = 1
    state: str | None = None

    @property
    def is_folded(self) -> bool:
        """Whether it stands for all of a type that one cause has brought about."""
        return self.event_id.endswith(f"/{self.type}")


Key = tuple[str, str]
"""Event id and source."""


def line(event: Event, envelope: Envelope, at: datetime) -> Line | None:
    """The row of an event; None where nothing has happened by it."""
    found = Line(
        event_id=envelope.id,
        source=envelope.source,
        at=at,
        type=envelope.type,
        kind="",
        subject=envelope.subject,
        actor=envelope.actor,
        causationid=envelope.causationid,
        correlationid=envelope.correlationid,
        comment=getattr(event, "decision_comment", None),
        version=getattr(event, "version", None),
        status=getattr(event, "status", None),
    )
    return found if _FILL[type(event)](found, event, envelope) else None


def _fill_package(found: Line, event: PackageEvent, _: Envelope) -> bool:
    found.kind = "package"
    found.package_id, found.edition = event.package_id, event.edition
    found.state = _package_state(event)
    return True


def _fill_cancellation(found: Line, event: CancellationEvent, _: Envelope) -> bool:
    found.kind = "package"
    found.package_id, found.edition = event.package_id, event.edition
    return True


def _fill_orders(found: Line, event: OrdersEvent, _: Envelope) -> bool:
    found.kind = "orders"
    found.package_id, found.edition = event.package_id, event.edition
    _fold(found, len(event.orders))
    return True


def _fill_order(found: Line, event: OrderEvent, _: Envelope) -> bool:
    found.kind = "order"
    found.package_id, found.edition = event.package_id, event.edition
    return True


def _fill_terms(found: Line, event: OrderEvent, _: Envelope) -> bool:
    found.state = _order_state(event)
    return _fill_order(found, event, _)


def _fill_campaign(found: Line, event: CampaignEvent, envelope: Envelope) -> bool:
    found.kind = "campaign"
    found.package_id = event.package_id or _of_package(envelope, event.campaign_id)
    _fold_caused(found)
    return True


def _fill_process(found: Line, event: ProcessEvent, envelope: Envelope) -> bool:
    found.kind = "process"
    found.package_id = _of_package(envelope, event.campaign_id)
    _fold_caused(found)
    return True


def _fill_entity(found: Line, event: EntityEvent, _: Envelope) -> bool:
    found.kind = "entity"
    found.state = _text(event.state.__dict__)
    return True


def _fill_notification(found: Line, event: NotificationEvent, _: Envelope) -> bool:
    found.kind = "notification"
    found.subject = event.package_id or event.recipient_id
    found.package_id, found.edition = event.package_id, event.edition
    found.actor = None
    _fold(found, 1)
    return True


def _fill_command(
    found: Line, event: CommandRefused | CommandUnchanged, envelope: Envelope
) -> bool:
    found.kind, found.comment = "command", event.message
    if event.command_type.startswith("relais.package."):
        found.package_id = envelope.partitionkey
    found.status = "refused" if type(event) is CommandRefused else "unchanged"
    return True


def _fill_parked(found: Line, event: MessageParked, _: Envelope) -> bool:
    found.kind, found.package_id = "message", event.package_id
    found.status, found.comment = "parked", event.error
    return True


def _fill_released(found: Line, event: MessageReleased, _: Envelope) -> bool:
    found.kind, found.comment, found.status = "message", event.comment, event.how
    return True


def _fill_other(found: Line, _: Event, __: Envelope) -> bool:
    found.kind = "other"
    return True


def _leave_out(*_: object) -> bool:
    return False


_FILL: Families[Callable[[Line, Any, Envelope], bool]] = Families(
    {
        WorkerSeen: _leave_out,
        SnapshotCompleted: _leave_out,
        CancellationProgressed: _leave_out,
        PackageSnapshot: _leave_out,
        OrderSnapshot: _leave_out,
        CampaignSnapshot: _leave_out,
        ProcessSnapshot: _leave_out,
        EntitySnapshot: _leave_out,
        NotificationSnapshot: _leave_out,
        PackageEvent: _fill_package,
        CancellationEvent: _fill_cancellation,
        OrdersEvent: _fill_orders,
        OrderPlaced: _fill_terms,
        OrderEdited: _fill_terms,
        OrderEvent: _fill_order,
        CampaignEvent: _fill_campaign,
        ProcessEvent: _fill_process,
        EntityEvent: _fill_entity,
        NotificationEvent: _fill_notification,
        CommandRefused: _fill_command,
        CommandUnchanged: _fill_command,
        MessageParked: _fill_parked,
        MessageReleased: _fill_released,
        object: _fill_other,
    }
)
"""What the line of an event has besides, and whether it has one: by snapshots nothing happens."""


def _of_package(envelope: Envelope, campaign_id: str) -> str | None:
    """The package whose cancel or reinitialization this is part of: it is the key, then."""
    key = envelope.partitionkey
    return key if key != campaign_id else None


def _fold_caused(found: Line) -> None:
    """What an event has caused is part of a fan-out; what a command has caused stands alone."""
    if is_event_id(found.causationid):
        _fold(found, 1)


def _fold(found: Line, count: int) -> None:
    """One row for all that one cause does to things of one kind; what has none stands alone."""
    found.count = count
    if found.causationid is None:
        return
    found.event_id = f"{found.causationid}/{found.type}"
    if found.package_id is not None:
        found.subject = found.package_id
    found.version = None


def merge(one: Line | None, two: Line) -> Line:
    """Two parts of one fan-out, or the same event again."""
    if one is None:
        return two
    if two.is_folded:
        one.count += two.count
        one.at = min(one.at, two.at)
    return one


def _package_state(event: PackageEvent) -> str | None:
    state = event.state.__dict__.copy()
    audience = state.pop("audience")
    if audience is not None:
        state["audience"] = {"entities": len(audience), "digest": audience_digest(audience)}
    return _text(state)


def _order_state(event: OrderEvent) -> str | None:
    names = ("label", "comment", "parameters", "documents")
    return _text({name: getattr(event, name) for name in names})


def _text(values: Mapping[str, Any]) -> str | None:
    text = to_json(values)
    return text.decode() if len(text) <= MAX_STATE_BYTES else None


_IN_LEDGER: Families[bool] = Families(
    {PackageCanceled: True, CancellationEvent: True, object: False}
)


def ledger(event: Event, envelope: Envelope, at: datetime) -> dict[str, Any] | None:
    """What an event adds to the ledger of a cancel; None where it is about none."""
    if not _IN_LEDGER[type(event)]:
        return None
    match event:
        case PackageCanceled():
            found: dict[str, Any] = {
                "canceled_at": event.canceled_at or at,
                "canceled_by": event.changed_by,
                "comment": event.decision_comment,
                "cause": envelope.id,
            }
        case CancellationProgressed(service="orders" | "campaigns" | "notifications" as service):
            found = {f"{service}_done": event.done, f"{service}_expected": event.expected}
        case PackageOrdersCanceled():
            found = {"orders_report": _report(event)}
        case PackageCampaignsCanceled():
            found = {"campaigns_report": _report(event)}
        case PackageEntitiesNotified():
            found = {"notifications_report": _report(event)}
        case CancellationStalled():
            found = {"stalled_at": at, "waiting_for": event.waiting_for}
        case CancellationCompleted():
            found = {
                "completed_at": at,
                "seconds": event.seconds,
                "orders_report": event.orders.__dict__,
                "campaigns_report": event.campaigns.__dict__,
                "notifications_report": event.notifications.__dict__,
            }
        case _:
            return None
    return {"changed_at": at, **found}


def _report(event: CancellationEvent) -> dict[str, Any]:
    return {n: v for n, v in event.__dict__.items() if n not in ("package_id", "edition")}


def merge_ledger(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Two parts of one ledger: figures and moments rise, what is said once stays."""
    merged = dict(one)
    for name, value in two.items():
        known = merged.get(name)
        if known is None:
            merged[name] = value
        elif name.endswith(("_done", "_expected", "_at")):
            merged[name] = max(known, value)
    return merged


_VALUES = re.compile(
    r"""[0-9a-f]{8}-[0-9a-f-]{27}|'[^']*'|"[^"]*"|\b[A-Z]+[0-9_A-Z]*[0-9]+\b|\d+"""
)


def error_kind(error: str | None) -> str:
    """What errors of one cause have in common: the error without ids, values and numbers."""
    first = error.splitlines()[:1] if error else []
    return _VALUES.sub("…", "".join(first))[:200]
