"""The long work of the notifications service: a notification for each recipient of a happening."""

from collections.abc import Sequence
from datetime import datetime

from contracts.notifications import NotificationKind, RecipientType
from services.notifications import cancels, store, wakes
from services.notifications.domain import Key
from services.notifications.store import Recipient
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
        return job.finished()
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
    if done:
        tx.wake(wakes.CANCELS)
    return job.moved(cursor, done=done)


async def _add(tx: Transaction, job: Job, added: Sequence[str]) -> None:
    happening_id = store.happening_of(job.place)
    recipients = [Recipient(happening_id, job.line, RecipientType.ENTITY, id) for id in added]
    await store.add_recipients(tx.conn, recipients, tx.now)
    if recipients:
        tx.wake(wakes.SEND)


FAN_OUT = JobKind("fan_out", fan_out, retained=False)
JOBS = (FAN_OUT,)


def fan_out_job(
    key: Key,
    happening_id: int,
    version: int,
    package_id: str,
    audience: Sequence[str] | None,
    as_of: datetime,
    cause: Cause,
) -> Job:
    """The fan-out of a happening, as an event of this version causes it."""
    return FAN_OUT.job(
        package_id,
        store.place_of(happening_id, version),
        cause,
        kind=key.kind,
        edition=key.edition,
        audience=audience,
        as_of=as_of,
    )
