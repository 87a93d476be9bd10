"""GET /api/offers: what an entity may order now, and whether it has."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.envelope import FieldError
from contracts.fields import Id, Instant, Name, Prose, Version
from contracts.packages import ApprovalMode, DistributionLevel
from contracts.values import Document
from services.runtime.service import Pool, Row
from services.tracking.queries import offers
from services.tracking.queries.filters import Asked
from services.tracking.queries.offers import Filters
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.lists import Page, given
from services.tracking.web.own import asked_of
from services.tracking.web.problems import invalid
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/offers", tags=["offers"])


class Ordered(BaseModel):
    """The order that the entity has of an offer."""

    order_id: Id
    status: str


class Offer(BaseModel):
    """What an entity may order until order_until."""

    package_id: Id
    label: Name
    distribution_level: DistributionLevel
    edition: Version
    version: Version
    folder: Name | None
    description: Prose | None
    documents: list[Document] | None
    starts_at: Instant
    ends_at: Instant
    available_at: Instant | None
    registration_deadline: Instant | None
    personalization_deadline: Instant | None
    approval_mode: ApprovalMode
    several_orders: bool | None
    max_documents: int | None
    order_until: Instant
    ordered: Annotated[Ordered | None, Field(description="The order it has, if it has one.")]


ITEM: dict[str, Any] = {
    "package_id": "CAT86",
    "label": "Summer sales",
    "distribution_level": "collaborative_by_form",
    "edition": 2,
    "version": 9,
    "folder": "France/2026",
    "description": "Posters and mails",
    "documents": [{"name": "Guide", "url": "https://example.org/guide"}],
    "starts_at": "2026-11-01T08:00:00Z",
    "ends_at": "2026-12-31T22:59:59Z",
    "available_at": None,
    "registration_deadline": "2026-12-01T22:59:59Z",
    "personalization_deadline": None,
    "approval_mode": "manual",
    "several_orders": None,
    "max_documents": None,
    "order_until": "2026-12-01T22:59:59Z",
    "ordered": {"order_id": "ORD29", "status": "ordered"},
}


def _entity(caller: Caller, asked: str | None) -> str:
    entity = asked_of(caller, asked)
    if entity is None:
        raise invalid(FieldError("entity", "is required: offers are those to one entity"))
    return entity


async def items(pool: Pool, entity: str, rows: list[Row]) -> list[Offer]:
    """Rows of the list with the order of each."""
    packages = [row["state"]["package_id"] for row in rows]
    ordered = await offers.ordered(pool, entity, packages)
    found = []
    for row in rows:
        state = row["state"]
        order = ordered.get((state["package_id"], state["edition"]))
        found.append(Offer(**state, order_until=row["closed_from"], ordered=order))
    return found


@router.get(
    "",
    summary="Offers",
    response_model=Page[Offer],
    responses={**documented.listed(ITEM, {"offered": 12}), **documented.errors(406)},
)
async def list_offers(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """What an entity may order now: published, begun, not closed, and for it."""
    entity = _entity(caller, asked.entity)
    return await lists.answer(
        here,
        request,
        lists.List(
            "offers",
            asked,
            scan=partial(offers.scan, filters=asked, entity=entity),
            counts=partial(offers.tabs, filters=asked, entity=entity),
            items=partial(items, here.pool, entity),
            columns=Offer,
            own=entity,
        ),
    )


class ToWhom(Asked):
    """To whom it is offered."""

    entity: Annotated[Id | None, Field(description="That of a local operator is its own.")] = None


@router.get(
    "/{package_id}",
    summary="One offer",
    response_model=Offer,
    responses={**documented.one(ITEM), **documented.errors(404)},
)
async def get_offer(
    here: Here,
    caller: Asks,
    package_id: Annotated[Id, Path(examples=["CAT86"])],
    asked: Annotated[ToWhom, given(ToWhom)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """One package as it is offered to an entity."""
    entity = _entity(caller, asked.entity)
    row = await offers.find(here.pool, package_id, entity)
    if row is None:
        raise single.missing("offer", package_id)
    (offer,) = await items(here.pool, entity, [row])
    order = f"-{offer.ordered.order_id}-{offer.ordered.status}" if offer.ordered else ""
    return single.answer(offer, f"{offer.version}{order}", if_none_match)
