"""Deletes what tells of workers that have gone, and of rebuilds long over.

The history is never cleaned: it is what every question of why is answered from.
"""

from services.runtime.service import Work

CLEAN_WORKERS = "DELETE FROM workers WHERE seen_at < now() - interval '7 days'"
CLEAN_SNAPSHOTS = """
DELETE FROM snapshots AS s USING rebuilds AS r
WHERE s.request_id = r.request_id AND r.finished_at < now() - interval '7 days'
"""


async def clean(work: Work) -> bool:
    """Delete what is older than a week."""
    await work.pool.execute(CLEAN_WORKERS)
    await work.pool.execute(CLEAN_SNAPSHOTS)
    return False
