"""fanout: the cancel of a package with many orders, beside the same rows and messages alone."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from tests.bench import canceling, checkouts, drain, floor, machine
from tests.bench.canceling import Canceled, Harness
from tests.bench.checkouts import Checkout
from tests.bench.figures import Report
from tests.bench.installation import databases_of_each
from tests.bench.place import Place


async def fanout(
    here: Place,
    report: Report,
    *,
    runs: int,
    sizes: Sequence[int],
    entities: int,
    mailboxes: int,
    beside: Path | None = None,
) -> None:
    """Cancel packages of each size, and do the floor's work beside it, in turns."""
    sides = checkouts.chosen(beside)
    recorded: dict[int, floor.Recorded] = {}
    async with databases_of_each(here, sides) as ones, floor.floor(here) as alone:
        for _ in range(runs):
            for one in ones:
                running = canceling.running(one, entities=entities, mailboxes=mailboxes)
                async with running as harness:
                    if not recorded:
                        recorded = {size: await _recorded(harness, size) for size in sizes}
                    await warm_up(harness, sizes[0])
                    for size in sizes:
                        await measure(harness, report, f"cancel of {size:,}", size)
                        if one is ones[0]:
                            seconds = await alone.work(size, entities, recorded[size])
                            report.add(f"floor of {size:,}", seconds, "s")
    _compare(report, sizes, sides)


def _compare(report: Report, sizes: Sequence[int], sides: Sequence[Checkout]) -> None:
    for size in sizes:
        for side in sides:
            report.compare(f"cancel of {size:,}{side.suffix}", f"floor of {size:,}", "<= 1.15")
    for small, large in itertools.pairwise(sizes):
        report.compare(f"cancel of {large:,}", f"cancel of {small:,}", f"<= {large / small:g}")
    for other in sides[1:]:
        for size in sizes:
            report.compare(f"cancel of {size:,}", f"cancel of {size:,}{other.suffix}")
    report.note("Sizes are orders of one package; the goal is 1.5 s for 100,000.")
    report.note("Memory is the most that a worker held during one cancel; the goal is < 200 MB.")


async def measure(harness: Harness, report: Report, name: str, size: int) -> None:
    """Add the seconds of one cancel, and the memory that each worker held."""
    await timed(harness, report, name, await prepared(harness, size), size)


async def timed(harness: Harness, report: Report, name: str, package_id: str, size: int) -> None:
    """The same for a package that is ready."""
    suffix = harness.one.checkout.suffix
    pids = {service: found[0] for service, found in harness.stack.pids().items()}
    for pid in pids.values():
        machine.forget_peak(pid)
    canceled = await harness.cancel(package_id)
    report.add(f"{name}{suffix}", canceled.seconds, "s")
    for service, pid in pids.items():
        report.add(f"{service} memory, {name}{suffix}", machine.peak_mb(pid), "MB")
    await _check(harness, canceled, size)


async def warm_up(harness: Harness, size: int) -> None:
    """Cancel once, not timed: new workers open connections and prepare statements."""
    await harness.cancel(await prepared(harness, size))


async def prepared(harness: Harness, size: int) -> str:
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
    package_id = await prepared(harness, size)
    async with floor.recording(harness.here) as recorded:
        await harness.cancel(package_id)
        await drain.checkpoint(harness.here)
    await harness.empty()
    return recorded
