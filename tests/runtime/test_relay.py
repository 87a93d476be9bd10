"""From the outbox to the broker: nothing committed is lost, whatever fails on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from aio_pika.abc import AbstractQueue

from contracts import names
from services.runtime import telemetry
from services.runtime.amqp.frames import Outgoing
from services.runtime.decision import Cause
from services.runtime.messages import outbox
from services.runtime.tables.transaction import OutboxRow, Work
from tests.eventually import eventually
from tests.faults.proxy import Proxy
from tests.runtime.environment import Environment, opened, recording_events, relay_of
from tests.runtime.probe import Added, Doubled

pytestmark = pytest.mark.servers

HELD = "SELECT count(*) FROM outbox WHERE taken_until > now()"


@pytest.fixture
async def work(env: Environment) -> AsyncIterator[Work]:
    """What a worker holds."""
    async with opened(env.service, env.amqp_url, env.database_url) as work:
        yield work


@pytest.fixture
async def other(env: Environment) -> AsyncIterator[Work]:
    """What another worker holds."""
    async with opened(env.service, env.amqp_url, env.database_url) as work:
        yield work


async def emit(work: Work, *things: str, doubled: bool = False) -> list[OutboxRow]:
    """Commit one event of each thing, each under a key of its own, so that none are packed."""
    async with work.begin() as tx:
        for n, thing in enumerate(things):
            event = (
                Doubled(thing_id=thing, note=thing)
                if doubled
                else Added(thing_id=thing, note=thing, total=n, version=1)
            )
            tx.emit(event, Cause())
    return list(tx.rows)


async def release(env: Environment) -> None:
    """As if whoever held the rows had been dead for a while."""
    await env.db.execute("UPDATE outbox SET taken_until = now()")


class TestWhatIsCommitted:
    """It is published, confirmed and deleted."""

    async def test_comes_out(self, env: Environment, work: Work) -> None:
        """In order, and nothing stays behind."""
        async with recording_events(env) as recorder:
            await work.outbox.publish(await emit(work, "A", "B", "C"))
            await eventually(lambda: len(recorder.deliveries) == 3)

        assert recorder.notes() == ["A", "B", "C"]
        assert await env.count("outbox") == 0

    async def test_is_noted_in_runs(self, env: Environment, work: Work) -> None:
        """What a service has said can be told from its notes, id by id."""
        async with recording_events(env) as recorder:
            async with work.publishing() as tx:
                for n in range(1_200):
                    event = Added(thing_id=f"T{n}", note=str(n), total=n, version=1)
                    tx.emit(event, Cause(), key="one")
            await eventually(lambda: len(recorder.envelopes()) == 1_200)

        runs = await env.db.fetch("SELECT run, type, count FROM emitted")
        noted = [f"{r['run']}-{n}" for r in runs for n in range(r["count"])]
        assert [e.id for e in recorder.envelopes()] == noted
        assert {r["type"] for r in runs} == {Added.TYPE}

    async def test_is_not_when_its_transaction_is_rolled_back(
        self, env: Environment, work: Work
    ) -> None:
        """Nothing is said of what did not happen."""
        with suppress(LookupError):
            async with work.publishing() as tx:
                tx.emit(Added(thing_id="A", note="A", total=1, version=1), Cause())
                raise LookupError("no")
        await work.flush()

        assert await env.count("outbox") == 0
        assert await env.count("emitted") == 0

    async def test_wakes_sweeps_only_then(self, work: Work) -> None:
        """A sweep that looks earlier would find nothing."""
        with suppress(LookupError):
            async with work.begin() as tx:
                tx.wake("mine")
                raise LookupError("no")
        assert not work.wakes._flags["mine"].is_set()

        async with work.begin() as tx:
            tx.wake("mine")
        assert work.wakes._flags["mine"].is_set()


class TestWhatIsLeftBehind:
    """A worker that dies leaves its rows to the sweeps of all."""

    async def test_is_left_to_whoever_holds_it(
        self, env: Environment, work: Work, other: Work
    ) -> None:
        """Until its time is over, nobody else publishes it."""
        await emit(work, "A", "B")

        await relay_of(other).sweep()

        assert await env.count("outbox") == 2

    async def test_comes_out_in_order(self, env: Environment, work: Work, other: Work) -> None:
        """After the time of its holder is over."""
        await emit(work, *"ABC")
        await emit(work, *"DEF")
        await release(env)

        async with recording_events(env) as recorder:
            await relay_of(other).sweep()
            await eventually(lambda: len(recorder.deliveries) == 6)

        assert recorder.notes() == list("ABCDEF")
        assert await env.count("outbox") == 0

    async def test_is_taken_by_one_sweep(self, env: Environment, work: Work, other: Work) -> None:
        """Two at once share the rows, and publish none twice."""
        things = [f"T{n}" for n in range(1_200)]
        await emit(work, *things)
        await release(env)

        async with recording_events(env) as recorder:
            await asyncio.gather(drained(work), drained(other))
            await eventually(lambda: len(recorder.deliveries) >= len(things))

        assert sorted(recorder.notes()) == sorted(things)
        assert await env.count("outbox") == 0

    async def test_keeps_all_that_it_was(self, env: Environment, work: Work, other: Work) -> None:
        """Properties and headers are as if its first holder had published it."""
        async with recording_events(env) as recorder:
            rows = await emit(work, "A")
            await work.outbox.publish(rows)
            async with work.begin() as tx:
                tx.send(rows[0].message)
            await release(env)
            await relay_of(other).sweep()
            await eventually(lambda: len(recorder.deliveries) == 2)

        first, second = recorder.deliveries
        assert (first.properties, first.headers(), first.body) == (
            second.properties,
            second.headers(),
            second.body,
        )


async def drained(work: Work) -> None:
    """Sweep until nothing is left."""
    while await relay_of(work).sweep():
        pass


class TestABrokerThatFails:
    """The row waits in its table."""

    async def test_hands_the_rows_to_the_sweep(
        self, env: Environment, other: Work, broker_proxy: Proxy
    ) -> None:
        """Whoever published waits for it, so that an answer never comes before its events."""
        broker_proxy.refuse()
        async with (
            opened(env.service, broker_proxy.url, env.database_url) as work,
            recording_events(env) as recorder,
        ):
            publishing = asyncio.create_task(work.outbox.publish(await emit(work, "A")))
            await eventually(lambda: free_rows(env))
            assert not publishing.done()
            assert work.wakes._flags["outbox"].is_set()

            await relay_of(other).sweep()

            await publishing
            await eventually(lambda: recorder.deliveries)
        assert await env.count("outbox") == 0

    async def test_is_waited_for_with_the_rows_held(
        self, env: Environment, other: Work, broker_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However long it takes to confirm, no sweep publishes them as well."""
        monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=1))
        async with (
            opened(env.service, broker_proxy.url, env.database_url) as work,
            recording_events(env) as recorder,
        ):
            await work.publisher.open()
            broker_proxy.hold(up=False)
            rows = await emit(work, "A")
            publishing = asyncio.create_task(work.outbox.publish(rows))
            before = await env.db.fetchval("SELECT taken_until FROM outbox")

            await eventually(lambda: held_longer(env, before))

            await relay_of(other).sweep()
            broker_proxy.release()
            await publishing
            await eventually(lambda: recorder.deliveries)
        assert recorder.notes() == ["A"]

    async def test_and_a_database_that_fails_with_it_end_nothing(
        self,
        env: Environment,
        broker_proxy: Proxy,
        database_proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Rows that cannot be held on to may be published twice; that is all."""
        monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=0.1))
        async with (
            opened(env.service, broker_proxy.url, database_proxy.url) as work,
            recording_events(env) as recorder,
        ):
            await work.publisher.open()
            broker_proxy.hold(up=False)
            rows = await emit(work, "A")
            before = await env.db.fetchval("SELECT taken_until FROM outbox")
            publishing = asyncio.create_task(work.outbox.publish(rows))
            await eventually(lambda: held_longer(env, before))

            database_proxy.refuse()
            await asyncio.wait({publishing}, timeout=0.3)
            broker_proxy.release()
            await database_proxy.accept()

            await publishing
            await eventually(lambda: recorder.deliveries)
        assert await env.count("outbox") == 0

    async def test_leaves_the_rows_to_a_later_sweep(
        self, env: Environment, broker_proxy: Proxy, work: Work
    ) -> None:
        """A sweep that cannot publish loses nothing, and lets the next one take it at once."""
        await emit(work, "A")
        await release(env)
        broker_proxy.refuse()
        async with opened(env.service, broker_proxy.url, env.database_url) as cut_off:
            with pytest.raises(ConnectionError):
                await relay_of(cut_off).sweep()

        assert await env.count("outbox") == 1
        assert await free_rows(env)


async def free_rows(env: Environment) -> bool:
    """Whether a sweep may take what is there."""
    total, held = await env.count("outbox"), await env.db.fetchval(HELD)
    return total > 0 and held == 0


async def held_longer(env: Environment, than: object) -> bool:
    """Whether the rows have been held on to."""
    return bool(await env.db.fetchval("SELECT taken_until > $1 FROM outbox", than))


class TestAnEventThatReachesNoQueue:
    """Either nobody reads it, or something is wrong."""

    async def test_is_counted_and_forgotten_where_no_service_reads_it(
        self, env: Environment, work: Work
    ) -> None:
        """A fact that is of interest to nobody."""
        before = telemetry.EVENTS_UNHEARD._value.get()

        await work.outbox.publish(await emit(work, "A", "B", doubled=True))

        assert telemetry.EVENTS_UNHEARD._value.get() == before + 2
        assert await env.count("outbox") == 0

    async def test_is_kept_where_somebody_should_read_it(
        self, env: Environment, work: Work
    ) -> None:
        """Readiness tells of it until its queue is there."""
        await work.outbox.publish(await emit(work, "A"))
        await relay_of(work).measure()

        assert relay_of(work).unroutable == 1
        assert await env.count("outbox") == 1

    async def test_comes_out_when_its_queue_is_there(self, env: Environment, work: Work) -> None:
        """The sweep tries it again and again."""
        await work.outbox.publish(await emit(work, "A"))
        await release(env)

        async with recording_events(env) as recorder:
            await drained(work)
            await eventually(lambda: recorder.deliveries)

        assert await env.count("outbox") == 0
        assert relay_of(work).unroutable == 0

    async def test_holds_no_other_back(self, env: Environment, work: Work) -> None:
        """What comes with it goes out, and nobody waits for it."""
        rows = await emit(work, "A") + await emit(work, "B", doubled=True)

        await work.outbox.publish(rows)

        assert await env.count("outbox") == 1

    async def test_is_kept_where_its_queue_is_full(
        self, env: Environment, work: Work, full: AbstractQueue
    ) -> None:
        """A reader that refuses is a reader all the same."""
        await work.outbox.publish(await emit(work, "A", doubled=True))

        await relay_of(work).measure()
        assert relay_of(work).unroutable == 1
        await full.unbind(names.EVENTS, Doubled.TYPE)
        await release(env)
        await relay_of(work).sweep()
        assert await env.count("outbox") == 0


@pytest.fixture
async def full(env: Environment) -> AsyncIterator[AbstractQueue]:
    """A queue with room for nothing."""
    arguments: dict[str, int | str] = {"x-max-length": 0, "x-overflow": "reject-publish"}
    queue = await env.channel.declare_queue(
        f"{env.service.name}.full", durable=True, arguments={**arguments}
    )
    await queue.bind(names.EVENTS, Doubled.TYPE)
    yield queue
    await queue.delete(if_unused=False, if_empty=False)


class TestAnAnswerInTheOutbox:
    """It goes to a queue of the sender's, which may have gone."""

    async def test_is_forgotten_where_its_queue_has_gone(
        self, env: Environment, work: Work
    ) -> None:
        """Nobody is there to hear it."""
        async with work.publishing() as tx:
            tx.send(answer("no.such.queue"))
        await work.flush()

        assert await env.count("outbox") == 0

    async def test_is_forgotten_where_its_queue_is_full(
        self, env: Environment, work: Work, full: AbstractQueue
    ) -> None:
        """No sender can make the workers of a service unready."""
        async with work.publishing() as tx:
            tx.send(answer(full.name))
        await work.flush()
        assert await env.count("outbox") == 0

    async def test_is_forgotten_by_the_sweep_too(self, env: Environment, work: Work) -> None:
        """After a crash it is as little mandatory as before."""
        async with work.begin() as tx:
            tx.send(answer("no.such.queue"))
        await release(env)

        await relay_of(work).sweep()

        assert await env.count("outbox") == 0


def answer(queue: str) -> Outgoing:
    """A message to a reply queue."""
    return Outgoing("", queue, b"{}", "t", "1", names.CLOUDEVENT, "/test", mandatory=False)
