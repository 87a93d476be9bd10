"""A whole worker: it says how it is, ends in order, and never stands idle."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from contracts import names
from services.runtime import topology, worker
from services.runtime.broker import PublishFailed
from services.runtime.migrate import MigrationError
from services.runtime.outbox import Relay
from services.runtime.service import Service, Sweep
from services.runtime.sweeper import Sweeper
from services.runtime.topology import TopologyError
from services.runtime.work import Work
from services.runtime.worker import Stuck, Worker
from tests.conftest import on_server
from tests.eventually import eventually
from tests.faults.proxy import proxied
from tests.runtime.probe import TOKEN, Add, Added, Hooks
from tests.runtime.stage import Stage, adds, hearing
from tests.runtime.test_consumer import THINGS, effects, exactly

pytestmark = pytest.mark.servers


@dataclass
class Office:
    """A worker in this process, and its pages."""

    worker: Worker
    running: asyncio.Task[None]
    port: int

    async def get(self, page: str) -> httpx.Response:
        """One page, once it answers."""
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{self.port}{page}")

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


OpenOffice = Callable[..., Any]


@pytest.fixture
def office(here: Stage, monkeypatch: pytest.MonkeyPatch) -> OpenOffice:
    """Opens a worker in this process; signals and the collector stay the tests' own."""
    monkeypatch.setattr(Worker, "_listen", lambda _: None)
    monkeypatch.setattr(worker, "_spare_the_collector", lambda: None)

    @asynccontextmanager
    async def opened(
        service: Service = here.service,
        database_url: str = here.database_url,
        **settings: Any,
    ) -> AsyncIterator[Office]:
        monkeypatch.setattr(worker, "installed", lambda: {service.name: service})
        monkeypatch.setenv(f"RELAIS_{service.name.upper()}_POSTGRES_URL", database_url)
        port = free_port()
        one = Worker(service, here.settings(http_port=port, **settings))
        office = Office(one, asyncio.create_task(one.run()), port)
        try:
            yield office
        finally:
            here.hooks.gate.set()
            one.stop()
            await asyncio.wait({office.running})

    return opened


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestItsPages:
    """Those who watch it ask over HTTP."""

    async def test_say_that_it_lives(self, office: OpenOffice, here: Stage) -> None:
        """Alive, of which version, and what it counts."""
        async with office() as worker:
            await eventually(worker.is_ready)

            alive = await worker.get("/healthz")
            version = await worker.get("/version")
            metrics = await worker.get("/metrics")

        assert alive.json() == {"status": "alive", "service": here.service.name}
        assert version.json()["service"] == here.service.name
        assert "relais_ready 1.0" in metrics.text
        assert "relais_outbox_pending" in metrics.text

    async def test_count_what_was_handled(self, office: OpenOffice, here: Stage) -> None:
        """By type and outcome; a type that somebody invented is only another."""
        async with office() as worker:
            await here.send(Add(thing_id="A"), Add(thing_id="A", come_to="refused"))
            await here.send_raw(b"{", Add.TYPE)
            await eventually(lambda: exactly(here, 0))
            await eventually(lambda: parked(here))
            text = (await worker.get("/metrics")).text

        labels = f'service="{here.service.name}",type="{Add.TYPE}"'
        assert f'relais_messages_consumed_total{{outcome="accepted",{labels}}} 1.0' in text
        assert f'relais_messages_consumed_total{{outcome="refused",{labels}}} 1.0' in text
        assert f'relais_messages_consumed_total{{outcome="parked",{labels}}} 1.0' in text


async def parked(stage: Stage) -> bool:
    """Whether a message is parked."""
    return await stage.count("parked") > 0


