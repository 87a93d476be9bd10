"""Old rows go, in chunks, by one cleaner; what somebody still needs stays."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.runtime import telemetry, worker
from services.runtime.messages.decider import Decider
from services.runtime.messages.relay import Relay
from services.runtime.tables import cleaning
from services.runtime.tables.sweeper import Sweep
from tests.harness import Harness
from tests.runtime.given import handle, item_of, items_of
from tests.runtime.probe import Add, Hooks
from tests.runtime.then import rows

pytestmark = pytest.mark.servers

NOW = datetime.now(UTC)
AGE = timedelta(days=30)


MIXED = """
INSERT INTO inbox (source, id, type, received_at, outcome)
SELECT '/test', n::text, 't', now() + sin(n) * interval '30 days', 'accepted'
FROM generate_series(1, 20000) AS n;
INSERT INTO emitted (run, type, count, at)
SELECT n::text, 't', 1, now() + sin(n) * interval '30 days' FROM generate_series(1, 20000) AS n;
ANALYZE inbox, emitted;
"""


async def grow_old(harness: Harness) -> None:
    """Everything handled so far was handled long ago."""
    await harness.pool.execute("UPDATE inbox SET received_at = $1", NOW - timedelta(days=31))
    await harness.pool.execute("UPDATE emitted SET at = $1", NOW - timedelta(days=31))


class TestCleaning:
    """The inbox knows a message for so many days."""

    async def test_deletes_what_is_old(self, harness: Harness) -> None:
        """And keeps what is not."""
        await handle(harness, item_of(harness, Add(thing_id="A"), "old"))
        await grow_old(harness)
        await handle(harness, item_of(harness, Add(thing_id="A"), "new"))

        await cleaning.clean(harness.pool, AGE)

        assert [row["id"] for row in await rows(harness, "inbox")] == ["new"]
        assert len(await rows(harness, "emitted")) == 1

    async def test_keeps_what_is_parked(self, harness: Harness, hooks: Hooks) -> None:
        """A retry must find what was answered, however late."""
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad"), "parked"))
        await handle(harness, item_of(harness, Add(thing_id="A"), "handled"))
        await grow_old(harness)

        await cleaning.clean(harness.pool, AGE)

        assert [row["id"] for row in await rows(harness, "inbox")] == ["parked"]

    async def test_forgets_attempts_that_nobody_ended(self, harness: Harness) -> None:
        """A worker that was killed leaves its note behind, and its message may not come again."""
        await harness.pool.execute(
            "INSERT INTO attempts (digest, count, last) VALUES ('old', 1, $1), ('new', 1, $2)",
            NOW - timedelta(days=31),
            NOW,
        )

        await cleaning.clean(harness.pool, AGE)

        assert [row["digest"] for row in await rows(harness, "attempts")] == ["new"]

    async def test_goes_in_chunks(self, harness: Harness) -> None:
        """A long holiday of the cleaner holds no lock for long."""
        await harness.pool.execute(
            "INSERT INTO inbox (source, id, type, received_at, outcome)"
            " SELECT '/test', n::text, 't', $1, 'accepted' FROM generate_series(1, 12000) n",
            NOW - timedelta(days=31),
        )
        left = []
        while await cleaning.clean(harness.pool, AGE):
            left.append(await harness.pool.fetchval("SELECT count(*) FROM inbox"))

        assert left == [7_000, 2_000]
        assert not await rows(harness, "inbox")

    @pytest.mark.parametrize("statement", [cleaning.CLEAN_INBOX, cleaning.CLEAN_EMITTED])
    async def test_finds_what_is_old_by_its_age(self, harness: Harness, statement: str) -> None:
        """However old and new lie mixed, it looks at no more rows than it deletes."""
        async with harness.pool.acquire() as conn:
            await conn.execute(MIXED)
            concrete = statement.replace("$1", "'0 days'").replace("$2", "5000")
            plan = await conn.fetch(f"EXPLAIN {concrete}")
        text = "\n".join(row[0] for row in plan)
        assert "Index Scan using inbox_received" in text or "Index Scan using emitted_at" in text
        assert "Sort" not in text, text
        # Whatever the statistics say: a join of the chunk with its table may compare all with all.
        assert "Tid Scan" in text, text

    async def test_is_done_by_one_worker(self, harness: Harness) -> None:
        """The others find it busy, and go on."""
        await handle(harness, item_of(harness, Add(thing_id="A"), "old"))
        await grow_old(harness)
        async with harness.pool.acquire() as cleaner, cleaner.transaction():
            assert await cleaner.fetchval(cleaning.ONE_CLEANER)

            assert not await cleaning.clean(harness.pool, AGE)

        assert len(await rows(harness, "inbox")) == 1


def named(harness: Harness, name: str) -> Sweep:
    """One of the sweeps that every service has."""
    decider = Decider(harness.service, harness.work, timedelta(seconds=5))
    assert isinstance(harness.work.outbox, Relay)
    found = worker.sweeps(harness.service, decider, harness.work.outbox, inbox_days=10)
    (sweep,) = (sweep for sweep in found if sweep.name == name)
    return sweep


class TestTheSweepsOfEveryService:
    """What was left behind, what waits, what is to be retried, cleaning and measuring."""

    async def test_clean_by_the_setting(self, harness: Harness) -> None:
        """Ten days here."""
        for days in (9, 11):
            await handle(harness, item_of(harness, Add(thing_id="A"), str(days)))
            await harness.pool.execute(
                "UPDATE inbox SET received_at = $1 WHERE id = $2",
                NOW - timedelta(days=days),
                str(days),
            )

        await named(harness, "clean").run(harness.work)

        assert [row["id"] for row in await rows(harness, "inbox")] == ["9"]

    async def test_measure_what_is_kept(self, harness: Harness) -> None:
        """So that somebody is told before somebody asks."""
        await handle(harness, *items_of(harness, b"{"))
        early = Add(thing_id="A", needs="B")
        await handle(harness, item_of(harness, early), patience=timedelta(hours=1))

        await named(harness, "measure").run(harness.work)

        assert telemetry.PARKED._value.get() == 1
        assert telemetry.WAITING._value.get() == 1

    async def test_may_run_at_once(self, harness: Harness) -> None:
        """None waits for another."""
        names = ("waiting", "retries", "clean", "measure")

        await asyncio.gather(*(named(harness, name).run(harness.work) for name in names))
