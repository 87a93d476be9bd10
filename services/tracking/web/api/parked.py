"""GET /api/parked: messages that no service could handle, one by one and by cause."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.fields import Id, Instant, OptionalComment, Text
from services.runtime.service import Row
from services.tracking.queries import parked
from services.tracking.queries.parked import Filters, Groups
from services.tracking.queries.progress import progress
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/parked", tags=["operations"])


class ParkedItem(BaseModel):
    """A parked message in a list."""

    service: Id
    number: int
    reason: Text | None
    message_id: Text | None
    type: Text | None
    package_id: Id | None
    error: Text | None
    error_kind: Text | None
    attempts: int
    parked_at: Instant | None
    body_bytes: int | None


class Parked(ParkedItem):
    """A message that is or was parked; body is null where it is larger than 64 KiB."""

    body: Text | None
    released_at: Annotated[Instant | None, Field(description="Since when it is parked no more.")]
    how: Annotated[Text | None, Field(description="handled, refused, replaced or discarded")]
    comment: OptionalComment | None


class Harm(BaseModel):
    """What a group of parked messages holds up; text says it in a sentence."""

    packages: int
    orders_live: Annotated[
        int, Field(description="Orders that should be canceled with their package, and are not.")
    ]
    cancels_waiting: int
    text: str | None


class Group(BaseModel):
    """Parked messages of one service, reason, type and error."""

    service: Id
    reason: Text | None
    type: Text | None
    error_kind: Text | None
    count: int
    first: Instant | None
    last: Instant | None
    harm: Harm


ITEM: dict[str, Any] = {
    "service": "orders",
    "number": 7,
    "reason": "failed",
    "message_id": "4f7c",
    "type": "relais.package.canceled.v1",
    "package_id": "CAT86",
    "error": "KeyError: 'OU3'",
    "error_kind": "KeyError: …",
    "attempts": 3,
    "parked_at": "2026-11-23T14:02:42Z",
    "body_bytes": 812,
}
GROUP: dict[str, Any] = {
    "service": "orders",
    "reason": "failed",
    "type": "relais.package.canceled.v1",
    "error_kind": "KeyError: …",
    "count": 4000,
    "first": "2026-11-23T14:02:42Z",
    "last": "2026-11-23T14:09:00Z",
    "harm": {
        "packages": 1,
        "orders_live": 12,
        "cancels_waiting": 1,
        "text": "12 orders are live because of this; 1 cancel waits for it",
    },
}


async def items(rows: list[Row]) -> list[ParkedItem]:
    """Rows of the list."""
    return [ParkedItem(**dict(row)) for row in rows]


@router.get(
    "",
    summary="Parked messages",
    response_model=Page[ParkedItem],
    responses={**documented.listed(ITEM, {"parked": 4000}), **documented.errors(406)},
)
async def list_parked(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """What is parked now, by service, reason, type, error, package and date."""
    return await lists.answer(
        here,
        request,
        lists.List(
            "parked",
            asked,
            scan=partial(parked.scan, filters=asked),
            counts=partial(parked.tabs, filters=asked),
            items=items,
            columns=ParkedItem,
        ),
    )


@router.get(
    "/groups",
    summary="Parked messages by cause",
    response_model=Page[Group],
    responses={**documented.listed_at_once(GROUP, {"groups": 1}), **documented.errors()},
)
async def list_groups(
    here: Here, caller: Asks, asked: Annotated[Groups, given(Groups)]
) -> Response:
    """Parked messages by service, reason, type and error, at most 200 groups, with their harm."""
    harm = await parked.harm(here.pool, asked.service)
    groups = []
    for row in await parked.groups(here.pool, asked.service):
        key = row["service"], row["reason"], row["type"], row["error_kind"]
        groups.append(Group(**dict(row), harm=_harm(harm.get(key))))
    return lists.page(groups, {"groups": len(groups)}, await progress(here.pool))


def _harm(row: Row | None) -> Harm:
    if row is None:
        return Harm(packages=0, orders_live=0, cancels_waiting=0, text=None)
    orders, cancels = int(row["orders_live"] or 0), row["cancels_waiting"]
    texts = []
    if orders:
        texts.append(f"{orders:,} order{'s are' if orders > 1 else ' is'} live because of this")
    if cancels:
        texts.append(f"{cancels:,} cancel{'s wait' if cancels > 1 else ' waits'} for it")
    return Harm(
        packages=row["packages"],
        orders_live=orders,
        cancels_waiting=cancels,
        text="; ".join(texts) or None,
    )


MESSAGE = {
    **ITEM,
    "body": '{"specversion": "1.0"}',
    "released_at": None,
    "how": None,
    "comment": None,
}


@router.get(
    "/{service}/{number}",
    summary="One parked message",
    response_model=Parked,
    responses={**documented.one(MESSAGE), **documented.errors(404)},
)
async def get_parked(
    here: Here,
    caller: Asks,
    service: Annotated[Id, Path(examples=["orders"])],
    number: Annotated[int, Path(ge=1, le=2**63 - 1, examples=[7])],
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """One message that is or was parked, with its body."""
    row = await parked.find(here.pool, service, number)
    if row is None:
        raise single.missing("parked message", f"{service}/{number}")
    found = Parked(**dict(row))
    return single.answer(found, f"{found.attempts}-{found.how or 'parked'}", if_none_match)
