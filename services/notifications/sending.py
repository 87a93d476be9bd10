"""The sweep that sends: take, build, publish, and record what the broker said of each."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from contracts.notifications import NotificationKind, NotificationStatus
from services.notifications import delivery, jobs, notices, outbound, wakes
from services.notifications.delivery import Due, Outcome
from services.notifications.domain import Life
from services.notifications.jobs import Count
from services.notifications.outbound import Told
from services.runtime.channel import Outgoing, Published
from services.runtime.work import Turn, Work

TAKEN = 2_000

About = Mapping[int, Told]
"""What there is to say, by happening_id."""


async def send(work: Work) -> bool:
    """Send the next notifications whose turn it is; any number of workers may do so at once.

    When the broker is away this raises, the lease runs out, and the same ids go again.
    """
    async with work.begin() as turn:
        held = await outbound.take(turn.conn, TAKEN, turn.now)
        about = await outbound.find_told(turn.conn, {due.key.happening_id for due in held})
    if not held:
        return False
    settled = [outcome for due in held if (outcome := _judge(turn, due, about)) is not None]
    kept = {outcome.due.key for outcome in settled}
    to_send = [due for due in held if due.key not in kept]
    published = await _publish(work, to_send, about)
    async with work.turn() as turn:
        await _record(turn, settled + _results(turn, to_send, published), about)
    # Whatever waited behind these can go now.
    return True


def _judge(turn: Turn, due: Due, about: About) -> Outcome | None:
    told = about[due.key.happening_id]
    return delivery.judge(
        due, told=told.notice is not None, superseded=told.superseded, now=turn.now
    )


async def _publish(work: Work, to_send: Sequence[Due], about: About) -> Published:
    """Publish, and hold on to the rows while a slow broker takes its time."""
    messages: list[Outgoing] = [
        notices.message(due, about[due.key.happening_id]) for due in to_send
    ]
    if not messages:
        return Published()
    publishing = asyncio.create_task(work.publisher.publish(messages))
    try:
        while not (await asyncio.wait({publishing}, timeout=outbound.LEASE.total_seconds() / 2))[0]:
            await outbound.renew(work.pool, to_send)
        return publishing.result()
    finally:
        publishing.cancel()


def _results(turn: Turn, sent: Sequence[Due], published: Published) -> list[Outcome]:
    if published.clean:
        return [delivery.sent(due, turn.now) for due in sent]
    results = []
    for at, due in enumerate(sent):
        if at in published.returned:
            results.append(delivery.refused(due, delivery.MAILBOX_GONE, turn.now))
        elif at in published.nacked:
            results.append(delivery.refused(due, delivery.MAILBOX_FULL, turn.now))
        else:
            results.append(delivery.sent(due, turn.now))
    return results


async def _record(turn: Turn, outcomes: Sequence[Outcome], about: About) -> None:
    """Store and say what became of each; the cancels they belong to count it."""
    lives = {life for outcome in outcomes if (life := _cancel_of(outcome, about)) is not None}
    await jobs.lock_cancels(turn.conn, sorted(lives))
    ended = await outbound.record(turn.conn, outcomes, turn.now)
    for outcome in ended:
        told = about[outcome.due.key.happening_id]
        if (event := notices.event(outcome, told, turn.now)) is not None:
            turn.emit(event, told.cause)
    for cancel in await jobs.count(turn.conn, _counts(ended, about)):
        turn.emit(cancel.progress, cancel.cause)
        turn.wake(wakes.CANCELS)
    if lost := {o.due.mailbox for o in ended if o.error == delivery.MAILBOX_GONE}:
        await outbound.lose_mailboxes(turn.conn, lost, turn.now)
        turn.wake(wakes.MAILBOXES)


def _counts(outcomes: Iterable[Outcome], about: About) -> dict[Life, Count]:
    counts: defaultdict[Life, Count] = defaultdict(Count)
    for outcome in outcomes:
        life = _cancel_of(outcome, about)
        if life is None:
            continue
        if outcome.status is NotificationStatus.SUPERSEDED:
            counts[life].superseded += 1
        else:
            counts[life].tried += outcome.is_first_try
            counts[life].sent += outcome.status is NotificationStatus.SENT
    return counts


def _cancel_of(outcome: Outcome, about: About) -> Life | None:
    """The cancel that waits for this notification, if it is one of a cancel's."""
    key = about[outcome.due.key.happening_id].key
    superseded = outcome.status is NotificationStatus.SUPERSEDED
    if superseded or key.kind is NotificationKind.PACKAGE_CANCELED:
        return key.subject, key.edition
    return None
