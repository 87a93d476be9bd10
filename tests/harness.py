"""A service's handlers and sweeps on a real database: messages in, answers and events out.

Events stay in the outbox, where tests read them; the broker has tests of its own.
"""

import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from contracts import catalogue, envelope, names
from contracts.envelope import Envelope
from contracts.message import Body, Command, Event
from services.runtime.amqp.publisher import Publisher
from services.runtime.decision import Answer
from services.runtime.messages import item, operations
from services.runtime.messages.decider import Decider
from services.runtime.messages.item import Item, Origin
from services.runtime.messages.relay import Relay
from services.runtime.postgres import database
from services.runtime.service import Service
from services.runtime.tables import clock
from services.runtime.tables.transaction import OutboxRow, Wakes, Work

EventT = TypeVar("EventT", bound=Event)


class NoRelay(Relay):
    """A relay that publishes nothing: committed events stay in the outbox."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Publish nothing."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event as it stands in the outbox."""

    envelope: Envelope
    body: Event


class Harness:
    """Sends messages to one service and reads what it emitted."""

    def __init__(self, service: Service, work: Work, stack: AsyncExitStack) -> None:
        """See desk_of."""
        self.service = service
        self.work = work
        self.pool = work.pool
        self._stack = stack
        self._read = 0

    async def send(
        self,
        *bodies: Body,
        source: str = "/test",
        id: str | None = None,
        actor: str | None = None,
        patience: timedelta = timedelta(0),
    ) -> list[Answer | None]:
        """Handle messages as one batch; the answer to each, None for one that waits."""
        items = [self._item(body, source, id or uuid.uuid4().hex, actor) for body in bodies]
        return await self.handle(items, patience)

    async def handle(
        self, items: Sequence[Item], patience: timedelta = timedelta(0)
    ) -> list[Answer | None]:
        """Handle items as one batch."""
        decided = await Decider(self.service, self.work, patience).decide(items)
        answers = {id(i): answer for i, answer in decided.answers}
        return [answers.get(id(i)) for i in items]

    async def ask(self, command: Command, **how: Any) -> Answer:
        """The answer to one command that is decided at once."""
        (answer,) = await self.send(command, **how)
        assert answer is not None, f"{command!r} waits"
        return answer

    def _item(self, body: Body, source: str, id: str, actor: str | None) -> Item:
        exchange = names.COMMANDS if isinstance(body, Command) else names.EVENTS
        raw = envelope.write(
            id=id,
            source=source,
            type=body.wire_type,
            subject=body.subject,
            data_json=body.data_json(),
            partitionkey=body.key,
            actor=actor,
        )
        origin = Origin(exchange, body.wire_type)
        (read,) = item.read(origin, raw, self.service.routes)
        return read

    async def sweep(self, name: str) -> int:
        """Run a sweep until it finds no more right now; the number of pieces it did."""
        pieces = 1
        while await self.piece(name):
            pieces += 1
        return pieces

    async def piece(self, name: str) -> bool:
        """Run one piece of a sweep; whether there may be more right now."""
        every = (*self.service.table_work, operations.sweep(self.service))
        (sweep,) = (s for s in every if s.name == name)
        return await sweep.run(self.work)

    async def emitted(self) -> list[Emitted]:
        """The events since the last call, in the order they were committed."""
        rows = await self.pool.fetch(
            "SELECT id, body FROM outbox WHERE id > $1 ORDER BY id", self._read
        )
        self._read = max((row["id"] for row in rows), default=self._read)
        return [_emitted(element) for row in rows for element in envelope.read(row["body"])]

    async def events(self, kind: type[EventT]) -> list[EventT]:
        """The events of one kind since the last call; forgets the others."""
        return [emitted.body for emitted in await self.emitted() if isinstance(emitted.body, kind)]

    async def close(self) -> None:
        """Close the connections."""
        await self._stack.aclose()


async def set_back(harness: Harness, step: timedelta) -> None:
    """Set the clock of the database back, for all that its tables know; nobody has noticed yet."""
    await harness.pool.execute("UPDATE clock SET seen = clock_timestamp()")
    for statement in (*clock.SET_BACK, *harness.service.set_back):
        await harness.pool.execute(statement, -step)


def _emitted(element: object) -> Emitted:
    assert isinstance(element, Envelope)
    body = catalogue.EVENTS[element.type].read(element.subject, element.data)
    assert isinstance(body, Event)
    return Emitted(element, body)


async def open_harness(service: Service, url: str) -> Harness:
    """A harness of a service on this database."""
    stack = AsyncExitStack()
    pool = await stack.enter_async_context(database.pool(url, "relais test"))
    publisher, wakes = Publisher("amqp://nowhere", "test"), Wakes()
    work = Work(
        service=service.name,
        pool=pool,
        outbox=NoRelay(service.name, pool, publisher, frozenset(), wakes),
        publisher=publisher,
        wakes=wakes,
        amqp_url="amqp://nowhere",
    )
    return Harness(service, work, stack)
