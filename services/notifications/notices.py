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
    NotificationSent,
    NotificationState,
    NotificationStatus,
    NotificationSuperseded,
    RecipientType,
)
from services.notifications import domain
from services.notifications.delivery import Due, Outcome
from services.notifications.outbound import Told
from services.runtime.channel import Outgoing

SOURCE = names.source("notifications")


def message(due: Due, told: Told) -> Outgoing:
    """The notice of a notification, addressed."""
    id = _id(due, told)
    type = NOTICE_TYPES[told.key.kind]
    cause = told.cause
    body = envelope.write(
        id=id,
        source=SOURCE,
        type=type,
        subject=due.key.recipient_id,
        data_json=_data(id, due, told),
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
        message_id=id,
        content_type=names.CLOUDEVENT,
        app_id=SOURCE,
        correlation_id=names.short(cause.correlationid) or "",
        partitionkey=told.package_id,
    )


def _data(id: str, due: Due, told: Told) -> bytes:
    """The data of a contracts.notifications.Notice."""
    assert told.notice is not None
    recipient = {
        "type": due.key.recipient_type,
        "id": due.key.recipient_id,
        "label": due.label or due.key.recipient_id,
    }
    own = orjson.dumps({"notification_id": id, "recipient": recipient})
    return own[:-1] + b"," + told.notice[1:]


EVENTS: dict[NotificationStatus, type[NotificationEvent]] = {
    NotificationStatus.SENT: NotificationSent,
    NotificationStatus.FAILED: NotificationFailed,
    NotificationStatus.SUPERSEDED: NotificationSuperseded,
}


def event(outcome: Outcome, told: Told, now: datetime) -> NotificationEvent | None:
    """What is said of a notification; nothing while it is pending."""
    kind = EVENTS.get(outcome.status)
    if kind is None:
        return None
    key = outcome.due.key
    return kind.of(
        NotificationState.model_construct(
            notification_id=_id(outcome.due, told),
            kind=told.key.kind,
            recipient_type=RecipientType(key.recipient_type),
            recipient_id=key.recipient_id,
            channel=Channel(key.channel),
            package_id=told.package_id,
            edition=told.key.edition,
            order_id=told.order_id,
            status=outcome.status,
            attempts=outcome.attempts,
            error=outcome.error,
            sent_at=now if outcome.status is NotificationStatus.SENT else None,
        )
    )


def _id(due: Due, told: Told) -> str:
    key = due.key
    return domain.notification_id(told.key, key.recipient_type, key.recipient_id, key.channel)
