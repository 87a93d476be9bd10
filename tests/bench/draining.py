"""A worker that drains its lanes, beside the bare reading of the same messages."""

from services.runtime.service import installed
from tests.bench import consume, drain, place
from tests.bench.drain import Load
from tests.bench.figures import Report
from tests.bench.place import Place


async def compare(here: Place, report: Report, name: str, given: Load) -> None:
    """Add what a worker makes of a load, and what reading it alone would."""
    drained = await drain.drain(here, given)
    report.add(name, drained.rate, "messages/s")
    report.add(f"{name} processor", drained.cpu_us, "µs/message")
    report.add(f"{name} memory", drained.peak_mb, "MB")
    report.add(f"{name} read only", await _read_only(here, given), "messages/s")


async def _read_only(here: Place, given: Load) -> float:
    """How fast the same messages are read from the same lanes and acknowledged."""
    service = installed()[given.service]
    async with place.exchanges(here, [service]):
        await drain.fill(here.amqp_url, given.messages)
        await drain.checkpoint(here)
        seconds = consume.apart(here, place.reader(service).queues, len(given.messages))
    return given.elements / seconds
