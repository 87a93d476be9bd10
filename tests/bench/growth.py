"""growth: rush and a large cancel on tables with many rows, beside the same on empty tables."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import canceling, drain, draining, fanout, history, installation, rush
from tests.bench.canceling import Harness
from tests.bench.figures import Report
from tests.bench.installation import Installation
from tests.bench.place import Place

SCATTERED = 900_000
"""The number of the first package whose orders lie far apart."""

TABLES = ("empty tables", "full tables")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows that were there before, and what is done: orders placed, and orders of the cancel."""

    orders_in_table: int
    rows: int
    messages: int
    orders: int
    entities: int
    mailboxes: int
    scatter: bool = False

    @property
    def cancel(self) -> str:
        """The name of the cancel in figures."""
        return f"cancel of {self.orders:,}"


async def growth(here: Place, report: Report, sizes: Sizes, *, runs: int) -> None:
    """Both on empty and on full tables, in turns."""
    numbers = [SCATTERED + run for run in range(runs)] if sizes.scatter else []
    async with installation.databases(here) as empty, installation.databases(here) as full:
        await _seed(full, report, sizes, [f"CAT{number}" for number in numbers])
        for run in range(runs):
            for tables, one in zip(TABLES, (empty, full), strict=True):
                await _rush(one, report, tables, rush.load(sizes.messages, 1, run * sizes.messages))
                scattered = numbers[run : run + 1] if one is full else []
                await _cancel(one, report, tables, sizes, scattered)
    _compare(report, sizes)


def _compare(report: Report, sizes: Sizes) -> None:
    empty, full = TABLES
    report.compare(f"hot, {full}", f"hot, {empty}", ">= 0.9")
    report.compare(f"{sizes.cancel}, {full}", f"{sizes.cancel}, {empty}", "<= 1.1")
    report.compare(f"{sizes.cancel}, scattered", f"{sizes.cancel}, {full}")
    report.note(
        f"Full tables have {sizes.orders_in_table:,} orders of other packages, and {sizes.rows:,} "
        "rows each in the inboxes of orders and notifications and in notifications."
    )
    report.note("Empty tables have no more than the runs before have left there.")


async def _seed(full: Installation, report: Report, sizes: Sizes, scattered: Sequence[str]) -> None:
    async with installation.set_up(full):
        began = time.perf_counter()
        await history.add(
            full,
            orders=sizes.orders_in_table,
            rows=sizes.rows,
            entities=sizes.entities,
            scattered=scattered,
            size=sizes.orders,
        )
        report.add("filling the tables", time.perf_counter() - began, "s")


async def _rush(one: Installation, report: Report, tables: str, load: drain.Load) -> None:
    async with installation.set_up(one, load.service):
        draining.add(report, f"hot, {tables}", "", await drain.drain_in(one, load))


async def _cancel(
    one: Installation, report: Report, tables: str, sizes: Sizes, scattered: Sequence[int]
) -> None:
    running = canceling.running(one, entities=sizes.entities, mailboxes=sizes.mailboxes)
    async with running as harness:
        await fanout.warm_up(harness, min(sizes.orders, 1_000))
        await fanout.measure(harness, report, f"{sizes.cancel}, {tables}", sizes.orders)
        for number in scattered:
            await _cancel_scattered(harness, report, sizes, number)


async def _cancel_scattered(harness: Harness, report: Report, sizes: Sizes, number: int) -> None:
    """The same with a package whose orders have been in the table all along."""
    (package_id,) = await harness.publish([harness.entities], [number])
    await harness.empty()
    await drain.checkpoint(harness.here)
    await fanout.timed(harness, report, f"{sizes.cancel}, scattered", package_id, sizes.orders)
