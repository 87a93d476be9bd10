"""The commands that people and programs ask for over HTTP: a row each, before they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from contracts import catalogue
from contracts.message import Command, same, to_json
from contracts.outcomes import CommandOutcome
from services.runtime.service import Connection, Pool, Row

Executor = Connection | Pool

SOURCE = "/relais/tracking"
"""How they are signed."""

LEASE = timedelta(seconds=45)
"""How long one process has to send what it has taken; then another may."""

LONGEST_PLAN = timedelta(days=366)
SHOWN = (
    "command_id, type, subject, data, actor, sender, correlationid, batch_id, state, created_at, "
    "due_at, sent_at, decided_at, outcome, code, message, version, errors, visible_at, preview"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that somebody asks for; preview are the figures that he has seen."""

    id: str
    command: Command
    sender: str
    correlationid: str | None = None
    batch_id: str | None = None
    due_at: datetime | None = None
    preview: Mapping[str, Any] | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of its row."""
        return {
            "command_id": self.id,
            "type": self.command.wire_type,
            "subject": self.command.subject,
            "key": self.command.key,
            "data": orjson.Fragment(self.command.data_json()),
            "source": SOURCE,
            "actor": self.sender,
            "sender": self.sender,
            "correlationid": self.correlationid,
            "batch_id": self.batch_id,
            "state": "sending" if self.due_at is None else "planned",
            "due_at": self.due_at,
            "preview": self.preview,
        }


# One that is sent at once is taken already, by whoever adds it.
ADD = """
INSERT INTO commands (command_id, type, subject, key, data, source, actor, sender, correlationid,
                      batch_id, state, created_at, due_at, taken_until, preview)
SELECT command_id, type, subject, key, data, source, actor, sender, correlationid, batch_id, state,
       now(), coalesce(due_at, now()), CASE WHEN state = 'sending' THEN now() + $2::interval END,
       preview
FROM json_populate_recordset(NULL::commands, $1::text::json)
ORDER BY command_id
ON CONFLICT DO NOTHING
RETURNING command_id
"""


async def add(conn: Executor, asked: Sequence[Asked]) -> set[str]:
    """Add rows; the ids of those that were not there."""
    rows = await conn.fetch(ADD, to_json([one.columns for one in asked]).decode(), LEASE)
    return {row["command_id"] for row in rows}


# The history has the version where the answer to the sender was lost.
FIND = f"""
SELECT {SHOWN}, (SELECT max(h.version) FROM history AS h
                 WHERE h.causationid = c.command_id AND h.subject = c.subject) AS seen_version
FROM commands AS c WHERE command_id = $1
"""


async def find(conn: Executor, id: str) -> Row | None:
    """A command by its id."""
    return await conn.fetchrow(FIND, id)


FIND_ALL = f"SELECT {SHOWN} FROM commands WHERE command_id = ANY ($1::text[])"


async def find_all(conn: Executor, ids: Sequence[str]) -> Sequence[Row]:
    """Those commands of these ids that there are."""
    return await conn.fetch(FIND_ALL, list(ids))


def are_same(one: Asked, other: Asked) -> bool:
    """Whether two commands of one request ask for the same."""
    pair = one.command, other.command
    return one is other or (pair[0].wire_type == pair[1].wire_type and pair[0] == pair[1])


def is_same(row: Row, asked: Asked) -> bool:
    """Whether a row is of the same command of the same sender."""
    command = asked.command
    return (
        row["sender"] == asked.sender
        and row["type"] == command.wire_type
        and row["subject"] == command.subject
        and same(row["data"] or {}, orjson.loads(command.data_json()))
    )


def is_seen(row: Row) -> bool:
    """Whether a command is decided, and the read model shows what it has done, if anything."""
    if row["state"] != "decided":
        return False
    return row["outcome"] != "accepted" or row["visible_at"] is not None


def command_of(row: Row) -> Command:
    """The command of a row."""
    return catalogue.COMMANDS[row["type"]].read(row["subject"], row["data"])


SENT = """
UPDATE commands
SET state = CASE WHEN state = 'sending' THEN 'sent' ELSE state END, message = CASE
        WHEN state = 'sending' THEN NULL ELSE message END,
    sent_at = coalesce(sent_at, now()), taken_until = NULL
