"""One worker drains what was in its lanes before it started: the time from first to last."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from aio_pika.abc import AbstractConnection

from contracts import names
from services.runtime.amqp import broker
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.publisher import Publisher
from tests.bench import installation, machine, place, workers
from tests.bench.installation import Installation
from tests.bench.place import Place
from tests.bench.processor import Meter, Time
from tests.bench.workers import Worker

AT_ONCE = 5_000
QUIET_SECONDS = 1.0
EVENTS = "bench.events"
HANDLED = "relais_batch_size_sum"
"""Counted after a batch is acknowledged, which is after its events are confirmed."""

GIVE_UP_SECONDS = 600.0


@dataclass(frozen=True)
class Load:
    """What is in the lanes of a service; elements counts the envelopes in all messages."""

    service: str
    messages: Sequence[Outgoing]
    elements: int
    seed: Callable[[asyncpg.Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Drained:
    """How it went: elements a second, processor seconds an element, the worker's memory in MB."""

    rate: float
    processor: Time
    peak_mb: float


async def drain(one: Installation, load: Load) -> Drained:
    """Fill the lanes, start a worker on a new database, and wait for its last acknowledgement."""
    async with (
        installation.set_up(one, load.service),
        installation.copied(one, load.service) as fresh,
    ):
        return await drain_in(fresh, load)


async def drain_in(one: Installation, load: Load) -> Drained:
    """The same in an installation that is set up, whose database may have rows."""
    here, url = one.here, one.postgres[load.service]
    await seed(url, load)
    began = datetime.now(UTC)
    async with reading_events(here):
        await fill(here.amqp_url, load.messages)
        await checkpoint(here)
        drained = await _time(one, load)
    await check(url, load, began)
    return drained


async def seed(url: str, load: Load) -> None:
    """Put into a database what the messages need to find there."""
    conn = await asyncpg.connect(url)
    try:
        await load.seed(conn)
        await conn.execute("ANALYZE")
    finally:
        await conn.close()


async def _time(one: Installation, load: Load) -> Drained:
    meter = Meter(one.here)
    worker = workers.start(one, load.service)
    pid = worker.process.pid
    try:
        await until_answering(worker)
        ready = meter.read(pid)
        end = await _last_acknowledgement(worker, load.elements)
        seconds = end - worker.consuming_since()
        processor = meter.read(pid).since(ready, load.elements)
        peak = machine.peak_mb(pid)
    finally:
        worker.stop()
    return Drained(load.elements / seconds, processor, peak)


async def until_answering(worker: Worker) -> None:
    """Wait until its start is over."""
    while not workers.scrape(worker.port):
        worker.check()
        await asyncio.sleep(0.01)


async def _last_acknowledgement(worker: Worker, elements: int) -> float:
    """Look seldom while much is left: looking costs the worker a little."""
    began = time.time()
    while True:
        handled = worker.metric(HANDLED)
        now = time.time()
        if handled >= elements:
            return now
        if now - began > GIVE_UP_SECONDS:
            raise RuntimeError(
                f"{worker.process.name} handled {handled:,.0f} of {elements:,} messages in "
                f"{GIVE_UP_SECONDS:.0f} s; its log is {worker.process.log}"
            )
        left = (elements - handled) / (handled / (now - began)) if handled else 0.2
        await asyncio.sleep(min(max(left / 2, 0.01), 0.5))


# What workers say of themselves is no work.
ACCEPTED = """
SELECT count(*) FROM inbox
WHERE outcome = 'accepted' AND received_at >= $1 AND type <> 'relais.worker.seen.v1'
"""


async def check(url: str, load: Load, began: datetime) -> None:
    """A figure counts only if the work was done: each accepted, each event with the broker."""
    conn = await asyncpg.connect(url)
    try:
        accepted = await conn.fetchval(ACCEPTED, began)
        left = await conn.fetchval("SELECT count(*) FROM outbox")
    finally:
        await conn.close()
    if accepted != load.elements or left:
        raise RuntimeError(
            f"{load.service} accepted {accepted:,} of {load.elements:,} messages "
            f"and left {left:,} in its outbox; the figure would mean nothing"
        )


@asynccontextmanager
async def reading_events(here: Place, *types: str) -> AsyncIterator[None]:
    """A queue that takes events, as other services' lanes do, while the block lasts."""
    async with broker.connected(here.amqp_url, "bench events") as connection:
        await quorum_queue(connection, EVENTS)
        async with connection.channel() as channel:
            queue = await channel.get_queue(EVENTS, ensure=False)
            for type_ in types or ("#",):
                await queue.bind(names.EVENTS, type_)
        try:
            yield
        finally:
            await delete_queue(connection, EVENTS)


async def quorum_queue(connection: AbstractConnection, name: str) -> None:
    """Make a queue as lanes are, without what the broker does for lanes besides; it is empty."""
    await delete_queue(connection, name)
    async with connection.channel() as channel:
        await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})


async def delete_queue(connection: AbstractConnection, name: str) -> None:
    """Take a queue off, with what is in it."""
    async with connection.channel() as channel:
        await channel.queue_delete(name, if_unused=False, if_empty=False)


async def fill(amqp_url: str, messages: Sequence[Outgoing]) -> None:
    """Publish all, and see that each has a queue."""
    publisher = Publisher(amqp_url, "bench filler")
    try:
        for at in range(0, len(messages), AT_ONCE):
            published = await publisher.publish(messages[at : at + AT_ONCE])
            if not published.clean:
                raise RuntimeError(f"the broker did not take every message: {published}")
    finally:
        await publisher.close()


async def checkpoint(here: Place) -> None:
    """Let both servers finish what the preparation has left them to do.

    Then nothing of ours works, so that what does is noted as other work.
    """
    await place.execute(here.servers.postgres_url, "CHECKPOINT")
    await asyncio.sleep(QUIET_SECONDS / 2)
    since = machine.busy_ticks()
    await asyncio.sleep(QUIET_SECONDS / 2)
    here.others.append(machine.busy_share(since))
