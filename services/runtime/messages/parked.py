"""What an operator does with parked messages: retry, discard, or replace what they say.

A retry, and what replaces a message, are handled by the workers: see sources.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from contracts import envelope, names
from contracts.envelope import Broken, Unreadable
from contracts.outcomes import Release
from services.runtime.decision import Answer, Cause
from services.runtime.messages import answers, kept
from services.runtime.postgres.database import Connection
from services.runtime.tables.transaction import Transaction

RETRIES = "retries"
"""The sweep that handles what is to be retried."""

LOCK = """
SELECT number, retry_at, exchange, now() AS now FROM kept
WHERE kind = 'parked' AND number = ANY ($1::bigint[]) ORDER BY number FOR UPDATE
"""


class Parked(NamedTuple):
    """Those of some numbers that are parked.

    asked are those that somebody wants retried already, busy those that a worker retries just now;
    events are those that came as events, and not as commands.
    """

    numbers: frozenset[int]
    asked: frozenset[int] = frozenset()
    busy: frozenset[int] = frozenset()
    events: frozenset[int] = frozenset()


async def lock(conn: Connection, numbers: Collection[int]) -> Parked:
    """Lock those of these messages that are parked."""
    rows = await conn.fetch(LOCK, sorted(numbers)) if numbers else ()
    asked = [row for row in rows if row["retry_at"] is not None]
    busy = [row["number"] for row in asked if row["retry_at"] > row["now"]]
    return Parked(
        frozenset(row["number"] for row in rows),
        frozenset(row["number"] for row in asked),
        frozenset(busy),
        frozenset(row["number"] for row in rows if row["exchange"] == names.EVENTS),
    )


# One that a worker has claimed for a retry is not to be touched.
FREE = "kind = 'parked' AND (retry_at IS NULL OR retry_at <= now())"
RETRY = f"""
UPDATE kept SET retry_at = now(), comment = $2, asked = $3
WHERE number = ANY ($1::bigint[]) AND {FREE}
"""


async def retry(tx: Transaction, numbers: Sequence[int], comment: str | None, asked: Cause) -> None:
    """Have workers handle parked messages again."""
    await tx.conn.execute(RETRY, numbers, comment, asdict(asked))
    tx.wake(RETRIES)


class Chosen(NamedTuple):
    """Every message parked until a moment, of one reason or one type where they are given."""

    until: datetime
    reason: str | None
    type: str | None


def _fits(first: int) -> str:
    until, reason, type_ = (f"${first + n}" for n in range(3))
    return f"""(kind = 'parked' AND kept_at <= {until}::timestamptz
  AND ({reason}::text IS NULL OR reason = {reason})
  AND ({type_}::text IS NULL OR type = {type_}))"""


IS_ANY = f"SELECT EXISTS (SELECT FROM kept WHERE {_fits(1)})"


async def is_any(conn: Connection, chosen: Chosen) -> bool:
    """Whether there is one of these."""
    return bool(await conn.fetchval(IS_ANY, *chosen))


REASONS = "SELECT DISTINCT reason FROM kept WHERE kind = 'parked' ORDER BY reason LIMIT 20"


async def reasons(conn: Connection) -> list[str]:
    """Why messages are parked."""
    return [row["reason"] for row in await conn.fetch(REASONS)]


def _bounded(rows: str) -> str:
    # At least one message, and no more of them than so many bytes.
    return f"""
SELECT number, fits FROM (
    SELECT number, fits, sum(size * fits::int) OVER (ORDER BY number) - size * fits::int AS before
    FROM ({rows} ORDER BY number LIMIT $2) AS next
) AS chunk WHERE before < $3 ORDER BY number
"""


# So many rows of the table, whatever they are: no piece looks through all of it.
NEXT = _bounded(f"""
SELECT number, coalesce({_fits(4)}, false) AS fits, octet_length(body)::bigint AS size
FROM kept WHERE number > $1""")
NEXT_OF = _bounded("""
SELECT number, kind = 'parked' AS fits, octet_length(body)::bigint AS size
FROM kept WHERE number > $1 AND number = ANY ($4::bigint[])""")


class Next(NamedTuple):
    """The numbers of a chunk that are meant, and the last that was looked at; None at the end."""

    numbers: list[int]
    last: int | None


async def find_next(
    conn: Connection, chosen: Chosen | Sequence[int], after: int, size: int, max_bytes: int
) -> Next:
    """The next of these: at most so many, and but for the first no more than so many bytes."""
    if isinstance(chosen, Chosen):
        rows = await conn.fetch(NEXT, after, size, max_bytes, *chosen)
    else:
        rows = await conn.fetch(NEXT_OF, after, size, max_bytes, chosen)
    numbers = [row["number"] for row in rows if row["fits"]]
    return Next(numbers, rows[-1]["number"] if rows else None)


DISCARD = f"""
DELETE FROM kept WHERE number = ANY ($1::bigint[]) AND {FREE}
RETURNING {kept.READ}, reason, error
"""
CLOSE = """
UPDATE inbox SET outcome = 'refused', message = $3, received_at = $4
WHERE source = $1 AND id = $2 AND outcome = 'parked'
"""


async def discard(
    tx: Transaction,
    service: str,
    numbers: Sequence[int],
    comment: str | None,
    asked: Cause | None = None,
) -> set[int]:
    """Delete parked messages for good; returns the numbers of those that were there.

    Senders get a last answer, and so does whoever sends the same again.  asked is the command that
    wants it, where there is one.
    """
    rows = await tx.conn.fetch(DISCARD, numbers)
    why = f": {comment}" if comment else ""
    for row in rows:
        text = f"discarded by an operator{why}; it was parked ({row['reason']}): {row['error']}"
        answer = Answer("refused", message=text[:1000])
        [item] = kept.read(row, "retry", {})
        released = kept.released(service, row["number"], Release.DISCARDED, comment)
        tx.emit(released, asked or item.cause)
        if reply := answers.reply(service, item, answer):
            tx.send(reply)
        await tx.conn.execute(CLOSE, row["source"], row["id"], answer.message, tx.now)
    return {row["number"] for row in rows}


REPLACE = f"""
UPDATE kept SET body = $2, type = $3, routing_key = $3, comment = $4, replaced = true,
                retry_at = now(), asked = $5
WHERE number = $1 AND {FREE}
RETURNING number
"""


class NotOne(ValueError):
    """What is to replace a message is no envelope."""


async def replace(
    conn: Connection, number: int, body: bytes, comment: str | None, asked: Cause | None = None
) -> bool:
    """Have workers handle this envelope in place of a parked message, and under its identity.

    Returns whether it is there; raises NotOne.
    """
    type_ = type_of(body)
    cause = None if asked is None else asdict(asked)
    return await conn.fetchval(REPLACE, number, body, type_, comment, cause) is not None


def type_of(body: bytes) -> str:
    """The type of the one envelope that a body is; raises NotOne."""
    if body.lstrip().startswith(b"["):
        raise NotOne("one envelope replaces one message, not an array of them")
    [element] = envelope.read(body)
    match element:
        case Unreadable(reason=reason):
            raise NotOne(reason)
        case Broken(errors=errors):
            raise NotOne("; ".join(f"{e.field} {e.message}" for e in errors))
    if names.short(element.type) is None:
        raise NotOne(f"type must have at most 255 bytes, not {len(element.type.encode())}")
    return element.type
