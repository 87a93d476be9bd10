"""The notifications service on a real database, with or without a real broker."""

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import QueueEmpty
from aiormq.exceptions import AMQPError

from contracts import envelope, names
from contracts.cancellation import PackageEntitiesNotified
from contracts.directory import EntityRegistered
from contracts.envelope import Envelope
from contracts.message import Body
from contracts.notifications import Notice
from services.notifications import wakes
from services.runtime.amqp import broker, topology
from services.runtime.amqp.publisher import Publisher
from services.runtime.decision import Answer
from services.runtime.tables import jobs
from tests.harness import Harness
from tests.notifications.given import entity

NOTIFICATIONS = """
SELECT h.kind, h.subject, h.edition, h.happening, n.*
FROM notifications n JOIN happenings h USING (happening_id)
ORDER BY n.happening_id, n.recipient_id, n.channel
"""


class NotificationsHarness:
    """A harness of the notifications service with methods for its messages and tables.

    Mailboxes are named after a token, so that tests share a broker.
    """

    def __init__(self, harness: Harness) -> None:
        """Nothing has been sent yet."""
        self.inner = harness
        self.pool = harness.pool
        self.token = secrets.token_hex(4)

    def mailbox(self, name: str) -> str:
        """The name on the broker of what a test calls so."""
        return f"{name}-{self.token}"

    async def send(self, *bodies: Body, **how: Any) -> list[Answer | None]:
        """Handle messages as one batch."""
        return await self.inner.send(*bodies, **how)

    async def outcomes(self, *bodies: Body) -> list[str]:
        """Handle messages as one batch; the outcome of each."""
        return [answer.outcome if answer else "waiting" for answer in await self.send(*bodies)]

    async def register(self, *ids: str, mailbox: str | None = None, **changes: Any) -> None:
        """Entities that read one mailbox, or each its own."""
        await self.send(
            *(
                entity(EntityRegistered, id, mailbox=self.mailbox(mailbox or id), **changes)
                for id in ids
            )
        )

    async def sweep(self, *names: str) -> None:
        """Run sweeps, one after the other, each until it finds no more."""
        for name in names:
            await self.inner.sweep(name)

    async def fan_out(self) -> None:
        """Add every recipient."""
        await self.sweep(jobs.SWEEP)

    async def add_piece(self) -> None:
        """Do one piece of the fan-out that was least recently worked on."""
        (sweep,) = (s for s in self.inner.service.table_work if s.name == jobs.SWEEP)
        assert await sweep.run(self.inner.work), "there is no fan-out"

    async def running(self) -> int:
        """How many fan-outs have not ended."""
        return int(await self.pool.fetchval("SELECT count(*) FROM jobs WHERE state = 'running'"))

    async def rows(self, **wanted: object) -> list[dict[str, Any]]:
        """Notifications with their happenings; those where these columns are so."""
        rows = [dict(row) for row in await self.pool.fetch(NOTIFICATIONS)]
        return [row for row in rows if wanted.items() <= row.items()]

    async def statuses(self) -> list[tuple[str, str, str]]:
        """Kind, recipient and status of each notification."""
        return [(r["kind"], r["recipient_id"], r["status"]) for r in await self.rows()]

    async def age(self, seconds: float) -> None:
        """Let time pass for what waits."""
        await self.pool.execute(
            "UPDATE notifications SET added_at = added_at - $1 * interval '1 s',"
            " next_try_at = next_try_at - $1 * interval '1 s'",
            seconds,
        )
        await self.pool.execute(
            "UPDATE rounds SET taken_until = taken_until - $1 * interval '1 s'", seconds
        )

    async def reports(self) -> list[PackageEntitiesNotified]:
        """The reports since the last call."""
        return await self.inner.events(PackageEntitiesNotified)


