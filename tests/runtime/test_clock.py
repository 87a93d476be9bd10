"""Where time comes from, and what becomes of all that waits when the clock is set back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from services.runtime.messages.relay import TAKE
from services.runtime.tables import clock
from tests.eventually import eventually
from tests.harness import Harness, set_back
from tests.runtime.given import PATIENT, handle, item_of, kept
from tests.runtime.probe import Add, Hooks
from tests.runtime.then import notes, rows

pytestmark = pytest.mark.servers

HOUR = timedelta(hours=1)
SOON = "now() + interval '0.5 s'"


class TestTheMomentOfDecision:
    """One for a transaction."""

    async def test_is_that_of_the_database(self, harness: Harness) -> None:
        """The clocks of the machines that workers run on are asked by nobody."""
        async with harness.work.begin() as tx:
            assert tx.now == await tx.conn.fetchval("SELECT now()")


class TestAClockThatIsSetBack:
    """Nothing waits for the length of the step."""

    async def test_frees_what_a_worker_held_that_ended(self, harness: Harness) -> None:
        """Its rows in the outbox are published when their lease would have ended."""
        await handle(harness, item_of(harness, Add(thing_id="A")))
        await harness.pool.execute(f"UPDATE outbox SET taken_until = {SOON}")
        await set_back(harness, HOUR)

        await look(harness)

        await eventually(lambda: free(harness))

    async def test_lets_commands_wait_no_longer(self, harness: Harness) -> None:
        """What names something unknown is refused when it would have been."""
        lost = item_of(harness, Add(thing_id="A", needs="B"))
        assert await handle(harness, lost, patience=PATIENT) == [None]
        await set_back(harness, 3 * PATIENT)

        await look(harness)
        await harness.pool.execute("UPDATE kept SET kept_at = kept_at - $1::interval", PATIENT)
        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert not await rows(harness, "waiting")

    async def test_lets_no_retry_wait(self, harness: Harness, hooks: Hooks) -> None:
        """Somebody has asked for it, or a worker that had claimed it has ended."""
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await harness.pool.execute(f"UPDATE kept SET retry_at = {SOON}")
        await set_back(harness, HOUR)

        await look(harness)

        await eventually(lambda: kept(harness).retry(harness.work))
        assert await notes(harness) == ["bad"]

    async def test_is_noticed_once(self, harness: Harness) -> None:
        """By the first of several workers."""
        await handle(harness, item_of(harness, Add(thing_id="A")))
        ((before,),) = await leases(harness)
        await set_back(harness, HOUR)

        await asyncio.gather(*(look(harness) for _ in range(4)))

        ((after,),) = await leases(harness)
        assert abs(after - before) < clock.TOLERATED

    async def test_is_none_where_it_goes_on(self, harness: Harness) -> None:
        """What waits is left alone, and the moment is noted."""
        await handle(harness, item_of(harness, Add(thing_id="A")))
        before = await leases(harness)
        await harness.pool.execute("UPDATE clock SET seen = now() - interval '1 minute'")

        await look(harness)

        assert await leases(harness) == before
        assert await harness.pool.fetchval(clock.LOOK) > -timedelta(seconds=30)


class TestAClockThatIsSetForward:
    """It ends what waits early, and nothing else."""

    async def test_publishes_what_is_held_again_under_the_same_ids(self, harness: Harness) -> None:
        """As after any other lease that ends."""
        await handle(harness, item_of(harness, Add(thing_id="A")))
        before = [row["message_id"] for row in await rows(harness, "outbox")]
        await set_back(harness, -HOUR)

        await look(harness)

        assert [row["message_id"] for row in await free(harness)] == before


async def look(harness: Harness) -> None:
    """Look at the clock as each worker does every second."""
    await clock.sweep(harness.service.set_back).run(harness.work)


async def free(harness: Harness) -> Sequence[dict[str, object]]:
    """The rows of the outbox that nobody holds."""
    found = await harness.pool.fetch(TAKE, timedelta(), 100, 1_000_000, "test")
    return [dict(row) for row in found]


async def leases(harness: Harness) -> list[tuple[datetime]]:
    """Until when the rows of the outbox are held."""
    return [(row["taken_until"],) for row in await rows(harness, "outbox")]
