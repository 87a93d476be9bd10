"""GET /api/commands: what people and programs asked for, and what came of it."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.fields import Identity, Instant, Text
from services.runtime.service import Row
from services.tracking.queries import sent
from services.tracking.queries.sent import Filters
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks, Caller, Role
from services.tracking.web.lists import Page, given
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/commands", tags=["commands"])

CommandId = Annotated[Identity, Path(examples=["4f7c"])]


class CommandItem(BaseModel):
    """A command in a list."""

    command_id: Identity
    type: Text
    subject: Text
    source: Text | None
    actor: Text | None
    sender: Text | None
    batch_id: Text | None
    state: Text
    created_at: Instant
    due_at: Annotated[Instant | None, Field(description="When it will be sent, where planned.")]
    sent_at: Instant | None
    decided_at: Instant | None
    outcome: Text | None
    code: Text | None
    message: Text | None
    version: int | None
    visible_at: Annotated[
        Instant | None, Field(description="Since when its events are in the read model.")
    ]


class Fault(BaseModel):
    """What is wrong with one field of a command."""

    field: str
    message: str


class CommandDetail(CommandItem):
    """Everything that is known of a command."""

    key: Text | None
    data: dict[str, Any] | None
    correlationid: Text | None
    errors: list[Fault] | None


ITEM: dict[str, Any] = {
    "command_id": "4f7c",
    "type": "relais.package.cancel.v1",
    "subject": "CAT86",
    "source": "/relais/tracking",
    "actor": "m.durand",
    "sender": "m.durand",
    "batch_id": None,
    "state": "decided",
    "created_at": "2026-11-23T14:02:41Z",
    "due_at": None,
    "sent_at": "2026-11-23T14:02:41Z",
    "decided_at": "2026-11-23T14:02:41Z",
    "outcome": "accepted",
    "code": None,
    "message": None,
    "version": 10,
    "visible_at": "2026-11-23T14:02:42Z",
}
COUNTS: dict[str, int | str] = {
    "planned": 1,
    "sending": 0,
    "sent": 0,
    "decided": "9,312+",
    "withdrawn": 2,
}


def _sender(caller: Caller) -> str | None:
    """The one sender whose commands a caller may see; None where that is no limit."""
    return None if caller.role in (Role.CENTRAL, Role.OPERATIONS) else caller.name


async def items(rows: list[Row]) -> list[CommandItem]:
    """Rows of the list."""
    return [CommandItem(**dict(row)) for row in rows]


@router.get(
    "",
    summary="Commands",
    response_model=Page[CommandItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_commands(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """Commands by state, outcome, type, subject, sender and date; those of others for C and O."""
    sender = _sender(caller)
    return await lists.answer(
        here,
        request,
        lists.List(
            "commands",
            asked,
            scan=partial(sent.scan, filters=asked, sender=sender),
            counts=partial(sent.tabs, filters=asked, sender=sender),
            items=items,
            columns=CommandItem,
            own=sender,
        ),
    )


DETAIL = {
    **ITEM,
    "key": "CAT86",
    "data": {"comment": "supplier withdrew"},
    "correlationid": "4f7c",
    "errors": None,
}


@router.get(
    "/{command_id}",
    summary="One command",
    response_model=CommandDetail,
    responses={**documented.one(DETAIL), **documented.errors(404)},
)
async def get_command(
    here: Here,
    caller: Asks,
    command_id: CommandId,
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """One command, and how far it has got."""
    row = await sent.find(here.pool, command_id, _sender(caller))
    if row is None:
        raise single.missing("command", command_id)
    found = CommandDetail(**dict(row))
    reached = (found.state, found.outcome or "-", "visible" if found.visible_at else "-")
    return single.answer(found, "-".join(reached), if_none_match)
