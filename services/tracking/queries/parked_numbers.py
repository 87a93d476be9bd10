"""The numbers of parked messages of one cause."""

from datetime import datetime

from services.runtime.service import Pool

FIND = """
SELECT number FROM parked
WHERE service = $1 AND released_at IS NULL AND parked_at <= $2
  AND ($3::text IS NULL OR reason = $3) AND ($4::text IS NULL OR type = $4)
  AND ($5::text IS NULL OR error_kind = $5)
ORDER BY number LIMIT $6
"""


async def find(
    pool: Pool,
    service: str,
    until: datetime,
    reason: str | None,
    type: str | None,
    error_kind: str | None,
    limit: int,
) -> list[int]:
    """Those that are parked now, in the order in which they were."""
    rows = await pool.fetch(FIND, service, until, reason, type, error_kind, limit)
    return [row["number"] for row in rows]
