"""Each message is handled once: the inbox keeps its answer, written with its effect."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import orjson

from contracts.envelope import FieldError
from services.runtime.database import Connection, Pool
from services.runtime.plain import plain

T = TypeVar("T")

Identity = tuple[str, str]
"""Source and id of a message."""


@plain(frozen=True, slots=True)
class Answer:
    """What was decided about a message; outcome is accepted, unchanged, refused or parked."""

    outcome: str
    code: str | None = None
    message: str | None = None
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


class TakenMeanwhile(ConnectionError):
    """Another worker committed one of these messages while we decided; decide again."""


FIND = """
SELECT i.source, i.id, i.outcome, i.code, i.message, i.version, i.errors
FROM unnest($1::text[], $2::text[]) AS m (source, id)
JOIN inbox i ON i.source = m.source AND i.id = m.id
"""


async def find(conn: Connection, messages: Iterable[Identity]) -> dict[Identity, Answer]:
    """The answers of those messages that were handled before."""
    wanted = list(messages)
    if not wanted:
        return {}
    rows = await conn.fetch(FIND, [source for source, _ in wanted], [id for _, id in wanted])
    return {
        (row["source"], row["id"]): Answer(
            row["outcome"],
            row["code"],
            row["message"],
            row["version"],
            tuple(FieldError(**error) for error in row["errors"] or ()),
        )
        for row in rows
    }


ADD = """
INSERT INTO inbox (source, id, type, received_at, outcome, code, message, version, errors)
SELECT source, id, type, $9, outcome, code, message, version, errors::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
            $8::text[]) AS m (source, id, type, outcome, code, message, version, errors)
ORDER BY source, id
ON CONFLICT (source, id) DO UPDATE
SET received_at = excluded.received_at, outcome = excluded.outcome, code = excluded.code,
    message = excluded.message, version = excluded.version, errors = excluded.errors
WHERE inbox.outcome = 'parked'
"""

Handled = tuple[Identity, str, Answer]
"""A message's identity, its type, and what was decided."""


async def add(conn: Connection, handled: Sequence[Handled], now: datetime) -> None:
    """Record what was decided; raises TakenMeanwhile when another worker was first.

    That a message was parked gives way to whatever becomes of it later.
    """
    if not handled:
        return
    answers = [answer for _, _, answer in handled]
    status = await conn.execute(
        ADD,
        [source for (source, _), _, _ in handled],
        [id for (_, id), _, _ in handled],
        [type_ for _, type_, _ in handled],
        [answer.outcome for answer in answers],
        _column([answer.code for answer in answers]),
        _column([answer.message for answer in answers]),
        _column([answer.version for answer in answers]),
        # As text: of an array of lists the driver would make a matrix.
        _column([orjson.dumps(a.errors).decode() if a.errors else None for a in answers]),
        now,
    )
    if int(status.rpartition(" ")[2]) != len(handled):
        raise TakenMeanwhile("another worker handled one of these messages first")


def _column(values: list[T]) -> list[T] | None:
    """An array for unnest, which takes none for one of nulls; the driver looks long at each."""
    return values if any(value is not None for value in values) else None


# A row whose message is still parked stays: a retry must find what was answered.
CLEAN_INBOX = """
DELETE FROM inbox WHERE (source, id) IN (
    SELECT i.source, i.id FROM inbox i
    WHERE i.received_at < $1
      AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.source = i.source AND p.id = i.id)
    ORDER BY i.received_at LIMIT 5000)
"""
CLEAN_EMITTED = """
DELETE FROM emitted
WHERE ctid = ANY (ARRAY(SELECT ctid FROM emitted WHERE at < $1 ORDER BY at LIMIT 5000))
"""
# What a worker that died had begun, and nobody was given again.
CLEAN_ATTEMPTS = """
DELETE FROM attempts WHERE digest IN (SELECT digest FROM attempts WHERE last < $1 LIMIT 5000)
"""
CLEAN = (CLEAN_INBOX, CLEAN_EMITTED, CLEAN_ATTEMPTS)
ONE_CLEANER = "SELECT pg_try_advisory_xact_lock(hashtext('relais.cleaner'))"


async def clean(pool: Pool, before: datetime) -> bool:
    """Delete one chunk of what is older; says whether there is more. One worker at a time."""
    async with pool.acquire() as conn, conn.transaction():
        if not await conn.fetchval(ONE_CLEANER):
            return False
        done = [await conn.execute(statement, before) for statement in CLEAN]
    return any(status.endswith(" 5000") for status in done)


def horizon(now: datetime, days: int) -> datetime:
    """Rows from before this moment may go."""
    return now - timedelta(days=days)
