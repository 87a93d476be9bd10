"""Snapshots: a service emits its present state again, for a reader that begins.

It is long work like any other: the rows of each thing are walked by key, one piece after the
other, and each leaves as an event with the version that it has.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from contracts.message import Event
from contracts.operations import SnapshotCompleted
from services.runtime.decision import Cause
from services.runtime.postgres.database import Connection
from services.runtime.tables.jobs import Job, JobKind
from services.runtime.tables.transaction import Transaction

NAME = "snapshot"
PIECE = 1_000
"""Rows of one piece: what one message can hold, so that other work has its turn soon."""


class Page(NamedTuple):
    """The next rows of a thing as events, and the cursor behind them.

    keys are the partition keys of the events where they are not their own.
    """

    events: Sequence[Event]
    cursor: Any = None
    keys: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How the present state of one kind of thing is read.

    read gives the rows behind a cursor (of JSON, None at the start), by a key that never changes,
    and at most so many; fewer are the last.
    """

    thing: str
    read: Callable[[Connection, Any, int], Awaitable[Page]]


def kind(service: str, snapshots: Sequence[Snapshot]) -> JobKind:
    """The kind of job that emits the present state of a service.

    Its cursor is the place of the thing that is walked, and the cursor within it.  A row that is
    made behind the cursor has events of its own; nothing is locked.
    """
    none = {snapshot.thing: 0 for snapshot in snapshots}

    async def work(tx: Transaction, job: Job, size: int) -> Job:
        at, after = job.cursor or (0, None)
        if at == len(snapshots):
            return job.moved([at, None], done=True)
        size = min(size, PIECE)
        thing, page = snapshots[at].thing, await snapshots[at].read(tx.conn, after, size)
        keys = page.keys or [event.key for event in page.events]
        for event, key in zip(page.events, keys, strict=True):
            tx.emit(event, job.cause, key)
        is_last = len(page.events) < size
        cursor = [at + 1, None] if is_last else [at, page.cursor]
        counts = {**none, **job.counts, thing: job.count(thing) + len(page.events)}
        return replace(job, cursor=cursor, counts=counts, done=cursor[0] == len(snapshots))

    def report(job: Job) -> SnapshotCompleted:
        return SnapshotCompleted(
            service=service, request_id=job.arguments["request_id"], counts=dict(job.counts)
        )

    return JobKind(NAME, work, report=report, at_once=False)


def line(request_id: str) -> str:
    """The line of a request: of its own, so that requests run beside each other."""
    return f"{NAME}:{request_id}"


def job(service: str, snapshots: Sequence[Snapshot], request_id: str, cause: Cause) -> Job:
    """The job that answers a request; it leaves its row, so that none is answered twice."""
    return kind(service, snapshots).job(line(request_id), 1, cause, request_id=request_id)
