"""GET /api/schedule: what will happen by itself, and what is overdue."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from contracts.fields import Id, Instant, Name, Version
from contracts.packages import PackageStatus
from services.runtime.service import Row
from services.tracking.queries import schedule
from services.tracking.queries.schedule import Filters
from services.tracking.web import lists
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.own import own
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/schedule", tags=["schedule"])


class ScheduleItem(BaseModel):
    """What will happen to a package, and when; its campaign is that of the package."""

    at: Instant
    kind: schedule.Kind
    package_id: Id
    package_label: Name
    status: PackageStatus
    edition: Version
    campaign_id: Id


ITEM: dict[str, Any] = {
    "at": "2026-12-01T08:00:00Z",
    "kind": "publication",
    "package_id": "CAT86",
    "package_label": "Summer sales",
    "status": "approved",
    "edition": 2,
    "campaign_id": "OP13",
}
COUNTS: dict[str, int | str] = {
    "approval_deadline": 3,
    "publication": 2,
    "availability": 1,
    "registration_deadline": 9,
    "personalization_deadline": 9,
    "end": 40,
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
    """What is to come by kind, package and date; for a local operator of what it is offered."""
    entity = own(caller)
    return await lists.answer(
        here,
        request,
        lists.List(
            "schedule",
            asked,
            scan=partial(schedule.scan, filters=asked, entity=entity),
            counts=partial(schedule.tabs, filters=asked, entity=entity),
            items=items,
            columns=ScheduleItem,
            own=entity,
        ),
    )
