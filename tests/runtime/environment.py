"""A probe service on real servers, and what a test does and sees there."""

import asyncio
import itertools
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aio_pika
import asyncpg
from aio_pika.abc import AbstractChannel

from contracts import envelope, names
from contracts.envelope import Envelope
from contracts.message import Body, Command
from services.runtime import worker
from services.runtime.amqp import broker, lanes, topology
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.lanes import Slot
from services.runtime.amqp.publisher import Publisher
from services.runtime.amqp.reader import Delivery
from services.runtime.messages.consumer import Consumer
from services.runtime.messages.relay import Relay
from services.runtime.postgres import database
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.tables.sweeper import Sweeper
from services.runtime.tables.transaction import Wakes, Work
from tests.eventually import eventually
from tests.runtime import probe
from tests.runtime.probe import Added, Hooks
from tests.runtime.then import KEPT

SOURCE = "/test"
HEARD = frozenset({Added.TYPE})


def written(body: Body, id: str, **attributes: Any) -> bytes:
    """The body of an AMQP message with this one."""
    return envelope.write(
        id=id,
        source=SOURCE,
        type=body.wire_type,
        subject=body.subject,
        data_json=body.data_json(),
        partitionkey=body.key,
        **attributes,
    )


def outgoing(body: Body, id: str | None = None) -> Outgoing:
    """One message as an upstream system sends it."""
    id = id or uuid.uuid4().hex
    return Outgoing(
        exchange=names.COMMANDS if isinstance(body, Command) else names.EVENTS,
        routing_key=body.wire_type,
        body=written(body, id),
        type=body.wire_type,
        message_id=id,
        content_type=names.CLOUDEVENT,
        app_id=SOURCE,
        partitionkey=body.key,
    )


@dataclass
class Environment:
    """The servers with all that the probe needs on them; no worker yet."""

    service: Service
    hooks: Hooks
    lanes: int
    amqp_url: str
    database_url: str
    channel: AbstractChannel
    publisher: Publisher
    db: asyncpg.Connection

    def settings(self, **changes: Any) -> Settings:
        """The settings of a worker here."""
        values = {"amqp_url": self.amqp_url, "lanes": self.lanes, "prefetch": 500}
        return Settings(**{**values, **changes})

    async def send(self, *bodies: Body) -> None:
        """Publish each as one AMQP message, in order; returns when the broker has them."""
        assert (await self.publisher.publish([outgoing(body) for body in bodies])).clean

    async def ask(self, body: Body, reply_to: str) -> None:
        """Publish one message whose answer is to come to this queue."""
        await self.send_raw(
            written(body, uuid.uuid4().hex),
            body.wire_type,
            headers={names.PARTITION_KEY: body.key},
            reply_to=reply_to,
        )

    async def send_raw(
        self, body: bytes, routing_key: str, *, exchange: str = names.COMMANDS, **properties: Any
    ) -> None:
        """Publish bytes with just these properties."""
        target = await self.channel.get_exchange(exchange, ensure=False)
        await target.publish(aio_pika.Message(body, **properties), routing_key, mandatory=False)

    async def journal(self) -> list[tuple[str, str]]:
        """Thing and note of each effect, in order."""
        rows = await self.db.fetch("SELECT thing_id, note FROM journal ORDER BY number")
        return [(row["thing_id"], row["note"]) for row in rows]

    async def notes(self) -> list[str]:
        """The notes of the effects, in order."""
        return [note for _, note in await self.journal()]

    async def count(self, table: str) -> int:
        """The number of rows of a table."""
        return int(await self.db.fetchval(f"SELECT count(*) FROM {KEPT.get(table, table)}"))

    async def depth(self) -> int:
        """How many messages are ready in the lanes."""
        queues = self.service.reader(self.lanes).queues
        counts = [await self._ready(queue) for queue in queues]
        return sum(counts)

    async def _ready(self, queue: str) -> int:
        declared = await self.channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


# The tables of all probes are the same, whatever a test calls its own.
ALSO_UNDER_THIS_NAME = """
INSERT INTO schema_migrations (version, checksum)
SELECT replace(version, 'probe/', $1 || '/'), checksum FROM schema_migrations
WHERE version LIKE 'probe/%'
"""


@asynccontextmanager
async def prepared(
    amqp_url: str, database_url: str, service: Service, hooks: Hooks, lanes: int
) -> AsyncIterator[Environment]:
    """Everything that `relais setup` would make for this service, and a way in; taken off after."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(broker.connected(amqp_url, "probe test"))
        channel = await connection.channel()
        for queue in service.drains:
            await topology.declare_drained(channel, queue)
        reader = service.reader(lanes)
        await topology.apply(connection, [reader])
        stack.push_async_callback(_clear, amqp_url, service, lanes)
        publisher = Publisher(amqp_url, "probe test publisher")
        stack.push_async_callback(publisher.close)
        db = await stack.enter_async_context(database.connect(database_url, "probe test"))
        await db.execute(ALSO_UNDER_THIS_NAME, service.name)
        yield Environment(service, hooks, lanes, amqp_url, database_url, channel, publisher, db)


async def _clear(amqp_url: str, service: Service, lanes: int) -> None:
    """Only what is this service's own: others use the same broker."""
    reader = service.reader(lanes)
    async with broker.connected(amqp_url, "probe test") as connection:
        more = await topology.surplus(connection, reader)
        async with connection.channel() as channel:
            drained = [names.dead(service.name), *service.drains]
            for queue in [*reader.queues, *more, *drained, *map(names.expired, drained)]:
                await channel.queue_delete(queue, if_unused=False, if_empty=False)
            await channel.exchange_delete(names.inbound(service.name))


