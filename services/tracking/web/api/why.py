"""GET /api/why/{kind}/{id}: the chain of causes of a thing, its root first."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from contracts.envelope import FieldError
from services.tracking import why
from services.tracking.queries import packages
from services.tracking.queries import why as query
from services.tracking.web import problems, rights
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.problems import Problem
from services.tracking.web.state import Here, State

router = APIRouter(tags=["why"])


class Hop(BaseModel):
    """One step: a command that somebody sent, or what a service did because of the one before."""

    id: str
    role: str
    service: str | None
    type: str | None
    subject: str | None
    package_id: str | None
    edition: int | None
    at: datetime | None
    actor: str | None
    comment: str | None
    count: int
    sentence: str


class Why(BaseModel):
    """Why a thing is as it is: in one sentence, and step by step from the root."""

    kind: str
    id: str
    status: str
    sentence: str
    chain: list[Hop]
    remark: str | None
    as_of: datetime


NOW = "SELECT now()"
EXAMPLE = {
    "kind": "order",
    "id": "ORD29",
    "status": "canceled",
    "sentence": "ORD29 is canceled because m.durand canceled CAT86 at 14:02:41: supplier withdrew",
    "chain": [
        {
            "id": "4f7c",
            "role": "command",
            "service": None,
            "type": "relais.package.cancel.v1",
            "subject": "CAT86",
            "package_id": None,
            "edition": None,
            "at": "2026-11-23T14:02:41Z",
            "actor": "m.durand",
            "comment": "supplier withdrew",
            "count": 1,
            "sentence": "m.durand asked for package.cancel of CAT86",
        }
    ],
    "remark": None,
    "as_of": "2026-11-23T14:03:00Z",
}


@router.get(
    "/api/why/{kind}/{id:path}",
    response_model=Why,
    summary="Why a thing is as it is",
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **documented.errors(404),
    },
)
async def get_why(
    here: Here,
    caller: Asks,
    kind: Annotated[str, Path(description=f"One of {', '.join(query.KINDS)}.")],
    id: Annotated[
        str,
        Path(
            description="The id; of a process `<campaign>/<process>`, of a parked message "
            "`<service>/<number>`."
        ),
    ],
) -> Why:
    """Who asked for what, when, with which comment, and which service did which part of it."""
    parts = _parts(kind, id)
    now: datetime = await here.pool.fetchval(NOW)
    if kind == "command":
        found = await _command(here, caller, id, now)
    else:
        subject = await query.find_subject(here.pool, kind, parts)
        if subject is None or not await may_ask(here, caller, kind, id, subject.owner):
            raise unknown(kind, id)
        found = why.explain(subject, await query.walk(here.pool, subject), now)
    return Why(**asdict(found), as_of=now)


def _parts(kind: str, id: str) -> tuple[Any, ...]:
    """The key of a thing; raises Problem where the kind or the form of the id is none."""
    if kind not in query.KINDS:
        text = f"must be one of {', '.join(query.KINDS)}, not {kind[:80]!r}"
        raise problems.invalid(FieldError("kind", text))
    if "\0" in id:
        raise problems.invalid(FieldError("id", "must have no NUL"))
    parts = tuple(id.split("/")) if kind in query.PARTS else (id,)
    if len(parts) != query.PARTS.get(kind, 1):
        form = "<campaign>/<process>" if kind == "process" else "<service>/<number>"
        raise problems.invalid(FieldError("id", f"must be {form}, not {id[:80]!r}"))
    if kind != "parked":
        return parts
    if not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 19):
        raise problems.invalid(FieldError("id", f"must end with a number, not {parts[1][:80]!r}"))
    return parts[0], int(parts[1])


async def may_ask(here: State, caller: Caller, kind: str, id: str, owner: str | None) -> bool:
    """Whether somebody may know of a thing: local operators of their entity's and of offers."""
    if caller.scope is not None and kind == "package":
        return await packages.find(here.pool, id, caller.scope) is not None
    if caller.scope is not None:
        return owner == caller.scope
    return rights.may_read(caller, kind) is not rights.Reach.NONE


def unknown(kind: str, id: str) -> Problem:
    """404: there is no such thing, or not for who asks."""
    return Problem(404, "not_found", f"there is no {kind} {id[:140]!r}")


async def _command(here: Here, caller: Caller, id: str, now: datetime) -> why.Why:
    asked = await query.find_command(here.pool, id)
    event = await query.find_first_of(here.pool, id)
    if asked is None and event is None:
        raise unknown("command", id)
    known = asked or query.Asked(
        id, actor=event.actor if event else None, at=event.at if event else None
    )
    if known.actor != caller.name and rights.may_read(caller, "command") is not rights.Reach.ALL:
        raise unknown("command", id)
    return why.explain_command(known, event, now)
