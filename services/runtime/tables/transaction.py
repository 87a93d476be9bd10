"""The unit of a commit: what is changed and the events about it are stored together.

The events are published after the commit, by whoever opened the transaction.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from contracts.hosts import Url
from contracts.message import Event
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.publisher import Publisher
from services.runtime.decision import Cause, Room, Use
from services.runtime.postgres.database import Connection, Pool, reading

HELD_BYTES = 16 * 1024 * 1024
"""What one transaction may load and emit where its work can be divided."""

NOW = "SELECT now()"
UNDATED = datetime.min


class Emitted(NamedTuple):
    """An event, why it happened, and the key that its order is kept by."""

    event: Event
    cause: Cause
    key: str


class OutboxRow(NamedTuple):
    """A stored AMQP message."""

    id: int
    message: Outgoing


@dataclass(slots=True)
class Transaction:
    """An open transaction.

    now is the moment of decision, one for the whole transaction, by the clock of the database: it
    is the same clock for all workers.  Whoever learns it by another statement sets it, see begin.
    handled are the messages it has decided, each with its answer.  rows are what it leaves in the
    outbox.  room is what it may load and emit.
    """

    conn: Connection
    now: datetime
    room: Room = field(default_factory=lambda: Room(None))
    handled: list[Use] = field(default_factory=list)
    emitted: list[Emitted] = field(default_factory=list)
    messages: list[Outgoing] = field(default_factory=list)
    rows: Sequence[OutboxRow] = ()
    woken: set[str] = field(default_factory=set)

    def emit(self, event: Event, cause: Cause, key: str | None = None) -> None:
        """Emit an event, in order; key is the partition key where it is not the event's own."""
        self.emitted.append(Emitted(event, cause, key or event.key))

    def send(self, message: Outgoing) -> None:
        """Send a message through the outbox that is no event, such as an answer."""
        self.messages.append(message)

    def wake(self, *names: str) -> None:
        """Name the sweeps that have new work once this has committed."""
        self.woken.update(names)


class Outbox(Protocol):
    """Stores what a transaction handled and emits, and publishes it afterwards."""

    async def store(self, tx: Transaction) -> Sequence[OutboxRow]:
        """Write it, as part of the transaction."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Publish what was stored; returns when the broker has it."""


class Wakes:
    """Wakes sweeps of this process; those of other workers find the work by looking."""

    def __init__(self) -> None:
        self._flags: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def call(self, names: Iterable[str]) -> None:
        """Wake these sweeps: they have new work."""
        for name in names:
            self._flags[name].set()

    async def wait(self, name: str, seconds: float) -> None:
        """Wait for a call, or until it is time to look anyway."""
        flag = self._flags[name]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await flag.wait()
        flag.clear()


@dataclass(slots=True)
class Work:
    """What table work is done with: the service's database, and the way to the broker.

    amqp_url is for what needs a channel of its own, such as declaring a mailbox.
    """

    service: str
    pool: Pool
    outbox: Outbox
    publisher: Publisher
    wakes: Wakes
    amqp_url: Url
    _publishing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def begin(
        self, *, divisible: bool = False, dated: bool = True
    ) -> AsyncIterator[Transaction]:
        """A transaction; the caller publishes its rows once it has committed.

        One whose work is divisible raises TooMuch where it loads and emits more than fits.
        One that is not dated has no moment until its first statement has brought it.
        """
        room = Room(HELD_BYTES if divisible else None)
        async with self.pool.acquire() as conn:
            with reading(conn, room):
                async with conn.transaction():
                    tx = Transaction(conn, await conn.fetchval(NOW) if dated else UNDATED, room)
                    yield tx
                    tx.rows = await self.outbox.store(tx)
        self.wakes.call(tx.woken)

    @asynccontextmanager
    async def publishing(
        self, *, divisible: bool = False, dated: bool = True
    ) -> AsyncIterator[Transaction]:
        """A transaction whose rows are published as soon as it has committed.

        They are on their way while the next transaction is worked on, in order; see flush.
        """
        async with self.begin(divisible=divisible, dated=dated) as tx:
            yield tx
        if tx.rows:
            await self.flush()
            self._publishing = asyncio.create_task(self.outbox.publish(tx.rows))

    async def flush(self) -> None:
        """Wait until the broker, or the sweep of the outbox, has all rows of `publishing`."""
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            await publishing
