"""What an operator does with parked messages: discard them, or replace what they say.

A retry, and what replaces a message, are handled by the workers: see sources.
"""

from collections.abc import Sequence

from contracts import envelope, names
from contracts.envelope import Broken, Unreadable
from contracts.outcomes import Release
from services.runtime.decision import Answer
from services.runtime.messages import answers, kept
from services.runtime.postgres.database import Connection
from services.runtime.tables.transaction import Transaction

# One that a worker has claimed for a retry is not to be touched.
DISCARD = f"""
DELETE FROM kept
WHERE kind = 'parked' AND number = ANY ($1::bigint[]) AND (retry_at IS NULL OR retry_at <= now())
RETURNING {kept.READ}, reason, error
"""
CLOSE = """
UPDATE inbox SET outcome = 'refused', message = $3, received_at = $4
WHERE source = $1 AND id = $2 AND outcome = 'parked'
"""


async def discard(
    tx: Transaction, service: str, numbers: Sequence[int], comment: str | None
) -> set[int]:
    """Delete parked messages for good; returns the numbers of those that were there.

    Senders get a last answer, and so does whoever sends the same again.
    """
    rows = await tx.conn.fetch(DISCARD, numbers)
    why = f": {comment}" if comment else ""
    for row in rows:
        text = f"discarded by an operator{why}; it was parked ({row['reason']}): {row['error']}"
        answer = Answer("refused", message=text[:1000])
        [item] = kept.read(row, "retry", {})
        tx.emit(kept.released(service, row["number"], Release.DISCARDED, comment), item.cause)
        if reply := answers.reply(service, item, answer):
            tx.send(reply)
        await tx.conn.execute(CLOSE, row["source"], row["id"], answer.message, tx.now)
    return {row["number"] for row in rows}


REPLACE = """
UPDATE kept SET body = $2, type = $3, routing_key = $3, comment = $4, replaced = true,
                retry_at = now()
WHERE kind = 'parked' AND number = $1 AND (retry_at IS NULL OR retry_at <= now())
RETURNING number
"""


class NotOne(ValueError):
    """What is to replace a message is no envelope."""


async def replace(conn: Connection, number: int, body: bytes, comment: str | None) -> bool:
    """Have workers handle this envelope in place of a parked message, and under its identity.

    Returns whether it is there; raises NotOne.
    """
    type_ = _type_of(body)
    return await conn.fetchval(REPLACE, number, body, type_, comment) is not None


def _type_of(body: bytes) -> str:
    """The type of the one envelope that a body is."""
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
