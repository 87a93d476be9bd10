"""What is kept because it cannot be handled now: waiting commands and parked messages.

Both are rows of one table, each with its kind.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import orjson

from contracts.outcomes import MessageReleased, Release
from services.runtime.decision import Cause
from services.runtime.messages import item
from services.runtime.messages.item import Item, Origin, Source
from services.runtime.postgres.database import Connection, Row
from services.runtime.service import Routes

# The same message again only renews its reason.
KEEP = """
INSERT INTO kept (kind, kept_at, line, digest, reason, error, traceback, source, id, type, subject,
                  exchange, routing_key, reply_to, correlation_id, message_id, headers, body,
                  content)
SELECT $1, m.* FROM unnest(
    $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text[], $17::text[]::jsonb[], $18::bytea[], $19::bytea[]) AS m
ON CONFLICT (digest) DO UPDATE
SET reason = excluded.reason, error = excluded.error, traceback = excluded.traceback,
    retry_at = NULL
RETURNING digest, number, attempts, kept_at, xmax = 0 AS is_new
"""
PARK_AGAIN = """
UPDATE kept SET reason = $2, error = $3, traceback = $4, retry_at = NULL, attempts = attempts + 1
WHERE number = $1 RETURNING number, attempts, kept_at
"""


class Parking(NamedTuple):
    """A message to park, and why: the reason, the error and its traceback."""

    item: Item
    reason: str
    error: str
    trace: str | None


async def park(
    conn: Connection, parkings: Sequence[Parking], now: datetime
) -> list[tuple[Parking, Row]]:
    """Keep messages with their reasons; returns those that are news, with their rows."""
    anew: dict[str, Parking] = {}
    parked: list[tuple[Parking, Row]] = []
    for parking in parkings:
        if parking.item.source.kind == "retry":
            why = (parking.reason, parking.error[:4000], parking.trace)
            rows = await conn.fetch(PARK_AGAIN, parking.item.source.number, *why)
            parked += [(parking, row) for row in rows]
        else:
            anew[parking.item.digest] = parking
    if anew:
        columns = [_parked(p, d, now) for d, p in anew.items()]
        rows = await conn.fetch(KEEP, "parked", *zip(*columns, strict=True))
        parked += [(anew[row["digest"]], row) for row in rows if row["is_new"]]
    return parked


def _parked(parking: Parking, digest: str, now: datetime) -> tuple[object, ...]:
    why = (parking.reason, parking.error[:4000], parking.trace)
    return _row(parking.item, now, None, digest, *why)


Wait = tuple[Item, str | None]
"""A message that waits: in line behind a lock, or for what it names to become known."""


async def wait(conn: Connection, waits: Sequence[Wait]) -> None:
    """Keep messages to be decided again, in order of arrival."""
    why = (None, None, None, None)
    rows = [_row(one, one.received_at, line, *why) for one, line in waits]
    await conn.fetch(KEEP, "waiting", *zip(*rows, strict=True))


def _row(
    kept: Item, kept_at: datetime | None, line: str | None, *why: str | None
) -> tuple[object, ...]:
    origin = kept.origin
    asked = (origin.reply_to, origin.correlation_id, origin.message_id)
    headers = {text(key): _plain(value) for key, value in origin.headers().items()}
    named = (*(kept.identity or (None, None)), kept.type, kept.subject)
    sent = (origin.exchange, origin.routing_key, *asked, orjson.dumps(headers).decode())
    return (kept_at, line, *why, *named, *sent, kept.raw, kept.content)


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | None) else text(str(value))


def text(value: str) -> str:
    """A text as Postgres and UTF-8 can keep it, without NUL and halves of characters."""
    return value.encode(errors="backslashreplace").decode().replace("\x00", "\\0")


FORGET = "DELETE FROM kept WHERE number = ANY ($1::bigint[])"


async def forget(conn: Connection, numbers: Sequence[int]) -> None:
    """Delete the rows of messages that have been decided."""
    await conn.execute(FORGET, numbers)


ORIGIN = ("exchange", "routing_key", "reply_to", "correlation_id", "message_id")
_SAID = ("body", "kept_at", "source", "id", "comment", "replaced", "asked")
READ = ", ".join(("number", *ORIGIN, *_SAID))
"""The columns that `read` needs."""


def read(row: Row, kind: Literal["waiting", "line", "retry"], routes: Routes) -> list[Item]:
    """The message that a row keeps, handled under the identity it was kept with."""
    identity = (row["source"], row["id"]) if row["id"] else None
    source = Source(kind, row["number"], identity, row["comment"], row["replaced"], asked_by(row))
    origin = Origin(**{name: row[name] for name in ORIGIN})
    return item.read(origin, row["body"], routes, row["kept_at"], source)


def asked_by(row: Row) -> Cause | None:
    """The command of the operator who wants a message handled again, as the cause of what follows.

    None where there was none: it was asked for at the table.
    """
    return Cause(**row["asked"]) if row["asked"] else None


def released(service: str, number: int, how: Release, comment: str | None) -> MessageReleased:
    """The event of a message that is parked no more."""
    return MessageReleased(service=service, number=number, how=how, comment=comment)


# What is of a type that this version does not read is left to a newer worker for so long.
_DUE = """kind = 'waiting' AND line IS NULL
           AND (routing_key = ANY ({0}::text[]) OR kept_at < now() - {1}::interval)"""
ANY_WAITING = f"SELECT EXISTS (SELECT FROM kept WHERE {_DUE.format('$1', '$2')})"


def _chunk(where: str) -> str:
    # At least one, and no more than the bytes of a batch: a command may have a million of them.
    return f"""
SELECT {READ}
FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY number) - octet_length(body) AS before
      FROM (SELECT * FROM kept WHERE {where} ORDER BY number LIMIT $2) AS next) AS chunk
WHERE before < $3 ORDER BY number
"""


WAITING = _chunk(f"{_DUE.format('$4', '$5')} AND number > $1")


class Line(NamedTuple):
    """A key whose messages wait for a lock, how many they are, and since when the first waits."""

    key: str
    waiting: int
    since: datetime


LINES = """
SELECT line, count(*) AS count, min(kept_at) AS since FROM kept
WHERE line IS NOT NULL GROUP BY line ORDER BY min(number)
"""
IN_LINE = _chunk("line = $1")
# It is claimed for a minute, not for good: a worker that ends does not forget it.
CLAIM_RETRY = f"""
UPDATE kept SET retry_at = now() + interval '1 minute'
WHERE number = (SELECT number FROM kept WHERE retry_at <= now()
                ORDER BY retry_at, number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {READ}, reason, headers ->> 'partitionkey' AS partitionkey
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
