"""The sweep that sends: take, build, publish, and record what the broker said of each."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

from contracts import names
from contracts.notifications import NotificationStatus as Status
from contracts.packages import PackageEdition
from services.notifications import cancels, delivery, notices, outbound, wakes
from services.notifications.cancels import Count
from services.notifications.delivery import Due, Outcome
from services.notifications.outbound import Held
from services.runtime.service import Published, Transaction, Work

TAKEN = 2_000
BUSY_PAUSE = 0.05
"""Seconds between two looks while another worker sends."""


async def send(work: Work) -> bool:
    """Send the next notifications whose turn it is; any number of workers may do so at once.

    When the broker is away this raises, and the same ids go again.
    """
    async with work.begin() as tx:
        held = await outbound.take(tx.conn, TAKEN, tx.now)
        if held.is_full:
            tx.wake(wakes.SEND, wakes.SEND_TOO)
    if not held.due:
        # What came while another worker sends to its recipients is not left until the next look.
        if held.is_busy:
            await asyncio.sleep(BUSY_PAUSE)
        return held.is_busy
    judged = [(due, delivery.judge(due, tx.now)) for due in held.due]
    to_send = [due for due, outcome in judged if outcome is None]
    settled = [outcome for _, outcome in judged if outcome is not None]
    try:
        published = await _publish(work, held, to_send)
    except ConnectionError:
        # Nobody has to wait until the lease runs out.
        await outbound.release(work.pool, held)
        raise
    async with work.publishing() as tx:
        await outbound.release(tx.conn, held)
        await _record(tx, settled + _results(tx, to_send, published))
    # Whatever waited behind these can go now.
    return held.has_more


async def _publish(work: Work, held: Held, to_send: Sequence[Due]) -> Published:
    messages = [notices.message(due) for due in to_send]
    if not messages:
        return Published()
    mailboxes = [names.mailbox(due.mailbox) for due in to_send]
    return await work.publisher.publish_leased(
        messages, mailboxes, outbound.LEASE, lambda: outbound.renew(work.pool, held)
    )


def _results(tx: Transaction, sent: Sequence[Due], published: Published) -> list[Outcome]:
    if published.clean:
        return [delivery.sent(due, tx.now) for due in sent]
    errors = dict.fromkeys(published.returned, delivery.MAILBOX_GONE)
    errors |= dict.fromkeys(published.nacked, delivery.MAILBOX_FULL)
    errors |= dict.fromkeys(published.silent, delivery.MAILBOX_SILENT)
    return [
        delivery.refused(due, errors[at], tx.now) if at in errors else delivery.sent(due, tx.now)
        for at, due in enumerate(sent)
    ]


async def _record(tx: Transaction, outcomes: Sequence[Outcome]) -> None:
    """Store and say what became of each; the cancels they belong to count it."""
    lives = {life for outcome in outcomes if (life := outcome.cancel) is not None}
    await cancels.lock(tx.conn, sorted(lives))
    recorded = await outbound.record(tx.conn, outcomes, tx.now)
    for outcome in recorded:
        if (event := notices.event(outcome, tx.now)) is not None:
            tx.emit(event, outcome.due.told.cause)
    counted = await cancels.count(tx.conn, _counts(recorded))
    for cancel in counted:
        tx.emit(cancel.progress, cancel.cause)
    await cancels.end(tx, [cancel for cancel in counted if cancel.is_tried])
    if lost := {o.due.mailbox for o in recorded if o.error == delivery.MAILBOX_GONE}:
        await outbound.lose_mailboxes(tx.conn, lost, tx.now)
        tx.wake(wakes.MAILBOXES)
    await _note_silence(tx, recorded)


async def _note_silence(tx: Transaction, outcomes: Sequence[Outcome]) -> None:
    """For people who ask: which mailboxes do not answer."""
    silent = {o.due.mailbox for o in outcomes if o.error == delivery.MAILBOX_SILENT}
    if silent:
        await outbound.note_error(tx.conn, silent, delivery.MAILBOX_SILENT)
    sent = {o.due.mailbox for o in outcomes if o.due.has_failed and o.status is Status.SENT}
    if answered := sent - silent:
        await outbound.note_error(tx.conn, answered, None)


def _counts(outcomes: Iterable[Outcome]) -> dict[PackageEdition, Count]:
    counts: defaultdict[PackageEdition, Count] = defaultdict(Count)
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
