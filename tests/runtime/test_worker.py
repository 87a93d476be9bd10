"""A whole worker: it says how it is, ends in order, and never stands idle."""

import asyncio
import socket
from datetime import timedelta
from typing import Any

import pytest

from contracts import names
from services.runtime import web, worker
from services.runtime.amqp import broker, channel, isolation
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.amqp.topology import TopologyError
from services.runtime.messages import consumer, outbox
from services.runtime.messages.relay import Relay
from services.runtime.postgres.migrate import MigrationError
from services.runtime.settings import ConfigurationError
from services.runtime.tables.sweeper import Sweeper
from services.runtime.worker import Stuck
from tests.conftest import on_server
from tests.eventually import eventually
from tests.faults.proxy import proxied
from tests.runtime.environment import (
    Environment,
    effects,
    exactly,
    parked,
)
from tests.runtime.probe import Add, Hooks
from tests.runtime.running import RunWorker

pytestmark = pytest.mark.servers


class TestItsPages:
    """Those who watch it ask over HTTP."""

    def test_need_a_port_of_their_own(self) -> None:
        """Where it is taken, somebody is told which, and by which setting."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConfigurationError, match=f"RELAIS_HTTP_PORT {port} cannot be had"):
                web.bound("127.0.0.1", port)

    async def test_say_that_it_lives(self, run_worker: RunWorker, env: Environment) -> None:
        """Alive, of which version, and what it counts."""
        async with run_worker() as worker:
            await worker.ready()

            alive = await worker.get("/healthz")
            version = await worker.get("/version")
            metrics = await worker.get("/metrics")

        assert alive.json() == {"status": "alive", "service": env.service.name}
        assert version.json()["service"] == env.service.name
        assert "relais_ready 1.0" in metrics.text
        assert "relais_outbox_pending" in metrics.text

    async def test_count_what_was_handled(self, run_worker: RunWorker, env: Environment) -> None:
        """By type and outcome; a type that somebody invented is only another."""
        async with run_worker() as worker:
            await env.send(Add(thing_id="A"), Add(thing_id="A", outcome="refused"))
            await env.send_raw(b"{", Add.TYPE)
            await eventually(lambda: exactly(env, 0))
            await eventually(lambda: parked(env))
            text = (await worker.get("/metrics")).text

        labels = f'service="{env.service.name}",type="{Add.TYPE}"'
        assert f'relais_messages_consumed_total{{outcome="accepted",{labels}}} 1.0' in text
        assert f'relais_messages_consumed_total{{outcome="refused",{labels}}} 1.0' in text
        assert f'relais_messages_consumed_total{{outcome="parked",{labels}}} 1.0' in text


class TestItsStart:
    """What it needs is there, or it ends and says what to do."""

    async def test_needs_its_tables(
        self, run_worker: RunWorker, env: Environment, postgres_url: str
    ) -> None:
        """An empty database is not made into one in passing."""
        async with run_worker(database_url=on_server(postgres_url, "postgres")) as worker:
            with pytest.raises(MigrationError, match="run `relais setup`"):
                await worker.running

    async def test_needs_its_queues(self, run_worker: RunWorker, env: Environment) -> None:
        """It does not make them: it has no right to."""
        lane = names.lane(env.service.name, 1)
        await env.channel.queue_delete(lane, if_unused=False, if_empty=False)

        async with run_worker() as worker:
            with pytest.raises(TopologyError, match=f"queue {lane} is missing"):
                await worker.running


def never_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hang would end the worker before readiness speaks of a batch without progress."""
    monkeypatch.setattr(worker, "STUCK_AFTER", 3.0)
    monkeypatch.setattr(worker, "WATCHED_EVERY", 0.05)
    monkeypatch.setattr(consumer, "STANDS_AFTER", 6.0)


