"""Where time comes from: the clock of the service's own database, which may be set back.

What has to wait until a moment would then wait longer, by as much as the clock was set back.  One
row keeps the latest moment that a worker has seen; whoever finds the clock behind it moves
all that waits back by the difference.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Work

log = structlog.get_logger()

TOLERATED = timedelta(seconds=1)
"""What waits so much longer harms nobody."""

LOOK = "SELECT seen - clock_timestamp() AS ahead FROM clock"
LOCK = f"{LOOK} FOR UPDATE"
# What is lost of it in a crash is seen again.
NOTE = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE clock SET seen = clock_timestamp() FROM quick WHERE seen < clock_timestamp()
"""
SET_BACK = (
    "UPDATE clock SET seen = seen - $1::interval",
    "UPDATE outbox SET taken_until = taken_until - $1::interval WHERE taken_until > now()",
    "UPDATE kept SET retry_at = retry_at - $1::interval WHERE retry_at > now()",
    "UPDATE kept SET kept_at = kept_at - $1::interval WHERE kind = 'waiting'",
)


def sweep(own: Sequence[str]) -> Sweep:
    """The sweep that looks at the clock; own are the statements of the service, see Service."""

    async def run(work: Work) -> bool:
        ahead = await work.pool.fetchval(LOOK)
        if ahead > TOLERATED:
            await _set_back(work, (*SET_BACK, *own))
        elif ahead < -TOLERATED:
            await work.pool.execute(NOTE)
        return False

    return Sweep("clock", run)


async def _set_back(work: Work, statements: Sequence[str]) -> None:
    async with work.begin() as tx:
        # Of several workers one is first; the others find the clock as it is by then.
        ahead = await tx.conn.fetchval(LOCK)
        if ahead > TOLERATED:
            log.warning("clock_set_back", seconds=round(ahead.total_seconds(), 1))
            for statement in statements:
                await tx.conn.execute(statement, ahead)
