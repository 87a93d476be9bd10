"""The unit of a transaction: what is changed and what is said about it commit together."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.message import Event
from services.runtime.amqp.publisher import Publisher
from services.runtime.messages.outbox import Emitted, Outbox, Relay
from services.runtime.postgres.database import Connection, Pool
from services.runtime.received import Cause
from services.runtime.tables.wakes import Wakes


@dataclass(slots=True)
class Transaction:
    """An open transaction; the events emitted in it are published after it commits.

    now is the moment of decision, one for the whole transaction.
    """

    conn: Connection
    now: datetime
    outbox: Outbox
    woken: set[str] = field(default_factory=set)

    def emit(self, event: Event, cause: Cause, key: str | None = None) -> None:
        """Say what happened, in order; key is the partition key where it is not the event's own."""
        self.outbox.add(Emitted(event, cause, key or event.key))

    def wake(self, *names: str) -> None:
        """Say which sweeps have new work once this has committed."""
        self.woken.update(names)


@dataclass(slots=True)
class Work:
    """What a sweep works with: its service's database, and the way to the broker.

    amqp_url is for what needs a channel of its own, such as making a mailbox.
    """

    service: str
    pool: Pool
    publisher: Publisher
    relay: Relay
    wakes: Wakes
    amqp_url: str
    _bringing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction; its events are committed with it, and left for the caller to publish."""
        async with self.pool.acquire() as conn:
            tx = Transaction(conn, datetime.now(UTC), Outbox(self.service))
            async with conn.transaction():
                yield tx
                await tx.outbox.store(conn, tx.now)
        self.wakes.call(tx.woken)

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[Transaction]:
        """A transaction whose events are published as soon as it has committed.

        Those of one turn are on their way while the next is worked on; see settle.
        """
        async with self.begin() as tx:
            yield tx
        await self.flush()
        self._bringing = asyncio.create_task(self.relay.publish(tx.outbox.rows))

    async def flush(self) -> None:
        """Wait until the events of every turn before are with the broker, or with the outbox."""
        bringing, self._bringing = self._bringing, None
        if bringing is not None:
            await bringing

    def wake(self, names: Iterable[str]) -> None:
        """Wake sweeps of this process."""
        self.wakes.call(names)
