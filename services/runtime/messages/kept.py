"""What is kept because it cannot be handled now: parked messages and waiting commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.runtime.messages.item import Item, Origin
from services.runtime.postgres.database import Connection, Row

PARK = """
INSERT INTO parked (digest, reason, error, traceback, source, id, type, exchange, routing_key,
                    reply_to, correlation_id, message_id, headers, body, parked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (digest) DO UPDATE
SET reason = excluded.reason, error = excluded.error, traceback = excluded.traceback,
    retry_at = NULL
"""


PARK_AGAIN = """
UPDATE parked SET reason = $2, error = $3, traceback = $4, retry_at = NULL WHERE number = $1
"""


@dataclass(frozen=True, slots=True)
class Parking:
    """A message to park, and why."""

    item: Item
    reason: str
    error: str
    traceback: str | None = None


async def park(conn: Connection, parkings: Sequence[Parking], now: datetime) -> None:
    """Keep messages with their reasons; the same message again only renews its reason."""
    again = [p for p in parkings if p.item.is_retried]
    if again:
        await conn.executemany(PARK_AGAIN, [_renewed(parking) for parking in again])
    anew = [_row(parking, now) for parking in parkings if not parking.item.is_retried]
    if anew:
        await conn.executemany(PARK, anew)


def _renewed(parking: Parking) -> tuple[object, ...]:
    assert parking.item.kept is not None
    return parking.item.kept[1], parking.reason, parking.error[:4000], parking.traceback


def _row(parking: Parking, now: datetime) -> tuple[object, ...]:
    item, origin = parking.item, parking.item.origin
    source, id = item.identity or (None, None)
    headers = {text(key): _plain(value) for key, value in origin.headers().items()}
    return (
        item.digest,
        parking.reason,
        parking.error[:4000],
        parking.traceback,
        source,
        id,
        item.type,
        origin.exchange,
        origin.routing_key,
        origin.reply_to,
        origin.correlation_id,
        origin.message_id,
        headers,
        item.raw,
        now,
    )


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | None) else text(str(value))


def text(value: str) -> str:
    """A text as Postgres and UTF-8 can keep it, without NUL and halves of characters."""
    return value.encode(errors="backslashreplace").decode().replace("\x00", "\\0")


WAIT = """
INSERT INTO waiting (exchange, routing_key, body, reply_to, correlation_id, message_id,
                     received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def wait(conn: Connection, items: Sequence[Item]) -> None:
    """Keep commands that name something unknown, in order of arrival."""
    await conn.executemany(
        WAIT,
        [
            (
                item.origin.exchange,
                item.origin.routing_key,
                item.raw,
                item.origin.reply_to,
                item.origin.correlation_id,
                item.origin.message_id,
                item.received_at,
            )
            for item in items
        ],
    )


FORGET = {
    "waiting": "DELETE FROM waiting WHERE number = ANY ($1::bigint[])",
    "parked": "DELETE FROM parked WHERE number = ANY ($1::bigint[])",
}


async def forget(conn: Connection, kept: Sequence[tuple[str, int]]) -> None:
    """Delete the rows of messages that have been decided."""
    for table, statement in FORGET.items():
        numbers = [number for kind, number in kept if kind == table]
        if numbers:
            await conn.execute(statement, numbers)


# At least one, and no more than the bytes of a batch: a command may have a million of them.
WAITING = """
SELECT number, exchange, routing_key, body, reply_to, correlation_id, message_id, received_at
FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY number) - octet_length(body) AS before
      FROM (SELECT * FROM waiting WHERE number > $1 ORDER BY number LIMIT $2) AS next) AS chunk
WHERE before < $3 ORDER BY number
"""
# The wish is taken back before it is begun: what ends the worker must not come round for ever.
TAKE_RETRY = """
UPDATE parked SET retry_at = NULL
WHERE number = (SELECT number FROM parked WHERE retry_at IS NOT NULL
                ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING number, exchange, routing_key, body, reply_to, correlation_id, message_id, parked_at,
          reason, headers ->> 'partitionkey' AS partitionkey
"""
COUNTS = "SELECT (SELECT count(*) FROM parked) AS parked, (SELECT count(*) FROM waiting) AS waiting"


def origin_of(row: Row) -> Origin:
    """How a kept message came."""
    return Origin(
        exchange=row["exchange"],
        routing_key=row["routing_key"],
        reply_to=row["reply_to"],
        correlation_id=row["correlation_id"],
        message_id=row["message_id"],
    )


BEGIN_ATTEMPT = """
INSERT INTO attempts (digest, count, last) VALUES ($1, 1, now())
ON CONFLICT (digest) DO UPDATE SET count = attempts.count + 1, last = now()
RETURNING count
"""
END_ATTEMPT = "DELETE FROM attempts WHERE digest = $1"
