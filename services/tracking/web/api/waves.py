"""Waves of parked messages: begin, look at, stop."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.fields import Id, Instant, OptionalComment, Text
from contracts.operations import RetryParked
from services.runtime.service import Row
from services.tracking import commands, waves
from services.tracking.waves import Pace, Which
from services.tracking.web import outcomes
from services.tracking.web.callers import Asks, Role
from services.tracking.web.examples import problems, shown
from services.tracking.web.permission import may_send
from services.tracking.web.problems import Problem
from services.tracking.web.state import Here

router = APIRouter(prefix="/api", tags=["parked"])

READERS = frozenset({Role.CENTRAL, Role.OPERATIONS, Role.VIEWER})
Short = Annotated[Text, Field(min_length=1, max_length=500)]


class Begin(BaseModel):
    """Which parked messages of a service, and how fast; until is the click where it is absent."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "service": "notifications",
                    "reason": "failed",
                    "size": 100,
                    "pause": 10,
                    "stop_at_percent": 20,
                }
            ]
        },
    )

    service: Id
    reason: Short | None = None
    type: Short | None = None
    error_kind: Short | None = None
    until: Instant | None = None
    size: Annotated[int, Field(ge=1, le=1000, strict=True)] = 100
    pause: Annotated[float, Field(ge=0, le=86_400)] = 10
    stop_at_percent: Annotated[float, Field(ge=0, le=100)] = 20
    comment: OptionalComment | None = None


EXAMPLE = shown(
    "How far it is",
    {
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
    },
)


@router.post(
    "/parked/waves",
    status_code=202,
    summary="Retry parked messages in waves",
    responses={202: EXAMPLE, **problems(401, 403, 422, 429)},
)
async def begin(given: Begin, here: Here, caller: Asks) -> Response:
    """Retry the parked messages of one cause some at a time, until too many are parked again."""
    probe = RetryParked(service=given.service, numbers=[1])
    if problem := await may_send(here.pool, caller, probe):
        raise problem
    until = given.until or await commands.now(here.pool)
    row = await waves.add(
        here.pool,
        str(uuid.uuid4()),
        Which(given.service, given.reason, given.type, given.error_kind, until),
        Pace(given.size, given.pause, given.stop_at_percent),
        sender=caller.name,
        comment=given.comment,
    )
    assert row is not None
    return outcomes.answer(_state(row), 202, {"Location": f"/api/waves/{row['wave_id']}"})


@router.get(
    "/waves/{id}",
    summary="How far waves are",
    responses={200: EXAMPLE, **problems(401, 403, 404, 429)},
)
async def show(id: str, here: Here, caller: Asks) -> Response:
    """What has been released and what was parked again, so far."""
    if caller.role not in READERS:
        text = f"{caller.name} ({caller.role}) may not look at waves; operations may"
        raise Problem(403, "forbidden", text)
    return outcomes.answer(_state(await _found(here, id)), 200, {"Cache-Control": "no-store"})


@router.delete(
    "/waves/{id}",
    summary="Begin no further wave",
    responses={200: EXAMPLE, **problems(401, 403, 404, 409, 429)},
)
async def stop(id: str, here: Here, caller: Asks) -> Response:
    """Stop after the wave under way; what it has asked for is done."""
    row = await _found(here, id)
    probe = RetryParked(service=row["service"], numbers=[1])
    if problem := await may_send(here.pool, caller, probe):
        raise problem
    if not await waves.stop(here.pool, id, f"stopped by {caller.name}"):
        row = await _found(here, id)
        text = f"waves {id} are {row['state']} already: {row['remark'] or 'all were tried'}"
        raise Problem(409, "wrong_status", text, present={"state": row["state"]})
    return outcomes.answer(_state(await _found(here, id)), 200, {})


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
