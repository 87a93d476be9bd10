"""The engine that drains lanes, on a real broker and a real database."""

import asyncio

import pytest
from aio_pika.abc import AbstractIncomingMessage

from contracts import names
from services.runtime.amqp import broker
from services.runtime.amqp.reader import Delivery
from services.runtime.messages import intake
from services.runtime.messages.intake import Intake
from tests.eventually import eventually
from tests.faults.proxy import Proxy
from tests.runtime.conftest import MakeEnvironment
from tests.runtime.environment import (
    THINGS,
    Environment,
    adds,
    begun,
    by_thing,
    effects,
    exactly,
    parked,
    recording_events,
    running_engines,
    waits,
    written,
)
from tests.runtime.probe import Add, Hooks, Reported

pytestmark = pytest.mark.servers


class TestMessages:
    """They are handled in order, and brought out in order."""

    async def test_of_one_key_stay_in_order(self, make_env: MakeEnvironment) -> None:
        """Through several lanes, into the tables and out of them."""
        env = await make_env(lanes=3)
        commands = adds(THINGS, 2_000)
        async with running_engines(env), recording_events(env) as recorder:
            await env.send(*commands)
            await eventually(lambda: len(recorder.notes()) == len(commands), timeout=30)

        wanted = by_thing([(c.thing_id, c.note) for c in commands])
        assert by_thing(await env.journal()) == wanted
        assert (
            by_thing([(e.subject, (e.data or {})["note"]) for e in recorder.envelopes()]) == wanted
        )

    async def test_of_many_bodies_are_one_batch(self, env: Environment, hooks: Hooks) -> None:
        """What is there is taken together, and never more than a batch holds."""
        await env.send(*adds(THINGS, 1_200))
        async with running_engines(env):
            await effects(env, 1_200)

        assert max(hooks.batches) > 100
        assert max(hooks.batches) <= 500

    async def test_of_one_body_are_one_batch(self, env: Environment, hooks: Hooks) -> None:
        """A pack always fits, even where it alone is more than a batch holds."""
        elements = [written(add, str(n)) for n, add in enumerate(adds(["A"], 1_000))]
        await env.send_raw(b"[" + b",".join(elements) + b"]", Add.TYPE)

        async with running_engines(env):
            await effects(env, 1_000)

        assert hooks.batches == [1_000]
        assert await env.notes() == [str(n) for n in range(1_000)]

    async def test_that_are_events_are_handled_too(self, env: Environment) -> None:
        """Commands and events of one thing come through the same lane."""
        async with running_engines(env):
            await env.send(Add(thing_id="A", note="1"))
            await env.send(Reported(thing_id="A", note="2"), Add(thing_id="A", note="3"))
            await effects(env, 3)

        assert await env.notes() == ["1", "2", "3"]

    async def test_leave_the_lane_when_they_are_done(self, env: Environment) -> None:
        """And not before: what is not acknowledged is still the broker's."""
        async with running_engines(env):
            await env.send(*adds(THINGS, 300))
            await effects(env, 300)

        assert await env.depth() == 0

    async def test_ahead_are_bounded(self, env: Environment, hooks: Hooks) -> None:
        """So many per lane wait in the worker, the others where they are safe."""
        hooks.gate.clear()
        await env.send(*adds(THINGS, 300))
        async with running_engines(env, prefetch=20):
            await eventually(lambda: exactly(env, 300 - 2 * 20))
            hooks.gate.set()
            await effects(env, 300)

    async def test_that_are_large_are_bounded_by_their_size(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What does not fit stays with the broker until some have been taken; none is lost."""
        monkeypatch.setattr(intake, "HELD_BYTES", 4_000_000)
        delivered: list[int] = []
        own = Intake(env.service)

        def deliver(delivery: Delivery) -> None:
            delivered.append(delivery.tag)
            own.deliver(delivery)

        for _ in range(60):
            await env.send_raw(b" " * 500_000, Add.TYPE)
        queues = env.service.reader(env.lanes).queues
        async with broker.consuming(env.amqp_url, "large", deliver, own.room) as channel:
            await channel.basic_qos(prefetch_count=100)
            beginning = asyncio.create_task(own.consume(channel, queues, [0] * len(queues)))
            await eventually(lambda: not own.room.is_set())
            held = len(delivered)
            reading = asyncio.create_task(own.read_ahead())
            taken = 0
            while taken < 60 and (batch := await own.take()):
                taken += len(batch.items)
            await beginning
            own.end("enough")
            await reading

        assert held < 20

    async def test_that_become_known_wake_what_waits(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A command that came too early is decided as soon as it can be."""
        async with running_engines(env, unknown_wait_seconds=3600) as engines:
            await env.send(Add(thing_id="A", note="early", needs="B"))
            await eventually(lambda: waits(env))
            await eventually(lambda: engines.consumer.decider.wakes_waiting)
            await env.send(Add(thing_id="B", note="B"))
            await effects(env, 2)

        assert await env.notes() == ["B", "early"]


class TestAnAcknowledgement:
    """It says that a message has had its effect, and that the effect has been told."""

    async def test_comes_after_the_commit(
        self, env: Environment, hooks: Hooks, broker_proxy: Proxy
    ) -> None:
        """A worker that goes before it leaves the message to the next."""
        hooks.gate.clear()
        await env.send(*adds(THINGS, 30))
        async with running_engines(env, amqp_url=broker_proxy.url):
            await begun(hooks)

            broker_proxy.cut()

            hooks.gate.set()
            await effects(env, 30)
            await eventually(lambda: exactly(env, 0))
        assert sorted(await env.notes(), key=int) == [str(n) for n in range(30)]

    async def test_comes_after_the_events(
        self, env: Environment, broker_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is committed but not told is delivered again, and has no second effect."""
        told = asyncio.Event()
        async with (
            recording_events(env) as recorder,
            running_engines(env, amqp_url=broker_proxy.url) as engines,
        ):
            publish = engines.work.outbox.publish

            async def publish_late(rows: object) -> None:
                await told.wait()
                await publish(rows)  # type: ignore[arg-type]

            monkeypatch.setattr(engines.work.outbox, "publish", publish_late)
            await env.send(*adds(THINGS, 30))
            await effects(env, 30)

            broker_proxy.cut()
            # Nobody has begun them again: all are as they were before they were delivered.
            await eventually(lambda: exactly(env, 30))
            told.set()

            await eventually(lambda: len(recorder.notes()) >= 30)
            await eventually(lambda: exactly(env, 0))
        assert await env.count("journal") == 30
        assert len({e.id for e in recorder.envelopes()}) == 30


class TestAMessageThatKeepsComingBack:
    """It may be what ends the worker, once one has begun it."""

    async def test_is_handled_with_others_as_long_as_nobody_had_begun_it(
        self, env: Environment, hooks: Hooks
    ) -> None:
        """Workers that are stopped give back what they were given, however often."""
        await env.send(*adds(["A"], 300))
        for _ in range(4):
            await taken(env, 300)
        await env.send(*[Add(thing_id="A", note=str(n)) for n in range(300, 400)])

        async with running_engines(env):
            await effects(env, 400)
            await eventually(lambda: exactly(env, 0))

        assert len(hooks.batches) < 20
        assert await env.notes() == [str(n) for n in range(400)]
        assert await env.count("attempts") == 0


async def taken(env: Environment, count: int, *, reject: bool = False) -> None:
    """Take so many messages out of the lanes as a worker that dies does, or refuse them."""
    got: list[AbstractIncomingMessage] = []

    async def take(message: AbstractIncomingMessage) -> None:
        got.append(message)

    async with broker.connected(env.amqp_url, "probe taker") as connection:
        channel = await connection.channel()
        for lane in env.service.reader(env.lanes).queues:
            await (await channel.get_queue(lane)).consume(take)
        await eventually(lambda: len(got) == count)
        for message in got if reject else ():
            await message.reject(requeue=False)


class TestTheDeadQueue:
    """What the broker gave up is not lost."""

    async def test_is_drained_into_parked(self, env: Environment) -> None:
        """With the way it came, so that it can be handled when somebody says so."""
        await env.send(Add(thing_id="A", note="n"))
        await taken(env, 1, reject=True)

        async with running_engines(env):
            await eventually(lambda: parked(env))
            (row,) = await env.db.fetch("SELECT * FROM kept")
            assert (row["reason"], row["exchange"], row["routing_key"]) == (
                "dead",
                names.COMMANDS,
                Add.TYPE,
            )
            assert not await env.notes()

            await env.db.execute("UPDATE kept SET retry_at = now()")

            await effects(env, 1)
        assert await env.count("parked") == 0


class TestStopping:
    """What has begun is finished; what has not goes back."""

    async def test_finishes_the_batch_in_hand(self, env: Environment, hooks: Hooks) -> None:
        """And leaves the rest to others, in order."""
        hooks.gate.clear()
        await env.send(*adds(["A"], 1_200))
        async with running_engines(env) as engines:
            await begun(hooks)
            stopping = asyncio.create_task(engines.stop())
            await asyncio.wait({stopping}, timeout=0.1)
            assert not stopping.done()
            hooks.gate.set()
            await stopping

        handled = await env.count("journal")
        assert 0 < handled < 1_200
        async with running_engines(env):
            await effects(env, 1_200)
        assert await env.notes() == [str(n) for n in range(1_200)]
