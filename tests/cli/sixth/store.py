"""Every statement of the sixth service."""

from collections.abc import Iterable, Mapping

from services.runtime.postgres.database import Connection

LOCK = """
SELECT guest_id, count FROM guests WHERE guest_id = ANY ($1::text[]) ORDER BY guest_id FOR UPDATE
"""


async def lock(conn: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Lock guests; gives how often each was greeted."""
    return {row["guest_id"]: row["count"] for row in await conn.fetch(LOCK, list(ids))}


SAVE = """
INSERT INTO guests (guest_id, count)
SELECT * FROM unnest($1::text[], $2::int[]) AS g (guest_id, count) ORDER BY guest_id
ON CONFLICT (guest_id) DO UPDATE SET count = excluded.count
"""


async def save(conn: Connection, counts: Mapping[str, int]) -> None:
    """Store how often guests were greeted."""
    await conn.execute(SAVE, list(counts), list(counts.values()))