WHERE command_id = ANY ($1::text[]) AND state <> 'withdrawn'
"""


async def sent(conn: Executor, ids: Sequence[str]) -> None:
    """The broker has these; some may be decided already."""
    await conn.execute(SENT, list(ids))


# Due at once: what RabbitMQ does not take is taken up by a worker.
NOT_SENT = """
UPDATE commands SET message = $2, taken_until = now()
WHERE command_id = ANY ($1::text[]) AND state = 'sending'
"""


async def not_sent(conn: Executor, ids: Sequence[str], message: str) -> None:
    """RabbitMQ did not confirm these; a worker sends them as soon as it takes them."""
    await conn.execute(NOT_SENT, list(ids), message)


# What was parked is answered again when an operator has decided.
ANSWERED = """
UPDATE commands AS c
SET state = 'decided', outcome = a.outcome, code = a.code, message = a.message,
    version = a.version, errors = a.errors, sent_at = coalesce(c.sent_at, now()),
    decided_at = CASE WHEN c.outcome = 'parked' THEN now() ELSE coalesce(c.decided_at, now()) END
FROM (SELECT * FROM json_populate_recordset(NULL::commands, $1::text::json)
      ORDER BY command_id) AS a
WHERE c.command_id = a.command_id
  AND (c.outcome IS NULL OR c.outcome = 'parked' OR c.version IS NULL AND a.outcome <> 'parked')
"""


async def answered(conn: Executor, outcomes: Sequence[CommandOutcome]) -> None:
    """Store what services answered."""
    found = {
        one.command_id: {
            "command_id": one.command_id,
            "outcome": one.outcome,
            "code": one.code,
            "message": one.message,
            "version": one.version,
            "errors": one.errors,
        }
        for one in outcomes
        if one.command_id
    }
    await conn.execute(ANSWERED, to_json(list(found.values())).decode())


# Also what RabbitMQ did not confirm, while nobody is trying again.
WITHDRAW = """
UPDATE commands SET state = 'withdrawn', decided_at = now(), message = $2 || CASE
        WHEN state = 'sending' THEN '; RabbitMQ had not confirmed it' ELSE '' END
WHERE command_id = $1 AND (state = 'planned' OR state = 'sending' AND taken_until <= now())
RETURNING command_id
"""
GIVE_UP = """
UPDATE commands SET state = 'withdrawn', decided_at = now(), message = $2
WHERE command_id = $1 AND state IN ('planned', 'sending')
"""


async def withdraw(conn: Executor, id: str, message: str) -> bool:
    """Withdraw a command that is not sent; False where it is, or is just being sent."""
    return await conn.fetchval(WITHDRAW, id, message) is not None


async def give_up(conn: Executor, id: str, message: str) -> None:
    """Withdraw a command that can never be sent."""
    await conn.execute(GIVE_UP, id, message)


TAKE = f"""
SELECT {SHOWN} FROM commands
WHERE state IN ('planned', 'sending') AND due_at <= now()
  AND (taken_until IS NULL OR taken_until <= now())
ORDER BY due_at, command_id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
TAKEN = """
UPDATE commands SET state = 'sending', taken_until = now() + $2::interval
WHERE command_id = ANY ($1::text[])
"""


async def take_due(conn: Connection, limit: int) -> list[Row]:
    """Lock commands that are due and that nobody is sending."""
    return list(await conn.fetch(TAKE, limit))


async def taken(conn: Connection, ids: Sequence[str]) -> None:
    """These are about to be sent."""
    await conn.execute(TAKEN, list(ids), LEASE)


NOW = "SELECT now()"


async def now(conn: Executor) -> datetime:
    """The moment, by the clock of the database."""
    found: datetime = await conn.fetchval(NOW)
    return found
