"""The table work of the tracking service, beside its jobs."""

from collections.abc import Awaitable
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from services.runtime.service import Sweep, Work, attempt
from services.tracking import checking, cleaning, hints, planned, rebuild, waves

log = structlog.get_logger()

WRONG = Gauge(
    "relais_tracking_wrong_counts",
    "Counts of the read model that differed from its rows at the last nightly check.",
)
CHECKED_EVERY = timedelta(hours=24)


async def _check(work: Work) -> bool:
    """Once a day, by one worker, compare the counts with the rows; nothing is repaired."""
    if not await checking.claim(work.pool, CHECKED_EVERY):
        return False
    async with work.pool.acquire() as conn:
        found = await checking.compare(conn)
    WRONG.set(len(found))
    for one in found[:20]:
        log.error("counts_differ", **one._asdict())
    log.info("counts_compared", differences=len(found))
    return False


async def _drop_old(work: Work) -> bool:
    """A long question to a model that has been replaced may still be under way."""

    def drop() -> Awaitable[object]:
        return rebuild.drop_old(work)

    await attempt("drop the replaced model", drop)
    return False


SWEEPS = (
    hints.SWEEP,
    planned.SWEEP,
    waves.SWEEP,
    Sweep(rebuild.SWEEP, rebuild.step),
    Sweep("drop_old", _drop_old, every=30),
    Sweep("check_counts", _check, every=600),
    Sweep("clean_workers", cleaning.clean, every=3_600),
)
