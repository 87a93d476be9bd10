"""Long work: a row a job, done piece by piece, whoever put it there.

What may touch more than some hundred rows is a job.  Its first piece is done in the transaction
that causes it, as far as it is small; the sweep does the rest, the job least recently worked on
first.  One job is worked on by one worker at a time, different jobs by many.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
import structlog

from contracts.message import Event
from services.runtime.decision import Cause, TooMuch
from services.runtime.postgres.database import Conflict, Connection, Locked
from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Emitted, Transaction, Work

log = structlog.get_logger()

SWEEP = "jobs"
PIECE = 5_000
"""Rows that one piece of the sweep touches at most."""
FIRST_PIECES = 500
"""Rows that the first pieces in one transaction touch at most, all together."""
SMALLEST_PIECE = 50
LEFT_FOR = 5.0
"""Seconds for which a line is left alone where another session holds a lock that it needs."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of long work.

    work does the next piece: it touches at most so many rows, and returns the job as it leaves it.
    progress is emitted at the start, where the first piece counts what is `expected`, and after
    each piece; report at the end.  A job that is done leaves its row behind, so that it is never
    done again; one of a kind that is not retained does not.  The first piece of a small job is done
    in the transaction that adds it, unless its rows may be too large for that: not at_once.
    """

    name: str
    work: "Callable[[Transaction, Job, int], Awaitable[Job]]"
    progress: "Callable[[Job], Event] | None" = None
    report: "Callable[[Job], Event] | None" = None
    retained: bool = True
    at_once: bool = True

    def job(
        self, line: str, place: int, cause: Cause, *, done: bool = False, **arguments: Any
    ) -> "Job":
        """A new job of this kind."""
        return Job(self, line, place, cause, arguments, done=done)


@dataclass(frozen=True, slots=True)
class Job:
    """One job and how far it is.

    Jobs of one line are done in the order of their places.  line, place and kind are its key.
    arguments, cursor and counts are JSON; cursor is None before the first piece.
    """

    kind: JobKind
    line: str
    place: int
    cause: Cause
    arguments: Mapping[str, Any]
    cursor: Any = None
    counts: Mapping[str, int] = field(default_factory=dict)
    done: bool = False

    def count(self, name: str) -> int:
        """One of its counts, 0 at the start."""
        return self.counts.get(name, 0)

    def moved(self, cursor: Any, *, done: bool = False, **more: int) -> "Job":
        """The job after a piece: where to go on, and how much more was counted."""
        counts = {name: self.count(name) + more.get(name, 0) for name in {**self.counts, **more}}
        return replace(self, cursor=cursor, counts=counts, done=done)


class Jobs:
    """The jobs of some lines, as the messages of a batch see them; new are those it has added."""

    def __init__(self, known: Iterable[tuple[str, int, str, bool]] = ()) -> None:
        """Known are line, place and name of the kind of each, and whether it is done."""
        self._done = {(line, place, kind): done for line, place, kind, done in known}
        self.new: list[Job] = []

    def has(self, kind: JobKind, line: str, place: int) -> bool:
        """Whether there is such a job, done or not."""
        return (line, place, kind.name) in self._done

    def has_behind(self, line: str, place: int) -> bool:
        """Whether there is a job behind this place."""
        return any(key[0] == line and key[1] > place for key in self._done)

    def add(self, job: Job) -> None:
        """Add a new job."""
        self._done[job.line, job.place, job.kind.name] = job.done
        self.new.append(job)

    async def store(self, tx: Transaction) -> None:
        """Do the first pieces of what was added, as far as they are small, and store the rest.

        Raises Conflict where another worker added one of them first.
        """
        size = FIRST_PIECES // max(len(self.new), 1)
        jobs = []
        for job in self.new:
            is_next = job.kind.at_once and not job.done and not self._is_behind(job)
            if is_next and size >= SMALLEST_PIECE:
                job = await piece(tx, job, size)
                self._done[job.line, job.place, job.kind.name] = job.done
            jobs.append(job)
        await _insert(tx, [job for job in jobs if job.kind.retained or not job.done])

    def _is_behind(self, job: Job) -> bool:
        """Whether one before it in its line is not done."""
        return any(
            not done and line == job.line and place < job.place
            for (line, place, _), done in self._done.items()
        )


async def piece(tx: Transaction, job: Job, size: int) -> Job:
    """Do the next piece, and emit how far the job is: at its start, and after each piece."""
    before, start = job, len(tx.emitted)
    job = await job.kind.work(tx, job, size)
    if (progress := job.kind.progress) is not None:
        reached = progress(job)
        if before.cursor is None:
            # Only now it is known how much there is to do; the start goes out before the piece.
            started = progress(replace(before, counts={"expected": job.count("expected")}))
            if started != reached:
                tx.emitted.insert(start, Emitted(started, job.cause, started.key))
        tx.emit(reached, job.cause)
    if job.done and job.kind.report is not None:
        tx.emit(job.kind.report(job), job.cause)
    return job


FIND = "SELECT line, place, kind, state = 'done' AS done FROM jobs WHERE line = ANY ($1::text[])"


async def find(conn: Connection, lines: Collection[str]) -> Jobs:
    """The jobs of these lines."""
    rows = await conn.fetch(FIND, list(lines)) if lines else ()
    return Jobs(map(tuple, rows))


INSERT = """
INSERT INTO jobs (line, place, kind, state, cursor, counts, arguments, cause)
SELECT line, place, kind, state, cursor::jsonb, counts, arguments, cause
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::jsonb[],
            $7::jsonb[], $8::jsonb[])
    AS m (line, place, kind, state, cursor, counts, arguments, cause)
