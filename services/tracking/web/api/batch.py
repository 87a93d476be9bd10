"""POST /api/commands/batch: one command for a fixed set of orders, or a list of commands."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts import catalogue, names
from contracts.envelope import FieldError, field_errors
from contracts.fields import Id, Identity, Instant, OptionalComment
from contracts.message import Command
from contracts.orders import ApproveOrder, CancelOrder, OrderCommand, OrderStatus, RejectOrder
from contracts.sentences import printable
from contracts.values import Known
from services.tracking import batches, commands, verdicts
from services.tracking.batches import Batch
from services.tracking.commands import Asked
from services.tracking.queries import subjects
from services.tracking.verdicts import Verdict
from services.tracking.web import envelopes, outcomes
from services.tracking.web.api.commands import check_ids
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.envelopes import Headers
from services.tracking.web.examples import body, problems, shown
from services.tracking.web.permission import check_send, scope
from services.tracking.web.problems import Problem, invalid
from services.tracking.web.state import Here, State

router = APIRouter(prefix="/api", tags=["commands"])

MOST = 10_000
"""Commands of one batch."""
MOST_BYTES = 16 * 1024 * 1024
EXAMPLES = 10
"""Subjects that a reason names."""
KINDS: dict[str, type[OrderCommand]] = {
    names.short_type(kind.TYPE): kind for kind in (ApproveOrder, RejectOrder, CancelOrder)
}
"""What can be asked of many orders at once."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Filter(_Strict):
    """Which orders; all of its fields have to match, and one of them has to be there."""

    package: Id | None = None
    edition: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    entity: Id | None = None
    status: Annotated[list[Known[OrderStatus]], Field(min_length=1, max_length=5)] | None = None
    late: bool | None = None
    placed_from: Instant | None = None
    placed_to: Instant | None = None
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)] | None = None


class Ask(_Strict):
    """A batch: commands; or a filter with the command for each order; or the id of a dry run."""

    commands: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)] | None = None
    filter: Filter | None = None
    command: str | None = None
    comment: OptionalComment | None = None
    batch_id: Identity | None = None
    dry_run: bool = False


@router.post(
    "/commands/batch",
    status_code=202,
    summary="Ask for many changes",
    openapi_extra=body(
        {
            "filter": {"package": "CAT86", "status": ["ordered"]},
            "command": "order.cancel",
            "comment": "supplier withdrew",
            "dry_run": True,
        },
    ),
    responses={
        200: shown(
            "A dry run: what would happen, and the id by which exactly this is sent",
            {
                "batch_id": "3f0c1e64-77c3-4d4e-a0d0-0e2f4c4e5a11",
                "total": 4120,
                "changes": 4000,
                "already": 83,
                "refused": 37,
                "reasons": [
                    {
                        "outcome": "refused",
                        "code": "wrong_status",
                        "message": "order ORD29 is rejected; order.cancel is accepted from "
                        "approved, available, ordered",
                        "count": 37,
                        "examples": ["ORD29"],
                    }
                ],
                "as_of": "2026-11-23T14:02:31Z",
            },
        ),
        202: shown("They are sent", {"batch_id": "3f0c1e64-77c3", "total": 4120}),
        **problems(401, 403, 404, 409, 413, 422, 429, 503),
    },
)
async def ask(request: Request, here: Here, caller: Asks) -> Response:
    """Send many commands, or with `dry_run` say what would become of them.

    A dry run of a filter fixes its set: its `batch_id` sends exactly that, whatever came since.
    """
    headers = Headers.of(request)
    if headers.errors:
        raise invalid(*headers.errors)
    id = headers.id or str(uuid.uuid4())
    given = await _read(request)
    if given.commands is not None:
        return await _list(here, caller, given, id)
    batch = await _fixed(here, caller, given, id)
    if given.dry_run:
        found = await _foretold(here, [one for _, one in batch.commands()])
        return outcomes.answer({"batch_id": batch.id, **found}, 200, {})
    return await _send_batch(here, caller, batch)


