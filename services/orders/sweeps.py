"""The table work of the orders service."""

from dataclasses import replace

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrdersCanceled
from services.orders import store
from services.orders.store import Cancel, Chunk
from services.runtime.service import Sweep
from services.runtime.tables.transaction import Turn, Work

CHUNK = 5_000
PACK = 1_000
"""Orders in one event."""


async def cancel_orders(work: Work) -> bool:
    """Cancel the next orders of a canceled package; the last piece reports that it is done."""
    async with work.turn() as turn:
        cancel = await store.take_cancel(turn.conn)
        if cancel is None:
            return False
        if cancel.expected is None:
            cancel = replace(cancel, expected=await store.count_open(turn.conn, cancel))
            _say_progress(turn, cancel)
        chunk = await store.cancel_chunk(turn.conn, cancel, CHUNK, turn.now)
        await _advance(turn, cancel, chunk)
    return True


async def _advance(turn: Turn, cancel: Cancel, chunk: Chunk) -> None:
    """Say what this piece did, and store how far the job is."""
    _say_canceled(turn, cancel, chunk)
    cancel = replace(
        cancel,
        cursor=chunk.end,
        canceled=cancel.canceled + len(chunk.canceled),
        already_final=cancel.already_final + chunk.already_final,
    )
    _say_progress(turn, cancel)
    if not chunk.is_last:
        await store.save_cancel(turn.conn, cancel, "running", turn.now)
        return
    report = PackageOrdersCanceled(
        package_id=cancel.package_id,
        edition=cancel.edition,
        canceled=cancel.canceled,
        already_final=cancel.already_final,
    )
    turn.emit(report, cancel.cause)
    await store.save_cancel(turn.conn, cancel, "done", turn.now)


def _say_canceled(turn: Turn, cancel: Cancel, chunk: Chunk) -> None:
    for at in range(0, len(chunk.canceled), PACK):
        pack = {
            "package_id": cancel.package_id,
            "edition": cancel.edition,
            "orders": chunk.canceled[at : at + PACK],
        }
        # Validated, because a thousand models are made faster there than here.
        turn.emit(OrdersCanceled.model_validate(pack), cancel.cause)


def _say_progress(turn: Turn, cancel: Cancel) -> None:
    progress = CancellationProgressed(
        package_id=cancel.package_id,
        edition=cancel.edition,
        service="orders",
        done=cancel.canceled,
        expected=max(cancel.expected or 0, cancel.canceled),
    )
    turn.emit(progress, cancel.cause)


SWEEPS = (Sweep("cancels", cancel_orders),)
