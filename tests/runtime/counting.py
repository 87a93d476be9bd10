"""Kinds of jobs that count, and what a test does with them."""

from collections.abc import Sequence
from typing import Any

from services.runtime.decision import Cause
from services.runtime.service import Job, JobKind, Jobs, Transaction, jobs
from tests.harness import Harness
from tests.runtime.probe import Added, Doubled
from tests.runtime.then import outbox_envelopes, rows

CAUSE = Cause("the-correlation", "the-cause", "m.durand")


async def count(tx: Transaction, job: Job, size: int) -> Job:
    """Count on, at most so many a piece; what was counted stands in the journal."""
    to = job.arguments["to"]
    reached = min((job.cursor or 0) + size, to)
    note = f"{job.line}.{job.place} {reached}"
    await tx.conn.execute("INSERT INTO journal (thing_id, note) VALUES ($1, $2)", job.line, note)
    return job.moved(reached, done=reached == to, counted=reached - (job.cursor or 0))


def progress(job: Job) -> Added:
    """How far a job is."""
    return Added(thing_id=job.line, note="progress", total=job.count("counted"), version=1)


def report(job: Job) -> Doubled:
    """What a job came to."""
    return Doubled(thing_id=job.line, note=f"counted {job.count('counted')}")


async def foresee(tx: Transaction, job: Job, size: int) -> Job:
    """Count on and emit that; the first piece finds how much there is to do."""
    expected = job.arguments["to"] if job.cursor is None else 0
    moved = await count(tx, job, size)
    tx.emit(progress(moved), job.cause)
    return moved.moved(moved.cursor, done=moved.done, expected=expected)


def foreseen(job: Job) -> Added:
    """How far a job is, of what its first piece found."""
    note = f"{job.count('counted')} of {job.count('expected')}"
    return progress(job).model_copy(update={"note": note})


COUNT = JobKind("count", count, progress, report)
QUIET = JobKind("quiet", count)
PASSING = JobKind("passing", count, retained=False)
FORESEEING = JobKind("foreseeing", foresee, foreseen)
KINDS = (COUNT, QUIET, PASSING, FORESEEING)


def job(line: str = "A", place: int = 1, to: int = 10, kind: JobKind = COUNT, **more: Any) -> Job:
    """A job that counts so far."""
    return kind.job(line, place, CAUSE, to=to, **more)


async def add(harness: Harness, *new: Job) -> Transaction:
    """Add jobs in one transaction, as the batch of a service does."""
    async with harness.pool.acquire() as conn:
        known = await jobs.find(conn, {one.line for one in new})
    return await store(harness, known, *new)


async def store(harness: Harness, known: Jobs, *new: Job) -> Transaction:
    """The same of jobs that were looked for before."""
    async with harness.work.begin() as tx:
        for one in new:
            known.add(one)
        await known.store(tx)
    return tx


async def piece(harness: Harness, kinds: Sequence[JobKind] = KINDS) -> bool:
    """One piece of the sweep; whether there was a job."""
    return await jobs.sweep(kinds).run(harness.work)


async def sweep(harness: Harness) -> int:
    """The sweep until it finds no job; the number of pieces."""
    pieces = 0
    while await piece(harness):
        pieces += 1
    return pieces


async def states(harness: Harness) -> dict[tuple[str, int], str]:
    """The state of each job that has a row, by line and place."""
    return {(row["line"], row["place"]): row["state"] for row in await rows(harness, "jobs")}


async def emitted(harness: Harness) -> list[str | int]:
    """What the jobs emitted: the total of each progress, the note of each report."""
    found = [one.data for one in await outbox_envelopes(harness)]
    return [data.get("total", data["note"]) for data in found]
