"""The table work of the orders service."""

from dataclasses import replace

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrdersCanceled
from services.orders import store
from services.orders.store import Cancel, Chunk
from services.runtime.service import Sweep
from services.runtime.tables.transaction import Transaction, Work

CHUNK = 5_000
PACK = 1_000
"""Orders in one event."""


async def cancel_orders(work: Work) -> bool:
    """Cancel the next orders of a canceled package; the last piece reports that it is done."""
    async with work.publishing() as tx:
        cancel = await store.take_cancel(tx.conn)
        if cancel is None:
            return False
        if cancel.expected is None:
            cancel = replace(cancel, expected=await store.count_open(tx.conn, cancel))
            _say_progress(tx, cancel)
        chunk = await store.cancel_chunk(tx.conn, cancel, CHUNK, tx.now)
        await _advance(tx, cancel, chunk)
    return True


async def _advance(tx: Transaction, cancel: Cancel, chunk: Chunk) -> None:
    """Say what this piece did, and store how far the job is."""
    _say_canceled(tx, cancel, chunk)
    cancel = replace(
        cancel,
        cursor=chunk.end,
        canceled=cancel.canceled + len(chunk.canceled),
        already_final=cancel.already_final + chunk.already_final,
    )
    _say_progress(tx, cancel)
    if not chunk.is_last:
        await store.save_cancel(tx.conn, cancel, "running", tx.now)
        return
    report = PackageOrdersCanceled(
        package_id=cancel.package_id,
        edition=cancel.edition,
        canceled=cancel.canceled,
        already_final=cancel.already_final,
    )
    tx.emit(report, cancel.cause)
    await store.save_cancel(tx.conn, cancel, "done", tx.now)


def _say_canceled(tx: Transaction, cancel: Cancel, chunk: Chunk) -> None:
    for at in range(0, len(chunk.canceled), PACK):
        pack = {
            "package_id": cancel.package_id,
            "edition": cancel.edition,
            "orders": chunk.canceled[at : at + PACK],
        }
        # Validated, because a thousand models are made faster there than here.
        tx.emit(OrdersCanceled.model_validate(pack), cancel.cause)


def _say_progress(tx: Transaction, cancel: Cancel) -> None:
    progress = CancellationProgressed(
        package_id=cancel.package_id,
        edition=cancel.edition,
        service="orders",
        done=cancel.canceled,
        expected=max(cancel.expected or 0, cancel.canceled),
    )
    tx.emit(progress, cancel.cause)


SWEEPS = (Sweep("cancels", cancel_orders),)
