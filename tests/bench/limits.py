"""limits: what the parts can do here, each alone; nothing of ours can be faster than these."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import asyncpg
import orjson

from contracts import envelope
from contracts.orders import OrderPlaced, PlaceOrder
from services.runtime.amqp.publisher import Publisher
from tests.bench import consume, drain, hops, orders, place, plain, upstream
from tests.bench.figures import Report, percentile
from tests.bench.peers.effect import effect
from tests.bench.place import Place

QUEUE = "bench.limits"
TOGETHER = (100, 500, 1_000)
CONNECTIONS = (1, 8, 32)
BATCH = 500
HOPS = 100


async def limits(here: Place, report: Report, *, runs: int, messages: int, rows: int) -> None:
    """Every part in turn, so many times."""
    for _ in range(runs):
        await publishing(here, report, messages)
        await single_steps(here, report)
        async with place.database(here, "orders") as url:
            await transactions(url, report, messages)
        async with place.database(here, "orders") as url:
            await updates(here, url, report, rows)
        bodies(report, messages)
    report.compare(f"transactions of {BATCH}", f"transactions of 1, {max(CONNECTIONS)} connections")


async def publishing(here: Place, report: Report, messages: int) -> None:
    """Publish in batches of several sizes, and read all of it."""
    publisher = Publisher(here.amqp_url, "bench limits")
    outgoing = [upstream.order_to(QUEUE, number) for number in range(messages)]
    try:
        async with hops.queue(here, QUEUE):
            for together in TOGETHER:
                await drain.checkpoint(here)
                with timed(report, f"publish, {together} at a time", messages):
                    for at in range(0, messages, together):
                        await publisher.publish(outgoing[at : at + together])
            await drain.checkpoint(here)
            total = messages * len(TOGETHER)
            seconds = consume.apart(here, [QUEUE], total)
            report.add("read, acknowledged by 500", total / seconds, "messages/s")
    finally:
        await publisher.close()


async def single_steps(here: Place, report: Report) -> None:
    """One message through a queue and one commit, one after the other."""
    async with hops.steps(here) as step:
        for name, one in (("hop", step.hop), ("commit", step.commit)):
            samples = [await one() * 1000 for _ in range(HOPS)]
            report.add(f"{name} p50", percentile(samples, 0.5), "ms")


async def transactions(url: str, report: Report, messages: int) -> None:
    """The same three rows a message: one message a transaction, and many."""
    numbers = iter(range(10_000_000))
    few = max(messages // 10, max(CONNECTIONS))
    for connections in CONNECTIONS:
        pool = await asyncpg.create_pool(url, min_size=connections, max_size=connections)
        with timed(report, f"transactions of 1, {connections} connections", few):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(connections):
                    share = [next(numbers) for _ in range(few // connections)]
                    tasks.create_task(_one_by_one(pool, share))
        await pool.close()
    conn = await asyncpg.connect(url)
    with timed(report, f"transactions of {BATCH}", messages):
        for _ in range(0, messages, BATCH):
            await _together(conn, [next(numbers) for _ in range(BATCH)])
    await conn.close()


async def _one_by_one(pool: "asyncpg.Pool[asyncpg.Record]", numbers: list[int]) -> None:
    async with pool.acquire() as conn:
        for number in numbers:
            async with conn.transaction():
                for statement, values in effect(orders.place(number, 1).body):
                    await conn.execute(statement, *values)


async def _together(conn: asyncpg.Connection, numbers: list[int]) -> None:
    async with conn.transaction():
        await plain.add(conn, [effect(orders.place(number, 1).body) for number in numbers])


async def updates(here: Place, url: str, report: Report, rows: int) -> None:
    """Cancel the orders of one package in one statement, with more and fewer outbox rows."""
    conn = await asyncpg.connect(url)
    for name, events in (("", 0), (", an event each", rows), (", an event for ten", rows // 10)):
        package = f"CAT{events}"
        await plain.seed_orders(conn, package, rows, rows)
        await drain.checkpoint(here)
        began = time.perf_counter()
        async with conn.transaction():
            await conn.execute(plain.CANCEL_ORDERS, package)
            await conn.execute(plain.ADD_EVENTS, events)
        seconds = time.perf_counter() - began
        report.add(f"cancel {rows:,} orders{name}", seconds, "s")
    await conn.close()


def bodies(report: Report, messages: int) -> None:
    """Read a command, and build and write its event."""
    body = orders.place(1, 1).body
    report.add("read a command", each(messages, lambda: _read(body)), "µs")
    report.add("write an event", each(messages, _written(body)), "µs")


def _read(body: bytes) -> PlaceOrder:
    (element,) = envelope.read(body)
    assert isinstance(element, envelope.Envelope)
    return PlaceOrder.read(element.subject, element.data)


def _written(body: bytes) -> Callable[[], bytes]:
    command, now = _read(body), datetime.now(UTC)
    (_, _, (_, (_, _, _, event))) = effect(body)
    state = OrderPlaced.read(command.order_id, orjson.loads(event)["data"])

    def write() -> bytes:
        placed = OrderPlaced.of(state, version=2, changed_at=now)
        return envelope.write(
            id="1",
            source=orders.SOURCE,
            type=placed.TYPE,
            subject=placed.subject,
            data_json=placed.data_json(),
            time=now,
            partitionkey=placed.key,
        )

    return write


def each(times: int, work: Callable[[], object]) -> float:
    """The µs of processor time of one."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6


@contextmanager
def timed(report: Report, figure: str, count: int) -> Iterator[None]:
    """Add the rate of what the block does."""
    began = time.perf_counter()
    yield
    report.add(figure, count / (time.perf_counter() - began), "messages/s")
