"""The table work of the notifications service; sending has a room of its own."""

import asyncio
from datetime import timedelta

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelClosed

from contracts import names
from contracts.notifications import RecipientType
from services.notifications import jobs, outbound, store, wakes
from services.notifications.jobs import FanOut
from services.notifications.sending import send
from services.notifications.store import Recipient
from services.runtime.amqp import broker, topology
from services.runtime.postgres.database import persist
from services.runtime.service import Sweep
from services.runtime.tables.transaction import Transaction, Work

log = structlog.get_logger()

CHUNK = 5_000
MAILBOXES = 200
"""Mailboxes declared in one piece."""
DECLARED_WITHIN = 10.0
"""Seconds that the broker may take for one."""
REFUSED_FOR = timedelta(minutes=1)
"""How long a mailbox that the broker will not make is left alone."""


async def fan_out(work: Work) -> bool:
    """Add a notification for each of the next recipients of a happening."""
    async with work.publishing() as tx:
        job = await jobs.take_fan_out(tx.conn)
        if job is None:
            return False
        if job.is_cancel:
            await jobs.lock_cancels(tx.conn, [(job.package_id, job.edition)])
            if job.is_new:
                await jobs.hurry(tx.conn, job.package_id, tx.now)
        added = [] if job.superseded else await jobs.next_recipients(tx.conn, job, CHUNK)
        await _add(tx, job, added)
        tx.wake(wakes.SEND)
    return True


async def _add(tx: Transaction, job: FanOut, added: list[str]) -> None:
    recipients = [
        Recipient(job.happening_id, job.package_id, RecipientType.ENTITY, id) for id in added
    ]
    await store.add_recipients(tx.conn, recipients, tx.now)
    if len(added) == CHUNK:
        await jobs.move_fan_out(tx.conn, job, added, tx.now)
    else:
        await jobs.end_fan_out(tx.conn, job)
        tx.wake(wakes.CANCELS)


async def end_cancels(work: Work) -> bool:
    """Report each cancel of which every notification has been tried."""
    async with work.publishing() as tx:
        done, waits = await jobs.lock_done(tx.conn, tx.now)
        if waits:
            tx.wake(wakes.SEND)
        for cancel in done:
            tx.emit(cancel.report, cancel.cause)
        await jobs.complete(tx.conn, done, tx.now)
    return False


async def declare_mailboxes(work: Work) -> bool:
    """Make the queues of new mailboxes, on a channel of its own and in no transaction."""
    async with work.begin() as tx:
        undeclared = await outbound.find_undeclared(tx.conn, MAILBOXES, tx.now)
    if not undeclared:
        return False
    async with broker.connected(work.amqp_url, "relais notifications mailboxes") as connection:
        declared, refusals = await _declare(connection, undeclared)
    async with work.begin() as tx:
        await outbound.mark_declared(tx.conn, declared, tx.now)
        await outbound.mark_refused(tx.conn, refusals, tx.now + REFUSED_FOR)
    # Apart from that: where a great many wait, this takes its time.
    await persist("hurry", lambda: _hurry(work, declared))
    return len(undeclared) == MAILBOXES or len(declared) + len(refusals) < len(undeclared)


async def _hurry(work: Work, mailboxes: list[str]) -> None:
    async with work.begin() as tx:
        await outbound.hurry(tx.conn, mailboxes, tx.now)
        tx.wake(wakes.SEND)


async def _declare(
    connection: AbstractConnection, mailboxes: list[str]
) -> tuple[list[str], dict[str, str]]:
    """Declare queues and bind them; those that are there, and why not those that are refused.

    The first that is not answered ends it: what has been declared is not to wait for others.
    """
    declared: list[str] = []
    refusals: dict[str, str] = {}
    channel = await connection.channel()
    for name in mailboxes:
        try:
            async with asyncio.timeout(DECLARED_WITHIN):
                await _declare_one(channel, name)
            declared.append(name)
        except ChannelClosed as error:
            log.error("mailbox_refused", mailbox=name, error=str(error))
            refusals[name] = str(error)
            channel = await connection.channel()
        except TimeoutError:
            log.error("mailbox_refused", mailbox=name, error="no answer")
            refusals[name] = f"the broker did not answer within {DECLARED_WITHIN:.0f} s"
            break
    return declared, refusals


async def _declare_one(channel: AbstractChannel, name: str) -> None:
    queue = await topology.declare_mailbox(channel, name)
    await queue.bind(names.NOTIFICATIONS, f"{name}.#")


SWEEPS = (
    Sweep(wakes.FAN_OUT, fan_out),
    Sweep(wakes.SEND, send),
    Sweep(wakes.SEND_TOO, send),
    Sweep(wakes.CANCELS, end_cancels),
    Sweep(wakes.MAILBOXES, declare_mailboxes),
)