class TestReadiness:
    """A worker that cannot do its work says so, and why."""

    async def test_comes_when_it_consumes(self, office: OpenOffice, here: Stage) -> None:
        """Nothing is wrong then."""
        async with office() as worker:
            await eventually(worker.is_ready)
            assert await worker.reasons() == []

    async def test_goes_while_the_broker_is_away(self, office: OpenOffice, here: Stage) -> None:
        """And comes back with it."""
        async with proxied(here.amqp_url) as proxy, office(amqp_url=proxy.url) as worker:
            await eventually(worker.is_ready)

            proxy.refuse()

            await eventually(lambda: worker.is_unready("consumes no lane"))
            await proxy.accept()
            await eventually(worker.is_ready)

    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a batch in hand"])
    async def test_goes_while_the_database_is_away(
        self, office: OpenOffice, here: Stage, hooks: Hooks, busy: bool
    ) -> None:
        """And comes back with it; whether it was at work or not."""
        async with (
            proxied(here.database_url) as proxy,
            office(database_url=proxy.url) as worker,
        ):
            await eventually(worker.is_ready)
            if busy:
                hooks.gate.clear()
                await here.send(*adds(THINGS, 10))
                await eventually(lambda: hooks.batches)
            proxy.refuse()
            hooks.gate.set()

            await eventually(lambda: worker.is_unready("consumes no lane"))
            await proxy.accept()
            await eventually(worker.is_ready)

    async def test_goes_while_an_event_reaches_no_queue(
        self, office: OpenOffice, here: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody should read it, and `relais setup` has not been run."""
        monkeypatch.setattr(topology, "heard", lambda _: frozenset({Added.TYPE}))
        async with office() as one:
            await eventually(one.is_ready)

            await here.send(Add(thing_id="A"))

            await eventually(lambda: one.is_unready("1 events reach no reader's queue"))
            async with hearing(here) as ears:
                await here.db.execute("UPDATE outbox SET taken_until = now()")
                await eventually(lambda: ears.got)
                await eventually(one.is_ready)

    async def test_goes_while_a_sweep_keeps_failing(self, office: OpenOffice, here: Stage) -> None:
        """It names the sweep."""

        async def fail(_: Work) -> bool:
            raise LookupError("a bug")

        async with office(with_sweep(here.service, fail)) as worker:
            await eventually(lambda: worker.is_unready("the sweep mine keeps failing"))

    async def test_goes_when_it_is_stopping(
        self, office: OpenOffice, here: Stage, hooks: Hooks
    ) -> None:
        """Before the last message is done."""
        hooks.gate.clear()
        async with office() as one:
            await eventually(one.is_ready)
            await here.send(Add(thing_id="A"))
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
        self, office: OpenOffice, here: Stage, postgres_url: str
    ) -> None:
        """An empty database is not made into one in passing."""
        async with office(database_url=on_server(postgres_url, "postgres")) as worker:
            with pytest.raises(MigrationError, match="run `relais setup`"):
                await worker.running

    async def test_needs_its_queues(self, office: OpenOffice, here: Stage) -> None:
        """It does not make them: it has no right to."""
        lane = names.lane(here.service.name, 1)
        await here.channel.queue_delete(lane, if_unused=False, if_empty=False)

        async with office() as worker:
            with pytest.raises(TopologyError, match=f"queue {lane} is missing"):
                await worker.running


class TestItsEnd:
    """Whatever ends it, it ends whole."""

    async def test_is_that_of_any_part(
        self, office: OpenOffice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process with half of its engines is worse than none."""
        broken = asyncio.Event()

        async def fail(_: Sweeper) -> None:
            await broken.wait()
            raise LookupError("a bug")

        monkeypatch.setattr(Sweeper, "run", fail)
        async with office() as one:
            await eventually(one.is_ready)
            broken.set()

            with pytest.raises(LookupError, match="a bug"):
                await one.running

    async def test_comes_when_it_makes_no_progress(
        self,
        office: OpenOffice,
        here: Stage,
        hooks: Hooks,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """With messages in hand: a supervisor can start another, an idle one helps nobody."""
        monkeypatch.setattr(worker, "STUCK_AFTER", 0.2)
        monkeypatch.setattr(worker, "WATCHED_EVERY", 0.05)
        hooks.gate.clear()
        async with office(drain_seconds=1) as one:
            await here.send(Add(thing_id="A"))

            with pytest.raises(Stuck, match="no progress"):
                await one.running

    async def test_waits_no_longer_than_it_may(
        self, office: OpenOffice, here: Stage, hooks: Hooks
    ) -> None:
        """What is not done by then is not acknowledged, and comes again."""
        hooks.gate.clear()
        async with office(drain_seconds=1) as one:
            await here.send(Add(thing_id="A", note="n"))
            await eventually(lambda: hooks.batches)

            one.worker.stop()

            await one.running
        assert not await here.notes()
        async with office():
            await effects(here, 1)

    async def test_finishes_what_the_broker_did_not_take(
        self, office: OpenOffice, here: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Events that failed go out by the sweep of the outbox, which runs until then."""
        stopping = asyncio.Event()
        bring = Relay._bring
        failed: list[bool] = []

        async def fail_first(relay: Relay, rows: Any) -> None:
            if not failed:
                failed.append(True)
                await stopping.wait()
                raise PublishFailed("gone")
            await bring(relay, rows)

        monkeypatch.setattr(Relay, "_bring", fail_first)
        async with office(drain_seconds=60) as one:
            await here.send(Add(thing_id="A"))
            await eventually(lambda: failed)
            one.worker.stop()
            stopping.set()
            await one.running

        assert await here.count("outbox") == 0
        assert await exactly(here, 0)


class TestAProcess:
    """The real thing, with the signals of an operating system."""

    async def test_drains_when_it_is_told_to_stop(self, here: Stage) -> None:
        """It exits with 0, and what it had not begun is there for the next."""
        commands = adds(THINGS, 4_000)
        await here.send(*commands)
        async with process(here) as first:
            await effects(here, 1)
            first.send_signal(signal.SIGTERM)
            assert await first.wait() == 0

        handled = await here.count("journal")
        assert handled + await here.depth() == len(commands)
        assert await here.count("outbox") == 0
        async with process(here):
            await effects(here, len(commands))
            await eventually(lambda: exactly(here, 0))
        assert await here.count("journal") == len(commands)

    async def test_that_is_killed_leaves_nothing_half_done(self, here: Stage) -> None:
        """At any moment of its work, again and again."""
        commands = adds(THINGS, 4_000)
        await here.send(*commands)
        async with hearing(here) as ears:
            for at in (1, 1_000, 2_000):
                async with process(here) as one:
                    await effects(here, at)
                    one.kill()
                    await one.wait()
            async with process(here):
                await effects(here, len(commands))
                await eventually(lambda: len(set(ears.notes())) == len(commands), timeout=30)

        assert sorted(await here.notes(), key=int) == [str(n) for n in range(len(commands))]
        assert len({e.id for e in ears.envelopes()}) == len(commands)

    async def test_that_a_message_ends_parks_it(self, here: Stage) -> None:
        """After so many attempts that it is known which one it is; the others are handled."""
        await here.send(*[Add(thing_id="A", note=note) for note in ("1", "bad", "3")])

        exits: list[int] = []
        while len(exits) < 10 and not await here.count("parked"):
            async with process(here, PROBE_CRASHES="bad") as one:
                ended = asyncio.create_task(one.wait())
                kept = asyncio.create_task(eventually(lambda: parked(here), timeout=30))
                await asyncio.wait({ended, kept}, return_when=asyncio.FIRST_COMPLETED)
                kept.cancel()
                if ended.done():
                    exits.append(ended.result())

        assert exits == [9] * 6
        assert await here.db.fetchval("SELECT reason FROM parked") == "crashed"
        async with process(here, PROBE_CRASHES="bad"):
            await eventually(lambda: exactly(here, 0))
            await effects(here, 2)
        assert await here.notes() == ["1", "3"]
        assert await here.count("attempts") == 0

    async def test_tells_its_story_in_lines_of_json(self, here: Stage) -> None:
        """Who it is, what happened and when, one object a line."""
        async with process(here, stdout=PIPE) as one:
            await here.send(Add(thing_id="A"))
            await effects(here, 1)
            one.send_signal(signal.SIGTERM)
            out, _ = await one.communicate()

        lines = [orjson.loads(line) for line in out.splitlines()]
        assert {"started", "consuming", "stopping", "stopped"} <= {line["event"] for line in lines}
        for line in lines:
            assert {"timestamp", "level", "event", "service", "instance"} <= line.keys()
            assert line["service"] == here.service.name


@asynccontextmanager
async def process(
    stage: Stage, *, stdout: int | None = asyncio.subprocess.DEVNULL, **environment: str
) -> AsyncIterator[Process]:
    """A worker of the probe as a process of its own, killed at the end if it still runs."""
    own = {
        "PROBE_NAME": stage.service.name,
        "PROBE_TOKEN": TOKEN,
        "RELAIS_AMQP_URL": stage.amqp_url,
        "RELAIS_LANES": str(stage.lanes),
        f"RELAIS_{stage.service.name.upper()}_POSTGRES_URL": stage.database_url,
    }
    one = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.station"),
        env={**os.environ, **own, **environment},
        stdout=stdout,
    )
    try:
        yield one
    finally:
        if one.returncode is None:
            one.kill()
        await one.wait()
