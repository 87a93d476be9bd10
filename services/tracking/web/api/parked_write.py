"""Mending over HTTP: parked messages and failed notifications are retried, replaced, discarded."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts import catalogue, envelope
from contracts.envelope import Broken, Envelope, FieldError, Unreadable, field_errors
from contracts.fields import Comment, Id, Instant, OptionalComment, Text, Version
from contracts.message import Command
from contracts.notifications import RetryNotifications
from contracts.operations import DiscardParked, ReplaceParked, RetryParked
from contracts.outcomes import Number
from services.tracking import commands
from services.tracking.commands import Asked
from services.tracking.queries import parked_numbers
from services.tracking.web import envelopes, outcomes
from services.tracking.web.api.commands import answer, check_ids
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.examples import ACCEPTED, CANCEL, OUTCOME, given, problems, shown
from services.tracking.web.permission import check_send
from services.tracking.web.problems import invalid
from services.tracking.web.state import Here, State

router = APIRouter(prefix="/api", tags=["parked"])

AT_A_TIME = 1_000
MOST = 100_000
"""Messages that one request may name by their error."""
Short = Annotated[Text, Field(min_length=1, max_length=500)]
SENT = shown(
    "The commands that were sent", {"batch_id": "3f0c1e64", "ids": ["3f0c1e64.0"], "messages": 40}
)


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Filter(_Given):
    """Parked messages of one cause; until is the click where it is absent."""

    reason: Short | None = None
    type: Short | None = None
    error_kind: Short | None = None
    until: Instant | None = None


class Which(_Given):
    """Parked messages of a service: by their numbers, or by a filter."""

    service: Id
    numbers: Annotated[list[Number], Field(min_length=1, max_length=10_000)] | None = None
    filter: Filter | None = None


class Retry(Which):
    """Handle them again."""

    comment: OptionalComment | None = None


class Discard(Which):
    """Give them up; the comment is the reason."""

    comment: Comment


class Replace(_Given):
    """Handle this envelope instead of a parked message."""

    service: Id
    number: Number
    body: dict[str, Any] | str
    comment: Comment


class RetryNotices(_Given):
    """Failed notifications of a package: some by their ids, or all."""

    package_id: Id
    notification_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = None
    failed: bool | None = None
    edition: Version | None = None


RetryBody = Annotated[
    Retry, given({"service": "orders", "filter": {"reason": "failed"}, "comment": "mended"})
]
DiscardBody = Annotated[
    Discard, given({"service": "orders", "numbers": [17], "comment": "sent by mistake"})
]
ReplaceBody = Annotated[
    Replace,
    given(
        {
            "service": "orders",
            "number": 17,
            "body": {"id": "4f7c", "source": "/upstream/erp", **CANCEL},
            "comment": "the comment was missing",
        }
    ),
]
NoticesBody = Annotated[RetryNotices, given({"package_id": "CAT86", "failed": True})]


@router.post(
    "/parked/retry",
    status_code=202,
    summary="Handle parked messages again",
    responses={202: SENT, **problems(401, 403, 409, 422, 429, 503)},
)
async def retry(asked: RetryBody, request: Request, here: Here, caller: Asks) -> Response:
    """Ask a service to handle parked messages again."""
    return await _parked(request, here, caller, asked, RetryParked, asked.comment)


@router.post(
    "/parked/discard",
    status_code=202,
    summary="Give parked messages up",
    responses={202: SENT, **problems(401, 403, 409, 422, 429, 503)},
)
async def discard(asked: DiscardBody, request: Request, here: Here, caller: Asks) -> Response:
    """Ask a service to give parked messages up, for a reason."""
    return await _parked(request, here, caller, asked, DiscardParked, asked.comment)


@router.post(
    "/parked/replace",
    status_code=202,
    summary="Handle another envelope instead of a parked message",
    responses={200: OUTCOME, 202: ACCEPTED, **problems(401, 403, 409, 422, 429, 503)},
)
async def replace(asked: ReplaceBody, request: Request, here: Here, caller: Asks) -> Response:
    """Ask a service to handle what a parked message should have been; it has to be valid."""
    text = asked.body if isinstance(asked.body, str) else orjson.dumps(asked.body).decode()
    if errors := faults(text):
        raise invalid(*errors)
    command = ReplaceParked(
        service=asked.service, number=asked.number, body=text, comment=asked.comment
    )
    return await _one(request, here, caller, command)


@router.post(
    "/notifications/retry",
    status_code=202,
    summary="Send failed notifications again",
    responses={200: OUTCOME, 202: ACCEPTED, **problems(401, 403, 404, 409, 422, 429, 503)},
)
async def retry_notices(asked: NoticesBody, request: Request, here: Here, caller: Asks) -> Response:
    """Ask for failed notifications of a package to be tried again."""
    try:
        data = asked.model_dump(exclude={"package_id"}, exclude_none=True)
        command = RetryNotifications.read(asked.package_id, data)
    except ValidationError as error:
        raise invalid(*field_errors(error)) from error
    return await _one(request, here, caller, command)


def faults(text: str) -> list[FieldError]:
    """What is wrong with an envelope that is to replace another; each field under `body`."""
    elements = envelope.read(text.encode(errors="replace"), exact=True)
    if len(elements) != 1:
        return [FieldError("body", f"must be one envelope, not {len(elements)}")]
    match elements[0]:
        case Envelope(type=type, subject=subject, data=data):
            kind = catalogue.COMMANDS.get(type) or catalogue.EVENTS.get(type)
            if kind is None:
                return [FieldError("body.type", f"is no message of Relais: '{type}'")]
            try:
                kind.read(subject, data)
            except ValidationError as error:
                return list(field_errors(error, "body.data"))
            return []
        case Broken(errors=errors):
            return [FieldError(f"body.{e.field}", e.message) for e in errors]
        case Unreadable(reason=reason, errors=errors):
            found = [FieldError(f"body.{e.field}", e.message) for e in errors]
            return found or [FieldError("body", reason)]


async def _one(request: Request, here: State, caller: Caller, command: Command) -> Response:
    """Send one command, and wait for its outcome if that was asked for."""
    seconds = envelopes.wait(request)
    asked = Asked(envelopes.id_of(request), command, caller.name)
    await _send(here, caller, [asked])
    return await answer(here, caller, asked.id, seconds)


async def _parked(
    request: Request,
    here: State,
    caller: Caller,
    which: Which,
    kind: type[RetryParked] | type[DiscardParked],
    comment: str | None,
) -> Response:
    if (which.numbers is None) == (which.filter is None):
        raise invalid(FieldError("body", "must have either numbers or filter"))
    batch_id = envelopes.id_of(request)
    said = {} if comment is None else {"comment": comment}
    data = await _messages(here, which)
    asked = [
        Asked(
            f"{batch_id}.{n}",
            kind.read(which.service, {**one, **said}),
            caller.name,
            batch_id,
            batch_id,
        )
        for n, one in enumerate(data)
    ]
    await _send(here, caller, asked)
    count = sum(len(one["numbers"]) for one in data) if "numbers" in data[0] else None
    body = {"batch_id": batch_id, "ids": [one.id for one in asked], "messages": count}
    return outcomes.answer(body, 202, {"Location": f"/api/commands?batch={batch_id}"})


async def _messages(here: State, which: Which) -> list[dict[str, Any]]:
    """The messages in as few commands as can name them."""
    numbers: Sequence[int] | None = which.numbers
    if which.filter is not None:
        until = which.filter.until or await commands.now(here.pool)
        if which.filter.error_kind is None:
            all_of = {"until": until, **_given(reason=which.filter.reason, type=which.filter.type)}
            return [{"all_of": all_of}]
        numbers = await parked_numbers.find(
            here.pool,
            which.service,
            until,
            which.filter.reason,
            which.filter.type,
            which.filter.error_kind,
            MOST,
        )
        if not numbers:
            raise invalid(FieldError("filter", "matches no message that is parked now"))
    assert numbers is not None
    return [
        {"numbers": list(numbers[n : n + AT_A_TIME])} for n in range(0, len(numbers), AT_A_TIME)
    ]


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


async def _send(here: State, caller: Caller, asked: Sequence[Asked]) -> None:
    await check_send(here.pool, caller, asked[0].command)
    await check_ids(here.pool, caller, asked)
    added = await commands.add(here.pool, asked)
    if new := [one for one in asked if one.id in added]:
        await here.broker.send_many(new)
