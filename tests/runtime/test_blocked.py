"""A lock that another session does not give back: it holds back its own key, and nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest

from services.runtime.messages import decider
from services.runtime.postgres import database
from services.runtime.service import Job, JobKind, Transaction, jobs
from tests.eventually import eventually
from tests.harness import Harness, open_harness
from tests.runtime import probe
from tests.runtime.conftest import MakeEnvironment
from tests.runtime.counting import count, job, states
from tests.runtime.environment import (
    THINGS,
    Environment,
    adds,
    by_thing,
    exactly,
    recording_events,
    recording_queue,
    running_engines,
)
from tests.runtime.given import handle, item_of, kept
from tests.runtime.probe import Add, Hooks
from tests.runtime.then import notes, replies, rows

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a lock."""
    monkeypatch.setattr(database, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(decider, "BRIEFLY", "SET LOCAL lock_timeout = '20ms'")


@pytest.fixture
async def harness(hurried: None, database_url: str, hooks: Hooks) -> AsyncIterator[Harness]:
    """A harness that does not wait long for locks."""
    harness = await open_harness(probe.service("probe", hooks), database_url)
    yield harness
    await harness.close()


@asynccontextmanager
async def locked(url: str, *things: str) -> AsyncIterator[None]:
    """Another session holds the rows of these things while the block lasts."""
    async with database.connect(url, "probe other") as conn, conn.transaction():
        await conn.execute("SELECT FROM things WHERE thing_id = ANY ($1) FOR UPDATE", list(things))
        yield


async def made(env: Environment, *things: str) -> None:
    """Let these be known."""
    await env.db.executemany(
        "INSERT INTO things (thing_id, total, version) VALUES ($1, 0, 0)", [(t,) for t in things]
    )


async def notes_of(env: Environment, thing: str) -> list[str]:
    """The notes of the effects on a thing, in order."""
    return by_thing(await env.journal()).get(thing, [])


class TestALockedRow:
    """Its key waits for as long as it is held, and whatever else comes is handled."""

    async def test_holds_back_its_own_key_only(self, make_env: MakeEnvironment) -> None:
        """All come through one lane; what waits is handled afterwards, once and in order."""
        env = await make_env(lanes=1)
        await made(env, *THINGS)
        commands = adds(THINGS, 1_000)
        wanted = by_thing([(c.thing_id, c.note) for c in commands])
        free = {thing: wanted[thing] for thing in THINGS[2:]}
        async with running_engines(env), recording_events(env) as recorder:
            async with locked(env.database_url, *THINGS[:2]):
                await env.send(*commands[:500])
                await env.send(*commands[500:])
                await eventually(lambda: are(env, free), timeout=30)
                await eventually(lambda: exactly(env, 0))
                assert await env.count("parked") == 0
            await eventually(lambda: are(env, wanted), timeout=30)
            await eventually(lambda: len(recorder.notes()) == len(commands))

        assert await env.count("waiting") == 0
        assert await env.count("journal") == len(commands)
        emitted = by_thing([(e.subject, (e.data or {})["note"]) for e in recorder.envelopes()])
        assert emitted == wanted

    async def test_keeps_what_comes_later_in_line(self, make_env: MakeEnvironment) -> None:
        """Also what comes while those before it are handled by somebody else."""
        env = await make_env(lanes=1)
        await made(env, "A", "B")
        async with running_engines(env):
            async with locked(env.database_url, "A"):
                for n in range(5):
                    await env.send(Add(thing_id="A", note=str(n)), Add(thing_id="B", note=str(n)))
                    await eventually(partial(has, env, "B", n + 1))
            for n in range(5, 50):
                await env.send(Add(thing_id="A", note=str(n)))
            await eventually(lambda: has(env, "A", 50))

        assert await notes_of(env, "A") == [str(n) for n in range(50)]

    async def test_is_waited_for_by_the_next_worker(self, make_env: MakeEnvironment) -> None:
        """The line is in the database: whoever has the lane then goes on with it."""
        env = await make_env(lanes=1)
        await made(env, "A")
        async with locked(env.database_url, "A"):
            async with running_engines(env):
                await env.send(Add(thing_id="A", note="first"))
                await eventually(lambda: exactly_waits(env, 1))
            async with running_engines(env):
                await env.send(Add(thing_id="A", note="second"))
                await eventually(lambda: exactly_waits(env, 2))
        async with running_engines(env):
            await eventually(lambda: has(env, "A", 2))

        assert await notes_of(env, "A") == ["first", "second"]

    async def test_may_be_any_row_of_the_table(self, make_env: MakeEnvironment) -> None:
        """Then all wait in line; and each line is decided in order."""
        env = await make_env(lanes=1)
        commands = adds(THINGS, 100)
        wanted = by_thing([(c.thing_id, c.note) for c in commands])
        async with running_engines(env):
            async with (
                database.connect(env.database_url, "probe other") as conn,
                conn.transaction(),
            ):
                await conn.execute("LOCK TABLE things")
                await env.send(*commands)
                await eventually(lambda: exactly_waits(env, 100), timeout=30)
                assert await env.count("parked") == 0
            await eventually(lambda: are(env, wanted), timeout=30)

    async def test_delays_the_answer(self, make_env: MakeEnvironment) -> None:
        """Its sender hears what has become of it once that is known, and once only."""
        env = await make_env(lanes=1)
        await made(env, "A")
        queue = await env.channel.declare_queue(exclusive=False, auto_delete=True)
        async with recording_queue(env.amqp_url, queue.name) as recorder, running_engines(env):
            async with locked(env.database_url, "A"):
                body = probe.Add(thing_id="A", note="n")
                await env.ask(body, queue.name)
                await eventually(lambda: exactly_waits(env, 1))
                assert not recorder.deliveries
            await eventually(lambda: recorder.deliveries)
            await eventually(lambda: exactly_waits(env, 0))

        (answer,) = recorder.envelopes()
        assert (answer.data or {})["outcome"] == "accepted"


async def are(env: Environment, wanted: dict[str, list[str]]) -> bool:
    """Whether these are the effects on these things."""
    found = by_thing(await env.journal())
    return {thing: found.get(thing) for thing in wanted} == wanted


async def has(env: Environment, thing: str, count: int) -> bool:
    """Whether so many messages have had their effect on a thing."""
    return len(await notes_of(env, thing)) >= count


async def exactly_waits(env: Environment, count: int) -> bool:
    """Whether so many messages wait."""
    return await env.count("waiting") == count


class TestAKeptMessage:
    """One that waits or is retried may be blocked as well."""

    async def test_that_waits_for_another_thing_gets_in_line(
        self, harness: Harness, database_url: str
    ) -> None:
        """It has its answer when the lock is given back."""
        early = Add(thing_id="A", note="early", needs="B")
        await handle(
            harness, item_of(harness, early, reply_to="answers"), patience=timedelta(hours=1)
        )
        await handle(
            harness,
            item_of(harness, Add(thing_id="A", note="1")),
            item_of(harness, Add(thing_id="B", note="B")),
        )
        sources = kept(harness, timedelta(hours=1))
        async with locked(database_url, "A"):
            await sources.decide_waiting(harness.work)
            await sources.decide_lines(harness.work)
            (row,) = await rows(harness, "waiting")
            assert row["line"] == "A"

        await sources.decide_lines(harness.work)

        assert await notes(harness) == ["1", "B", "early"]
        assert not await rows(harness, "waiting")
        assert [reply.data["outcome"] for reply in await replies(harness)] == ["accepted"]

    async def test_that_is_retried_stays_where_it_is(
        self, harness: Harness, database_url: str, hooks: Hooks
    ) -> None:
        """It has been claimed for a minute, and is tried again after that."""
        await handle(harness, item_of(harness, Add(thing_id="A", note="1")))
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await harness.pool.execute("UPDATE kept SET retry_at = now()")
        async with locked(database_url, "A"):
            await kept(harness).retry(harness.work)
            (row,) = await rows(harness, "parked")
            assert row["retry_at"] is not None

        await harness.pool.execute("UPDATE kept SET retry_at = now()")
        await kept(harness).retry(harness.work)

        assert await notes(harness) == ["1", "bad"]

    async def test_in_line_that_fails_is_parked(
        self, harness: Harness, database_url: str, hooks: Hooks
    ) -> None:
        """And holds up nobody behind it."""
        await handle(harness, item_of(harness, Add(thing_id="A", note="1")))
        async with locked(database_url, "A"):
            await handle(
                harness,
                *(item_of(harness, Add(thing_id="A", note=n)) for n in ("bad", "2")),
            )
        hooks.failing = {"bad"}

        await kept(harness).decide_lines(harness.work)

        assert await notes(harness) == ["1", "2"]
        assert len(await rows(harness, "parked")) == 1
        assert not await rows(harness, "waiting")


async def lock_and_count(tx: Transaction, found: Job, size: int) -> Job:
    """Count on, with a lock of the thing that the job is about."""
    await tx.conn.execute("SELECT FROM things WHERE thing_id = $1 FOR UPDATE", found.line)
    return await count(tx, found, size)


class TestAJob:
    """Its piece may need the lock, too."""

    async def test_holds_back_no_other(self, harness: Harness, database_url: str) -> None:
        """It is left alone for a while, and then goes on."""
        kind = JobKind("locking", lock_and_count)
        await handle(harness, *(item_of(harness, Add(thing_id=t)) for t in ("A", "B")))
        async with harness.work.begin() as tx:
            await jobs._insert(tx, [job("A", kind=kind), job("B", kind=kind)])
        sweep = jobs.sweep([kind])
        async with locked(database_url, "A"):
            assert [await sweep.run(harness.work) for _ in range(3)] == [True, True, False]
            assert await states(harness) == {("A", 1): "running", ("B", 1): "done"}

        await jobs.sweep([kind]).run(harness.work)

        assert await states(harness) == {("A", 1): "done", ("B", 1): "done"}