async def _read(request: Request) -> Ask:
    raw = await envelopes.body(request, MOST_BYTES)
    try:
        given = Ask.model_validate(orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        raise invalid(FieldError("body", f"is not JSON in UTF-8: {error}")) from error
    except ValidationError as error:
        raise invalid(*field_errors(error)) from error
    forms = {
        "commands": given.commands is not None,
        "filter": given.filter is not None,
        "batch_id": given.batch_id is not None,
    }
    if sum(forms.values()) != 1:
        text = f"must be just one of {', '.join(forms)}"
        raise invalid(FieldError("body", text))
    return given


async def _fixed(here: State, caller: Caller, given: Ask, id: str) -> Batch:
    """The batch of a filter, made now, or of an earlier dry run."""
    if given.batch_id is not None:
        batch = await batches.find(here.pool, given.batch_id)
        if batch is None or batch.sender != caller.name:
            text = f"there is no batch {given.batch_id!r} of yours; a dry run is kept for a day"
            raise Problem(404, "not_found", text)
        return batch
    kind = _kind(given)
    own = scope(caller, kind)
    data = {} if given.comment is None else {"comment": given.comment}
    if (known := await batches.find(here.pool, id)) is not None:
        return _same(known, Batch(id, caller.name, kind.TYPE, data, ()))
    try:
        kind.read("-", {"package_id": "-", **data})
    except ValidationError as error:
        raise invalid(*field_errors(error)) from error
    assert given.filter is not None
    wanted = given.filter.model_dump()
    if not any(value is not None for value in wanted.values()):
        raise invalid(FieldError("filter", "must name a field, such as package"))
    orders = await batches.matching(
        here.pool, wanted, MOST + 1, entity=own.entity, reviewer=own.reviewer
    )
    if len(orders) > MOST:
        text = f"matches more than {MOST} orders, the most of one batch; narrow it"
        raise invalid(FieldError("filter", text))
    batch = Batch(id, caller.name, kind.TYPE, data, orders)
    if await batches.add(here.pool, batch):
        return batch
    # The same request twice at once: the other one has fixed the set.
    made = await batches.find(here.pool, id)
    return _same(made, batch) if made is not None else batch


def _same(known: Batch, asked: Batch) -> Batch:
    """The batch of the same request before; raises Problem 409 where it was another."""
    same = (known.sender, known.type, known.data) == (asked.sender, asked.type, asked.data)
    if not same:
        by = "another sender" if known.sender != asked.sender else "another command or comment"
        text = f"id {asked.id} was used for a batch with {by}; use another id for another batch"
        raise Problem(409, "id_reused", text)
    return known


def _kind(given: Ask) -> type[OrderCommand]:
    name = names.short_type(given.command or "")
    if (kind := KINDS.get(name)) is None:
        met = f", not '{printable(given.command)}'" if given.command else ""
        raise invalid(FieldError("command", f"must be one of {', '.join(sorted(KINDS))}{met}"))
    return kind


async def _send_batch(here: State, caller: Caller, batch: Batch) -> Response:
    """Send all of a batch; what of it is in vain, the services say."""
    scope(caller, catalogue.COMMANDS[batch.type])
    asked = [
        Asked(id, command, caller.name, batch.id, batch.id) for id, command in batch.commands()
    ]
    asked.sort(key=lambda one: one.command.key)
    await _send(here, caller, asked)
    await batches.sent(here.pool, batch.id)
    await here.hub.tell("commands")
    return _accepted(batch.id, len(asked))


def _accepted(batch_id: str, total: int) -> Response:
    where = f"/api/commands?batch={batch_id}"
    return outcomes.answer({"batch_id": batch_id, "total": total}, 202, {"Location": where})


async def _send(here: State, caller: Caller, asked: Sequence[Asked]) -> None:
    """Rows first; those that were there are sent, or will be, by who added them."""
    if not asked:
        return
    await check_ids(here.pool, caller, asked)
    added = await commands.add(here.pool, asked)
    if new := [one for one in asked if one.id in added]:
        await here.broker.send_many(new)


async def _list(here: State, caller: Caller, given: Ask, batch_id: str) -> Response:
    """A list of commands; nothing is sent where one of them is not valid."""
    assert given.commands is not None
    sent, errors = [], []
    for n, raw in enumerate(given.commands):
        try:
            headers = Headers(None if "id" in raw else f"{batch_id}.{n}", None, ())
            sent.append(envelopes.read(orjson.dumps(raw), headers, caller.name))
        except Problem as problem:
            errors += [FieldError(f"commands.{n}.{e.field}", e.message) for e in problem.errors]
    if errors:
        raise invalid(*errors[:100])
    for one in sent:
        await check_send(here.pool, caller, one.command)
    if given.dry_run:
        return outcomes.answer(await _foretold(here, [one.command for one in sent]), 200, {})
    asked = [Asked(one.id, one.command, caller.name, batch_id, batch_id) for one in sent]
    await _send(here, caller, asked)
    return _accepted(batch_id, len(asked))


async def _foretold(here: State, found: Sequence[Command]) -> dict[str, Any]:
    known = await subjects.load(here.pool, found)
    told = [(one, verdicts.foretell(one, known)) for one in found]
    return summary(told, known.as_of)


def summary(told: Sequence[tuple[Command, Verdict]], as_of: datetime) -> dict[str, Any]:
    """How many would change, are so already, and are refused, and why."""
    groups: defaultdict[tuple[str, str | None], list[tuple[Command, Verdict]]] = defaultdict(list)
    for command, verdict in told:
        groups[verdict.outcome, verdict.code].append((command, verdict))
    counts = dict.fromkeys(("accepted", "unchanged", "refused"), 0)
    for (outcome, _), some in groups.items():
        counts[outcome] += len(some)
    return {
        "total": len(told),
        "changes": counts["accepted"],
        "already": counts["unchanged"],
        "refused": counts["refused"],
        "reasons": [_reason(key, some) for key, some in groups.items() if key[0] != "accepted"],
        "as_of": as_of,
    }


def _reason(
    key: tuple[str, str | None], some: Sequence[tuple[Command, Verdict]]
) -> Mapping[str, Any]:
    return {
        "outcome": key[0],
        "code": key[1],
        "message": some[0][1].message,
        "count": len(some),
        "examples": [command.subject for command, _ in some[:EXAMPLES]],
    }
