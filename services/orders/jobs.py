"""The long work of the orders service: the cancel of all open orders of a canceled edition."""

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrdersCanceled
from services.orders import store
from services.runtime.service import Job, JobKind, Transaction

PACK = 1_000
"""Orders in one event."""


async def cancel_orders(tx: Transaction, job: Job, size: int) -> Job:
    """Cancel the open ones of the next orders, by entity and id; the last piece finds too few."""
    package_id, edition = job.line, job.place
    end = await store.find_end(tx.conn, package_id, edition, job.cursor, size)
    canceled = []
    if end.cursor is not None:
        span = (job.cursor, end.cursor)
        actor = job.cause.actor
        canceled = await store.cancel(tx.conn, package_id, edition, span, tx.now, actor)
    expected = 0
    if job.cursor is None:
        more = 0 if end.is_last else await store.count_open(tx.conn, package_id, edition)
        expected = len(canceled) + more
    for at in range(0, len(canceled), PACK):
        pack = {
            "package_id": package_id,
            "edition": edition,
            "orders": canceled[at : at + PACK],
        }
        # Validated, because a thousand models are made faster there than here.
        tx.emit(OrdersCanceled.model_validate(pack), job.cause)
    return job.moved(
        end.cursor,
        done=end.is_last,
        expected=expected,
        canceled=len(canceled),
        already_final=end.walked - len(canceled),
    )


def progress(job: Job) -> CancellationProgressed:
    """How far a cancel is."""
    return CancellationProgressed(
        package_id=job.line,
        edition=job.place,
        service="orders",
        done=job.count("canceled"),
        expected=max(job.count("expected"), job.count("canceled")),
    )


def report(job: Job) -> PackageOrdersCanceled:
    """What a cancel came to."""
    return PackageOrdersCanceled(
        package_id=job.line,
        edition=job.place,
        canceled=job.count("canceled"),
        already_final=job.count("already_final"),
    )


CANCEL = JobKind("cancel", cancel_orders, progress, report)
"""Its line is the package, its place the edition."""
JOBS = (CANCEL,)
