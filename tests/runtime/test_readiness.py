"""What a worker says at /readyz: ready is one whose work flows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from contracts import names
from services.runtime import telemetry, worker
from services.runtime.amqp import broker, topology
from services.runtime.messages import consumer
from services.runtime.postgres import database
from services.runtime.service import Service, Sweep, routes
from services.runtime.tables.transaction import Work
from tests.eventually import eventually
from tests.faults.proxy import proxied
from tests.runtime.environment import THINGS, Environment, adds, effects, recording_events
from tests.runtime.probe import Add, Added, Hooks, Reported
from tests.runtime.running import RunWorker

pytestmark = pytest.mark.servers


class TestReadiness:
    """A worker that cannot do its work says so, and why."""

    async def test_comes_when_it_consumes(self, run_worker: RunWorker, env: Environment) -> None:
        """Nothing is wrong then."""
        async with run_worker() as worker:
            await worker.ready()
            assert await worker.reasons() == []

    async def test_remarks_on_who_stands_by(self, run_worker: RunWorker, env: Environment) -> None:
        """Where the broker gives all lanes to one worker, the other is ready to take over."""
        async with broker.connected(env.amqp_url, "probe test") as connection:
            spreads = broker.major(broker.version(connection)) >= 4
        async with run_worker() as first:
            await first.ready()
            async with run_worker() as second:
                await second.ready()
                assert await first.remarks() == []
                remarks = await second.remarks()
                assert spreads or "stands by" in remarks[0]
                assert await second.reasons() == []

            async with run_worker() as second:
                await second.ready()
                first.worker.stop()
                await asyncio.wait({first.running})
                await env.send(*adds(THINGS, 20))
                await effects(env, 20)
                assert await second.remarks() == []

    async def test_remarks_on_lanes_beyond_the_setting(
        self, run_worker: RunWorker, env: Environment
    ) -> None:
        """They are read, whether they are retired or newer than this worker."""
        env.lanes -= 1
        async with run_worker() as worker:
            await worker.ready()
            [remark] = await worker.remarks()
        env.lanes += 1

        assert "reads 2 lanes though RELAIS_LANES is 1" in remark

    async def test_goes_while_only_a_newer_version_reads_what_waits(
        self, run_worker: RunWorker, env: Environment
    ) -> None:
        """Somebody has to update it."""
        older = replace(env.service, routes=routes(Reported))
        async with run_worker(service=older) as worker:
            await env.send(Add(thing_id="A"))
            await eventually(lambda: worker.is_unready(Add.TYPE), timeout=30)

    async def test_goes_while_the_broker_is_away(
        self, run_worker: RunWorker, env: Environment
    ) -> None:
        """And comes back with it."""
        async with proxied(env.amqp_url) as proxy, run_worker(amqp_url=proxy.url) as worker:
            await worker.ready()

            proxy.refuse()

            await eventually(lambda: worker.is_unready("consumes no lane; it waits for RabbitMQ"))
            assert not await worker.is_unready("Postgres")
            await proxy.accept()
            await worker.ready()

    async def test_goes_while_the_broker_has_not_brought_back_its_queues(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After a fault of it; a killed one takes connections before it knows all of them again."""
        monkeypatch.setattr(consumer, "BACK_WITHIN", 60.0)
        dead = names.dead(env.service.name)
        async with proxied(env.amqp_url) as proxy, run_worker(amqp_url=proxy.url) as worker:
            await worker.ready()
            proxy.refuse()
            await eventually(lambda: worker.is_unready("it waits for RabbitMQ"))
            await env.channel.queue_delete(names.expired(dead), if_unused=False, if_empty=False)
            await proxy.accept()

            await eventually(lambda: worker.is_unready(f"{names.expired(dead)} is missing"))
            await topology.declare_drained(env.channel, dead)
            await worker.ready()

    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a batch in hand"])
    async def test_goes_while_the_database_is_away(
        self, run_worker: RunWorker, env: Environment, hooks: Hooks, busy: bool
    ) -> None:
        """And comes back with it; whether it was at work or not."""
        async with (
            proxied(env.database_url) as proxy,
            run_worker(database_url=proxy.url) as worker,
        ):
            await worker.ready()
            if busy:
                hooks.gate.clear()
                await env.send(*adds(THINGS, 10))
                await eventually(lambda: hooks.batches)
            proxy.refuse()
            hooks.gate.set()

            await eventually(lambda: worker.is_unready("consumes no lane"))
            await eventually(lambda: worker.is_unready("for Postgres"))
            assert not await worker.is_unready("RabbitMQ")
            await proxy.accept()
            await worker.ready()

    async def test_goes_while_an_event_reaches_no_queue(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody should read it, and `relais setup` has not been run."""
        monkeypatch.setattr(worker, "heard", lambda _: frozenset({Added.TYPE}))
        async with run_worker() as one:
            await one.ready()

            await env.send(Add(thing_id="A"))

            await eventually(lambda: one.is_unready("1 events reach no reader's queue"))
            async with recording_events(env) as recorder:
                await env.db.execute("UPDATE outbox SET taken_until = now()")
                await eventually(lambda: recorder.deliveries)
                await one.ready()

    async def test_goes_while_a_publish_is_not_confirmed(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The broker reads nothing, as under an alarm, and the database is not blamed for it."""
        monkeypatch.setitem(telemetry.REPORTED_AFTER, "publish", 0.3)
        async with proxied(env.amqp_url) as proxy, run_worker(amqp_url=proxy.url) as worker:
            await worker.ready()
            await env.send(Add(thing_id="A"))
            await effects(env, 1)
            proxy.hold(up=True, down=False)
            await env.send(Add(thing_id="A"))

            await eventually(lambda: worker.is_unready("for RabbitMQ (publish)"))
            assert not await worker.is_unready("Postgres")
            proxy.release()
            await worker.ready()

    async def test_goes_while_an_event_stays_in_the_outbox(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever holds it, and however often it is claimed anew."""
        monkeypatch.setattr(worker, "LEFT_AFTER", 0.3)
        async with run_worker() as one:
            await one.ready()
            await env.db.execute(HELD_EVENT)

            await eventually(lambda: one.is_unready("an event has waited"))
            await env.db.execute("DELETE FROM outbox")
            await one.ready()

    async def test_goes_while_a_lock_holds_messages_back(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It names their key, and since when they wait."""
        monkeypatch.setattr(database, "LOCK_TIMEOUT", "100ms")
        async with run_worker() as one:
            await env.send(Add(thing_id="A"))
            await effects(env, 1)
            async with env.db.transaction():
                await env.db.execute("SELECT FROM things FOR UPDATE")
                await env.send(Add(thing_id="A"), Add(thing_id="B"))
                await effects(env, 2)
                await eventually(lambda: one.is_unready("A is held by another session of Postgres"))
            await effects(env, 3)
            await one.ready()

    async def test_goes_while_a_lane_does_not_answer(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has no leader, say."""
        monkeypatch.setattr(consumer, "LOOKED_AT_EVERY", 0.1)
        monkeypatch.setattr(consumer, "ANSWERED_WITHIN", 0.3)
        async with proxied(env.amqp_url) as proxy, run_worker(amqp_url=proxy.url) as one:
            await one.ready()
            proxy.hold(up=True, down=False)

            lane = names.lane(env.service.name, 1)
            await eventually(lambda: one.is_unready(f"does not answer for the lane {lane}"))
            proxy.release()
            await one.ready()

    async def test_goes_while_a_sweep_keeps_failing(
        self, run_worker: RunWorker, env: Environment
    ) -> None:
        """It names the sweep."""

        async def fail(_: Work) -> bool:
            raise LookupError("a bug")

        async with run_worker(with_sweep(env.service, fail)) as worker:
            await eventually(lambda: worker.is_unready("the sweep mine keeps failing"))

    async def test_goes_when_it_is_stopping(
        self, run_worker: RunWorker, env: Environment, hooks: Hooks
    ) -> None:
        """Before the last message is done."""
        hooks.gate.clear()
        async with run_worker() as one:
            await one.ready()
            await env.send(Add(thing_id="A"))
            await eventually(lambda: hooks.batches)

            one.worker.stop()

            await eventually(lambda: one.is_unready("it is stopping"))
            hooks.gate.set()
            await one.running


HELD_EVENT = """
INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, content_type,
                    mandatory, body, taken_until)
VALUES ('', 'q', 't', 'm', 'c', 'x', false, '', now() + interval '1 hour')
"""
"""An event that somebody else has claimed and does not publish."""


def with_sweep(service: Service, run: Callable[[Work], Awaitable[bool]]) -> Service:
    """The same service with one sweep."""
    values = {name: getattr(service, name) for name in service.__slots__}
    return Service(**{**values, "sweeps": (Sweep("mine", run),)})
