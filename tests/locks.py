"""Holding transactions of a database up, to make two of them meet."""

from services.runtime.postgres.database import Connection

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def hold_writers(conn: Connection, table: str) -> None:
    """Until its transaction ends, rows of a table can be read and locked, and not be written."""
    await conn.execute(f"LOCK TABLE {table} IN SHARE MODE")


async def waiting(conn: Connection) -> int:
    """How many transactions of this database wait for another."""
    # Within a transaction the view shows again what it showed first.
    await conn.execute("SELECT pg_stat_clear_snapshot()")
    return int(await conn.fetchval(WAITING))


async def is_one_waiting(conn: Connection) -> bool:
    """Whether a transaction waits."""
    return await waiting(conn) == 1


async def are_two_waiting(conn: Connection) -> bool:
    """Whether two transactions wait."""
    return await waiting(conn) == 2
