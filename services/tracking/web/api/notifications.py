"""GET /api/notifications: the list, and one."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.directory import Channel
from contracts.fields import Id, Instant, Name, Text, Version
from contracts.notifications import NotificationKind, NotificationStatus, RecipientType
from services.runtime.service import Row
from services.tracking.queries import notifications
from services.tracking.queries.notifications import Filters
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.own import asked_of, own
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/notifications", tags=["notifications"])

NotificationId = Annotated[Id, Path(examples=["b5d0c7a1b2c3"])]


class NotificationItem(BaseModel):
    """A notification in a list; at is when it was sent, else when it was last tried."""

    notification_id: Id
    kind: NotificationKind
    recipient_type: RecipientType
    recipient_id: Id
    recipient_label: Name | None
    channel: Channel
    package_id: Id | None
    package_label: Name | None
    edition: Version | None
    order_id: Id | None
    status: NotificationStatus
    attempts: int
    error: Text | None
    at: Instant


class Notification(NotificationItem):
    """A notification, and what it came of."""

    cause: Annotated[Text | None, Field(description="The event that set the present status.")]
    caused_by: Annotated[Text | None, Field(description="The message that this came of.")]


ITEM: dict[str, Any] = {
    "notification_id": "b5d0c7a1b2c3",
    "kind": "package_canceled",
    "recipient_type": "entity",
    "recipient_id": "OU3",
    "recipient_label": "Lyon",
    "channel": "email",
    "package_id": "CAT86",
    "package_label": "Summer sales",
    "edition": 2,
    "order_id": None,
    "status": "failed",
    "attempts": 5,
    "error": "550 no such mailbox",
    "at": "2026-11-23T14:02:50Z",
}
COUNTS: dict[str, int | str] = {"pending": 0, "sent": 150, "failed": 2, "superseded": 0}


async def items(rows: list[Row]) -> list[NotificationItem]:
    """Rows of the list."""
    return [NotificationItem(**dict(row)) for row in rows]


@router.get(
    "",
    summary="Notifications",
    response_model=Page[NotificationItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_notifications(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """Notifications by status, kind, channel, recipient and package; for L those to its entity."""
    entity = asked_of(caller, asked.entity)
    which = asked.model_copy(update={"entity": entity})
    return await lists.answer(
        here,
        request,
        lists.List(
            "notifications",
            which,
            scan=partial(notifications.scan, filters=which),
            counts=partial(notifications.tabs, filters=which),
            items=items,
            columns=NotificationItem,
        ),
    )


NOTIFICATION = {**ITEM, "cause": "5d0c7a1b2c3d4e5f6a7b-9", "caused_by": "5d0c7a1b2c3d4e5f6a7b-1"}


@router.get(
    "/{notification_id}",
    summary="One notification",
    response_model=Notification,
    responses={**documented.one(NOTIFICATION), **documented.errors(404)},
)
async def get_notification(
    here: Here,
    caller: Asks,
    notification_id: NotificationId,
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """One notification; how often it was tried and what came of it is the ETag."""
    row = await notifications.find(here.pool, notification_id, own(caller))
    if row is None:
        raise single.missing("notification", notification_id)
    found = Notification(**dict(row))
    return single.answer(found, f"{found.attempts}-{found.status}", if_none_match)
