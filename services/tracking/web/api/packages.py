"""GET /api/packages: the list, one, its orders, its audience, and the ledger of its cancel."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.fields import Id, Instant, Name, Text, Version
from contracts.packages import DistributionLevel, PackageState, PackageStatus
from services.runtime.service import Pool, Row
from services.tracking.queries import packages
from services.tracking.queries.packages import Filters
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.own import own
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/packages", tags=["packages"])

PackageId = Annotated[Id, Path(examples=["CAT86"])]


class PackageItem(BaseModel):
    """A package in a list; orders are those of its edition, by status."""

    package_id: Id
    label: Name
    distribution_level: DistributionLevel
    campaign_id: Id
    campaign_label: Name | None
    folder: Name | None
    assigned_to: Id | None
    status: PackageStatus
    edition: Version
    version: Version
    starts_at: Instant
    ends_at: Instant
    created_at: Instant
    changed_at: Instant
    changed_by: Text | None
    late_from: Annotated[Instant | None, Field(description="Late once this has passed.")]
    closed_from: Annotated[Instant | None, Field(description="Closed once this has passed.")]
    orders: Annotated[dict[str, int] | None, Field(description="Null for local operators.")]


class Entities(BaseModel):
    """The audience of a package, by its size; the entities are at /audience."""

    entities: int


class Package(PackageState):
    """Everything that is known of a package, and what set its status."""

    audience: Annotated[None, Field(exclude=True)] = None
    limited_to: Annotated[
        Entities | None, Field(description="Null where it is for all active entities.")
    ]
    late_from: Annotated[Instant | None, Field(description="Late once this has passed.")]
    closed_from: Annotated[Instant | None, Field(description="Closed once this has passed.")]
    cause: Annotated[Text | None, Field(description="The event that set the present status.")]
    caused_by: Annotated[Text | None, Field(description="The message that this came of.")]
    caused_at: datetime | None
    caused_actor: Text | None


ITEM = {
    "package_id": "CAT86",
    "label": "Summer sales",
    "distribution_level": "collaborative_by_campaign",
    "campaign_id": "OP13",
    "campaign_label": "Summer",
    "folder": "France/2026",
    "assigned_to": None,
    "status": "published",
    "edition": 2,
    "version": 9,
    "starts_at": "2026-11-01T08:00:00Z",
    "ends_at": "2026-12-31T22:59:59Z",
    "created_at": "2026-10-01T08:00:00Z",
    "changed_at": "2026-10-20T08:00:00Z",
    "changed_by": "m.durand",
    "late_from": None,
    "closed_from": "2026-12-01T22:59:59Z",
    "orders": {"ordered": 1200, "approved": 2900, "available": 20},
}
COUNTS: dict[str, int | str] = {
    "being_edited": 12,
    "pending_approval": 3,
    "approved": 4,
    "rejected": 0,
    "published": 4120,
    "canceled": 37,
    "late": 2,
    "closed": "10,000+",
}


async def items(pool: Pool, entity: str | None, rows: list[Row]) -> list[PackageItem]:
    """Rows of the list with the orders of each."""
    orders = {} if entity else await packages.orders(pool, rows)
    return [PackageItem(**dict(row), orders=orders.get(row["package_id"])) for row in rows]


@router.get(
    "",
    summary="Packages",
    response_model=Page[PackageItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_packages(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """Packages by status, date, folder, campaign and text; for a local operator those offered."""
    entity = own(caller)
    return await lists.answer(
        here,
        request,
        lists.List(
            "packages",
            asked,
            scan=lambda pool: packages.scan(pool, asked, entity),
            counts=lambda pool: packages.tabs(pool, asked, entity),
            items=partial(items, here.pool, entity),
            columns=PackageItem,
            own=entity,
        ),
    )


PACKAGE = {
    **{k: v for k, v in ITEM.items() if k not in ("campaign_label", "orders", "assigned_to")},
    "limited_to": {"entities": 312},
    "approval_mode": "manual",
    "approval_period_days": 3,
    "cause": "5d0c7a1b2c3d4e5f6a7b-1",
    "caused_by": "4f7c",
    "caused_at": "2026-10-20T08:00:00Z",
    "caused_actor": "m.durand",
}


@router.get(
    "/{package_id}",
    summary="One package",
    response_model=Package,
    responses={**documented.one(PACKAGE), **documented.errors(404)},
)
async def get_package(
    here: Here,
    caller: Asks,
    package_id: PackageId,
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """Everything that is known of one package; its version is the ETag."""
    row = await packages.find(here.pool, package_id, own(caller))
    if row is None:
        raise single.missing("package", package_id)
    package = Package.model_validate(packages.state(row))
    return single.answer(package, package.version, if_none_match)
