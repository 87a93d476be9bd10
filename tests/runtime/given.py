"""Messages as a worker gets them from the broker."""

import uuid
from datetime import timedelta
from typing import Any

import orjson

from contracts import names
from contracts.message import Body, Command
from services.runtime.decision import Answer
from services.runtime.messages import item
from services.runtime.messages.decider import Decider
from services.runtime.messages.item import LANE, Item, Origin, Source
from services.runtime.messages.sources import Sources
from tests.harness import Harness
from tests.runtime.environment import written
from tests.runtime.probe import Add, Reported

PATIENT = timedelta(hours=1)
HASTY = timedelta(0)


def item_of(
    harness: Harness, body: Body, id: str | None = None, reply_to: str | None = None
) -> Item:
    """One good message."""
    (read,) = items_of(
        harness,
        written(body, id or uuid.uuid4().hex),
        routing_key=body.wire_type,
        exchange=names.COMMANDS if isinstance(body, Command) else names.EVENTS,
        reply_to=reply_to,
    )
    return read


def items_of(
    harness: Harness,
    body: bytes,
    *,
    routing_key: str = Add.TYPE,
    exchange: str = names.COMMANDS,
    source: Source = LANE,
    **origin: Any,
) -> list[Item]:
    """What a worker makes of the body of an AMQP message."""
    came = Origin(exchange, routing_key, **origin)
    return item.read(came, body, harness.service.routes, source=source)


def event(harness: Harness, body: bytes, **origin: Any) -> list[Item]:
    """The same of an event."""
    return items_of(harness, body, routing_key=Reported.TYPE, exchange=names.EVENTS, **origin)


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


async def handle(
    harness: Harness, *items: Item, patience: timedelta = HASTY
) -> list[Answer | None]:
    """Handle these as one batch."""
    return await harness.handle(items, patience)


def kept(harness: Harness, patience: timedelta = HASTY) -> Sources:
    """What decides the messages that the broker no longer holds."""
    return Sources(harness.service, Decider(harness.service, harness.work, patience))
