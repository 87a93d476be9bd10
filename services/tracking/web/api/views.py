"""Saved views: a list with its filters, under a name of one's own."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import FieldError
from contracts.fields import Label
from services.runtime.service import Row
from services.tracking.queries import views
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.examples import given
from services.tracking.web.limits import FILTER_CHARACTERS
from services.tracking.web.problems import Problem, invalid
from services.tracking.web.state import Here

router = APIRouter(tags=["views"])

MOST = 200
"""Views that one person may have."""

ViewId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["late-in-spring"])]
List = Literal[
    "packages", "orders", "campaigns", "entities", "notifications", "schedule", "commands", "parked"
]
Version = Annotated[
    str | None, Header(alias="If-Match", description="The version that is to be replaced.")
]


Name = Annotated[str, Field(min_length=1, max_length=64)]
Value = Annotated[str, Field(max_length=FILTER_CHARACTERS)]


class View(BaseModel):
    """A list with the filters, the sort and the size that somebody looks at again and again."""

    model_config = ConfigDict(extra="forbid")

    label: Label = Field(examples=["Late in spring"])
    list: List = Field(examples=["packages"])
    filter: dict[Name, Value] = Field(
        default_factory=dict, max_length=30, examples=[{"late": "true", "folder": "Spring 2027"}]
    )


class Saved(View):
    """A view as it is kept."""

    model_config = ConfigDict(extra="ignore")

    view_id: str = Field(examples=["late-in-spring"])
    version: int = Field(examples=[1])
    changed_at: datetime


class Views(BaseModel):
    """All views of whoever asks."""

    items: list[Saved]


VIEW = {
    "label": "Late in spring",
    "list": "packages",
    "filter": {"late": "true", "folder": "Spring 2027"},
}
SAVED = {
    **VIEW,
    "view_id": "late-in-spring",
    "version": 1,
    "changed_at": "2026-11-23T14:02:41Z",
}
SHOWN = documented.made(200, "The view as it is kept.", SAVED)


def _saved(row: Row) -> Saved:
    return Saved.model_validate(dict(row))


def _unknown(view_id: str) -> Problem:
    return Problem(
        404, "unknown_view", f"view {view_id} is not one of yours; GET /api/views lists them"
    )


@router.get(
    "/api/views",
    summary="Your saved views",
    responses={
        **documented.made(200, "All of them, by label.", {"items": [SAVED]}),
        **documented.errors(),
    },
)
async def list_views(here: Here, caller: Asks) -> Views:
    """All of them, by label."""
    rows = await views.list_views(here.pool, caller.name, MOST)
    return Views(items=[_saved(row) for row in rows])


@router.get(
    "/api/views/{view_id}",
    summary="One saved view",
    responses={**SHOWN, **documented.errors(404)},
)
async def get_view(here: Here, caller: Asks, view_id: ViewId, response: Response) -> Saved:
    """Its list, its filters and its version, which is its ETag."""
    row = await views.find_view(here.pool, caller.name, view_id)
    if row is None:
        raise _unknown(view_id)
    response.headers["ETag"] = f'"{row["version"]}"'
    return _saved(row)


@router.put(
    "/api/views/{view_id}",
    summary="Save a view",
    responses={**SHOWN, **documented.errors(409, 412, 413)},
)
async def save_view(
    here: Here,
    caller: Asks,
    view_id: ViewId,
    view: Annotated[View, given(VIEW)],
    response: Response,
    version: Version = None,
) -> Saved:
    """Make it, or replace it; with If-Match only where it still has that version."""
    expected = _version(version)
    values: tuple[str, str, dict[str, Any]] = (view.label, view.list, view.filter)
    row = await views.save_view(here.pool, caller.name, view_id, values, expected, MOST)
    if row is None:
        raise await _not_saved(here, caller.name, view_id, expected)
    response.headers["ETag"] = f'"{row["version"]}"'
    return _saved(row)


def _version(header: str | None) -> int | None:
    if header is None:
        return None
    text = header.strip().removeprefix('"').removesuffix('"')
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise invalid(FieldError("If-Match", f'must be one version such as "3", not {header!r}'))
    return int(text)


async def _not_saved(here: Here, owner: str, view_id: str, expected: int | None) -> Problem:
    row = await views.find_view(here.pool, owner, view_id)
    if row is not None and expected is not None:
        text = f"view {view_id} has version {row['version']}, not {expected}; look at it again"
        return Problem(412, "version_conflict", text, present=_saved(row).model_dump(mode="json"))
    return Problem(409, "too_many_views", f"you have {MOST} views; delete one first")


@router.delete(
    "/api/views/{view_id}",
    status_code=204,
    summary="Delete a view",
    responses=documented.errors(404),
)
async def delete_view(here: Here, caller: Asks, view_id: ViewId) -> None:
    """It is gone at once."""
    if not await views.delete_view(here.pool, caller.name, view_id):
        raise _unknown(view_id)
