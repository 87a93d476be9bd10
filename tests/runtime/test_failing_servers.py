"""Consuming from a broker and into a database that fail, and by several workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiormq
import pytest
from aiormq.abc import AbstractChannel

from contracts import names
from services.runtime.amqp import broker, topology
from services.runtime.amqp.topology import TopologyError
from services.runtime.messages.relay import Relay
from tests.eventually import eventually
from tests.faults.proxy import Proxy
from tests.runtime.conftest import MakeEnvironment
from tests.runtime.environment import (
    THINGS,
    Engines,
    Environment,
    adds,
    begun,
    by_thing,
    effects,
    exactly,
    recording_events,
    running_engines,
)
from tests.runtime.probe import Add, Hooks

pytestmark = pytest.mark.servers


class TestABrokerThatFails:
    """The worker consumes again, and every message has its effect once."""

    async def test_cuts_connections_under_load(self, env: Environment, broker_proxy: Proxy) -> None:
        """Again and again, at any point of what a worker does."""
        commands = adds(THINGS, 3_000)
        async with (
            recording_events(env) as recorder,
            running_engines(env, amqp_url=broker_proxy.url),
        ):
            await env.send(*commands)
            for at in (1, 700, 1_500, 2_200):
                await effects(env, at)
                broker_proxy.cut()
            await effects(env, len(commands))
            await eventually(lambda: len(set(recorder.notes())) == len(commands), timeout=30)
            await eventually(lambda: exactly(env, 0), timeout=30)

        assert sorted(await env.notes(), key=int) == [str(n) for n in range(3_000)]
        assert len({e.id for e in recorder.envelopes()}) == len(commands)

    async def test_is_away_for_a_while(self, env: Environment, broker_proxy: Proxy) -> None:
        """It is said that nothing is consumed, and it is when it is back."""
        async with running_engines(env, amqp_url=broker_proxy.url) as engines:
            await eventually(lambda: engines.consumer.is_consuming)
            broker_proxy.refuse()
            await eventually(lambda: not engines.consumer.is_consuming)

            await broker_proxy.accept()

            await eventually(lambda: engines.consumer.is_consuming)
            await env.send(*adds(THINGS, 10))
            await effects(env, 10)

    async def test_goes_silent(
        self, env: Environment, broker_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A line that is dead at the other end is noticed by its missing heartbeats."""
        monkeypatch.setattr(broker, "HEARTBEAT", 1)
        monkeypatch.setattr(broker, "CLOSE_TIMEOUT", 0.1)
        monkeypatch.setattr(aiormq.Connection, "HEARTBEAT_GRACE_MULTIPLIER", 1)
        async with running_engines(env, amqp_url=broker_proxy.url) as engines:
            await eventually(lambda: engines.consumer.is_consuming)

            broker_proxy.hold()

            await eventually(lambda: not engines.consumer.is_consuming)
            broker_proxy.release()
            await env.send(*adds(THINGS, 10))
            await effects(env, 10)

    async def test_closes_the_channel(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It does so to whoever acknowledges what it does not know."""
        opened = watch_channels(monkeypatch)
        async with running_engines(env) as engines:
            await eventually(lambda: engines.consumer.is_consuming)

            await opened[0].basic_ack(1_000_000)

            await eventually(lambda: len(opened) == 2)
            await env.send(*adds(THINGS, 10))
            await effects(env, 10)

    async def test_ends_what_waits_without_a_reason(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The library raises a bare Exception where a connection goes while a channel opens."""
        check = topology.check
        reasons: list[type[Exception]] = [Exception]

        async def failing(*given: Any) -> list[str]:
            if reasons:
                raise reasons.pop()
            return await check(*given)

        monkeypatch.setattr(topology, "check", failing)
        async with running_engines(env):
            await env.send(Add(thing_id="A"))
            await effects(env, 1)
        assert not reasons

    async def test_cancels_the_consumer(self, env: Environment) -> None:
        """A queue that is deleted ends the worker, with its name: nobody stands idle."""
        async with ending(env) as (engines, error):
            await eventually(lambda: engines.consumer.is_consuming)
            lane = names.lane(env.service.name, 1)

            await env.channel.queue_delete(lane)

            await eventually(engines.consuming.done)
        assert f"queue {lane} is missing on the broker; run `relais setup`" in str(error[0])

    async def test_has_its_queue_again(self, env: Environment) -> None:
        """The next worker consumes once setup has been run."""
        lane = await env.channel.get_queue(names.lane(env.service.name, 1))
        await lane.delete(if_unused=False, if_empty=False)
        async with broker.connected(env.amqp_url, "probe setup") as connection:
            await topology.apply(connection, [env.service.reader(env.lanes)])

        async with running_engines(env):
            await env.send(*adds(THINGS, 20))
            await effects(env, 20)


class TestProgress:
    """What the watchdog looks at."""

    async def test_is_that_of_the_oldest_batch(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One whose events hang is seen, though those behind it are being decided."""
        opened = asyncio.Event()
        publish = Relay._publish
        held: list[bool] = []

        async def hang_first(relay: Relay, rows: Any) -> None:
            if not held:
                held.append(True)
                await opened.wait()
            await publish(relay, rows)

        monkeypatch.setattr(Relay, "_publish", hang_first)
        async with running_engines(env) as engines:
            await env.send(Add(thing_id="A"))
            await eventually(lambda: held)
            before = engines.consumer.last_progress
            await env.send(Add(thing_id="B"))
            await effects(env, 2)
            assert engines.consumer.is_busy
            assert engines.consumer.last_progress == before
            opened.set()
            await eventually(lambda: not engines.consumer.is_busy)
            assert engines.consumer.last_progress > before


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
async def ending(env: Environment) -> AsyncIterator[tuple[Engines, list[BaseException]]]:
    """A worker that is to end by itself, and the error that it ends with."""
    errors: list[BaseException] = []
    try:
        async with running_engines(env) as engines:
            yield engines, errors
    except TopologyError as error:
        errors.append(error)


class TestADatabaseThatFails:
    """Intake pauses, and nothing is held against any message."""

    async def test_cuts_connections_under_load(
        self, env: Environment, database_proxy: Proxy
    ) -> None:
        """Again and again, at any point of what a worker does."""
        commands = adds(THINGS, 3_000)
        async with (
            recording_events(env) as recorder,
            running_engines(env, database_url=database_proxy.url),
        ):
            await env.send(*commands)
            for at in (1, 700, 1_500, 2_200):
                await effects(env, at)
                database_proxy.cut()
            await effects(env, len(commands))
            await eventually(lambda: len(set(recorder.notes())) == len(commands), timeout=30)
            await eventually(lambda: exactly(env, 0), timeout=30)

        assert sorted(await env.notes(), key=int) == [str(n) for n in range(3_000)]
        assert len({e.id for e in recorder.envelopes()}) == len(commands)
        assert await env.count("parked") == 0
        assert await env.count("attempts") == 0

    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a batch in hand"])
    async def test_is_away_for_a_while(
        self, env: Environment, hooks: Hooks, database_proxy: Proxy, busy: bool
    ) -> None:
        """It is said that nothing is consumed, and it is when it is back."""
        async with running_engines(env, database_url=database_proxy.url) as engines:
            await eventually(lambda: engines.consumer.is_consuming)
            if busy:
                hooks.gate.clear()
                await env.send(*adds(THINGS, 10))
                await begun(hooks)
            database_proxy.refuse()
            hooks.gate.set()
            await eventually(lambda: not engines.consumer.is_consuming)

            await database_proxy.accept()

            await env.send(*[Add(thing_id="A", note=f"late {n}") for n in range(10)])
            await effects(env, 20 if busy else 10)
            await eventually(lambda: engines.consumer.is_consuming)
        assert await env.count("parked") == 0
        assert await env.count("journal") == (20 if busy else 10)


class TestTwoWorkers:
    """Each lane has one reader at a time."""

    async def test_share_the_work(self, make_env: MakeEnvironment) -> None:
        """Whichever has a lane, each message is handled once and in order."""
        env = await make_env(lanes=4)
        commands = adds(THINGS, 2_000)
        async with running_engines(env), running_engines(env):
            await env.send(*commands)
            await effects(env, len(commands))

        wanted = by_thing([(c.thing_id, c.note) for c in commands])
        assert by_thing(await env.journal()) == wanted

    async def test_take_over_when_one_goes(self, make_env: MakeEnvironment) -> None:
        """The lanes of the one that is stopped are read by the one that stays."""
        env = await make_env(lanes=4)
        async with running_engines(env) as first, running_engines(env) as second:
            await eventually(lambda: first.consumer.is_consuming and second.consumer.is_consuming)
            await env.send(*adds(THINGS, 1_000))
            await effects(env, 1)

            await first.stop()

            await effects(env, 1_000)
            await env.send(*[Add(thing_id=thing, note="after") for thing in THINGS])
            await effects(env, 1_000 + len(THINGS))
        assert await env.count("journal") == 1_000 + len(THINGS)

    async def test_take_over_when_one_is_cut_off(
        self, make_env: MakeEnvironment, broker_proxy: Proxy, hooks: Hooks
    ) -> None:
        """In the middle of a batch, which both have then in hand."""
        env = await make_env(lanes=4)
        hooks.gate.clear()
        await env.send(*adds(THINGS, 400))
        async with running_engines(env, amqp_url=broker_proxy.url):
            await begun(hooks)
            async with running_engines(env):
                first = len(hooks.batches)
                broker_proxy.refuse()
                await eventually(lambda: len(hooks.batches) > first)
                hooks.gate.set()
                await effects(env, 400)
                await eventually(lambda: exactly(env, 0))
                await broker_proxy.accept()
        assert await env.count("journal") == 400


class TestASlot:
    """The place of a worker among its like."""

    async def test_that_is_lost_is_taken_again(self, env: Environment) -> None:
        """Another may have it by then: the lanes are dealt anew."""
        async with running_engines(env) as engines:
            await eventually(lambda: engines.consumer.is_consuming)
            before = await env.db.fetchval(HOLDER)

            await env.db.execute("SELECT pg_terminate_backend($1)", before)

            await eventually(lambda: holder_is_not(env, before))
            await env.send(*adds(THINGS, 10))
            await effects(env, 10)


HOLDER = """
SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND d.datname = current_database() AND objsubid = 2
"""


async def holder_is_not(env: Environment, before: int) -> bool:
    """Whether another session holds the slot."""
    return await env.db.fetchval(HOLDER) not in (None, before)
