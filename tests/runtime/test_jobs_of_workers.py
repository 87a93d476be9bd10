"""Jobs that two workers add or work on, and jobs that are done again."""

import asyncio
from dataclasses import dataclass, field

import pytest

from services.runtime.postgres.database import Conflict
from services.runtime.service import Job, JobKind, Jobs, Transaction, jobs
from tests import locks
from tests.conftest import PieceSizes
from tests.eventually import eventually
from tests.harness import Harness
from tests.runtime.counting import (
    KINDS,
    QUIET,
    add,
    count,
    emitted,
    job,
    piece,
    states,
    store,
    sweep,
)
from tests.runtime.then import notes, rows


@dataclass
class Gate:
    """A kind whose pieces wait for a test in the middle."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def count(self, tx: Transaction, found: Job, size: int) -> Job:
        """Count on, once the gate is open."""
        self.begun.set()
        await self.open.wait()
        return await count(tx, found, size)

    @property
    def kind(self) -> JobKind:
        """The kind."""
        return JobKind("gated", self.count)


@pytest.mark.servers
class TestTwoWorkers:
    """On one table."""

    async def test_work_on_different_jobs(self, harness: Harness, piece_sizes: PieceSizes) -> None:
        """What one has under way the other passes over, without waiting."""
        piece_sizes(100)
        gate = Gate()
        await add(harness, job("A", kind=gate.kind))
        await add(harness, job("A", 2), job("B", kind=QUIET))
        working = asyncio.create_task(piece(harness, [gate.kind]))
        await gate.begun.wait()
        assert await piece(harness, [gate.kind, *KINDS])
        assert not await piece(harness, [gate.kind, *KINDS])
        assert await notes(harness) == ["B.1 10"]
        gate.open.set()
        assert await working
        await sweep(harness)
        assert await notes(harness) == ["B.1 10", "A.1 10", "A.2 10"]

    async def test_that_add_one_job_are_in_conflict(self, harness: Harness) -> None:
        """The second hears of it, whether the job is done by then or not, and leaves nothing."""
        async with harness.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "jobs")
            adding = asyncio.gather(
                *(add(harness, job(), job(line)) for line in "BC"), return_exceptions=True
            )
            await eventually(lambda: locks.are_two_waiting(guard))
        outcomes = await adding
        (conflict,) = [one for one in outcomes if isinstance(one, BaseException)]
        assert isinstance(conflict, Conflict)
        assert (await notes(harness)).count("A.1 10") == 1
        assert len(await states(harness)) == len(await notes(harness)) == 2
        assert await emitted(harness) == [0, 10, "counted 10"] * 2

    async def test_that_add_a_job_of_the_table_are_in_conflict(self, harness: Harness) -> None:
        """One that was not looked for is not done twice either."""
        await add(harness, job())
        with pytest.raises(Conflict):
            await store(harness, Jobs(), job())
        assert await notes(harness) == ["A.1 10"]


async def reopen(harness: Harness, after: int) -> Transaction:
    """Let jobs of line A behind a place be done again."""
    async with harness.work.begin() as tx:
        await jobs.reopen(tx, QUIET, "A", after)
    return tx


@pytest.mark.servers
class TestReopening:
    """Jobs that were done look again."""

    async def test_concerns_one_kind_behind_a_place(self, harness: Harness) -> None:
        """Others stay as they are."""
        await add(
            harness,
            job("A", 1, kind=QUIET),
            job("A", 2, kind=QUIET),
            job("A", 2),
            job("A", 3, kind=QUIET),
            job("B", 3, kind=QUIET),
        )
        tx = await reopen(harness, after=1)
        assert tx.woken == {jobs.SWEEP}
        found = await rows(harness, "jobs")
        assert {
            (row["line"], row["place"], row["kind"]) for row in found if row["state"] == "running"
        } == {("A", 2, "quiet"), ("A", 3, "quiet")}
        assert await sweep(harness) == 2

    async def test_wakes_no_sweep_where_there_is_none(self, harness: Harness) -> None:
        """Nothing has new work."""
        await add(harness, job("A", 1, kind=QUIET))
        assert (await reopen(harness, after=1)).woken == set()

    async def test_waits_for_one_that_is_just_being_finished(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """It may have looked too early."""
        piece_sizes(100)
        gate = Gate()
        kind = JobKind(QUIET.name, gate.count)
        await add(harness, job("A", 2, kind=kind))
        working = asyncio.create_task(piece(harness, [kind]))
        await gate.begun.wait()
        reopening = asyncio.create_task(reopen(harness, after=1))
        async with harness.pool.acquire() as conn:
            await eventually(lambda: locks.is_one_waiting(conn))
        gate.open.set()
        await asyncio.gather(working, reopening)
        assert await states(harness) == {("A", 2): "running"}
