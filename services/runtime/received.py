"""A message as a service sees it."""

from dataclasses import field
from datetime import datetime

from contracts.envelope import Envelope
from contracts.message import Body
from services.runtime.plain import plain


@plain(frozen=True, slots=True)
class Cause:
    """Why an event happens: what its envelope hands on."""

    correlationid: str | None = None
    causationid: str | None = None
    actor: str | None = None
    traceparent: str | None = None


@plain(frozen=True, slots=True)
class Received:
    """One valid message: its envelope, its body, and the moment of decision."""

    envelope: Envelope
    body: Body
    now: datetime
    cause: Cause = field(default_factory=Cause)


def cause_of(envelope: Envelope) -> Cause:
    """What the events that this message causes hand on."""
    return Cause(
        correlationid=envelope.correlationid or envelope.id,
        causationid=envelope.id,
        actor=envelope.actor,
        traceparent=envelope.traceparent,
    )
