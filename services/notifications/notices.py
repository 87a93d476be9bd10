"""The messages to mailboxes, and the events that tell of them.

A fan-out writes ten thousand notices that differ in an id and a recipient: what they share has
been written once, when it happened, and is spliced in.
"""

from datetime import datetime

import orjson

from contracts import envelope, names
from contracts.directory import Channel
from contracts.notifications import (
    NOTICE_TYPES,
    NotificationEvent,
    NotificationFailed,
    NotificationKind,
    NotificationSent,
    NotificationSnapshot,
    NotificationState,
    NotificationStatus,
    NotificationSuperseded,
    RecipientType,
)
from services.notifications.delivery import Due, Outcome, State
from services.runtime.service import Outgoing

SOURCE = names.source("notifications")


def message(due: Due) -> Outgoing:
    """The notice of a notification, addressed."""
    told, cause = due.told, due.told.cause
    type = NOTICE_TYPES[told.key.kind]
    body = envelope.write(
        id=due.id,
        source=SOURCE,
        type=type,
        subject=due.key.recipient_id,
        data_json=_data(due),
        time=told.happened_at,
        partitionkey=told.package_id,
        correlationid=cause.correlationid,
        causationid=cause.causationid,
        actor=cause.actor,
        traceparent=cause.traceparent,
    )
    return Outgoing(
        exchange=names.NOTIFICATIONS,
        routing_key=due.routing_key,
        body=body,
        type=type,
        message_id=due.id,
        content_type=names.CLOUDEVENT,
        app_id=SOURCE,
        correlation_id=names.short(cause.correlationid) or "",
        partitionkey=told.package_id,
    )


def _data(due: Due) -> bytes:
    """The data of a contracts.notifications.Notice."""
    assert due.told.notice is not None
    recipient = {
        "type": due.key.recipient_type,
        "id": due.key.recipient_id,
        "label": due.label or due.key.recipient_id,
    }
    own = orjson.dumps({"notification_id": due.id, "recipient": recipient})
    return own[:-1] + b"," + due.told.notice[1:]


RECIPIENT_TYPES = {kind.value: kind for kind in RecipientType}
EVENTS: dict[NotificationStatus, type[NotificationEvent]] = {
    NotificationStatus.SENT: NotificationSent,
    NotificationStatus.FAILED: NotificationFailed,
    NotificationStatus.SUPERSEDED: NotificationSuperseded,
}


BLANK = NotificationState(
    notification_id="-",
    kind=NotificationKind.PACKAGE_CANCELED,
    recipient_type=RecipientType.ENTITY,
    recipient_id="-",
    channel=Channel.MAILBOX,
    status=NotificationStatus.PENDING,
    attempts=0,
)
"""What a state is made from: an event of it costs a third of one built field by field."""


def event(outcome: Outcome, now: datetime) -> NotificationEvent | None:
    """What is said of a notification; nothing while it is pending."""
    kind = EVENTS.get(outcome.status)
    if kind is None:
        return None
    due, told = outcome.due, outcome.due.told
    return kind.of(
        BLANK,
        notification_id=due.id,
        kind=told.key.kind,
        recipient_type=RECIPIENT_TYPES[due.key.recipient_type],
        recipient_id=due.key.recipient_id,
        channel=Channel(due.key.channel),
        package_id=told.package_id,
        edition=told.key.edition,
        order_id=told.order_id,
        status=outcome.status,
        attempts=outcome.attempts,
        error=outcome.error,
        sent_at=now if outcome.status is NotificationStatus.SENT else None,
    )


def snapshot(state: State) -> NotificationSnapshot:
    """What a notification is at present, also while it is pending."""
    return NotificationSnapshot.of(
        BLANK,
        notification_id=state.id,
        kind=state.key.kind,
        recipient_type=RECIPIENT_TYPES[state.row.recipient_type],
        recipient_id=state.row.recipient_id,
        channel=Channel(state.row.channel),
        package_id=state.package_id,
        edition=state.key.edition,
        order_id=state.order_id,
        status=state.status,
        attempts=state.attempts,
        error=state.error,
        sent_at=state.sent_at,
    )
