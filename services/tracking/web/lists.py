"""Answers to questions for lists: a page as JSON, or all of it as CSV or NDJSON."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from contracts.envelope import FieldError
from services.runtime.service import Pool, Row
from services.tracking.queries import keyset
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Asked, Paging, Unserved
from services.tracking.queries.keyset import Position, Scan
from services.tracking.queries.progress import Progress, progress
from services.tracking.web import cursors, keys, problems
from services.tracking.web.problems import Problem, invalid, repeated
from services.tracking.web.state import State

ItemT = TypeVar("ItemT", bound=BaseModel)
AskedT = TypeVar("AskedT", bound=Asked)

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
OFFERED = (JSON, CSV, NDJSON)


class Page(BaseModel, Generic[ItemT]):
    """A page of a list."""

    items: list[ItemT]
    next: Annotated[str | None, Field(description="The cursor of the page after this.")]
    prev: Annotated[str | None, Field(description="The cursor of the page before this.")]
    counts: Annotated[
        dict[str, int | str],
        Field(description="Rows by tab; `10,000+` where there are more than were counted."),
    ]
    as_of: Annotated[
        datetime | None, Field(description="What happened before this is in the read model.")
    ]
    behind: Annotated[float | None, Field(description="Seconds from then until now.")]


def given(kind: type[AskedT]) -> Any:
    """The parameters of a request, each given once; all that is wrong with them is said at once."""

    async def asked(request: Request, values: Annotated[Any, Query()]) -> AskedT:
        if errors := repeated(request):
            raise invalid(*errors)
        found: AskedT = values
        return found

    asked.__annotations__["values"] = Annotated[kind, Query()]
    setattr(asked, problems.NAMES_UNKNOWN, True)
    return Depends(asked)


Rows = Callable[[list[Row]], Awaitable[Sequence[BaseModel]]]
"""Makes the items of rows."""


@dataclass(frozen=True, slots=True)
class List:
    """One list as it was asked for; own is the entity whose things alone are shown."""

    name: str
    asked: Paging
    scan: Callable[[Pool], Awaitable[Scan]]
    counts: Callable[[Pool], Awaitable[Counts]]
    items: Rows
    columns: type[BaseModel]
    own: str | None = None
    path: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What a cursor of this list holds for: filters, sort and for whom."""
        filters = self.asked.model_dump(mode="json", exclude={"limit", "cursor"})
        parts = [self.name, self.own, self.path, filters]
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()


async def answer(here: State, request: Request, asked: List) -> Response:
    """What the caller accepts of a list: a page, or every row."""
    wanted = accepted(request.headers.get("accept", ""))
    try:
        scan = await asked.scan(here.pool)
    except Unserved as refusal:
        raise invalid(*refusal.errors) from None
    key = await keys.load(here.pool, "cursors")
    position = _position(key, asked, scan)
    if wanted == JSON:
        return await _page(here, asked, scan, key, position)
    lines = (_csv if wanted == CSV else _ndjson)(here, asked, scan, position)
    disposition = f'attachment; filename="{asked.name}.{"csv" if wanted == CSV else "ndjson"}"'
    media_type = f"{wanted}; charset=utf-8" if wanted == CSV else wanted
    headers = {"Content-Disposition": disposition, **_HEADERS}
    return StreamingResponse(lines, media_type=media_type, headers=headers)


_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}


def _position(key: bytes, asked: List, scan: Scan) -> Position | None:
    cursor = asked.asked.cursor
    if cursor is None:
        return None
    position = cursors.read(key, asked.identity, scan.sort, cursor)
    if position is None:
        raise invalid(
            FieldError(
                "cursor",
                "must be `next` or `prev` of a page of this list with the same filters and sort; "
                "leave it out to begin again",
            )
        )
    return position


async def _page(
    here: State, asked: List, scan: Scan, key: bytes, position: Position | None
) -> Response:
    found = await keyset.page(here.pool, scan, position, asked.asked.limit)

    def cursor(position: Position | None) -> str | None:
        return cursors.write(key, asked.identity, position) if position else None

    items = await asked.items(found.rows)
    counts, reached = await asked.counts(here.pool), await progress(here.pool)
    return page(items, counts, reached, next=cursor(found.next), prev=cursor(found.prev))


def page(
    items: Sequence[BaseModel],
    counts: Counts,
    reached: Progress,
    next: str | None = None,
    prev: str | None = None,
) -> Response:
    """A page as JSON."""
    body = Page[BaseModel].model_construct(
        items=list(items),
        next=next,
        prev=prev,
        counts=counts,
        as_of=reached.as_of,
        behind=reached.behind,
    )
    text = body.model_dump_json(serialize_as_any=True)
    return Response(text, media_type=JSON, headers=_HEADERS)


def accepted(accept: str) -> str:
    """The media type that the caller likes best of those that lists are offered in."""
    parts = sorted((_preference(part) for part in accept.split(",")), key=lambda one: -one[1])
    for name, quality in parts:
        if quality == 0 and name:
            continue
        if name in ("", "*/*", "application/*", JSON):
            return JSON
        if name in ("text/*", CSV):
            return CSV
        if name == NDJSON:
            return NDJSON
    raise Problem(
        406, "not_acceptable", f"Accept must be one of {', '.join(OFFERED)}, not '{accept[:80]}'"
    )


def _preference(part: str) -> tuple[str, float]:
    """A media type that is accepted, and how much it is liked."""
    name, *options = (one.strip() for one in part.lower().split(";"))
    quality = next((o[2:] for o in options if o.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 1.0


async def _ndjson(
    here: State, asked: List, scan: Scan, position: Position | None
) -> AsyncIterator[bytes]:
    async for rows in keyset.chunks(here.pool, scan, position):
        items = await asked.items(rows)
        yield b"".join(item.model_dump_json().encode() + b"\n" for item in items)


async def _csv(
    here: State, asked: List, scan: Scan, position: Position | None
) -> AsyncIterator[bytes]:
    columns = list(asked.columns.model_fields)
    yield csv_lines([columns])
    async for rows in keyset.chunks(here.pool, scan, position):
        items = await asked.items(rows)
        dumped = (item.model_dump(mode="json") for item in items)
        yield csv_lines([[cell(values[name]) for name in columns] for values in dumped])


def csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as lines of CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """A value as a spreadsheet takes it for text: what would be a formula there is quoted."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return orjson.dumps(value).decode()
