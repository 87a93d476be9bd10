"""A worker that drains its lanes, beside the bare reading of the same messages."""

from collections.abc import Sequence

from services.runtime.service import installed
from tests.bench import consume, drain, place
from tests.bench.checkouts import Checkout
from tests.bench.drain import Drained, Load
from tests.bench.figures import Report
from tests.bench.installation import Installation
from tests.bench.place import Place

PROCESSOR_LIMIT = "limit by processor time"


async def measure(
    here: Place, report: Report, name: str, given: Load, sides: Sequence[Installation]
) -> None:
    """Add what the worker of each checkout makes of a load, and what reading it alone would."""
    for one in sides:
        add(report, name, one.checkout.suffix, await drain.drain(one, given))
    report.add(f"{name} read only", await _read_only(here, given), "messages/s")


def add(report: Report, name: str, suffix: str, drained: Drained) -> None:
    """The rate, the processor time and the memory of one run."""
    spent = drained.processor
    report.add(f"{name}{suffix}", drained.rate, "messages/s")
    for part, seconds in (
        ("worker", spent.worker),
        ("Postgres", spent.postgres),
        ("broker", spent.broker),
    ):
        if seconds is not None:
            report.add(f"{name} processor of {part}{suffix}", seconds * 1e6, "µs/message")
    if limit := spent.limit():
        report.add(f"{name} {PROCESSOR_LIMIT}{suffix}", limit, "messages/s")
    report.add(f"{name} memory{suffix}", drained.peak_mb, "MB")


def compare(report: Report, name: str, checkouts: Sequence[Checkout], read_only: str = "") -> None:
    """Show a rate beside its limits, and beside that of another checkout."""
    report.compare(name, f"{name} read only", read_only)
    for checkout in checkouts:
        rate = f"{name}{checkout.suffix}"
        report.compare(rate, f"{name} {PROCESSOR_LIMIT}{checkout.suffix}", ">= 0.75")
    for other in checkouts[1:]:
        for figure in (name, f"{name} processor of worker"):
            report.compare(figure, f"{figure}{other.suffix}")


async def _read_only(here: Place, given: Load) -> float:
    """How fast the same messages are read from the same lanes and acknowledged."""
    service = installed()[given.service]
    async with place.exchanges(here, [service]):
        await drain.fill(here.amqp_url, given.messages)
        await drain.checkpoint(here)
        seconds = consume.apart(here, place.reader(service).queues, len(given.messages))
    return given.elements / seconds
