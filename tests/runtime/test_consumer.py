"""The engine that drains lanes, on a real broker and a real database."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import aiormq
import orjson
import pytest
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from aiormq.abc import AbstractChannel, ChannelFrame

from contracts import envelope, names
from contracts.envelope import Envelope
from services.runtime import broker, topology
from services.runtime.broker import Publisher
from services.runtime.channel import _marshal
from services.runtime.topology import TopologyError
from tests.eventually import eventually
from tests.faults.proxy import Proxy, proxied
from tests.runtime.conftest import SetStage
from tests.runtime.letters import plain
from tests.runtime.probe import TOKEN, Add, Added, Hooks, Told
from tests.runtime.stage import Stage, Station, adds, hearing, outgoing, working, written

pytestmark = pytest.mark.servers

THINGS = [f"T{n}" for n in range(20)]


@pytest.fixture
async def broker_proxy(amqp_url: str) -> AsyncIterator[Proxy]:
    """A way to the broker that can be cut."""
    async with proxied(amqp_url) as proxy:
        yield proxy


@pytest.fixture
async def database_proxy(database_url: str) -> AsyncIterator[Proxy]:
    """A way to the database that can be cut."""
    async with proxied(database_url) as proxy:
        yield proxy


async def effects(stage: Stage, count: int) -> None:
    """Wait until so many messages have had their effect."""
    await eventually(lambda: _reached(stage, count), timeout=30)


async def _reached(stage: Stage, count: int) -> bool:
    return await stage.count("journal") >= count


async def begun(hooks: Hooks) -> None:
    """Wait until a batch is being decided."""
    await eventually(lambda: hooks.batches)


class TestMessages:
    """They are handled in order, and brought out in order."""

    async def test_of_one_key_stay_in_order(self, set_stage: SetStage) -> None:
        """Through several lanes, into the tables and out of them."""
        stage = await set_stage(lanes=3)
        commands = adds(THINGS, 2_000)
        async with working(stage), hearing(stage) as ears:
            await stage.send(*commands)
            await eventually(lambda: len(ears.notes()) == len(commands), timeout=30)

        wanted = by_thing([(c.thing_id, c.note) for c in commands])
        assert by_thing(await stage.journal()) == wanted
        assert by_thing([(e.subject, (e.data or {})["note"]) for e in ears.envelopes()]) == wanted

    async def test_of_many_bodies_are_one_batch(self, here: Stage, hooks: Hooks) -> None:
        """What is there is taken together, and never more than a batch holds."""
        await here.send(*adds(THINGS, 1_200))
        async with working(here):
            await effects(here, 1_200)

        assert max(hooks.batches) > 100
        assert max(hooks.batches) <= 500

    async def test_of_one_body_are_one_batch(self, here: Stage, hooks: Hooks) -> None:
        """A pack always fits, even where it alone is more than a batch holds."""
        elements = [written(add, str(n)) for n, add in enumerate(adds(["A"], 1_000))]
        await here.send_raw(b"[" + b",".join(elements) + b"]", Add.TYPE)

        async with working(here):
            await effects(here, 1_000)

        assert hooks.batches == [1_000]
        assert await here.notes() == [str(n) for n in range(1_000)]

    async def test_that_are_events_are_handled_too(self, here: Stage) -> None:
        """Commands and events of one thing come through the same lane."""
        async with working(here):
            await here.send(Add(thing_id="A", note="1"))
            await here.send(Told(thing_id="A", note="2"), Add(thing_id="A", note="3"))
            await effects(here, 3)

        assert await here.notes() == ["1", "2", "3"]

    async def test_leave_the_lane_when_they_are_done(self, here: Stage) -> None:
        """And not before: what is not acknowledged is still the broker's."""
        async with working(here):
            await here.send(*adds(THINGS, 300))
            await effects(here, 300)

        assert await here.depth() == 0

    async def test_ahead_are_bounded(self, here: Stage, hooks: Hooks) -> None:
        """So many per lane wait in the worker, the others where they are safe."""
        hooks.gate.clear()
        await here.send(*adds(THINGS, 300))
        async with working(here, prefetch=20):
            await eventually(lambda: exactly(here, 300 - 2 * 20))
            hooks.gate.set()
            await effects(here, 300)

    async def test_that_become_known_wake_what_waits(
        self, here: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A command that came too early is decided as soon as it can be."""
        async with working(here, unknown_wait_seconds=3600) as station:
            await here.send(Add(thing_id="A", note="early", needs="B"))
            await eventually(lambda: waits(here))
            await eventually(lambda: station.consumer.decider.wakes_waiting)
            await here.send(Add(thing_id="B", note="B"))
            await effects(here, 2)

        assert await here.notes() == ["B", "early"]


def by_thing(journal: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The notes about each thing, in order."""
    found = defaultdict(list)
    for thing, note in journal:
        found[thing].append(note)
    return found


async def exactly(stage: Stage, ready: int) -> bool:
    """Whether so many messages are left in the lanes."""
    return await stage.depth() == ready


async def waits(stage: Stage) -> bool:
    """Whether a command waits."""
    return await stage.count("waiting") > 0


class TestAnAcknowledgement:
    """It says that a message has had its effect, and that the effect has been told."""

    async def test_comes_after_the_commit(
        self, here: Stage, hooks: Hooks, broker_proxy: Proxy
    ) -> None:
        """A worker that goes before it leaves the message to the next."""
        hooks.gate.clear()
        await here.send(*adds(THINGS, 30))
        async with working(here, amqp_url=broker_proxy.url):
            await begun(hooks)

            broker_proxy.cut()

            hooks.gate.set()
            await effects(here, 30)
            await eventually(lambda: exactly(here, 0))
        assert sorted(await here.notes(), key=int) == [str(n) for n in range(30)]

    async def test_comes_after_the_events(
        self, here: Stage, broker_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is committed but not told is delivered again, and has no second effect."""
        told = asyncio.Event()
        async with hearing(here) as ears, working(here, amqp_url=broker_proxy.url) as station:
            publish = station.work.relay.publish

            async def publish_late(rows: object) -> None:
                await told.wait()
                await publish(rows)  # type: ignore[arg-type]

            monkeypatch.setattr(station.work.relay, "publish", publish_late)
            await here.send(*adds(THINGS, 30))
            await effects(here, 30)

            broker_proxy.cut()
            told.set()

            await eventually(lambda: len(ears.notes()) >= 30)
            await eventually(lambda: exactly(here, 0))
        assert await here.count("journal") == 30
        assert len({e.id for e in ears.envelopes()}) == 30


class TestAnAnswer:
    """It goes to the queue that the sender names."""

    async def test_says_what_became_of_each_command(self, here: Stage) -> None:
        """With the id of the command as correlation, under the names of the wire."""
        async with working(here), answering(here) as asking:
            accepted = await asking.ask(Add(thing_id="A"))
            unchanged = await asking.ask(Add(thing_id="A", come_to="unchanged"))
            refused = await asking.ask(Add(thing_id="A", come_to="refused"))

        assert facts(accepted) == ("accepted", None, None, 1, None)
        assert facts(unchanged) == ("unchanged", None, "A is so already", 1, None)
        assert facts(refused) == (
            "refused",
            "wrong_status",
            "A is closed; open it first",
            None,
            None,
        )
        for told in (accepted, unchanged, refused):
            assert told.type == "relais.command.outcome.v1"
            assert told.subject == "A"
            assert told.source == f"/relais/{here.service.name}"
            assert told.causationid == (told.data or {})["command_id"]
            assert (told.data or {})["command_type"] == Add.TYPE

    async def test_of_a_broken_command_tells_every_error(self, here: Stage) -> None:
        """At once, so that a sender corrects it in one go."""
        async with working(here), answering(here) as asking:
            told = await asking.ask_raw(plain(id="1", data={"amount": -1, "x": 1}), "1")

        assert facts(told)[:2] == ("refused", "invalid")
        errors = (told.data or {})["errors"]
        assert {error["field"] for error in errors} == {"data.amount", "data.x"}

    @pytest.mark.parametrize(
        ("body", "properties", "correlation"),
        [
            (b"{", {"correlation_id": "c", "message_id": "m"}, "c"),
            (b"{", {"message_id": "m"}, "m"),
            (orjson.dumps({"id": "i"}), {"correlation_id": "c", "message_id": "m"}, "i"),
        ],
        ids=["its correlation", "its message id", "the id in its body"],
    )
    async def test_of_what_nobody_can_read_finds_its_sender(
        self, here: Stage, body: bytes, properties: dict[str, str], correlation: str
    ) -> None:
        """By the best name that can be read."""
        async with working(here), answering(here) as asking:
            told = await asking.ask_raw(body, correlation, **properties)

        assert facts(told)[:2] == ("refused", "invalid")

    async def test_comes_for_each_element_of_a_batch(self, here: Stage) -> None:
        """In order."""
        body = b"[%s,%s]" % (plain(id="1"), plain(id="2", data={"come_to": "refused"}))
        async with working(here), answering(here) as asking:
            await here.send_raw(body, Add.TYPE, reply_to=asking.queue.name)
            await eventually(lambda: len(asking.got) == 2)

        assert [m.correlation_id for m in asking.got] == ["1", "2"]

    async def test_comes_again_for_a_command_that_comes_again(self, here: Stage) -> None:
        """The same, under the same id: a reader can tell."""
        async with working(here), answering(here) as asking:
            for _ in range(2):
                await here.send_raw(plain(), Add.TYPE, reply_to=asking.queue.name)
            await eventually(lambda: len(asking.got) == 2)

        first, second = asking.got
        assert first.message_id == second.message_id
        assert orjson.loads(first.body)["data"] == orjson.loads(second.body)["data"]

    async def test_comes_after_the_events_it_speaks_of(
        self, here: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next command of the sender finds their effect."""
        told = asyncio.Event()
        async with working(here) as station, answering(here) as asking:
            publish = station.work.relay.publish

            async def publish_late(rows: object) -> None:
                await told.wait()
                assert not asking.got
                await publish(rows)  # type: ignore[arg-type]

            monkeypatch.setattr(station.work.relay, "publish", publish_late)
            asked = asyncio.create_task(asking.ask(Add(thing_id="A", note="n")))
            await effects(here, 1)
            assert not asking.got

            told.set()

            await asked

    async def test_that_cannot_be_sent_is_sent_later(
        self, here: Stage, broker_proxy: Proxy
    ) -> None:
        """A message is acknowledged when its sender has been told, not before."""
        async with working(here) as station, answering(here) as asking:
            station.work.publisher = Publisher(broker_proxy.url, "probe replies")
            broker_proxy.refuse()
            asked = asyncio.create_task(asking.ask(Add(thing_id="A")))
            await effects(here, 1)
            await asyncio.wait({asked}, timeout=0.2)

            await broker_proxy.accept()

            assert facts(await asked)[0] == "accepted"
            await station.work.publisher.close()

    @pytest.mark.parametrize(
        "queue", ["no.such.queue", "x" * 255, "amq.rabbitmq.reply-to.none", "\N{GRINNING FACE}"]
    )
    async def test_to_a_queue_that_has_gone_is_given_up(self, here: Stage, queue: str) -> None:
        """The command has its effect all the same, and the next one too."""
        if len(queue) < 200:
            queue = f"{queue}{uuid.uuid4().hex}"
        async with working(here):
            await here.send_raw(plain(id="1"), Add.TYPE, reply_to=queue)
            await effects(here, 1)
            await here.send_raw(plain(id="2"), Add.TYPE)
            await effects(here, 2)

    async def test_to_a_queue_of_ours_is_not_given(self, here: Stage) -> None:
        """Nobody may have answers put into a lane, a mailbox or what is dead."""
        ours = (
            names.lane(here.service.name, 0),
            names.dead(here.service.name),
            names.mailbox("central"),
            names.UNROUTED,
        )
        async with working(here), answering(here) as asking:
            for n, queue in enumerate(ours):
                await here.send_raw(plain(id=str(n)), Add.TYPE, reply_to=queue)
            await asking.ask_raw(plain(id="last"), "last")

        assert await here.count("parked") == 0
        assert await here.count("journal") == len(ours) + 1


class Asking:
    """A sender that waits for answers."""

    def __init__(self, stage: Stage, queue: AbstractQueue) -> None:
        """Answers come to this queue."""
        self._stage = stage
        self.queue = queue
        self.got: list[AbstractIncomingMessage] = []

    async def ask(self, command: Add) -> Envelope:
        """The answer to a command."""
        id = uuid.uuid4().hex
        return await self.ask_raw(written(command, id), id)

    async def ask_raw(self, body: bytes, correlation: str, **properties: str) -> Envelope:
        """The answer with this correlation."""
        await self._stage.send_raw(body, Add.TYPE, reply_to=self.queue.name, **properties)
        await eventually(lambda: any(m.correlation_id == correlation for m in self.got))
        (message,) = (m for m in self.got if m.correlation_id == correlation)
        (answer,) = envelope.read(message.body)
        assert isinstance(answer, Envelope)
        return answer

    async def hear(self, message: AbstractIncomingMessage) -> None:
        """Take an answer."""
        await message.ack()
        self.got.append(message)


@asynccontextmanager
async def answering(stage: Stage) -> AsyncIterator[Asking]:
    """A sender, while the block lasts."""
    queue = await stage.channel.declare_queue(exclusive=True, auto_delete=True)
    asking = Asking(stage, queue)
    await queue.consume(asking.hear)
    yield asking


def facts(answer: Envelope) -> tuple[object, ...]:
    """What an answer says."""
    data = answer.data or {}
    return tuple(data[name] for name in ("outcome", "code", "message", "version", "errors"))


class TestABrokerThatFails:
    """The worker consumes again, and every message has its effect once."""

    async def test_cuts_connections_under_load(self, here: Stage, broker_proxy: Proxy) -> None:
        """Again and again, at any point of what a worker does."""
        commands = adds(THINGS, 3_000)
        async with hearing(here) as ears, working(here, amqp_url=broker_proxy.url):
            await here.send(*commands)
            for at in (1, 700, 1_500, 2_200):
                await effects(here, at)
                broker_proxy.cut()
            await effects(here, len(commands))
            await eventually(lambda: len(set(ears.notes())) == len(commands), timeout=30)
            await eventually(lambda: exactly(here, 0), timeout=30)

        assert sorted(await here.notes(), key=int) == [str(n) for n in range(3_000)]
        assert len({e.id for e in ears.envelopes()}) == len(commands)

    async def test_is_away_for_a_while(self, here: Stage, broker_proxy: Proxy) -> None:
        """It is said that nothing is consumed, and it is when it is back."""
        async with working(here, amqp_url=broker_proxy.url) as station:
            await eventually(lambda: station.consumer.is_consuming)
            broker_proxy.refuse()
            await eventually(lambda: not station.consumer.is_consuming)

            await broker_proxy.accept()

            await eventually(lambda: station.consumer.is_consuming)
            await here.send(*adds(THINGS, 10))
            await effects(here, 10)

    async def test_goes_silent(
        self, here: Stage, broker_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A line that is dead at the other end is noticed by its missing heartbeats."""
        monkeypatch.setattr(broker, "HEARTBEAT", 1)
        monkeypatch.setattr(broker, "CLOSE_TIMEOUT", 0.1)
        monkeypatch.setattr(aiormq.Connection, "HEARTBEAT_GRACE_MULTIPLIER", 1)
        async with working(here, amqp_url=broker_proxy.url) as station:
            await eventually(lambda: station.consumer.is_consuming)

            broker_proxy.hold()

            await eventually(lambda: not station.consumer.is_consuming)
            broker_proxy.release()
            await here.send(*adds(THINGS, 10))
            await effects(here, 10)

    async def test_closes_the_channel(self, here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does so to whoever acknowledges what it does not know."""
        opened = watch_channels(monkeypatch)
        async with working(here) as station:
            await eventually(lambda: station.consumer.is_consuming)

            await opened[0].basic_ack(1_000_000)

            await eventually(lambda: len(opened) == 2)
            await here.send(*adds(THINGS, 10))
            await effects(here, 10)

    async def test_cancels_the_consumer(self, here: Stage) -> None:
        """A queue that is deleted ends the worker, with its name: nobody stands idle."""
        async with ending(here) as (station, error):
            await eventually(lambda: station.consumer.is_consuming)
            lane = names.lane(here.service.name, 1)

            await here.channel.queue_delete(lane)

            await eventually(station.consuming.done)
        assert f"queue {lane} is missing on the broker; run `relais setup`" in str(error[0])

    async def test_has_its_queue_again(self, here: Stage) -> None:
        """The next worker consumes once setup has been run."""
        lane = await here.channel.get_queue(names.lane(here.service.name, 1))
        await lane.delete(if_unused=False, if_empty=False)
        async with broker.connected(here.amqp_url, "probe setup") as connection:
            await topology.apply(connection, [topology.reader(here.service, here.lanes)])

        async with working(here):
            await here.send(*adds(THINGS, 20))
            await effects(here, 20)


def watch_channels(monkeypatch: pytest.MonkeyPatch) -> list[AbstractChannel]:
    """Every channel that is opened for consuming from now on."""
    opened = []
    consuming = broker.consuming

    @asynccontextmanager
    async def watched(*about: object) -> AsyncIterator[AbstractChannel]:
        async with consuming(*about) as channel:  # type: ignore[arg-type]
            opened.append(channel)
            yield channel

    monkeypatch.setattr(broker, "consuming", watched)
    return opened


@asynccontextmanager
async def ending(stage: Stage) -> AsyncIterator[tuple[Station, list[BaseException]]]:
    """A worker that is to end by itself, and the error that it ends with."""
    errors: list[BaseException] = []
    try:
        async with working(stage) as station:
            yield station, errors
    except TopologyError as error:
        errors.append(error)


class TestADatabaseThatFails:
    """Intake pauses, and nothing is held against any message."""

    async def test_cuts_connections_under_load(self, here: Stage, database_proxy: Proxy) -> None:
        """Again and again, at any point of what a worker does."""
        commands = adds(THINGS, 3_000)
        async with hearing(here) as ears, working(here, database_url=database_proxy.url):
            await here.send(*commands)
            for at in (1, 700, 1_500, 2_200):
                await effects(here, at)
                database_proxy.cut()
            await effects(here, len(commands))
            await eventually(lambda: len(set(ears.notes())) == len(commands), timeout=30)
            await eventually(lambda: exactly(here, 0), timeout=30)

        assert sorted(await here.notes(), key=int) == [str(n) for n in range(3_000)]
        assert len({e.id for e in ears.envelopes()}) == len(commands)
        assert await here.count("parked") == 0
        assert await here.count("attempts") == 0

    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a batch in hand"])
    async def test_is_away_for_a_while(
        self, here: Stage, hooks: Hooks, database_proxy: Proxy, busy: bool
    ) -> None:
        """It is said that nothing is consumed, and it is when it is back."""
        async with working(here, database_url=database_proxy.url) as station:
            await eventually(lambda: station.consumer.is_consuming)
            if busy:
                hooks.gate.clear()
                await here.send(*adds(THINGS, 10))
                await begun(hooks)
            database_proxy.refuse()
            hooks.gate.set()
            await eventually(lambda: not station.consumer.is_consuming)

            await database_proxy.accept()

            await here.send(*[Add(thing_id="A", note=f"late {n}") for n in range(10)])
            await effects(here, 20 if busy else 10)
            await eventually(lambda: station.consumer.is_consuming)
        assert await here.count("parked") == 0
        assert await here.count("journal") == (20 if busy else 10)


class TestTwoWorkers:
    """Each lane has one reader at a time."""

    async def test_share_the_work(self, set_stage: SetStage) -> None:
        """Whichever has a lane, each message is handled once and in order."""
        stage = await set_stage(lanes=4)
        commands = adds(THINGS, 2_000)
        async with working(stage), working(stage):
            await stage.send(*commands)
            await effects(stage, len(commands))

        wanted = by_thing([(c.thing_id, c.note) for c in commands])
        assert by_thing(await stage.journal()) == wanted

    async def test_take_over_when_one_goes(self, set_stage: SetStage) -> None:
        """The lanes of the one that is stopped are read by the one that stays."""
        stage = await set_stage(lanes=4)
        async with working(stage) as first, working(stage) as second:
            await eventually(lambda: first.consumer.is_consuming and second.consumer.is_consuming)
            await stage.send(*adds(THINGS, 1_000))
            await effects(stage, 1)

            await first.stop()

            await effects(stage, 1_000)
            await stage.send(*[Add(thing_id=thing, note="after") for thing in THINGS])
            await effects(stage, 1_000 + len(THINGS))
        assert await stage.count("journal") == 1_000 + len(THINGS)

    async def test_take_over_when_one_is_cut_off(
        self, set_stage: SetStage, broker_proxy: Proxy, hooks: Hooks
    ) -> None:
        """In the middle of a batch, which both have then in hand."""
        stage = await set_stage(lanes=4)
        hooks.gate.clear()
        await stage.send(*adds(THINGS, 400))
        async with working(stage, amqp_url=broker_proxy.url):
            await begun(hooks)
            async with working(stage):
                first = len(hooks.batches)
                broker_proxy.refuse()
                await eventually(lambda: len(hooks.batches) > first)
                hooks.gate.set()
                await effects(stage, 400)
                await eventually(lambda: exactly(stage, 0))
                await broker_proxy.accept()
        assert await stage.count("journal") == 400


class TestASlot:
    """The place of a worker among its like."""

    async def test_that_is_lost_is_taken_again(self, here: Stage) -> None:
        """Another may have it by then: the lanes are dealt anew."""
        async with working(here) as station:
            await eventually(lambda: station.consumer.is_consuming)
            before = await here.db.fetchval(HOLDER)

            await here.db.execute("SELECT pg_terminate_backend($1)", before)

            await eventually(lambda: holder_is_not(here, before))
            await here.send(*adds(THINGS, 10))
            await effects(here, 10)


HOLDER = """
SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND d.datname = current_database() AND objsubid = 2
"""


async def holder_is_not(stage: Stage, before: int) -> bool:
    """Whether another session holds the slot."""
    return await stage.db.fetchval(HOLDER) not in (None, before)


class TestAMessageThatKeepsComingBack:
    """It may be what ends the worker."""

    async def test_is_handled_alone(self, here: Stage, hooks: Hooks) -> None:
        """After a few deliveries, so that it is known which one it is."""
        await here.send(*adds(["A"], 5))
        for _ in range(3):
            await taken(here, 5)
        await here.send(*[Add(thing_id="A", note=str(n)) for n in range(5, 10)])

        async with working(here):
            await effects(here, 10)
            await eventually(lambda: exactly(here, 0))

        assert hooks.batches == [1, 1, 1, 1, 1, 5]
        assert await here.notes() == [str(n) for n in range(10)]
        assert await here.count("attempts") == 0


async def taken(stage: Stage, count: int, *, reject: bool = False) -> None:
    """Take so many messages out of the lanes as a worker that dies does, or refuse them."""
    got: list[AbstractIncomingMessage] = []

    async def take(message: AbstractIncomingMessage) -> None:
        got.append(message)

    async with broker.connected(stage.amqp_url, "probe taker") as connection:
        channel = await connection.channel()
        for lane in topology.reader(stage.service, stage.lanes).queues:
            await (await channel.get_queue(lane)).consume(take)
        await eventually(lambda: len(got) == count)
        for message in got if reject else ():
            await message.reject(requeue=False)


class TestTheDeadQueue:
    """What the broker gave up is not lost."""

    async def test_is_drained_into_parked(self, here: Stage) -> None:
        """With the way it came, so that it can be handled when somebody says so."""
        await here.send(Add(thing_id="A", note="n"))
        await taken(here, 1, reject=True)

        async with working(here):
            await eventually(lambda: parked(here))
            (row,) = await here.db.fetch("SELECT * FROM parked")
            assert (row["reason"], row["exchange"], row["routing_key"]) == (
                "dead",
                names.COMMANDS,
                Add.TYPE,
            )
            assert not await here.notes()

            await here.db.execute("UPDATE parked SET retry_at = now()")

            await effects(here, 1)
        assert await here.count("parked") == 0


async def parked(stage: Stage) -> bool:
    """Whether a message is parked."""
    return await stage.count("parked") > 0


class TestAForeignQueue:
    """What nobody reads is read by one service that keeps it."""

    async def test_is_drained_into_parked(self, set_stage: SetStage) -> None:
        """And its sender gets `unknown_type`."""
        stage = await set_stage(foreign=True)
        strange = f"relais.probe_{TOKEN}.strange.v1"
        queue = await stage.channel.get_queue(stage.service.drains[0])
        await queue.bind(names.COMMANDS, strange)
        async with working(stage), answering(stage) as asking:
            body = plain(type=strange, id="1")
            await stage.send_raw(body, strange, reply_to=asking.queue.name)
            await eventually(lambda: asking.got)

        (told,) = envelope.read(asking.got[0].body)
        assert isinstance(told, Envelope)
        assert facts(told)[:2] == ("refused", "unknown_type")
        assert await stage.count("parked") == 1

    async def test_gets_what_no_lane_takes_as_it_was(self, here: Stage) -> None:
        """The broker's detour changes neither exchange nor routing key."""
        strange = f"relais.probe_{TOKEN}.strange.v1"
        spare = await here.channel.declare_exchange(
            f"{here.service.name}.spare", "fanout", auto_delete=True
        )
        queue = await here.channel.declare_queue(exclusive=True)
        await queue.bind(spare)
        front = await here.channel.declare_exchange(
            f"{here.service.name}.front",
            "topic",
            auto_delete=True,
            arguments={"alternate-exchange": spare.name},
        )

        await front.publish(aio_pika.Message(b"x"), strange)

        message = await eventually(lambda: queue.get(fail=False))
        assert message is not None
        assert (message.exchange, message.routing_key) == (front.name, strange)
        await front.delete()


class TestAnOddMessage:
    """Whatever somebody puts into one, its lane goes on."""

    @pytest.mark.parametrize(
        "place", ["message_id", "correlation_id", "type", "app_id", "partitionkey"]
    )
    @pytest.mark.parametrize("odd", [b"\xff\xfe\xff\xfe", b"\0\0\0\0"], ids=["not UTF-8", "NUL"])
    async def test_in_its_properties_is_handled(self, here: Stage, place: str, odd: bytes) -> None:
        """Only the body counts."""
        sent = outgoing(Add(thing_id="A", note="odd"))
        values = {name: getattr(sent, name) for name in sent.__slots__}
        marked = type(sent)(**{**values, place: "ZZZZ"})
        frames = _marshal(marked, 1, 100_000).replace(b"ZZZZ", odd)
        await here.publisher.open()
        connection = broker.underlying(here.publisher._connection)  # type: ignore[arg-type]
        await connection.write_queue.put(ChannelFrame(frames, should_close=False))

        async with working(here):
            await effects(here, 1)

        assert await here.notes() == ["odd"]

    async def test_in_its_reply_queue_is_handled(self, here: Stage) -> None:
        """Where its answer cannot go, it does not go."""
        queue = "Z" * 200
        properties = aio_pika.Message(b"", reply_to=queue).properties
        assert properties.reply_to == queue
        async with working(here):
            await here.send_raw(plain(id="é" * 128), Add.TYPE, reply_to="é" * 100)
            await here.send_raw(plain(id="2", correlationid="x" * 256), Add.TYPE, reply_to="gone")
            await effects(here, 2)

    async def test_event_is_parked(self, here: Stage) -> None:
        """And the ones after it are handled."""
        async with working(here), hearing(here, "relais.message.parked.v1", Added.TYPE) as ears:
            await here.send_raw(b"{", Told.TYPE, exchange=names.EVENTS)
            await here.send(Told(thing_id="A", note="good"))
            await effects(here, 1)
            await eventually(lambda: any("parked" in e.type for e in ears.envelopes()))

        assert await here.count("parked") == 1


class TestStopping:
    """What has begun is finished; what has not goes back."""

    async def test_finishes_the_batch_in_hand(self, here: Stage, hooks: Hooks) -> None:
        """And leaves the rest to others, in order."""
        hooks.gate.clear()
        await here.send(*adds(["A"], 1_200))
        async with working(here) as station:
            await begun(hooks)
            stopping = asyncio.create_task(station.stop())
            await asyncio.wait({stopping}, timeout=0.1)
            assert not stopping.done()
            hooks.gate.set()
            await stopping

        handled = await here.count("journal")
        assert 0 < handled < 1_200
        async with working(here):
            await effects(here, 1_200)
        assert await here.notes() == [str(n) for n in range(1_200)]
