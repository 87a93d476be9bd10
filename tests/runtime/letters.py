"""Messages as a worker gets them, and what it has stored of them."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from contracts import envelope, names
from contracts.envelope import Envelope
from contracts.message import Body, Command
from services.runtime.messages import housekeeping, item
from services.runtime.messages.decider import Decider
from services.runtime.messages.inbox import Answer
from services.runtime.messages.item import Item, Origin
from tests.desk import Desk
from tests.runtime.probe import Add, Told
from tests.runtime.stage import written

PATIENT = timedelta(hours=1)
HASTY = timedelta(0)


def letter(desk: Desk, body: Body, id: str | None = None, reply_to: str | None = None) -> Item:
    """One good message."""
    (read,) = letters(
        desk,
        written(body, id or uuid.uuid4().hex),
        routing_key=body.wire_type,
        exchange=names.COMMANDS if isinstance(body, Command) else names.EVENTS,
        reply_to=reply_to,
    )
    return read


def letters(
    desk: Desk,
    body: bytes,
    *,
    routing_key: str = Add.TYPE,
    exchange: str = names.COMMANDS,
    drained: str | None = None,
    **origin: Any,
) -> list[Item]:
    """What a worker makes of the body of an AMQP message."""
    came = Origin(exchange, routing_key, **origin)
    return item.read(came, body, desk.service.routes, datetime.now(UTC), drained=drained)


def event(desk: Desk, body: bytes, **origin: Any) -> list[Item]:
    """The same of an event."""
    return letters(desk, body, routing_key=Told.TYPE, exchange=names.EVENTS, **origin)


def plain(**attributes: Any) -> bytes:
    """The JSON of a command that is right but for these attributes."""
    right = {
        "specversion": "1.0",
        "id": "1",
        "source": "/test",
        "type": Add.TYPE,
        "subject": "A",
        "data": {"note": "n"},
    }
    return orjson.dumps({k: v for k, v in {**right, **attributes}.items() if v is not ...})


async def handle(desk: Desk, *items: Item, patience: timedelta = HASTY) -> list[Answer | None]:
    """Handle these as one batch."""
    return await desk.handle(items, patience)


def kept(desk: Desk, patience: timedelta = HASTY) -> housekeeping.Kept:
    """What decides the messages that the broker no longer holds."""
    return housekeeping.Kept(desk.service, Decider(desk.service, desk.work, patience))


async def notes(desk: Desk) -> list[str]:
    """The notes of the effects, in order."""
    rows = await desk.pool.fetch("SELECT note FROM journal ORDER BY number")
    return [row["note"] for row in rows]


async def rows(desk: Desk, table: str, order: str = "1") -> list[dict[str, Any]]:
    """What a table holds."""
    return [dict(row) for row in await desk.pool.fetch(f"SELECT * FROM {table} ORDER BY {order}")]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One envelope in the outbox, and where it goes."""

    exchange: str
    routing_key: str
    partitionkey: str | None
    envelope: Envelope

    @property
    def data(self) -> dict[str, Any]:
        """What it says."""
        return self.envelope.data or {}

    @property
    def kind(self) -> str:
        """Its type, without the marks of Relais and of the version."""
        return self.envelope.type.split(".", 1)[1].rsplit(".", 1)[0]


async def spoken(desk: Desk) -> list[Spoken]:
    """Everything in the outbox, in order, unpacked."""
    said = []
    for row in await desk.pool.fetch("SELECT * FROM outbox ORDER BY id"):
        for element in envelope.read(row["body"]):
            assert isinstance(element, Envelope)
            said.append(Spoken(row["exchange"], row["routing_key"], row["partitionkey"], element))
    return said


async def events(desk: Desk, kind: str) -> list[Spoken]:
    """The events of a kind, such as command.refused."""
    return [s for s in await spoken(desk) if s.exchange == names.EVENTS and s.kind == kind]


async def replies(desk: Desk) -> list[Spoken]:
    """The answers that wait to be sent."""
    return [s for s in await spoken(desk) if not s.exchange]
