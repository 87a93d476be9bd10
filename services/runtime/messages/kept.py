"""What is kept because it cannot be handled now: waiting commands and parked messages.

Both are rows of one table, each with its kind.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.runtime.messages.item import Item
from services.runtime.postgres.database import Connection

KEEP = """
INSERT INTO kept (kind, digest, reason, error, traceback, source, id, type, exchange, routing_key,
                  reply_to, correlation_id, message_id, headers, body, kept_at, line)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (digest) DO UPDATE
SET reason = excluded.reason, error = excluded.error, traceback = excluded.traceback,
    retry_at = NULL
"""
PARK_AGAIN = """
UPDATE kept SET reason = $2, error = $3, traceback = $4, retry_at = NULL WHERE number = $1
"""


Parking = tuple[Item, str, str, str | None]
"""A message to park, and why: the reason, the error and its traceback."""


async def park(conn: Connection, parkings: Sequence[Parking], now: datetime) -> None:
    """Keep messages with their reasons; the same message again only renews its reason."""
    again, anew = [], []
    for item, reason, error, trace in parkings:
        why = (reason, error[:4000], trace)
        if item.source.kind == "retry":
            again.append((item.source.number, *why))
        else:
            anew.append(_row("parked", item, now, None, item.digest, *why))
    await conn.executemany(PARK_AGAIN, again)
    await conn.executemany(KEEP, anew)


Wait = tuple[Item, str | None]
"""A message that waits: in line behind a lock, or for what it names to become known."""


async def wait(conn: Connection, waits: Sequence[Wait]) -> None:
    """Keep messages to be decided again, in order of arrival."""
    why = (None, None, None, None)
    rows = [_row("waiting", item, item.received_at, line, *why) for item, line in waits]
    await conn.executemany(KEEP, rows)


def _row(
    kind: str, item: Item, kept_at: datetime | None, line: str | None, *why: str | None
) -> tuple[object, ...]:
    origin = item.origin
    asked = (origin.reply_to, origin.correlation_id, origin.message_id)
    headers = {text(key): _plain(value) for key, value in origin.headers().items()}
    message = (*(item.identity or (None, None)), item.type, origin.exchange, origin.routing_key)
    return (kind, *why, *message, *asked, headers, item.raw, kept_at, line)


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | None) else text(str(value))


def text(value: str) -> str:
    """A text as Postgres and UTF-8 can keep it, without NUL and halves of characters."""
    return value.encode(errors="backslashreplace").decode().replace("\x00", "\\0")


FORGET = "DELETE FROM kept WHERE number = ANY ($1::bigint[])"


async def forget(conn: Connection, numbers: Sequence[int]) -> None:
    """Delete the rows of messages that have been decided."""
    await conn.execute(FORGET, numbers)


# What is of a type that this version does not read is left to a newer worker for so long.
_DUE = """kind = 'waiting' AND line IS NULL
           AND (routing_key = ANY ({0}::text[]) OR kept_at < now() - {1}::interval)"""
ANY_WAITING = f"SELECT EXISTS (SELECT FROM kept WHERE {_DUE.format('$1', '$2')})"
# At least one, and no more than the bytes of a batch: a command may have a million of them.
WAITING = f"""
SELECT number, exchange, routing_key, body, reply_to, correlation_id, message_id, kept_at
FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY number) - octet_length(body) AS before
      FROM (SELECT * FROM kept WHERE {_DUE.format("$4", "$5")} AND number > $1
            ORDER BY number LIMIT $2) AS next) AS chunk
WHERE before < $3 ORDER BY number
"""


class Line(NamedTuple):
    """A key whose messages wait for a lock, how many they are, and since when the first waits."""

    key: str
    waiting: int
    since: datetime


LINES = """
SELECT line, count(*) AS count, min(kept_at) AS since FROM kept
WHERE line IS NOT NULL GROUP BY line ORDER BY min(number)
"""
IN_LINE = """
SELECT number, exchange, routing_key, body, reply_to, correlation_id, message_id, kept_at
FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY number) - octet_length(body) AS before
      FROM (SELECT * FROM kept WHERE line = $1 ORDER BY number LIMIT $2) AS next) AS chunk
WHERE before < $3 ORDER BY number
"""
# It is claimed for a minute, not for good: a worker that ends does not forget it.
CLAIM_RETRY = """
UPDATE kept SET retry_at = now() + interval '1 minute'
WHERE number = (SELECT number FROM kept WHERE retry_at <= now()
                ORDER BY retry_at, number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING number, exchange, routing_key, body, reply_to, correlation_id, message_id, kept_at,
          reason, headers ->> 'partitionkey' AS partitionkey
"""
COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'parked') AS parked,
       count(*) FILTER (WHERE kind = 'waiting') AS waiting,
       array_agg(DISTINCT routing_key)
           FILTER (WHERE kind = 'waiting' AND routing_key <> ALL ($1::text[])) AS unread
FROM kept
"""
# An older worker parked them; whoever reads them needs nobody to ask for it.
RETRY_UNREAD = """
UPDATE kept SET retry_at = now()
WHERE kind = 'parked' AND reason = 'unread' AND retry_at IS NULL AND routing_key = ANY ($1::text[])
"""

FIND_ATTEMPTS = "SELECT digest FROM attempts WHERE digest = ANY ($1::text[])"
BEGIN_ATTEMPTS = """
WITH begun AS (
    INSERT INTO attempts (digest, count, last)
    SELECT DISTINCT digest, 1, now() FROM unnest($1::text[]) AS m (digest) ORDER BY digest
    ON CONFLICT (digest) DO UPDATE SET count = attempts.count + 1, last = now()
    RETURNING count)
SELECT max(count) FROM begun
"""
END_ATTEMPTS = "DELETE FROM attempts WHERE digest = ANY ($1::text[])"
