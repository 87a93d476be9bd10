"""fanout: the cancel of a package with many orders, beside the same rows and messages alone."""

import itertools
from collections.abc import Sequence

from tests.bench import canceling, drain, floor, machine
from tests.bench.canceling import Canceled, Harness
from tests.bench.figures import Report
from tests.bench.place import Place


async def fanout(
    here: Place,
    report: Report,
    *,
    runs: int,
    sizes: Sequence[int],
    entities: int,
    mailboxes: int,
) -> None:
    """Cancel packages of each size, and do the floor's work beside it, in turns."""
    async with (
        canceling.harness(here, entities=entities, mailboxes=mailboxes) as harness,
        floor.floor(here) as alone,
    ):
        recorded = {size: await _recorded(harness, size) for size in sizes}
        for _ in range(runs):
            for size in sizes:
                await _ours(harness, report, size)
                report.add(
                    f"floor of {size:,}", await alone.work(size, entities, recorded[size]), "s"
                )
    for size in sizes:
        report.compare(f"cancel of {size:,}", f"floor of {size:,}", "<= 3")
    for small, large in itertools.pairwise(sizes):
        report.compare(f"cancel of {large:,}", f"cancel of {small:,}", f"<= {large / small:g}")
    report.note("Sizes are orders of one package; the goal is 1.5 s for 100,000.")
    report.note("Memory is the most that a worker held during one cancel; the goal is < 200 MB.")


async def _ours(harness: Harness, report: Report, size: int) -> None:
    package_id = await _prepared(harness, size)
    pids = {service: found[0] for service, found in harness.running.pids().items()}
    for pid in pids.values():
        machine.forget_peak(pid)
    canceled = await harness.cancel(package_id)
    report.add(f"cancel of {size:,}", canceled.seconds, "s")
    for service, pid in pids.items():
        report.add(f"{service} memory, {size:,}", machine.peak_mb(pid), "MB")
    await _check(harness, canceled, size)


async def _prepared(harness: Harness, size: int) -> str:
    """A published package with so many open orders, whose audience has been notified."""
    (package_id,) = await harness.publish([harness.entities])
    await harness.seed_orders([package_id], size)
    await harness.empty()
    await drain.checkpoint(harness.here)
    return package_id


async def _check(harness: Harness, canceled: Canceled, size: int) -> None:
    """A figure counts only if the work was done."""
    report, waiting = canceled.report, await harness.waiting()
    notified = len(harness.entities)
    if (report.orders.canceled, report.notifications.notified, waiting) != (
        size,
        notified,
        notified,
    ):
        raise RuntimeError(
            f"{report.orders.canceled:,} of {size:,} orders were canceled, "
            f"{report.notifications.notified:,} of {notified:,} entities were notified, and "
            f"{waiting:,} notices are in the mailboxes; the figure would mean nothing"
        )


async def _recorded(harness: Harness, size: int) -> floor.Recorded:
    """Cancel once, not timed, and record what is published."""
    package_id = await _prepared(harness, size)
    async with floor.recording(harness.here) as recorded:
        await harness.cancel(package_id)
        await drain.checkpoint(harness.here)
    await harness.empty()
    return recorded
