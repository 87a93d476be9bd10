"""Follow cancels: from the ledger of packages what has happened, from events what happens."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractIncomingMessage

from contracts import envelope, names
from contracts.cancellation import CancellationEvent
from contracts.envelope import Envelope
from services.cli.cancels import EVENTS, REPORTS, Cancel
from services.runtime.amqp import broker
from services.runtime.postgres import database
from services.runtime.postgres.database import Connection, Row

BY_TYPE = {event.TYPE: event for event in EVENTS}
LEDGER_EVERY = 1.0


class Following:
    """Cancels of some packages, kept up to date; changed is set whenever there is news."""

    def __init__(self, packages: Iterable[str]) -> None:
        """Nothing is known yet."""
        self.cancels = {package: Cancel(package) for package in packages}
        self.changed = asyncio.Event()
        self.finished: float | None = None
        """When the last of them was complete, by the monotonic clock."""
        self._lost: BaseException | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every one of these cancels is complete."""
        return all(cancel.is_complete for cancel in self.cancels.values())

    def take(self, event: CancellationEvent) -> None:
        """Apply an event, if it is about one of these packages."""
        if cancel := self.cancels.get(event.package_id):
            cancel.take(event)
            self._notify()

    async def news(self) -> None:
        """Wait until something has changed; raises what has ended the reading."""
        await self.changed.wait()
        self.changed.clear()
        if self._lost and not self.is_complete:
            raise self._lost

    def lose(self, reading: asyncio.Task[None]) -> None:
        """Note that the ledger is read no more, and why."""
        self._lost = None if reading.cancelled() else reading.exception()
        self.changed.set()

    def _notify(self) -> None:
        if self.finished is None and self.is_complete:
            self.finished = time.monotonic()
        self.changed.set()

    async def _message(self, message: AbstractIncomingMessage) -> None:
        for element in envelope.read(message.body):
            if isinstance(element, Envelope) and (kind := BY_TYPE.get(element.type)):
                self.take(kind.read(element.subject, element.data))

    def read(self, rows: Sequence[Row]) -> None:
        """Apply the rows of the ledger."""
        for row in rows:
            cancel = self.cancels[row["package_id"]]
            if row["edition"] < cancel.edition:
                continue
            cancel.begin(row["edition"])
            if not cancel.is_complete:
                _apply(cancel, row)
                self._notify()


def _apply(cancel: Cancel, row: Row) -> None:
    for name, kind in REPORTS.items():
        if row[name] is not None:
            cancel.parts[name].report = kind(**row[name])
    cancel.stalled = row["stalled_at"] is not None
    if row["completed_at"] is not None:
        cancel.seconds = (row["completed_at"] - row["started_at"]).total_seconds()


LEDGER = f"""
SELECT DISTINCT ON (package_id)
       package_id, edition, started_at, {", ".join(REPORTS)}, completed_at, stalled_at
FROM cancellations WHERE package_id = ANY ($1::text[]) ORDER BY package_id, edition DESC
"""


@asynccontextmanager
async def following(
    amqp_url: str, packages_url: str, packages: Sequence[str]
) -> AsyncIterator[Following]:
    """Follow the cancels of packages while the block lasts.

    Events show each step. The ledger is read at the start and every second, because it also has
    what was emitted before, or while the connection to the broker was lost.
    """
    follower = Following(packages)
    async with broker.connected(amqp_url, "relais watch") as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for kind in BY_TYPE:
            await queue.bind(names.EVENTS, kind)
        await queue.consume(follower._message, no_ack=True)
        async with database.connect(packages_url, "relais watch") as conn:
            follower.read(await conn.fetch(LEDGER, list(packages)))
            reading = asyncio.create_task(_read_regularly(follower, conn, packages))
            reading.add_done_callback(follower.lose)
            try:
                yield follower
            finally:
                reading.cancel()


async def _read_regularly(follower: Following, conn: Connection, packages: Sequence[str]) -> None:
    while True:
        await asyncio.sleep(LEDGER_EVERY)
        follower.read(await conn.fetch(LEDGER, list(packages)))
