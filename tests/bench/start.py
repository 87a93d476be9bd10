"""start: how long a worker takes to become ready, and to end while its lanes are full."""

import asyncio
import signal
import time
from pathlib import Path

from tests.bench import checkouts, drain, installation, rush, workers
from tests.bench.figures import Report
from tests.bench.installation import Installation
from tests.bench.place import Place
from tests.bench.workers import Worker

PAUSE = 0.005
GIVE_UP_SECONDS = 60.0


async def start(
    here: Place, report: Report, *, runs: int, messages: int, beside: Path | None = None
) -> None:
    """Start every service, and end one under load, so many times."""
    sides = checkouts.chosen(beside)
    async with installation.databases_of_each(here, sides) as ones:
        for _ in range(runs):
            for one in ones:
                await _starts(one, report)
                await _drain(one, report, messages)
    figures = [*(f"{service} to ready" for service in ones[0].postgres), "drain under load"]
    for other in sides[1:]:
        for figure in figures:
            report.compare(figure, f"{figure}{other.suffix}")
    report.note("The goals are 1.5 s from start to ready, and 2 s from SIGTERM to the end.")


async def _starts(one: Installation, report: Report) -> None:
    async with installation.set_up(one, *one.postgres):
        for service in one.postgres:
            await drain.checkpoint(one.here)
            seconds = await _until_ready(one, service)
            report.add(f"{service} to ready{one.checkout.suffix}", seconds, "s")


async def _until_ready(one: Installation, service: str) -> float:
    """The seconds from starting the process of `relais run` until it says that it consumes."""
    began = time.perf_counter()
    worker = workers.start(one, service)
    try:
        while not worker.is_ready():
            await asyncio.sleep(PAUSE)
        return time.perf_counter() - began
    finally:
        worker.stop()


async def _drain(one: Installation, report: Report, messages: int) -> None:
    """Add the seconds from SIGTERM to exit code 0 of a worker that has more to do."""
    load = rush.load(messages, rush.SHAPES["spread"])
    async with (
        installation.set_up(one, load.service),
        installation.copied(one, load.service) as fresh,
    ):
        await drain.seed(fresh.postgres[load.service], load)
        async with drain.reading_events(one.here):
            await drain.fill(one.here.amqp_url, load.messages)
            await drain.checkpoint(one.here)
            worker = workers.start(fresh, load.service)
            handled = await _busy(worker)
            seconds = await _end(worker)
    if handled >= messages:
        raise RuntimeError(f"all {messages:,} messages were handled before the end: name more")
    report.add(f"drain under load{one.checkout.suffix}", seconds, "s")


async def _busy(worker: Worker) -> float:
    """Wait until it has handled some messages, so that it is in the midst of others."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while not (handled := worker.metric(drain.HANDLED)):
        if time.monotonic() > until:
            raise RuntimeError(f"{worker.process.name} handles nothing; see {worker.process.log}")
        await asyncio.sleep(PAUSE)
    return handled


async def _end(worker: Worker) -> float:
    began = time.perf_counter()
    worker.process.signal(signal.SIGTERM)
    ended = await asyncio.to_thread(worker.process.over.wait, GIVE_UP_SECONDS)
    seconds = time.perf_counter() - began
    if not ended or worker.process.returncode != 0:
        code = worker.process.returncode
        raise RuntimeError(f"{worker.process.name} ended with {code}; see {worker.process.log}")
    return seconds