@dataclass
class Engines:
    """The consumer and the sweeper of one worker, in this process."""

    work: Work
    consumer: Consumer
    sweeper: Sweeper
    consuming: asyncio.Task[None]
    sweeping: asyncio.Task[None]

    async def stop(self) -> None:
        """Stop both, and wait for what has begun."""
        self.consumer.stop()
        try:
            await self.consuming
        finally:
            self.sweeper.stop()
            await self.sweeping


@asynccontextmanager
async def running_engines(
    env: Environment, *, database_url: str | None = None, **settings: Any
) -> AsyncIterator[Engines]:
    """A worker while the block lasts; drained at its end.

    It may use other URLs of the servers than the test does.
    """
    url = database_url or env.database_url
    async with AsyncExitStack() as stack:
        engines = await _engines(env, url, env.settings(**settings), stack)
        try:
            yield engines
        finally:
            env.hooks.gate.set()
            await engines.stop()


async def _engines(
    env: Environment, url: str, settings: Settings, stack: AsyncExitStack
) -> Engines:
    work = await stack.enter_async_context(opened(env.service, settings.amqp_url, url))
    slot = Slot(url, lanes.slot_name(env.service.name))
    stack.push_async_callback(slot.release)
    consumer = Consumer(env.service, work, settings, slot)
    sweeps = worker.sweeps(env.service, consumer.decider, relay_of(work), settings.inbox_days)
    sweeper = Sweeper(sweeps, work)
    consuming, sweeping = asyncio.create_task(consumer.run()), asyncio.create_task(sweeper.run())
    return Engines(work, consumer, sweeper, consuming, sweeping)


@asynccontextmanager
async def opened(service: Service, amqp_url: str, database_url: str) -> AsyncIterator[Work]:
    """What a worker holds: a pool, a publisher and a relay."""
    async with database.pool(database_url, "probe") as pool:
        publisher = Publisher(amqp_url, "probe publisher")
        wakes = Wakes()
        relay = Relay(service.name, pool, publisher, HEARD, wakes)
        try:
            yield Work(service.name, pool, relay, publisher, wakes, amqp_url)
        finally:
            await publisher.close()


def relay_of(work: Work) -> Relay:
    """The relay of a worker, which is its outbox."""
    assert isinstance(work.outbox, Relay)
    return work.outbox


@dataclass
class Recorder:
    """Records the deliveries of a queue."""

    deliveries: list[Delivery] = field(default_factory=list)

    def envelopes(self) -> list[Envelope]:
        """Every message, also of those packed into one body."""
        elements = itertools.chain.from_iterable(envelope.read(d.body) for d in self.deliveries)
        return [element for element in elements if isinstance(element, Envelope)]

    def notes(self) -> list[str]:
        """The note of each event."""
        return [(e.data or {})["note"] for e in self.envelopes()]


@asynccontextmanager
async def recording_queue(amqp_url: str, queue: str) -> AsyncIterator[Recorder]:
    """Everything in this queue from now on, acknowledged as it comes."""
    recorder = Recorder()
    take = recorder.deliveries.append
    async with broker.consuming(amqp_url, "probe recorder", take) as channel:
        await channel.basic_consume(queue, _unused, no_ack=True)
        yield recorder


async def _unused(_: object) -> None:
    """Deliveries are taken out of the stream."""


@asynccontextmanager
async def recording_events(env: Environment, *types: str) -> AsyncIterator[Recorder]:
    """The events of these types, from now on."""
    queue = await env.channel.declare_queue(exclusive=False, auto_delete=True)
    for type_ in types or (Added.TYPE,):
        await queue.bind(names.EVENTS, type_)
    async with recording_queue(env.amqp_url, queue.name) as recorder:
        yield recorder


def named(service: Service, name: str) -> Service:
    """The same service under another name."""
    return replace(service, name=name)


THINGS = [f"T{n}" for n in range(20)]


def adds(things: Sequence[str], count: int) -> list[probe.Add]:
    """So many commands, dealt out over things; notes are numbered."""
    return [probe.Add(thing_id=things[n % len(things)], note=str(n)) for n in range(count)]


async def effects(env: Environment, count: int) -> None:
    """Wait until so many messages have had their effect."""
    await eventually(lambda: _reached(env, count), timeout=30)


async def _reached(env: Environment, count: int) -> bool:
    return await env.count("journal") >= count


async def begun(hooks: Hooks) -> None:
    """Wait until a batch is being decided."""
    await eventually(lambda: hooks.batches)


def by_thing(journal: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The notes about each thing, in order."""
    found = defaultdict(list)
    for thing, note in journal:
        found[thing].append(note)
    return found


async def exactly(env: Environment, ready: int) -> bool:
    """Whether so many messages are left in the lanes."""
    return await env.depth() == ready


async def waits(env: Environment) -> bool:
    """Whether a command waits."""
    return await env.count("waiting") > 0


async def parked(env: Environment) -> bool:
    """Whether a message is parked."""
    return await env.count("parked") > 0
