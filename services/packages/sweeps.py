"""The table work of the packages service."""

from services.packages import ledger, store
from services.runtime.service import Sweep, Work


async def announce_stalled(work: Work) -> bool:
    """Announce the cancels that take too long, each once."""
    async with work.publishing() as tx:
        overdue = await store.take_stalled(tx.conn, tx.now)
        for cancel, cause in overdue:
            tx.emit(ledger.stalled(cancel), cause)
    return bool(overdue)


SWEEPS = (Sweep("stalled", announce_stalled),)
