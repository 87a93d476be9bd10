"""The names of exchanges, queues and message types on the broker."""

import difflib
from collections.abc import Collection

COMMANDS = "relais.commands"
EVENTS = "relais.events"
NOTIFICATIONS = "relais.notifications"
UNROUTED = "relais.unrouted"
"""Both the alternate exchange of commands and the queue bound to it."""

PULSE = "relais.pulse"
"""A queue that holds one message: the broker's confirm of it shows that it takes messages."""

PARTITION_KEY = "partitionkey"
"""The AMQP header, and the envelope attribute, that order is kept by."""

CENTRAL = "central"
"""The reserved entity, and the mailbox of operators."""

CLOUDEVENT = "application/cloudevents+json"
CLOUDEVENTS_BATCH = "application/cloudevents-batch+json"

_TYPE_PREFIX, _TYPE_SUFFIX = "relais.", ".v1"
_RESEMBLES = 0.8
"""A slip of the fingers, and not another verb: who deletes a package is not told to create it."""

MAX_BODY_BYTES = 1024 * 1024
MAX_BATCH_ELEMENTS = 1_000


def short(text: str | None) -> str | None:
    """A text as an AMQP property: None where its 255 bytes cannot hold it."""
    return text if text is not None and len(text.encode()) <= 255 else None


def short_type(wire_type: str) -> str:
    """A message type as people write it: `package.cancel` for `relais.package.cancel.v1`."""
    return wire_type.removeprefix(_TYPE_PREFIX).removesuffix(_TYPE_SUFFIX)


def wire_type(text: str) -> str:
    """A message type as it is on the wire, from its short or its full form."""
    return text if text.startswith(_TYPE_PREFIX) else f"{_TYPE_PREFIX}{text}{_TYPE_SUFFIX}"


def nearest(text: str, types: Collection[str]) -> str | None:
    """The one of these message types that somebody may have meant, or None."""
    if (full := wire_type(text)) in types:
        return full
    shorts = {short_type(name): name for name in types}
    found = difflib.get_close_matches(short_type(text).lower(), shorts, n=1, cutoff=_RESEMBLES)
    return shorts[found[0]] if found else None


def inbound(service: str) -> str:
    """The inbound exchange of a service."""
    return f"{service}.inbound"


def lane(service: str, number: int) -> str:
    """One of the queues that a service consumes."""
    return f"{service}.lane.{number}"


def dead(service: str) -> str:
    """Where the broker puts what a service could not take."""
    return f"{service}.dead"


def expired(queue: str) -> str:
    """The stream of what has expired in a queue that a service drains."""
    return f"{queue}.expired"


def mailbox(name: str) -> str:
    """The queue that local entities read their notifications from."""
    return f"mailbox.{name}"


def entity_key(mailbox_name: str, entity_id: str) -> str:
    """The routing key of a notification to an entity."""
    return f"{mailbox_name}.entity.{entity_id}"


def operator_key(operator_id: str) -> str:
    """The routing key of a notification to an operator."""
    return f"{CENTRAL}.operator.{operator_id}"


def source(service: str) -> str:
    """How a service signs its messages."""
    return f"/relais/{service}"
