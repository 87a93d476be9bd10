"""latency: what a lone command takes, beside a naive worker and the smallest steps there are."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from contracts import names
from services.runtime.amqp.publisher import Publisher
from services.runtime.amqp.reader import Delivery
from tests.bench import (
    canceling,
    checkouts,
    cost,
    drain,
    hops,
    installation,
    peering,
    place,
    rush,
    upstream,
    workers,
)
from tests.bench.canceling import Harness
from tests.bench.checkouts import Checkout
from tests.bench.figures import Report, percentile
from tests.bench.hops import Steps
from tests.bench.installation import Installation
from tests.bench.listening import listening
from tests.bench.place import Place
from tests.bench.workers import Worker

A_SECOND = 10
WARM_UP = 10
"""The first one of so many is not counted."""

ENTITIES = 10
"""Entities, and orders, of a small package."""

SHARES = {"p50": 0.5, "p99": 0.99}


@dataclass
class Watch:
    """When commands were published, and how long until their event came; in ms, by way."""

    published: dict[str, tuple[str, float]] = field(default_factory=dict)
    taken: dict[str, list[float]] = field(default_factory=dict)

    def start(self, way: str, id: str) -> None:
        """A command leaves."""
        self.published[id] = (way, time.perf_counter())

    def take(self, delivery: Delivery) -> None:
        """Events come, alone or packed."""
        now = time.perf_counter()
        body = orjson.loads(delivery.body)
        for event in body if isinstance(body, list) else [body]:
            if started := self.published.pop(event.get("causationid", ""), None):
                self.note(started[0], now - started[1])

    def note(self, way: str, seconds: float) -> None:
        """One more sample."""
        self.taken.setdefault(way, []).append(seconds * 1000)


async def latency(
    here: Place,
    report: Report,
    *,
    runs: int,
    commands: int,
    cancels: int,
    beside: Path | None = None,
) -> None:
    """Lone commands, and cancels of packages with ten orders, and what one of these costs."""
    sides = checkouts.chosen(beside)
    for _ in range(runs):
        for side in sides:
            _add(report, await lone_commands(here, commands, side), side)
            _add(report, await small_cancels(here, cancels, side), side)
            await _add_cost(here, report, cancels, side)
    for side in sides:
        _compare(report, side.suffix)
    for other in sides[1:]:
        for figure in ("command to event p50", "command to event p99", *CANCELS, *COSTS):
            report.compare(figure, f"{figure}{other.suffix}")


CANCELS = ("cancel to last notice p50", "cancel to completion p50")
COSTS = ("cancel statements", "cancel transactions", "cancel publishes")


def _compare(report: Report, suffix: str) -> None:
    """Each beside the steps and the naive worker of its own turns."""
    lone, last_notice, completion = "command to event", *CANCELS
    report.compare(f"{lone} p50{suffix}", f"naive p50{suffix}", "<= 1.2")
    report.compare(f"{lone} p99{suffix}", f"naive p99{suffix}", "<= 2")
    report.compare(f"{lone} p50{suffix}", f"2 hops and 1 commit p50{suffix}")
    report.compare(f"{last_notice}{suffix}", f"3 hops and 3 commits p50{suffix}", "<= 4.5")
    report.compare(f"{completion}{suffix}", f"5 hops and 5 commits p50{suffix}")


def _add(report: Report, watch: Watch, side: Checkout) -> None:
    for way, samples in watch.taken.items():
        counted = samples[len(samples) // WARM_UP :]
        for name, share in SHARES.items():
            report.add(f"{way} {name}{side.suffix}", percentile(counted, share), "ms")


async def _add_cost(here: Place, report: Report, cancels: int, side: Checkout) -> None:
    if not cost.is_countable(here):
        report.note("Statements were not counted: the log of this Postgres cannot be read.")
        return
    one = await cost.small_cancel(here, side, cancels, ENTITIES)
    report.add(f"cancel statements{side.suffix}", one.statements, "statements")
    report.add(f"cancel transactions{side.suffix}", one.transactions, "transactions")
    report.add(f"cancel publishes{side.suffix}", one.publishes, "writes")
    report.add(f"cancel messages{side.suffix}", one.messages, "messages")


async def lone_commands(here: Place, commands: int, side: Checkout) -> Watch:
    """So many commands to our worker, to a naive one, and so many single steps, in turns."""
    watch, count = Watch(), commands
    async with working(here, count, watch, side) as publisher, hops.steps(here) as step:

        async def ours(number: int) -> None:
            message = upstream.order(number, 1)
            watch.start("command to event", message.message_id)
            await publisher.publish([message])

        async def naive(number: int) -> None:
            message = upstream.order_to(peering.NAIVE.queues[0], count + number)
            watch.start("naive", message.message_id)
            await publisher.publish([message])

        async def smallest(_: int) -> None:
            hop, commit = await step.hop(), await step.commit()
            watch.note("hop", hop)
            watch.note("commit", commit)
            watch.note("2 hops and 1 commit", hop + commit + await step.hop())

        await paced([ours, naive, smallest], count)
        await _all_back(watch, count)
    return watch


Way = Callable[[int], Awaitable[None]]


async def paced(ways: Sequence[Way], count: int) -> None:
    """Begin each way ten times a second, the ways shifted against each other."""
    began = time.perf_counter()
    pause = 1 / A_SECOND / len(ways)
    async with asyncio.TaskGroup() as tasks:
        for tick in range(count * len(ways)):
            await asyncio.sleep(began + tick * pause - time.perf_counter())
            number, way = divmod(tick, len(ways))
            tasks.create_task(_awaited(ways[way](number)))


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _all_back(watch: Watch, count: int) -> None:
    until = time.monotonic() + 30
    while watch.published:
        if time.monotonic() > until:
            lost = len(watch.published)
            raise RuntimeError(f"{lost} of {2 * count} commands had no event within 30 s")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def working(
    here: Place, count: int, watch: Watch, side: Checkout
) -> AsyncIterator[Publisher]:
    """Both workers, each on its own database, and somebody who hears their events."""
    given = rush.load(2 * count, 1)
    publisher = Publisher(here.amqp_url, "bench sender")
    async with (
        installation.databases(here, side) as one,
        place.database(here, "orders") as naive_url,
        installation.set_up(one, "orders"),
        drain.reading_events(here),
        listening(here.amqp_url, [drain.EVENTS], watch.take),
    ):
        await drain.seed(one.postgres["orders"], given)
        async with consuming(one), naive(here, naive_url):
            try:
                await drain.checkpoint(here)
                yield publisher
            finally:
                await publisher.close()


@asynccontextmanager
async def consuming(one: Installation) -> AsyncIterator[Worker]:
    """An orders worker that is ready."""
    worker = workers.start(one, "orders")
    try:
        while not worker.is_ready():
            await asyncio.sleep(0.05)
        yield worker
    finally:
        worker.stop()


@asynccontextmanager
async def naive(here: Place, url: str) -> AsyncIterator[None]:
    """A naive worker that also publishes its events."""
    peer = replace(peering.NAIVE, processes=1)
    environment = {**peering.variables(here, url), "BENCH_RELAY": "1"}
    async with (
        hops.queue(here, peer.queues[0]),
        peering.working(here, peer, Path(place.PROGRAMS), environment),
    ):
        yield


@dataclass
class Notices:
    """What came to a mailbox: how many of each package, and when the last of them."""

    count: dict[str, int] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        """One more."""
        package_id = orjson.loads(delivery.body)["data"]["package"]["package_id"]
        self.count[package_id] = self.count.get(package_id, 0) + 1
        self.last[package_id] = time.perf_counter()


async def small_cancels(here: Place, cancels: int, side: Checkout) -> Watch:
    """Cancels of packages with ten orders, and as many rows of single steps, in turns."""
    watch, notices = Watch(), Notices()
    async with (
        canceling.harness(here, entities=ENTITIES, mailboxes=1, checkout=side) as harness,
        hops.steps(here) as step,
    ):
        packages = await harness.publish([harness.entities] * cancels)
        await harness.seed_orders(packages, ENTITIES)
        await harness.empty()
        await drain.checkpoint(here)
        mailboxes = [names.mailbox(name) for name in harness.mailboxes]
        async with listening(here.amqp_url, mailboxes, notices.take):
            for package_id in packages:
                await _cancel(harness, package_id, notices, watch)
                await _steps(step, watch)
    return watch


async def _cancel(harness: Harness, package_id: str, notices: Notices, watch: Watch) -> None:
    canceled = await harness.cancel(package_id)
    while notices.count.get(package_id, 0) < ENTITIES:
        await asyncio.sleep(0.001)
    watch.note("cancel to last notice", notices.last[package_id] - canceled.began)
    watch.note("cancel to completion", canceled.seconds)


async def _steps(step: Steps, watch: Watch) -> None:
    began = time.perf_counter()
    for count in range(1, 6):
        await step.hop()
        await step.commit()
        if count in (3, 5):
            watch.note(f"{count} hops and {count} commits", time.perf_counter() - began)
