"""Commands: what people and programs asked for over HTTP, and what others asked for in vain."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.fields import Id, Identity
from services.runtime.service import Pool, Row
from services.tracking.queries import counts
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Text, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort

_KEYS = (("t.created_at", INSTANT), ("t.command_id", TEXT))
SORTS = {"newest": Sort(_KEYS, descending=True), "oldest": Sort(_KEYS)}
COLUMNS = """t.command_id, t.type, t.subject, t.source, t.actor, t.sender, t.batch_id, t.state,
    t.created_at, t.due_at, t.sent_at, t.decided_at, t.outcome, t.code, t.message, t.version,
    t.visible_at"""
SOURCE = "commands AS t"
STATES = ("planned", "sending", "sent", "decided", "withdrawn")


class Filters(Dated):
    """Which commands, and in which order."""

    state: Literal["planned", "sending", "sent", "decided", "withdrawn"] | None = None
    outcome: Literal["accepted", "unchanged", "refused", "parked"] | None = None
    type: Annotated[Text | None, Field(description="Such as relais.package.cancel.v1.")] = None
    subject: Id | None = None
    sender: Text | None = None
    batch: Identity | None = None
    sort: Literal["newest", "oldest"] | None = None


async def scan(_: Pool, filters: Filters, sender: str | None) -> Scan:
    """The rows of the list; with a sender only those of that."""
    made = _common(filters, sender)
    made.equal("t.state", filters.state)
    return made


def _common(filters: Filters, sender: str | None) -> Scan:
    sort = SORTS[chosen(filters.sort, tuple(SORTS), "where commands are asked for")]
    made = Scan(COLUMNS, SOURCE, sort)
    made.dated(filters.since, filters.until)
    made.equal("t.outcome", filters.outcome)
    made.equal("t.type", filters.type)
    made.equal("t.subject", filters.subject)
    made.equal("t.sender", filters.sender)
    made.equal("t.sender", sender)
    made.equal("t.batch_id", filters.batch)
    return made


async def tabs(pool: Pool, filters: Filters, sender: str | None) -> Counts:
    """How many of the commands with these filters are in each state."""
    every = _common(filters, sender)
    return counts.filled(await counts.by_value(pool, every, "t.state"), STATES)


FIND = "SELECT * FROM commands WHERE command_id = $1 AND ($2::text IS NULL OR sender = $2)"


async def find(pool: Pool, command_id: str, sender: str | None) -> Row | None:
    """One command; with a sender only if it is of that."""
    return await pool.fetchrow(FIND, command_id, sender)
