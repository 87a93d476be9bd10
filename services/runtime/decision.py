"""What a service can answer to a message: done, already so, or no."""

from dataclasses import dataclass

from contracts.envelope import FieldError
from contracts.message import Event


@dataclass(frozen=True, slots=True)
class Accepted:
    """Done; the events say what happened.

    version is that of the subject after it; None takes it from the first event that has one.
    key is the partition key of the events where it is not their own.
    """

    events: tuple[Event, ...] = ()
    version: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Already so: nothing to do, and nothing wrong."""

    message: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """No: a fact, not a failure. The message names the thing, its value and what is accepted."""

    code: str
    message: str
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown(Refused):
    """Not yet: it names something unknown; decided again for a while before it is refused."""


Decision = Accepted | Unchanged | Refused


def accepted(*events: Event, version: int | None = None, key: str | None = None) -> Accepted:
    """Accepted with these events, in order."""
    return Accepted(events, version, key)


Identity = tuple[str, str]
"""Source and id of a message: the same pair again is the same message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is answered; outcome is accepted, unchanged, refused or parked."""

    outcome: str
    code: str | None = None
    message: str | None = None
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


class TooMuch(Exception):
    """What `load` raises when a batch needs more than one should hold: it is decided in halves."""
