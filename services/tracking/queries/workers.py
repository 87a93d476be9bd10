"""The workers that have said how they are."""

from services.runtime.service import Pool, Row

LIST = """
SELECT service, instance, seen_at, state,
       extract(epoch FROM now() - seen_at)::float8 AS seconds_ago
FROM workers WHERE seen_at > now() - interval '1 day'
ORDER BY service, seen_at DESC, instance LIMIT 1000
"""


async def list_workers(pool: Pool) -> list[Row]:
    """Those of the last day, by service."""
    return await pool.fetch(LIST)
