"""The sweep that sends: take, build, publish, and record what the broker said of each."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog

from contracts.notifications import NotificationStatus as Status
from services.notifications import delivery, jobs, notices, outbound, wakes
from services.notifications.delivery import Due, Outcome
from services.notifications.domain import Life
from services.notifications.jobs import Count
from services.notifications.outbound import Held
from services.runtime.broker import Unconfirmed
from services.runtime.database import Connection
from services.runtime.work import Turn, Work

log = structlog.get_logger()

TAKEN = 2_000


async def send(work: Work) -> bool:
    """Send the next notifications whose turn it is; any number of workers may do so at once.

    When the broker is away this raises, the lease runs out, and the same ids go again.
    """
    async with work.begin() as turn:
        held = await outbound.take(turn.conn, TAKEN, turn.now)
        if held.is_full:
            turn.wake(wakes.SEND, wakes.SEND_TOO)
    if not held.due:
        return False
    judged = [(due, delivery.judge(due, turn.now)) for due in held.due]
    to_send = [due for due, outcome in judged if outcome is None]
    settled = [outcome for _, outcome in judged if outcome is not None]
    refusals = await _holding(work, held, _publish(work, to_send))
    async with work.turn() as turn:
        await outbound.release(turn.conn, held)
        await _record(turn, settled + [_result(due, refusals, turn.now) for due in to_send])
    # Whatever waited behind these can go now.
    return True


Refusals = dict[str, str]
"""Why the broker has not taken notifications, by their ids; all others it has."""


async def _holding(work: Work, held: Held, publish: Coroutine[Any, Any, Refusals]) -> Refusals:
    """Publish, and hold on to the rounds while a slow broker takes its time."""
    publishing = asyncio.create_task(publish)
    try:
        while not (await asyncio.wait({publishing}, timeout=outbound.LEASE.total_seconds() / 2))[0]:
            await outbound.renew(work.pool, held)
        return publishing.result()
    finally:
        publishing.cancel()


async def _publish(work: Work, dues: Sequence[Due]) -> Refusals:
    """All together, but for those whose mailbox may not answer: that would hold up all behind it.

    Where it turns out that some mailbox does not answer, all go once more, and it is found.
    """
    doubted = [due for due in dues if due.is_silent]
    try:
        refusals = await _together(work, [due for due in dues if not due.is_silent])
    except Unconfirmed as error:
        log.warning("mailbox_sought", error=str(error))
        return await _apart(work, dues)
    return refusals | await _apart(work, doubted)


async def _together(work: Work, dues: Sequence[Due]) -> Refusals:
    published = await work.publisher.publish([notices.message(due) for due in dues])
    nacked = {dues[at].id: delivery.MAILBOX_FULL for at in published.nacked}
    return nacked | {dues[at].id: delivery.MAILBOX_GONE for at in published.returned}


async def _apart(work: Work, dues: Sequence[Due]) -> Refusals:
    """The first of each mailbox on a channel of its own; the others of those that answer."""
    firsts: dict[str, Due] = {}
    for due in dues:
        firsts.setdefault(due.mailbox, due)
    refusals = await _alone(work, list(firsts.values()))
    silent = {
        mailbox
        for mailbox, due in firsts.items()
        if refusals.get(due.id) == delivery.MAILBOX_SILENT
    }
    others = [due for due in dues if due is not firsts[due.mailbox]]
    refusals |= {due.id: delivery.MAILBOX_SILENT for due in others if due.mailbox in silent}
    return refusals | await _together(work, [due for due in others if due.mailbox not in silent])


async def _alone(work: Work, dues: Sequence[Due]) -> Refusals:
    said = await work.publisher.publish_apart([notices.message(due) for due in dues])
    refusals = {}
    for due, published in zip(dues, said, strict=True):
        if published is None:
            refusals[due.id] = delivery.MAILBOX_SILENT
        elif published.returned:
            refusals[due.id] = delivery.MAILBOX_GONE
        elif published.nacked:
            refusals[due.id] = delivery.MAILBOX_FULL
    return refusals


def _result(due: Due, refusals: Refusals, now: datetime) -> Outcome:
    error = refusals.get(due.id)
    return delivery.refused(due, error, now) if error else delivery.sent(due, now)


async def _record(turn: Turn, outcomes: Sequence[Outcome]) -> None:
    """Store and say what became of each; the cancels they belong to count it."""
    lives = {life for outcome in outcomes if (life := outcome.cancel) is not None}
    await jobs.lock_cancels(turn.conn, sorted(lives))
    recorded = await outbound.record(turn.conn, outcomes, turn.now)
    for outcome in recorded:
        if (event := notices.event(outcome, turn.now)) is not None:
            turn.emit(event, outcome.due.told.cause)
    for cancel in await jobs.count(turn.conn, _counts(recorded)):
        turn.emit(cancel.progress, cancel.cause)
        turn.wake(wakes.CANCELS)
    if lost := {o.due.mailbox for o in recorded if o.error == delivery.MAILBOX_GONE}:
        await outbound.lose_mailboxes(turn.conn, lost, turn.now)
        turn.wake(wakes.MAILBOXES)
    await _note_silence(turn.conn, recorded)


async def _note_silence(conn: Connection, outcomes: Sequence[Outcome]) -> None:
    """Mailboxes that did not answer are doubted until they do."""
    silent = {o.due.mailbox for o in outcomes if o.error == delivery.MAILBOX_SILENT}
    if silent:
        log.error("mailbox_silent", mailboxes=sorted(silent))
        await outbound.mark_silent(conn, silent, delivery.MAILBOX_SILENT)
    sent = {o.due.mailbox for o in outcomes if o.due.is_silent and o.status is Status.SENT}
    if answered := sent - silent:
        await outbound.mark_silent(conn, answered, None)


def _counts(outcomes: Iterable[Outcome]) -> dict[Life, Count]:
    counts: defaultdict[Life, Count] = defaultdict(Count)
    for outcome in outcomes:
        life = outcome.cancel
        if life is None:
            continue
        if outcome.status is Status.SUPERSEDED:
            counts[life].superseded += 1
        else:
            counts[life].tried += outcome.is_first_try
            counts[life].sent += outcome.status is Status.SENT
    return counts
