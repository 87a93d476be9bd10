"""POST /api/commands: a command is stored, sent, and its outcome waited for; or planned."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from contracts import names
from contracts.envelope import FieldError, field_errors
from contracts.fields import Instant
from contracts.message import Command
from contracts.packages import CancelPackage
from contracts.sentences import printable
from services.runtime.service import Pool, Row
from services.tracking import commands, verdicts
from services.tracking.commands import Asked
from services.tracking.queries import preview, subjects
from services.tracking.queries.preview import Figures
from services.tracking.web import envelopes, outcomes, previews, rights
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.envelopes import Headers, Sent
from services.tracking.web.examples import ACCEPTED, CHECKED, COMMAND, OUTCOME, problems
from services.tracking.web.permission import check_send
from services.tracking.web.problems import Problem, invalid
from services.tracking.web.rights import Reach
from services.tracking.web.state import Here, State

router = APIRouter(prefix="/api", tags=["commands"])

LOOK_EVERY = 0.25
"""Seconds after which a waiting request looks by itself: a hint may be lost."""

At = Annotated[
    str | None, Query(description="when it is to be sent", examples=["2026-12-01T08:00:00Z"])
]
Delay = Annotated[
    str | None, Query(description="seconds until it is sent: time to withdraw it", examples=["10"])
]
Preview = Annotated[
    str | None,
    Query(max_length=2000, description="the token of the preview that this cancel rests on"),
]


@router.post(
    "/commands",
    status_code=202,
    summary="Ask for a change",
    openapi_extra=COMMAND,
    responses={
        200: OUTCOME,
        202: ACCEPTED,
        **problems(401, 403, 404, 409, 412, 413, 422, 429, 503),
    },
)
async def ask(
    request: Request,
    here: Here,
    caller: Asks,
    at: At = None,
    delay: Delay = None,
    preview: Preview = None,
) -> Response:
    """Store a command and send it; 202 with where to look, or with `Prefer: wait` the outcome.

    The same id with the same content is the same command: it gets the same answer.
    """
    seconds = envelopes.wait(request)
    headers = Headers.of(request)
    sent = envelopes.read(await envelopes.body(request), headers, caller.name)
    due_at = await _due(here.pool, at, delay)
    await check_send(here.pool, caller, sent.command)
    asked = Asked(sent.id, sent.command, caller.name, sent.correlationid, due_at=due_at)
    row = await commands.find(here.pool, asked.id)
    if row is None:
        figures = await _figures(here.pool, sent.command, preview)
        await _add(here, asked, figures, sent)
    elif not commands.is_same(row, asked):
        raise reused(row, caller)
    elif row["state"] == "sending":
        await here.broker.send(asked, traceparent=sent.traceparent)
    return await answer(here, caller, asked.id, seconds)


async def _add(here: State, asked: Asked, figures: Figures | None, sent: Sent) -> None:
    if asked.due_at is not None and figures is not None:
        asked = Asked(
            asked.id,
            asked.command,
            asked.sender,
            asked.correlationid,
            due_at=asked.due_at,
            preview=figures.columns,
        )
    if not await commands.add(here.pool, [asked]):
        row = await commands.find(here.pool, asked.id)
        if row is not None and not commands.is_same(row, asked):
            raise reused(row, None)
        # The same request twice at once: the other one sends it.
        return
    await here.hub.tell(f"command:{asked.id}", "commands")
    if asked.due_at is None:
        await here.broker.send(asked, traceparent=sent.traceparent)


async def answer(here: State, caller: Caller, id: str, seconds: float) -> Response:
    """What became of a command, waited for if it was asked for, else where to look."""
    row = await _awaited(here, id, seconds)
    headers = {"Location": outcomes.location(id)}
    if seconds:
        headers["Preference-Applied"] = f"wait={seconds:g}"
    body = outcomes.state(row)
    if not seconds or not commands.is_seen(row) or row["outcome"] == "parked":
        return outcomes.answer(body, 202, headers)
    if row["outcome"] == "refused":
        raise outcomes.refusal(row, await _present(here.pool, caller, row))
    if body["version"] is not None:
        headers["ETag"] = f'"{body["version"]}"'
    return outcomes.answer(body, 200, headers)


async def _awaited(here: State, id: str, seconds: float) -> Row:
    """The row of a command once it is seen, at the latest after so many seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    listener = here.hub.listen(f"command:{id}".__eq__)
    try:
        while True:
            row = await commands.find(here.pool, id)
            assert row is not None
            left = until - loop.time()
            ended = commands.is_seen(row) or row["state"] in ("planned", "withdrawn")
            if ended or left <= 0 or here.hub.closing:
                return row
            await listener.wait(min(LOOK_EVERY, left))
    finally:
        here.hub.leave(listener)


async def _present(pool: Pool, caller: Caller, row: Row) -> dict[str, Any] | None:
    """What the subject of a refused command is now; of somebody else's order nothing."""
    known = await subjects.load(pool, [commands.command_of(row)])
    for rows in (known.orders, known.packages, known.campaigns, known.entities):
        if (found := rows.get(row["subject"])) is not None:
            if caller.scope is not None and found.get("entity_id") != caller.scope:
                return None
            shown = ("label", "status", "edition", "version", "active", "changed_at", "changed_by")
            return orjson_ready({name: found[name] for name in shown if name in found})
    return None


