"""scale: rush with more and more workers, each held back by the way to its database."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from infra.local.errors import Misconfigured
from services.runtime.amqp import broker
from tests.bench import drain, installation, rush, workers
from tests.bench.figures import Report
from tests.bench.installation import Installation
from tests.bench.place import Place
from tests.bench.processor import Meter, Time
from tests.bench.relay import relay
from tests.bench.workers import Worker

SPREADS_FROM = 4
"""The version of RabbitMQ that gives lanes to the worker with the higher priority."""

MEASURED = 0.8
"""Of all messages: after that the lanes of some worker may be empty."""

PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second, processor seconds a message, and how evenly they were spread.

    least is what the worker with the fewest messages had of an even share.
    """

    rate: float
    processor: Time
    least: float


async def scale(
    here: Place,
    report: Report,
    *,
    runs: int,
    messages: int,
    counts: Sequence[int],
    delay: float,
    lanes: int,
) -> None:
    """The same load for each number of workers, in turns; delay is in seconds, each way."""
    await require_spreading(here)
    load = rush.load(messages, rush.SHAPES["spread"])
    async with installation.databases(here, settings={"RELAIS_LANES": str(lanes)}) as one:
        for _ in range(runs):
            found: dict[int, Rate] = {}
            for count in counts:
                async with (
                    installation.set_up(one, load.service),
                    installation.copied(one, load.service) as fresh,
                ):
                    found[count] = await _rate(fresh, load, count, delay)
                _add(report, count, found)
    for count in counts[1:]:
        report.compare(_workers(count), f"{_workers(count)}, linear", ">= 0.9")
    for count in counts:
        report.compare(_workers(count), f"{_workers(count)}, limit by processor time")
    report.note(f"Each worker is {delay * 1000:g} ms away from its database, each way.")
    report.note("More workers than the processors allow cannot be linear: see both ratios.")


async def require_spreading(here: Place) -> None:
    """Raise Misconfigured on a broker that gives all lanes to one worker."""
    async with broker.connected(here.amqp_url, "bench") as connection:
        version = broker.version(connection)
    if int(version.partition(".")[0]) < SPREADS_FROM:
        raise Misconfigured(
            f"scale needs RabbitMQ {SPREADS_FROM} or later, and this one is {version}: before, "
            "one worker holds all lanes of a service. Start one and name it: "
            "RELAIS_AMQP_URL=amqp://user:password@host:port/ ./run bench scale"
        )


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _add(report: Report, count: int, found: dict[int, Rate]) -> None:
    """The rate of so many workers, beside that of the fewest in the same run."""
    name, one = _workers(count), found[count]
    fewest = min(found)
    report.add(name, one.rate, "messages/s")
    if count > fewest:
        report.add(f"{name}, linear", found[fewest].rate * count / fewest, "messages/s")
        report.add(f"{name}, least of an even share", one.least, "")
    report.add(f"{name}, processor of workers", one.processor.worker * 1e6, "µs/message")
    if limit := one.processor.limit(count):
        report.add(f"{name}, limit by processor time", limit, "messages/s")


async def _rate(one: Installation, load: drain.Load, count: int, delay: float) -> Rate:
    """Start workers on empty lanes, fill these, and measure while each has something to do."""
    here, url = one.here, one.postgres[load.service]
    await drain.seed(url, load)
    began = datetime.now(UTC)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(drain.reading_events(here))
        started = [
            await opened.enter_async_context(_far_worker(one, load.service, number, delay))
            for number in range(1, count + 1)
        ]
        while not all(worker.is_ready() for worker in started):
            await asyncio.sleep(PAUSE)
        await drain.checkpoint(here)
        async with _standing_still(started):
            await drain.fill(here.amqp_url, load.messages)
        rate = await _measure(here, load.elements, started)
        await _handled(started, load.elements)
    await drain.check(url, load, began)
    return rate


@asynccontextmanager
async def _far_worker(
    one: Installation, service: str, number: int, delay: float
) -> AsyncIterator[Worker]:
    """A worker that is so many seconds away from its database, each way."""
    async with relay(one.postgres[service], delay=delay) as url:
        far = replace(one, postgres={**one.postgres, service: url})
        worker = workers.start(far, service, number)
        try:
            yield worker
        finally:
            # Its last transactions come by way of this process, which must not stand still.
            await asyncio.to_thread(worker.stop)


@asynccontextmanager
async def _standing_still(started: Sequence[Worker]) -> AsyncIterator[None]:
    """Have workers do nothing during the block, however long it takes to fill their lanes."""
    for worker in started:
        worker.process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in started:
            worker.process.signal(signal.SIGCONT)


async def _measure(here: Place, elements: int, started: Sequence[Worker]) -> Rate:
    """The rate from now, when every lane is full, until most is handled."""
    meter, pids = Meter(here), [worker.process.pid for worker in started]
    first, spent, began = _counts(started), meter.read(*pids), time.perf_counter()
    last = await _handled(started, elements * MEASURED)
    seconds, processor = time.perf_counter() - began, meter.read(*pids)
    shares = [now - before for before, now in zip(first, last, strict=True)]
    total = sum(shares)
    return Rate(
        rate=total / seconds,
        processor=processor.since(spent, int(total)),
        least=min(shares) * len(shares) / total,
    )


async def _handled(started: Sequence[Worker], wanted: float) -> list[float]:
    """Wait until they have handled so many messages; how many each has."""
    until = time.monotonic() + drain.GIVE_UP_SECONDS
    while sum(counts := _counts(started)) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"workers handled {sum(counts):,.0f} of {wanted:,.0f} messages")
        await asyncio.sleep(PAUSE)
    return counts


def _counts(started: Sequence[Worker]) -> list[float]:
    return [worker.metric(drain.HANDLED) for worker in started]
