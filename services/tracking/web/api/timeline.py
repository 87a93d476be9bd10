"""GET /api/<things>/{id}/timeline: what happened to a thing, with the fields that changed."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.envelope import FieldError
from contracts.fields import Id, Instant
from services.tracking.queries import timeline as query
from services.tracking.queries.filters import Number, Paging, Text
from services.tracking.queries.progress import progress
from services.tracking.queries.timeline import OFFER, SORT, Filter, Happened
from services.tracking.web import cursors, keys, lists, problems
from services.tracking.web.api import documented
from services.tracking.web.api.why import may_ask, unknown
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.lists import Page, given
from services.tracking.web.state import Here, State

router = APIRouter(tags=["timelines"])

Kind = Literal["package", "orders", "order", "campaign", "process", "notification", "entity"]


class Filters(Paging):
    """Which events, and in which order."""

    actor: Annotated[Text | None, Field(description="What this person did.")] = None
    kind: Annotated[
        Kind | None, Field(description="What happened to things of this kind; orders: to many.")
    ] = None
    edition: Annotated[Number | None, Field(description="Of the package.")] = None
    sort: Literal["newest", "oldest"] = "newest"


class Change(BaseModel):
    """A field, and what it was before and after."""

    field: str
    old: Any
    new: Any


class Item(BaseModel):
    """One event; count says how many things it was about where one cause changed many."""

    id: str
    at: Instant
    type: str
    kind: str
    subject: str
    service: str
    actor: str | None
    comment: str | None
    edition: int | None
    version: int | None
    status: str | None
    count: int
    causationid: str | None
    correlationid: str | None
    changes: Annotated[list[Change], Field(description="Empty where there was nothing before.")]


EXAMPLE: dict[str, Any] = {
    "id": "5d0c7a1b2c3d4e5f6a7b-1",
    "at": "2026-11-23T14:02:41Z",
    "type": "relais.package.edited.v1",
    "kind": "package",
    "subject": "CAT86",
    "service": "packages",
    "actor": "m.durand",
    "comment": None,
    "edition": 2,
    "version": 9,
    "status": "published",
    "count": 1,
    "causationid": "4f7c",
    "correlationid": "4f7c",
    "changes": [{"field": "label", "old": "Summer", "new": "Summer sales"}],
}


def _route(things: str, kind: str, example: str) -> None:
    """One timeline; they differ in whose they are."""

    @router.get(
        f"/api/{things}/{{id}}/timeline",
        response_model=Page[Item],
        summary=f"What happened to one of the {things}",
        name=f"timeline_of_{kind}",
        responses={**documented.listed_at_once(EXAMPLE, {}), **documented.errors(404)},
    )
    async def get_timeline(
        here: Here,
        caller: Asks,
        id: Annotated[Id, Path(examples=[example])],
        asked: Annotated[Filters, given(Filters)],
    ) -> Response:
        """When, who, what, with which comment, and which fields became what."""
        packed = await _packed(here, caller, kind, id)
        is_offer = kind == "package" and caller.scope is not None
        return await _answer(here, OFFER if is_offer else kind, id, asked, packed)


for _things, _kind, _example in (
    ("packages", "package", "CAT86"),
    ("orders", "order", "ORD29"),
    ("campaigns", "campaign", "OP13"),
    ("entities", "entity", "OU3"),
):
    _route(_things, _kind, _example)


async def _packed(here: State, caller: Caller, kind: str, id: str) -> list[str]:
    """The rows that tell of an order among others; raises Problem where that is not to be seen."""
    packed: list[str] = []
    found: tuple[str | None] | None
    if kind == "order":
        order = await query.find_order(here.pool, id)
        found, packed = ((order[0],), order[1]) if order is not None else (None, [])
    else:
        found = await query.find_owner(here.pool, kind, id)
    if found is None or not await may_ask(here, caller, kind, id, *found):
        raise unknown(kind, id)
    return packed


async def _answer(here: State, kind: str, id: str, asked: Filters, packed: list[str]) -> Response:
    """A page, with the cursors of its neighbors."""
    filters = asked.model_dump(mode="json", exclude={"limit", "cursor"})
    name = orjson.dumps(["timeline", kind, id, filters], option=orjson.OPT_SORT_KEYS).decode()
    key = await keys.load(here.pool, "cursors")
    position = cursors.read(key, name, SORT, asked.cursor) if asked.cursor else None
    if asked.cursor and position is None:
        text = "must be `next` or `prev` of a page of this timeline with the same filters"
        raise problems.invalid(FieldError("cursor", text))
    found = await query.page(
        here.pool,
        kind,
        id,
        Filter(asked.actor, asked.kind, asked.edition),
        position=position,
        limit=asked.limit,
        newest=asked.sort == "newest",
        packed=packed,
    )
    next, prev = (
        cursors.write(key, name, one) if one is not None else None
        for one in (found.next, found.prev)
    )
    items = [_item(one, HIDDEN if kind == OFFER else ()) for one in found.items]
    return lists.page(items, {}, await progress(here.pool), next, prev)


HIDDEN = ("audience",)
"""Fields that tell of others to whom a package is offered."""


def _item(one: Happened, hidden: Sequence[str]) -> Item:
    changes = [
        Change(field=c.field, old=c.old, new=c.new) for c in one.changes if c.field not in hidden
    ]
    return Item(
        id=one.event_id,
        at=one.at,
        type=one.type,
        kind=one.kind,
        subject=one.subject,
        service=one.source.rpartition("/")[2],
        actor=one.actor,
        comment=one.comment,
        edition=one.edition,
        version=one.version,
        status=one.status,
        count=one.count,
        causationid=one.causationid,
        correlationid=one.correlationid,
        changes=changes,
    )