class BrokerHarness(NotificationsHarness):
    """The same with a broker: what is sent can be read from the mailboxes."""

    def __init__(self, harness: Harness, amqp_url: str, channel: AbstractChannel) -> None:
        """Use `with_broker`, which also connects."""
        super().__init__(harness)
        self._amqp_url = amqp_url
        self._channel = channel
        self._queues: list[str] = []

    async def open_mailboxes(self) -> None:
        """Declare the mailboxes of all entities."""
        rows = await self.pool.fetch("SELECT name FROM mailboxes WHERE name <> 'central'")
        self._queues += [names.mailbox(row["name"]) for row in rows]
        await self.sweep(wakes.MAILBOXES)

    async def register(self, *ids: str, mailbox: str | None = None, **changes: Any) -> None:
        """Entities whose mailboxes are there."""
        await super().register(*ids, mailbox=mailbox, **changes)
        await self.open_mailboxes()

    async def deliver(self) -> None:
        """Fan out, send, and report, until nothing is left to do right now."""
        await self.sweep(jobs.SWEEP, wakes.SEND, wakes.CANCELS)

    async def listen(self, routing_key: str) -> str:
        """A queue of our own on what is sent; its name."""
        queue = await self._channel.declare_queue(f"test-{secrets.token_hex(8)}", durable=True)
        await queue.bind(names.NOTIFICATIONS, routing_key)
        self._queues.append(queue.name)
        return queue.name

    async def lose(self, mailbox: str) -> None:
        """Take a mailbox off the broker."""
        name = names.mailbox(self.mailbox(mailbox))
        await self._channel.queue_delete(name, if_unused=False, if_empty=False)

    async def fill(self, mailbox: str) -> None:
        """Put a queue in place of a mailbox that has no room for another message."""
        await self.lose(mailbox)
        name = self.mailbox(mailbox)
        queue = await self._channel.declare_queue(
            names.mailbox(name),
            durable=True,
            arguments={"x-max-length": 0, "x-overflow": "reject-publish"},
        )
        await queue.bind(names.NOTIFICATIONS, f"{name}.#")

    async def read(self, mailbox: str) -> list[tuple[Envelope, Notice]]:
        """What a mailbox holds, in order; nothing is left in it."""
        return await self.read_queue(names.mailbox(self.mailbox(mailbox)))

    async def read_queue(self, name: str) -> list[tuple[Envelope, Notice]]:
        """What a queue holds, in order; nothing is left in it."""
        queue = await self._channel.get_queue(name, ensure=False)
        found = []
        with suppress(QueueEmpty):
            while True:
                message = await queue.get(no_ack=True)
                assert message is not None
                (element,) = envelope.read(message.body)
                assert isinstance(element, Envelope)
                assert message.message_id == element.id
                found.append((element, Notice.read(element.subject, element.data)))
        return found

    async def counted(self, mailboxes: Iterable[str]) -> Counter[tuple[str, str]]:
        """How many notices of each kind each recipient finds, whatever their ids."""
        counted: Counter[tuple[str, str]] = Counter()
        for mailbox in mailboxes:
            for _, notice in await self.read(mailbox):
                counted[notice.kind, notice.recipient.id] += 1
        return counted

    async def clear(self) -> None:
        """Take everything of this test off the broker."""
        for name in self._queues:
            with suppress(AMQPError):
                await self._channel.queue_delete(name, if_unused=False, if_empty=False)


@asynccontextmanager
async def with_broker(harness: Harness, amqp_url: str) -> AsyncIterator[BrokerHarness]:
    """The harness connected to this broker, while the block lasts."""
    async with AsyncExitStack() as stack:
        publisher = Publisher(amqp_url, "test publisher")
        stack.push_async_callback(publisher.close)
        harness.work = replace(harness.work, publisher=publisher, amqp_url=amqp_url)
        connection = await stack.enter_async_context(broker.connected(amqp_url, "test"))
        await topology.apply(connection, [])
        broker_harness = BrokerHarness(harness, amqp_url, await connection.channel())
        yield broker_harness
        await broker_harness.clear()


async def only_report(harness: NotificationsHarness) -> tuple[int, int, int]:
    """The counts of the one report: notified, superseded, failed."""
    (report,) = await harness.reports()
    return report.notified, report.superseded, report.failed


def fan_out_by_sweep(monkeypatch: pytest.MonkeyPatch, piece: int = jobs.PIECE) -> None:
    """Leave every recipient to the sweep, so many in a piece; no transaction adds some itself."""
    monkeypatch.setattr(jobs, "FIRST_PIECES", 0)
    monkeypatch.setattr(jobs, "PIECE", piece)


def recipients(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The recipients, each as often as there are rows."""
    return [row["recipient_id"] for row in rows]
