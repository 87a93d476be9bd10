"""Waves of parked messages: begin, look at, stop."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.fields import Id, Instant, OptionalComment, Text
from contracts.operations import RetryParked
from services.runtime.service import Row
from services.tracking import commands, waves
from services.tracking.waves import Pace, Which
from services.tracking.web import envelopes, outcomes
from services.tracking.web.callers import Asks
from services.tracking.web.examples import given, problems, shown
from services.tracking.web.permission import check_send
from services.tracking.web.problems import Problem
from services.tracking.web.state import Here

router = APIRouter(prefix="/api", tags=["parked"])

SHOWN = 100
Short = Annotated[Text, Field(min_length=1, max_length=500)]


class Begin(BaseModel):
    """Which parked messages of a service, and how fast; until is the click where it is absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: Id
    reason: Short | None = None
    type: Short | None = None
    error_kind: Short | None = None
    until: Instant | None = None
    size: Annotated[int, Field(ge=1, le=1000, strict=True)] = 100
    pause: Annotated[float, Field(ge=0, le=86_400)] = 10
    stop_at_percent: Annotated[float, Field(ge=0, le=100)] = 20
    comment: OptionalComment | None = None


BeginBody = Annotated[
    Begin,
    given(
        {
            "service": "orders",
            "reason": "failed",
            "size": 100,
            "pause": 10,
            "stop_at_percent": 20,
        }
    ),
]
STATE = {
    "id": "5b1c",
    "service": "notifications",
    "reason": "failed",
    "type": None,
    "error_kind": None,
    "until": "2026-11-23T14:02:31Z",
    "size": 100,
    "pause": 10,
    "stop_at_percent": 20,
    "state": "running",
    "remark": None,
    "total": 4000,
    "wave": 3,
    "released": 290,
    "parked_again": 10,
    "asked_by": "o.martin",
    "created_at": "2026-11-23T14:02:31Z",
    "finished_at": None,
}
EXAMPLE = shown("How far it is", STATE)


@router.post(
    "/parked/waves",
    status_code=202,
    summary="Retry parked messages in waves",
    responses={202: EXAMPLE, **problems(401, 403, 409, 422, 429)},
)
async def begin(asked: BeginBody, request: Request, here: Here, caller: Asks) -> Response:
    """Retry the parked messages of one cause some at a time, until too many are parked again.

    `Idempotency-Key` is the id: the same request again begins nothing new.
    """
    id = envelopes.id_of(request)
    probe = RetryParked(service=asked.service, numbers=[1])
    await check_send(here.pool, caller, probe)
    until = asked.until or await commands.now(here.pool)
    row = await waves.add(
        here.pool,
        id,
        Which(asked.service, asked.reason, asked.type, asked.error_kind, until),
        Pace(asked.size, asked.pause, asked.stop_at_percent),
        sender=caller.name,
        comment=asked.comment,
    )
    if row is None:
        row = await _found(here, id)
        if not _is_same(row, asked, caller.name):
            text = f"id {id} was used for other waves; use another id for these"
            raise Problem(409, "id_reused", text)
    return outcomes.answer(_state(row), 202, {"Location": f"/api/parked/waves/{row['wave_id']}"})


@router.get(
    "/parked/waves",
    summary="The latest waves",
    responses={200: shown("The latest first", {"items": [STATE]}), **problems(401, 403, 429)},
)
async def show_latest(here: Here) -> Response:
    """The latest 100, with how far they are."""
    found = [_state(row) for row in await waves.latest(here.pool, SHOWN)]
    return outcomes.answer({"items": found}, 200, {"Cache-Control": "no-store"})


@router.get(
    "/parked/waves/{id}",
    summary="How far waves are",
    responses={200: EXAMPLE, **problems(401, 403, 404, 422, 429)},
)
async def show(id: str, here: Here) -> Response:
    """What has been released and what was parked again, so far."""
    return outcomes.answer(_state(await _found(here, id)), 200, {"Cache-Control": "no-store"})


@router.delete(
    "/parked/waves/{id}",
    summary="Begin no further wave",
    responses={200: EXAMPLE, **problems(401, 403, 404, 409, 422, 429)},
)
async def stop(id: str, here: Here, caller: Asks) -> Response:
    """Stop after the wave under way; what it has asked for is done."""
    row = await _found(here, id)
    probe = RetryParked(service=row["service"], numbers=[1])
    await check_send(here.pool, caller, probe)
    if not await waves.stop(here.pool, id, f"stopped by {caller.name}"):
        row = await _found(here, id)
        text = f"waves {id} are {row['state']} already: {row['remark'] or 'all were tried'}"
        raise Problem(409, "wrong_status", text, present={"state": row["state"]})
    return outcomes.answer(_state(await _found(here, id)), 200, {})


def _is_same(row: Row, asked: Begin, sender: str) -> bool:
    wanted = asked.model_dump(exclude={"until", "pause"})
    given = {**wanted, "pause_seconds": asked.pause, "sender": sender}
    return all(row[name] == value for name, value in given.items())


async def _found(here: Here, id: str) -> Row:
    row = await waves.find(here.pool, id) if "\0" not in id else None
    if row is None:
        raise Problem(404, "not_found", f"there are no waves {id[:128]!r}")
    return row


def _state(row: Row) -> dict[str, Any]:
    return {
        "id": row["wave_id"],
        "service": row["service"],
        "reason": row["reason"],
        "type": row["type"],
        "error_kind": row["error_kind"],
        "until": row["until"],
        "size": row["size"],
        "pause": row["pause_seconds"],
        "stop_at_percent": row["stop_at_percent"],
        "state": row["state"],
        "remark": row["remark"],
        "total": row["total"],
        "wave": row["number"],
        "released": row["released"],
        "parked_again": row["parked_again"],
        "asked_by": row["sender"],
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
    }