ORDER BY line, place, kind
ON CONFLICT DO NOTHING
"""


async def _insert(tx: Transaction, jobs: Sequence[Job]) -> None:
    if not jobs:
        return
    status = await tx.conn.execute(
        INSERT,
        [job.line for job in jobs],
        [job.place for job in jobs],
        [job.kind.name for job in jobs],
        [_state(job) for job in jobs],
        # As text: of an array of lists the driver would make a matrix.
        [None if job.cursor is None else orjson.dumps(job.cursor).decode() for job in jobs],
        [job.counts for job in jobs],
        [job.arguments for job in jobs],
        [asdict(job.cause) for job in jobs],
    )
    if int(status.rpartition(" ")[2]) != len(jobs):
        raise Conflict("another worker added one of these jobs first")
    if not all(job.done for job in jobs):
        tx.wake(SWEEP)


def _state(job: Job) -> str:
    return "done" if job.done else "running"


# Numbers, not times, say which was worked on least recently: the clocks of workers differ.
CLAIM = """
SELECT now(), kind, line, place, cause, arguments, cursor, counts FROM jobs AS j
WHERE state = 'running' AND kind = ANY ($1::text[]) AND line <> ALL ($2::text[])
  AND NOT EXISTS (SELECT FROM jobs AS o
                  WHERE o.state = 'running' AND o.line = j.line AND o.place < j.place)
ORDER BY last_piece LIMIT 1 FOR UPDATE OF j SKIP LOCKED
"""
SAVE = """
UPDATE jobs SET state = $4, cursor = $5, counts = $6, last_piece = nextval('job_pieces')
WHERE line = $1 AND place = $2 AND kind = $3
"""
DELETE = "DELETE FROM jobs WHERE line = $1 AND place = $2 AND kind = $3"


def sweep(kinds: Iterable[JobKind], name: str = SWEEP) -> Sweep:
    """The sweep that works on the jobs of these kinds."""
    by_name = {kind.name: kind for kind in kinds}
    left: dict[str, float] = {}
    # The rows of a piece: few for a while where so many have been too much to hold.
    most = PIECE

    async def run(work: Work) -> bool:
        nonlocal most
        line, now, size = "", time.monotonic(), min(most, PIECE)
        for free in [line for line, until in left.items() if until <= now]:
            del left[free]
        try:
            async with work.publishing(divisible=size > 1, dated=False) as tx:
                row = await tx.conn.fetchrow(CLAIM, list(by_name), list(left))
                if row is None:
                    return False
                tx.now, kind, line, place, cause, *reached = row
                job = Job(by_name[kind], line, place, Cause(**cause), *reached)
                await _save(tx, await piece(tx, job, size))
        except TooMuch:
            most = max(size // 4, 1)
        except Locked as error:
            # Nobody else's job is to wait for it.
            log.warning("job_blocked", line=line, error=str(error))
            left[line] = time.monotonic() + LEFT_FOR
        else:
            most = 2 * size
        return True

    return Sweep(name, run)


async def _save(tx: Transaction, job: Job) -> None:
    key = job.line, job.place, job.kind.name
    if job.done and not job.kind.retained:
        await tx.conn.execute(DELETE, *key)
    else:
        await tx.conn.execute(SAVE, *key, _state(job), job.cursor, job.counts)


# Whatever its state: one that another worker is just finishing is waited for.
REOPEN = "UPDATE jobs SET state = 'running' WHERE line = $1 AND place > $2 AND kind = $3"


async def reopen(tx: Transaction, kind: JobKind, line: str, after: int) -> None:
    """Let the jobs of this kind behind this place be done again."""
    if await tx.conn.execute(REOPEN, line, after, kind.name) != "UPDATE 0":
        tx.wake(SWEEP)
