"""A whole worker: it says how it is, ends in order, and never stands idle."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from contracts import names
from services.runtime import web, worker
from services.runtime.amqp import broker
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.amqp.topology import TopologyError
from services.runtime.messages.relay import Relay
from services.runtime.postgres.migrate import MigrationError
from services.runtime.service import Service, Sweep, routes
from services.runtime.settings import ConfigurationError
from services.runtime.tables.sweeper import Sweeper
from services.runtime.tables.transaction import Work
from services.runtime.worker import Stuck, Worker
from tests.conftest import on_server
from tests.eventually import eventually
from tests.faults.proxy import proxied
from tests.runtime.environment import (
    THINGS,
    Environment,
    adds,
    effects,
    exactly,
    parked,
    recording_events,
)
from tests.runtime.probe import Add, Added, Hooks, Reported

pytestmark = pytest.mark.servers


@dataclass
class RunningWorker:
    """A worker in this process, and its pages."""

    worker: Worker
    running: asyncio.Task[None]
    port: int

    async def get(self, page: str) -> httpx.Response:
        """One page, once it answers."""
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{self.port}{page}")

    async def remarks(self) -> list[str]:
        """What else there is to know of it."""
        said: list[str] = (await self.get("/readyz")).json()["remarks"]
        return said

    async def reasons(self) -> list[str]:
        """Why it is not ready; nothing when it is."""
        answer = await self.get("/readyz")
        said: list[str] = answer.json()["reasons"]
        assert answer.status_code == (503 if said else 200)
        return said

    async def is_ready(self) -> bool:
        """Whether it is."""
        return await self._says(lambda reasons: not reasons)

    async def is_unready(self, part: str) -> bool:
        """Whether it says that it is not, for this reason."""
        return await self._says(lambda reasons: any(part in reason for reason in reasons))

    async def _says(self, wanted: Callable[[list[str]], bool]) -> bool:
        if self.running.done():
            self.running.result()
        try:
            return wanted(await self.reasons())
        except httpx.TransportError:
            return False


RunWorker = Callable[..., Any]


@pytest.fixture
def run_worker(env: Environment, monkeypatch: pytest.MonkeyPatch) -> RunWorker:
    """Opens a worker in this process; signals and the collector stay the tests' own."""
    monkeypatch.setattr(Worker, "_listen", lambda _: None)
    monkeypatch.setattr(worker, "_spare_the_collector", lambda: None)

    @asynccontextmanager
    async def opened(
        service: Service = env.service,
        database_url: str = env.database_url,
        **settings: Any,
    ) -> AsyncIterator[RunningWorker]:
        monkeypatch.setattr(worker, "installed", lambda: {service.name: service})
        monkeypatch.setenv(f"RELAIS_{service.name.upper()}_POSTGRES_URL", database_url)
        port = free_port()
        one = Worker(service, env.settings(http_port=port, **settings))
        run_worker = RunningWorker(one, asyncio.create_task(one.run()), port)
        try:
            yield run_worker
        finally:
            env.hooks.gate.set()
            one.stop()
            await asyncio.wait({run_worker.running})

    return opened


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
            await eventually(worker.is_ready)

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


class TestReadiness:
    """A worker that cannot do its work says so, and why."""

    async def test_comes_when_it_consumes(self, run_worker: RunWorker, env: Environment) -> None:
        """Nothing is wrong then."""
        async with run_worker() as worker:
            await eventually(worker.is_ready)
            assert await worker.reasons() == []

    async def test_remarks_on_who_stands_by(self, run_worker: RunWorker, env: Environment) -> None:
        """Where the broker gives all lanes to one worker, the other is ready to take over."""
        async with broker.connected(env.amqp_url, "probe test") as connection:
            spreads = broker.major(broker.version(connection)) >= 4
        async with run_worker() as first:
            await eventually(first.is_ready)
            async with run_worker() as second:
                await eventually(second.is_ready)
                assert await first.remarks() == []
                remarks = await second.remarks()
                assert spreads or "stands by" in remarks[0]
                assert await second.reasons() == []

            async with run_worker() as second:
                await eventually(second.is_ready)
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
            await eventually(worker.is_ready)
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
            await eventually(worker.is_ready)

            proxy.refuse()

            await eventually(lambda: worker.is_unready("consumes no lane"))
            await proxy.accept()
            await eventually(worker.is_ready)

    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a batch in hand"])
    async def test_goes_while_the_database_is_away(
        self, run_worker: RunWorker, env: Environment, hooks: Hooks, busy: bool
    ) -> None:
        """And comes back with it; whether it was at work or not."""
        async with (
            proxied(env.database_url) as proxy,
            run_worker(database_url=proxy.url) as worker,
        ):
            await eventually(worker.is_ready)
            if busy:
                hooks.gate.clear()
                await env.send(*adds(THINGS, 10))
                await eventually(lambda: hooks.batches)
            proxy.refuse()
            hooks.gate.set()

            await eventually(lambda: worker.is_unready("consumes no lane"))
            await proxy.accept()
            await eventually(worker.is_ready)

    async def test_goes_while_an_event_reaches_no_queue(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody should read it, and `relais setup` has not been run."""
        monkeypatch.setattr(worker, "heard", lambda _: frozenset({Added.TYPE}))
        async with run_worker() as one:
            await eventually(one.is_ready)

            await env.send(Add(thing_id="A"))

            await eventually(lambda: one.is_unready("1 events reach no reader's queue"))
            async with recording_events(env) as recorder:
                await env.db.execute("UPDATE outbox SET taken_until = now()")
                await eventually(lambda: recorder.deliveries)
                await eventually(one.is_ready)

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
            await eventually(one.is_ready)
            await env.send(Add(thing_id="A"))
            await eventually(lambda: hooks.batches)

            one.worker.stop()

            await eventually(lambda: one.is_unready("it is stopping"))
            hooks.gate.set()
            await one.running


def with_sweep(service: Service, run: Callable[[Work], Awaitable[bool]]) -> Service:
    """The same service with one sweep."""
    values = {name: getattr(service, name) for name in service.__slots__}
    return Service(**{**values, "sweeps": (Sweep("mine", run),)})


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
            await eventually(one.is_ready)
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
