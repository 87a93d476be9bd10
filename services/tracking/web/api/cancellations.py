"""GET /api/packages/{id}/cancellation and /audience: how a cancel goes, and whom it concerns."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.cancellation import CampaignsReport, NotificationsReport, OrdersReport
from contracts.fields import Id, Instant, Name, OptionalComment, Text, Version
from services.runtime.service import Pool, Row
from services.tracking.queries import audience, cancellations, packages
from services.tracking.queries import orders as of_orders
from services.tracking.queries.audience import Filters
from services.tracking.queries.filters import Asked, Number
from services.tracking.web import lists, rights, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.lists import Page, given
from services.tracking.web.own import own
from services.tracking.web.rights import Reach
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/packages/{package_id}", tags=["packages"])

PackageId = Annotated[Id, Path(examples=["CAT86"])]


class Edition(Asked):
    """Which cancel of a package."""

    edition: Annotated[
        Number | None, Field(description="The latest that was canceled if absent.")
    ] = None


class Part(BaseModel):
    """How far a service has got; both are null before it has begun."""

    done: int | None
    expected: int | None


class OrdersPart(Part):
    """What orders has done of a cancel."""

    report: OrdersReport | None


class CampaignsPart(Part):
    """What campaigns has done of a cancel."""

    report: CampaignsReport | None


class NotificationsPart(Part):
    """What notifications has done of a cancel."""

    report: NotificationsReport | None


class ParkedMessage(BaseModel):
    """A message that a service could not handle."""

    service: Id
    number: int
    reason: Text | None
    type: Text | None
    error: Text | None
    parked_at: Instant | None


class Cancellation(BaseModel):
    """The ledger of the cancel of one edition; editions are all that were canceled."""

    package_id: Id
    label: Name | None
    edition: Version
    editions: list[Version]
    canceled_at: Instant | None
    canceled_by: Text | None
    comment: OptionalComment | None
    orders: OrdersPart
    campaigns: CampaignsPart
    notifications: NotificationsPart
    waiting_for: Annotated[list[str], Field(description="Services that have not reported yet.")]
    stalled_at: Annotated[Instant | None, Field(description="When it was announced as stalled.")]
    completed_at: Instant | None
    seconds: float | None
    parked: Annotated[list[ParkedMessage], Field(description="About this package, at most 20.")]


LEDGER: dict[str, Any] = {
    "package_id": "CAT86",
    "label": "Summer sales",
    "edition": 2,
    "editions": [2, 1],
    "canceled_at": "2026-11-23T14:02:41Z",
    "canceled_by": "m.durand",
    "comment": "supplier withdrew",
    "orders": {"done": 3000, "expected": 4120, "report": None},
    "campaigns": {
        "done": 21,
        "expected": 21,
        "report": {"campaigns": 21, "processes_stopped": 41, "too_late": 3},
    },
    "notifications": {"done": 150, "expected": 312, "report": None},
    "waiting_for": ["orders", "notifications"],
    "stalled_at": None,
    "completed_at": None,
    "seconds": None,
    "parked": [],
}


@router.get(
    "/cancellation",
    summary="The ledger of a cancel",
    response_model=Cancellation,
    responses={**documented.one(LEDGER), **documented.errors(404)},
)
async def get_cancellation(
    here: Here,
    caller: Asks,
    package_id: PackageId,
    asked: Annotated[Edition, given(Edition)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """What each service has done of a cancel, and who is waited for."""
    row = await cancellations.find(here.pool, package_id, asked.edition)
    if row is None or own(caller):
        raise single.missing("cancel of package", package_id)
    parked = await cancellations.parked(here.pool, package_id)
    ledger = Cancellation.model_validate(
        {
            **dict(row),
            **cancellations.parts(row),
            "editions": await cancellations.editions(here.pool, package_id),
            "waiting_for": cancellations.waiting_for(row),
            "parked": [dict(one) for one in parked],
        }
    )
    reached = f"{row['changed_at'].timestamp():.6f}"
    of_parked = ".".join(f"{one['service']}-{one['number']}" for one in parked)
    return single.answer(ledger, f"{ledger.edition}-{reached}-{of_parked}", if_none_match)


class Ordered(BaseModel):
    """The order of an entity."""

    order_id: Id
    status: str


class Told(BaseModel):
    """The notification that told an entity of the package."""

    notification_id: Id
    status: str
    at: Instant


class AudienceItem(BaseModel):
    """An entity that a package is for; label and active are null where it is not registered."""

    entity_id: Id
    label: Name | None
    active: bool | None
    order: Ordered | None
    told: Told | None


ENTITY: dict[str, Any] = {
    "entity_id": "OU3",
    "label": "Lyon",
    "active": True,
    "order": {"order_id": "ORD29", "status": "ordered"},
    "told": {"notification_id": "b5d0c7a1b2c3", "status": "sent", "at": "2026-11-01T08:00:00Z"},
}


async def items(
    pool: Pool, package_id: str, edition: int, caller: Caller, rows: list[Row]
) -> list[AudienceItem]:
    """Entities with the order and the notification of each, where the caller may see these."""
    ids = seen = [row["entity_id"] for row in rows]
    if caller.reviewer is not None:
        reviewed = set(await of_orders.reviewed(pool, caller.reviewer))
        seen = [id for id in ids if id in reviewed]
    orders = await audience.ordered(pool, seen, package_id, edition)
    may_see = rights.may_read(caller, "notifications") is not Reach.NONE
    told = await audience.told(pool, ids, package_id, edition) if may_see else {}

    def of(found: dict[str, Row], id: str) -> Any:
        return dict(found[id]) if id in found else None

    return [
        AudienceItem(**dict(r), order=of(orders, r["entity_id"]), told=of(told, r["entity_id"]))
        for r in rows
    ]


@router.get(
    "/audience",
    summary="The audience of a package",
    response_model=Page[AudienceItem],
    responses={**documented.listed(ENTITY, {"entities": 312}), **documented.errors(404, 406)},
)
async def list_audience(
    here: Here,
    request: Request,
    caller: Asks,
    package_id: PackageId,
    asked: Annotated[Filters, given(Filters)],
) -> Response:
    """The entities that a package is for, by id; all active ones where it is not limited."""
    entity = own(caller)
    package = await audience.find(here.pool, package_id)
    if package is None or (entity and not await packages.find(here.pool, package_id, entity)):
        raise single.missing("package", package_id)
    edition, limited = asked.edition or package["edition"], package["limited"]

    async def scan(_: Pool) -> Any:
        return audience.scan(package_id, limited, entity)

    return await lists.answer(
        here,
        request,
        lists.List(
            "audience",
            asked,
            scan=scan,
            counts=partial(audience.tabs, package_id=package_id, limited=limited, entity=entity),
            items=partial(items, here.pool, package_id, edition, caller),
            columns=AudienceItem,
            own=entity,
            path={"package_id": package_id},
        ),
    )
