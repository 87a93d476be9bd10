"""GET /api/<things>/{id}/timeline: what happened to a thing, with the fields that changed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import BaseModel

from contracts.envelope import FieldError
from services.tracking.queries import timeline as query
from services.tracking.queries.timeline import Filter, Happened, Position
from services.tracking.web import keys, problems
from services.tracking.web.api.why import may_ask, unknown
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.state import Here, State

router = APIRouter()

Kind = Literal["package", "orders", "order", "campaign", "process", "notification", "entity"]


class Change(BaseModel):
    """A field, and what it was before and after."""

    field: str
    old: Any
    new: Any


class Item(BaseModel):
    """One event; count says how many things it was about where one cause changed many."""

    id: str
    at: datetime
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
    changes: list[Change]


class Timeline(BaseModel):
    """A page of what happened; next goes on where it ends."""

    items: list[Item]
    next: str | None
    prev: str | None
    counts: dict[str, int]
    as_of: datetime


Actor = Annotated[str | None, Query(max_length=256, description="What this person did.")]
Kinds = Annotated[
    list[Kind] | None, Query(max_length=7, description="What happened to things of these kinds.")
]
Edition = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="In this edition.")]
Sort = Annotated[Literal["newest", "oldest"], Query(description="Which come first.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="As `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]

NOW = "SELECT now()"


def _route(things: str, kind: str) -> None:
    """One timeline; they differ in whose they are."""

    @router.get(
        f"/api/{things}/{{id}}/timeline",
        response_model=Timeline,
        summary=f"What happened to one of the {things}",
        name=f"timeline_of_{kind}",
    )
    async def get_timeline(
        here: Here,
        asks: Asks,
        id: str,
        actor: Actor = None,
        kind_: Annotated[Kinds, Query(alias="kind")] = None,
        edition: Edition = None,
        sort: Sort = "newest",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Timeline:
        """When, who, what, with which comment, and which fields became what."""
        if "\0" in id or "\0" in (actor or ""):
            raise problems.invalid(FieldError("id", "must have no NUL"))
        packed = await _found(here, asks, kind, id)
        wanted = Filter(actor, kind_, edition)
        signed = f"timeline:{kind}:{id}:{actor}:{kind_}:{edition}:{sort}"
        items = await query.page(
            here.pool,
            kind,
            id,
            wanted,
            after=await _position(here, signed, cursor),
            limit=limit + 1,
            newest=sort == "newest",
            packed=packed,
        )
        following = await _cursor(here, signed, items[limit - 1]) if len(items) > limit else None
        now = await here.pool.fetchval(NOW)
        found = [_item(one) for one in items[:limit]]
        return Timeline(items=found, next=following, prev=None, counts={}, as_of=now)


for _things, _kind in (
    ("packages", "package"),
    ("orders", "order"),
    ("campaigns", "campaign"),
    ("entities", "entity"),
):
    _route(_things, _kind)


async def _found(here: State, asks: Caller, kind: str, id: str) -> list[str]:
    """The rows that tell of an order among others; raises Problem where it is not for who asks."""
    packed: list[str] = []
    found: tuple[str | None] | None
    if kind == "order":
        order = await query.find_order(here.pool, id)
        found, packed = ((order[0],), order[1]) if order is not None else (None, [])
    else:
        found = await query.find_owner(here.pool, kind, id)
    if found is None:
        raise unknown(kind, id)
    (owner,) = found
    if not may_ask(asks, kind, owner):
        raise unknown(kind, id)
    return packed


def _item(one: Happened) -> Item:
    changes = [Change(field=c.field, old=c.old, new=c.new) for c in one.changes]
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


def _signer(key: bytes, what: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=what)


async def _cursor(here: State, what: str, last: Happened) -> str:
    """Where the next page begins, signed for this timeline with these filters."""
    at, *rest = last.position
    signer = _signer(await keys.load(here.pool, "cursors"), what)
    return str(signer.dumps([at.isoformat(), *rest]))


async def _position(here: State, what: str, cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        at, version, id, source = _signer(await keys.load(here.pool, "cursors"), what).loads(cursor)
    except BadSignature:
        text = "must be `next` of a page of this timeline with the same filters"
        raise problems.invalid(FieldError("cursor", text)) from None
    return datetime.fromisoformat(at), version, id, source
