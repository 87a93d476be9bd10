"""The table work of the notifications service; sending has a room of its own."""

import asyncio
from datetime import timedelta

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelClosed

from contracts import names
from services.notifications import cancels, outbound, wakes
from services.notifications.sending import send
from services.runtime.service import Sweep, Work, broker, persist, topology

log = structlog.get_logger()

CANCELS = 100
"""Cancels reported in one piece."""
MAILBOXES = 200
"""Mailboxes declared in one piece."""
DECLARED_WITHIN = 10.0
"""Seconds that the broker may take for one."""
REFUSED_FOR = timedelta(minutes=1)
"""How long a mailbox that the broker will not make is left alone."""


async def end_cancels(work: Work) -> bool:
    """Report cancels of which every notification has been tried, where nobody has yet."""
    async with work.publishing() as tx:
        return await cancels.end_some(tx, CANCELS)


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
        except (ChannelClosed, topology.TopologyError) as error:
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
    Sweep(wakes.SEND, send),
    Sweep(wakes.SEND_TOO, send),
    Sweep(wakes.CANCELS, end_cancels),
    Sweep(wakes.MAILBOXES, declare_mailboxes),
)
