"""GET /api/schedule: what will happen, by itself or as planned, and what is overdue."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.fields import Id, Identity, Instant, Name, Text, Version
from contracts.packages import PackageStatus
from services.runtime.service import Row
from services.tracking.queries import schedule
from services.tracking.queries.schedule import Filters, Seen
from services.tracking.web import lists, rights
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.lists import Page, given
from services.tracking.web.own import own
from services.tracking.web.rights import Reach
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/schedule", tags=["schedule"])


class ScheduleItem(BaseModel):
    """What will happen, and when: to a package by itself, or a command that will be sent."""

    at: Instant
    kind: schedule.Kind
    package_id: Annotated[Id | None, Field(description="Null where it is about no package.")]
    package_label: Name | None
    status: PackageStatus | None
    edition: Version | None
    campaign_id: Annotated[Id | None, Field(description="That of the package.")]
    command_id: Annotated[Identity | None, Field(description="DELETE withdraws it.")]
    command_type: Text | None
    subject: Text | None
    sender: Text | None


ITEM: dict[str, Any] = {
    "at": "2026-12-01T08:00:00Z",
    "kind": "publication",
    "package_id": "CAT86",
    "package_label": "Summer sales",
    "status": "approved",
    "edition": 2,
    "campaign_id": "OP13",
    "command_id": None,
    "command_type": None,
    "subject": None,
    "sender": None,
}
COUNTS: dict[str, int | str] = {
    "approval_deadline": 3,
    "publication": 2,
    "availability": 1,
    "registration_deadline": 9,
    "personalization_deadline": 9,
    "end": 40,
    "command": 1,
    "overdue": 0,
}


async def items(rows: list[Row]) -> list[ScheduleItem]:
    """Rows of the list."""
    return [ScheduleItem(**dict(row)) for row in rows]


@router.get(
    "",
    summary="Schedule",
    response_model=Page[ScheduleItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_schedule(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """What is to come by kind, package and date, planned commands among it.

    For a local operator: of what it is offered, and what it has planned itself.
    """
    seen = _seen(caller)
    return await lists.answer(
        here,
        request,
        lists.List(
            "schedule",
            asked,
            scan=partial(schedule.scan, filters=asked, seen=seen),
            counts=partial(schedule.tabs, filters=asked, seen=seen),
            items=items,
            columns=ScheduleItem,
            own=seen.entity,
            path={"sender": seen.sender, "commands": seen.commands},
        ),
    )


def _seen(caller: Caller) -> Seen:
    reach = rights.may_read(caller, "commands")
    sender = None if reach is Reach.ALL else caller.name
    return Seen(own(caller), sender, commands=reach is not Reach.NONE)
