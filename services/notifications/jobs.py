"""The long work of the notifications service: a notification for each recipient of a happening."""

from collections.abc import Sequence
from datetime import datetime

from contracts.notifications import NotificationKind, RecipientType
from services.notifications import cancels, retries, store, wakes
from services.notifications.store import Recipient
from services.notifications.world import FanOut
from services.runtime.decision import Cause
from services.runtime.service import Job, JobKind, Transaction


async def fan_out(tx: Transaction, job: Job, size: int) -> Job:
    """Add a notification for each of the next recipients.

    The cursor is how many of the audience have one, or, where there is no audience, the last of
    the entities active at as_of.
    """
    if job.arguments["kind"] == NotificationKind.PACKAGE_CANCELED:
        await cancels.lock(tx.conn, [(job.line, job.arguments["edition"])])
        if job.cursor is None:
            await store.hurry(tx.conn, job.line, tx.now)
    elif await store.is_superseded(tx.conn, store.happening_of(job.place)):
        return _ended(tx, job.moved(job.cursor, done=True))
    audience = job.arguments["audience"]
    if audience is None:
        as_of = datetime.fromisoformat(job.arguments["as_of"])
        added = await store.find_active(tx.conn, job.cursor or "", as_of, size)
        cursor: str | int = added[-1] if added else job.cursor or ""
    else:
        added = audience[job.cursor or 0 :][:size]
        cursor = (job.cursor or 0) + len(added)
    await _add(tx, job, added)
    done = len(added) < size if audience is None else cursor == len(audience)
    job = job.moved(cursor, done=done)
    return _ended(tx, job) if done else job


def _ended(tx: Transaction, job: Job) -> Job:
    """Call those who wait for its end: what happened later to the package, and its cancel."""
    tx.wake(wakes.SEND, wakes.CANCELS)
    return job


async def _add(tx: Transaction, job: Job, added: Sequence[str]) -> None:
    happening_id = store.happening_of(job.place)
    recipients = [Recipient(happening_id, job.line, RecipientType.ENTITY, id) for id in added]
    await store.add_recipients(tx.conn, recipients, tx.now)
    if recipients:
        tx.wake(wakes.SEND)


FAN_OUT = JobKind("fan_out", fan_out, retained=False)
JOBS = (FAN_OUT, retries.RETRY)


def fan_out_job(one: FanOut, happening_id: int, cause: Cause) -> Job:
    """The fan-out of a happening, as the event of its version causes it."""
    happening = one.happening
    return FAN_OUT.job(
        happening.package_id,
        store.place_of(happening_id, happening.version),
        cause,
        kind=happening.key.kind,
        edition=happening.key.edition,
        audience=one.audience,
        as_of=one.as_of.isoformat(),
    )
