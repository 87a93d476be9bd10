"""fanout: the cancel of a package with many orders, beside the same rows and messages alone."""

import itertools
from collections.abc import Sequence

from tests.bench import canceling, drain, floor, machine
from tests.bench.canceling import Canceled, Scene
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
        canceling.scene(here, entities=entities, mailboxes=mailboxes) as scene,
        floor.floor(here) as alone,
    ):
        said = {size: await _overheard(scene, size) for size in sizes}
        for _ in range(runs):
            for size in sizes:
                await _ours(scene, report, size)
                report.add(f"floor of {size:,}", await alone.work(size, entities, said[size]), "s")
    for size in sizes:
        report.compare(f"cancel of {size:,}", f"floor of {size:,}", "<= 3")
    for small, large in itertools.pairwise(sizes):
        report.compare(f"cancel of {large:,}", f"cancel of {small:,}", f"<= {large / small:g}")
    report.note("Sizes are orders of one package; the goal is 1.5 s for 100,000.")
    report.note("Memory is the most that a worker held during one cancel; the goal is < 200 MB.")


async def _ours(scene: Scene, report: Report, size: int) -> None:
    package_id = await _prepared(scene, size)
    pids = {service: found[0] for service, found in scene.running.pids().items()}
    for pid in pids.values():
        machine.forget_peak(pid)
    canceled = await scene.cancel(package_id)
    report.add(f"cancel of {size:,}", canceled.seconds, "s")
    for service, pid in pids.items():
        report.add(f"{service} memory, {size:,}", machine.peak_mb(pid), "MB")
    await _check(scene, canceled, size)


async def _prepared(scene: Scene, size: int) -> str:
    """A published package with so many open orders, of which its audience has been told."""
    (package_id,) = await scene.publish([scene.entities])
    await scene.seed_orders([package_id], size)
    await scene.empty()
    await drain.settle(scene.here)
    return package_id


async def _check(scene: Scene, canceled: Canceled, size: int) -> None:
    """A figure counts only if the work was done."""
    report, waiting = canceled.report, await scene.waiting()
    told = len(scene.entities)
    if (report.orders.canceled, report.notifications.notified, waiting) != (size, told, told):
        raise RuntimeError(
            f"{report.orders.canceled:,} of {size:,} orders were canceled, "
            f"{report.notifications.notified:,} of {told:,} entities were told, and "
            f"{waiting:,} notices are in the mailboxes; the figure would mean nothing"
        )


async def _overheard(scene: Scene, size: int) -> floor.Said:
    """Cancel once, not timed, and keep what was said."""
    package_id = await _prepared(scene, size)
    async with floor.overhearing(scene.here) as said:
        await scene.cancel(package_id)
        await drain.settle(scene.here)
    await scene.empty()
    return said