def orjson_ready(values: dict[str, Any]) -> dict[str, Any]:
    """Values with moments as text, for an answer that is no JSON of ours."""
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def reused(row: Row, caller: Caller | None) -> Problem:
    """409: the id has been used for something else; of somebody else's command it says nothing."""
    if caller is not None and row["sender"] != caller.name:
        text = f"id {row['command_id']} was used by another sender; use another id"
    else:
        name = names.short_type(row["type"])
        text = (
            f"id {row['command_id']} was used for {name} of {row['subject']} with other content; "
            "use another id for another command"
        )
    return Problem(409, "id_reused", text)


async def check_ids(pool: Pool, caller: Caller, asked: Sequence[Asked]) -> None:
    """Let ids be used again for the same alone; raises Problem 409 before anything is stored."""
    first = {one.id: one for one in reversed(asked)}
    for one in asked:
        if not commands.are_same(one, first[one.id]):
            text = f"id {one.id} is given to two commands with other content; give each its own"
            raise Problem(409, "id_reused", text)
    for row in await commands.find_all(pool, [*first]):
        if not commands.is_same(row, first[row["command_id"]]):
            raise reused(row, caller)


_instant: TypeAdapter[datetime] = TypeAdapter(Instant)
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


async def _due(pool: Pool, at: str | None, delay: str | None) -> datetime | None:
    """When a command is to be sent; None is now."""
    if at is None and delay is None:
        return None
    now = await commands.now(pool)
    if at is not None and delay is not None:
        raise invalid(FieldError("at", "and delay say both when; give one of them"))
    if at is not None:
        try:
            # A plus sign in a query is a space to those who do not escape it.
            due = _instant.validate_python(at.replace(" ", "+"))
        except ValidationError as error:
            raise invalid(*field_errors(error, "at")) from error
        if due <= now:
            raise invalid(FieldError("at", f"must be later than now, {now:%Y-%m-%dT%H:%M:%SZ}"))
    else:
        assert delay is not None
        if not _SECONDS.fullmatch(delay):
            raise invalid(
                FieldError("delay", f"must be seconds, such as 10, not '{printable(delay)}'")
            )
        if float(delay) == 0:
            return None
        due = now + timedelta(seconds=min(float(delay), 10**9))
    if due > now + commands.LONGEST_PLAN:
        days = commands.LONGEST_PLAN.days
        raise invalid(FieldError("at" if at else "delay", f"must be within {days} days from now"))
    return due


async def _figures(pool: Pool, command: Command, text: str | None) -> Figures | None:
    """The figures of the preview that a cancel rests on; raises Problem where they moved."""
    if text is None:
        return None
    if not isinstance(command, CancelPackage):
        name = names.short_type(command.wire_type)
        raise invalid(FieldError("preview", f"is for package.cancel alone, not for {name}"))
    then = await previews.read(pool, text)
    if then is None or then.package_id != command.package_id:
        text = f"must be the token of a preview of package {command.package_id}"
        raise invalid(FieldError("preview", text))
    now = await preview.figures(pool, command.package_id)
    if now is not None and preview.has_drifted(then, now):
        raise Problem(
            409,
            "preview_drifted",
            preview.drift(then, now),
            shown=then.columns,
            present=now.columns,
        )
    return then


@router.post(
    "/commands/check",
    summary="Ask what would become of a command, without sending it",
    openapi_extra=COMMAND,
    responses={200: CHECKED, **problems(401, 403, 413, 422, 429)},
)
async def check(request: Request, here: Here, caller: Asks) -> Response:
    """Check a command against its contract and, as far as it can tell, the read model."""
    headers = Headers.of(request)
    sent = envelopes.read(await envelopes.body(request), headers, caller.name)
    await check_send(here.pool, caller, sent.command)
    known = await subjects.load(here.pool, [sent.command])
    found = verdicts.foretell(sent.command, known)
    body = {
        "type": sent.command.wire_type,
        "subject": sent.command.subject,
        "outcome": found.outcome,
        "code": found.code,
        "message": found.message,
        "version": found.version,
        "errors": [{"field": e.field, "message": e.message} for e in found.errors],
        "as_of": known.as_of,
    }
    return outcomes.answer(body, 200, {"Cache-Control": "no-store"})


@router.delete(
    "/commands/{id}",
    summary="Withdraw a command that is not sent yet",
    responses={200: OUTCOME, **problems(401, 403, 404, 409, 422, 429)},
)
async def withdraw(id: str, here: Here, caller: Asks) -> Response:
    """Withdraw a planned command, or one that RabbitMQ has not taken; 409 where it is sent."""
    row = await commands.find(here.pool, id) if "\0" not in id else None
    if row is None or not may_see(caller, row):
        raise Problem(404, "not_found", f"there is no command {id[:128]!r} of yours")
    if row["state"] != "withdrawn":
        message = f"withdrawn by {caller.name}"
        if not await commands.withdraw(here.pool, id, message):
            row = await commands.find(here.pool, id)
            assert row is not None
            if row["state"] != "withdrawn":
                present = {"state": row["state"]}
                raise Problem(409, "wrong_status", _not_withdrawn(row), present=present)
        await here.hub.tell(f"command:{id}", "commands")
        row = await commands.find(here.pool, id)
        assert row is not None
    return outcomes.answer(outcomes.state(row), 200, {})


def _not_withdrawn(row: Row) -> str:
    if row["state"] == "sending":
        return f"command {row['command_id']} is just being sent; try again in some seconds"
    return f"command {row['command_id']} is {row['state']}; what is sent cannot be withdrawn"


def may_see(caller: Caller, row: Row) -> bool:
    """Whether a command is one that the caller may look at and withdraw."""
    return row["sender"] == caller.name or rights.may_read(caller, "commands") is Reach.ALL
