"""GET /api/orders and those of one package: the lists, and one order."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.envelope import FieldError
from contracts.fields import Id, Instant, Name, OptionalComment, Text, Version
from contracts.orders import OrderStatus
from contracts.packages import DistributionLevel, PackageStatus
from contracts.values import Document
from services.runtime.service import Row
from services.tracking.queries import orders, packages
from services.tracking.queries.orders import Filters, OfPackage, Which
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks, Caller, Role
from services.tracking.web.lists import Page, given
from services.tracking.web.own import asked_of, own
from services.tracking.web.problems import Problem, invalid
from services.tracking.web.state import Here, State

router = APIRouter(tags=["orders"])

OrderId = Annotated[Id, Path(examples=["ORD29"])]


class OrderItem(BaseModel):
    """An order in a list; its label is null until it is known, starts_at is that of its package."""

    order_id: Id
    label: Name | None
    package_id: Id
    package_label: Name | None
    edition: Version
    entity_id: Id
    entity_label: Name | None
    campaign_id: Id | None
    status: OrderStatus
    version: Version
    starts_at: Instant | None
    ends_at: Instant | None
    placed_at: Instant
    approved_at: Instant | None
    available_at: Instant | None
    canceled_at: Instant | None
    changed_at: Instant
    changed_by: Text | None
    late_from: Annotated[Instant | None, Field(description="Late once this has passed.")]


class Order(OrderItem):
    """Everything that is known of an order, and what set its status."""

    comment: OptionalComment | None
    parameters: dict[str, Any] | None
    documents: list[Document] | None
    approval_deadline: Instant | None
    package_status: PackageStatus | None
    distribution_level: DistributionLevel | None
    personalization_deadline: Instant | None
    cause: Annotated[Text | None, Field(description="The event that set the present status.")]
    caused_by: Annotated[Text | None, Field(description="The message that this came of.")]
    caused_at: datetime | None
    caused_actor: Text | None


ITEM = {
    "order_id": "ORD29",
    "label": "Windows",
    "package_id": "CAT86",
    "package_label": "Summer sales",
    "edition": 2,
    "entity_id": "OU3",
    "entity_label": "Lyon",
    "campaign_id": None,
    "status": "ordered",
    "version": 1,
    "starts_at": "2026-11-01T08:00:00Z",
    "ends_at": "2026-12-31T22:59:59Z",
    "placed_at": "2026-11-20T08:00:00Z",
    "approved_at": None,
    "available_at": None,
    "canceled_at": None,
    "changed_at": "2026-11-20T08:00:00Z",
    "changed_by": "j.petit",
    "late_from": "2026-11-23T08:00:00Z",
}
COUNTS: dict[str, int | str] = {
    "ordered": 1200,
    "approved": 2900,
    "rejected": 3,
    "available": 20,
    "canceled": 0,
    "late": 12,
}


async def items(rows: list[Row]) -> list[OrderItem]:
    """Rows of the list."""
    return [OrderItem(**dict(row)) for row in rows]


async def _entities(here: State, caller: Caller, entity: str | None) -> tuple[str, ...] | None:
    """The entities whose orders are shown: those that the caller may see and has asked for."""
    if caller.role != Role.REVIEWER:
        found = asked_of(caller, entity)
        return None if found is None else (found,)
    reviewed = await orders.reviewed(here.pool, caller.name)
    if entity is not None:
        if entity in reviewed:
            return (entity,)
        raise Problem(403, "forbidden", f"{caller.name} does not review orders of {entity}")
    if len(reviewed) > orders.MOST_ENTITIES:
        raise invalid(
            FieldError("entity", f"must be given: {caller.name} reviews {len(reviewed)} entities")
        )
    return tuple(reviewed)


async def _answer(
    here: State, request: Request, caller: Caller, asked: OfPackage, package: str | None
) -> Response:
    entities = await _entities(here, caller, asked.entity)
    given = asked.model_dump(exclude={"package"})
    which = Which(**given, package=package, entities=entities)
    return await lists.answer(
        here,
        request,
        lists.List(
            "orders",
            which,
            scan=partial(orders.scan, asked=which),
            counts=partial(orders.tabs, asked=which),
            items=items,
            columns=OrderItem,
        ),
    )


@router.get(
    "/api/orders",
    summary="Orders",
    response_model=Page[OrderItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_orders(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """Orders by status, entity, package, date and beginning of a text."""
    return await _answer(here, request, caller, asked, asked.package)


@router.get(
    "/api/packages/{package_id}/orders",
    summary="Orders of a package",
    response_model=Page[OrderItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(404, 406)},
)
async def list_orders_of_package(
    here: Here,
    request: Request,
    caller: Asks,
    package_id: Annotated[Id, Path(examples=["CAT86"])],
    asked: Annotated[OfPackage, given(OfPackage)],
) -> Response:
    """Orders of one edition of a package, the present one unless another is asked for."""
    if await packages.edition(here.pool, package_id) is None:
        raise single.missing("package", package_id)
    return await _answer(here, request, caller, asked, package_id)


ORDER = {
    **ITEM,
    "comment": "two windows",
    "parameters": {"copies": 2},
    "documents": None,
    "approval_deadline": "2026-11-23T08:00:00Z",
    "package_status": "published",
    "distribution_level": "collaborative_by_form",
    "personalization_deadline": None,
    "cause": "5d0c7a1b2c3d4e5f6a7b-1",
    "caused_by": "4f7c",
    "caused_at": "2026-11-20T08:00:00Z",
    "caused_actor": "j.petit",
}


@router.get(
    "/api/orders/{order_id}",
    summary="One order",
    response_model=Order,
    responses={**documented.one(ORDER), **documented.errors(404)},
)
async def get_order(
    here: Here,
    caller: Asks,
    order_id: OrderId,
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """Everything that is known of one order; its version is the ETag."""
    mine = own(caller)
    entities = [mine] if mine else None
    if caller.role == Role.REVIEWER:
        entities = await orders.reviewed(here.pool, caller.name)
    row = await orders.find(here.pool, order_id, entities)
    if row is None:
        raise single.missing("order", order_id)
    of_package = row["state"] or {}
    deadline = of_package.get("personalization_deadline")
    order = Order(**dict(row), personalization_deadline=deadline)
    return single.answer(order, order.version, if_none_match)