class TestItsEnd:
    """Whatever ends it, it ends whole."""

    async def test_is_that_of_any_part(
        self, run_worker: RunWorker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process with half of its engines is worse than none."""
        broken = asyncio.Event()

        async def fail(_: Sweeper) -> None:
            await broken.wait()
            raise LookupError("a bug")

        monkeypatch.setattr(Sweeper, "run", fail)
        async with run_worker() as one:
            await one.ready()
            broken.set()

            with pytest.raises(LookupError, match="a bug"):
                await one.running

    async def test_comes_when_it_makes_no_progress(
        self,
        run_worker: RunWorker,
        env: Environment,
        hooks: Hooks,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """With messages in hand: a supervisor can start another, an idle one helps nobody."""
        monkeypatch.setattr(worker, "STUCK_AFTER", 0.2)
        monkeypatch.setattr(worker, "WATCHED_EVERY", 0.05)
        hooks.gate.clear()
        async with run_worker(drain_seconds=1) as one:
            await env.send(Add(thing_id="A"))

            with pytest.raises(Stuck, match="no progress"):
                await one.running

    async def test_does_not_come_while_the_database_is_away(
        self,
        run_worker: RunWorker,
        env: Environment,
        hooks: Hooks,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """For however long, with messages in hand: it waits, and goes on when it is back."""
        never_stuck(monkeypatch)
        hooks.gate.clear()
        async with (
            proxied(env.database_url) as proxy,
            run_worker(database_url=proxy.url) as one,
        ):
            await env.send(Add(thing_id="A"))
            await eventually(lambda: hooks.batches)
            proxy.refuse()
            hooks.gate.set()
            await eventually(lambda: one.is_unready("has made no progress"))
            await proxy.accept()
            await effects(env, 1)
            await one.ready()

    async def test_does_not_come_while_the_broker_takes_nothing(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An alarm may last for hours; the events wait in the outbox."""
        never_stuck(monkeypatch)
        monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=0.5))
        monkeypatch.setattr(channel, "STALLED_AFTER", 0.2)
        monkeypatch.setattr(isolation, "PROBE_TIMEOUT", 0.2)
        monkeypatch.setattr(broker, "CONNECT_TIMEOUT", 0.3)
        monkeypatch.setattr(broker, "CLOSE_TIMEOUT", 0.1)
        async with (
            proxied(env.amqp_url) as proxy,
            run_worker(amqp_url=proxy.url) as one,
        ):
            await one.ready()
            proxy.hold(up=True, down=False)
            await env.send(Add(thing_id="A"))
            await eventually(lambda: one.is_unready("has made no progress"))
            proxy.release()
            await one.ready()
            await eventually(lambda: exactly(env, 0))
        assert await env.count("journal") == 1
        assert await env.count("outbox") == 0

    async def test_waits_no_longer_than_it_may(
        self, run_worker: RunWorker, env: Environment, hooks: Hooks
    ) -> None:
        """What is not done by then is not acknowledged, and comes again."""
        hooks.gate.clear()
        async with run_worker(drain_seconds=1) as one:
            await env.send(Add(thing_id="A", note="n"))
            await eventually(lambda: hooks.batches)

            one.worker.stop()

            await one.running
        assert not await env.notes()
        async with run_worker():
            await effects(env, 1)

    async def test_finishes_what_the_broker_did_not_take(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Events that failed go out by the sweep of the outbox, which runs until then."""
        stopping = asyncio.Event()
        publish = Relay._publish
        failed: list[bool] = []

        async def fail_first(relay: Relay, rows: Any) -> None:
            if not failed:
                failed.append(True)
                await stopping.wait()
                raise PublishFailed("gone")
            await publish(relay, rows)

        monkeypatch.setattr(Relay, "_publish", fail_first)
        async with run_worker(drain_seconds=60) as one:
            await env.send(Add(thing_id="A"))
            await eventually(lambda: failed)
            one.worker.stop()
            stopping.set()
            await one.running

        assert await env.count("outbox") == 0
        assert await exactly(env, 0)
