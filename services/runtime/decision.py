"""What a service decides with and what it can answer: messages, rows and decisions, all pure."""

import dataclasses
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar, dataclass_transform

from contracts.envelope import Envelope, FieldError
from contracts.message import Body, Event

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass_transform(field_specifiers=(dataclasses.field,))
def plain(**options: Any) -> Callable[[type[T]], type[T]]:
    """A dataclass that is frozen for the type checker only, for values made for every message.

    At run time freezing costs a call of object.__setattr__ for each field of each value.
    """
    return dataclasses.dataclass(**{**options, "frozen": False, "unsafe_hash": True})


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
    cause: Cause = dataclasses.field(default_factory=Cause)


def cause_of(envelope: Envelope) -> Cause:
    """What the events that this message causes hand on."""
    return Cause(
        correlationid=envelope.correlationid or envelope.id,
        causationid=envelope.id,
        actor=envelope.actor,
        traceparent=envelope.traceparent,
    )


class Loaded(Generic[K, V]):
    """Rows by key; what is put is served to the next message and told apart when saving."""

    def __init__(self, rows: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        """Start with what the database has."""
        self._rows: dict[K, V] = dict(rows)
        self._changed: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The row in its present state, or None."""
        return self._rows.get(key)

    def __contains__(self, key: K) -> bool:
        """Whether there is such a row."""
        return key in self._rows

    def values(self) -> Iterable[V]:
        """Every row in its present state."""
        return self._rows.values()

    def put(self, key: K, row: V) -> None:
        """Replace or add a row."""
        self._rows[key] = row
        self._changed[key] = row

    def changed(self) -> list[V]:
        """Each row that was put, once, in its last state."""
        return list(self._changed.values())


@plain(frozen=True, slots=True)
class Accepted:
    """Done; the events say what happened.

    version is that of the subject after it; None takes it from the first event that has one.
    key is the partition key of the events where it is not their own.  message is what the sender
    should know all the same.
    """

    events: tuple[Event, ...] = ()
    version: int | None = None
    key: str | None = None
    message: str | None = None


@plain(frozen=True, slots=True)
class Unchanged:
    """Already so: nothing to do, and nothing wrong."""

    message: str
    version: int | None = None


@plain(frozen=True, slots=True)
class Refused:
    """No: a fact, not a failure. The message names the thing, its value and what is accepted."""

    code: str
    message: str
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


@plain(frozen=True, slots=True)
class Unknown(Refused):
    """Not yet: it names something unknown; decided again for a while before it is refused."""


Decision = Accepted | Unchanged | Refused


def accepted(
    *events: Event, version: int | None = None, key: str | None = None, message: str | None = None
) -> Accepted:
    """Accepted with these events, in order."""
    return Accepted(events, version, key, message)


Identity = tuple[str, str]
"""Source and id of a message: the same pair again is the same message."""


@plain(frozen=True, slots=True)
class Answer:
    """What a sender is answered; outcome is accepted, unchanged, refused or parked."""

    outcome: str
    code: str | None = None
    message: str | None = None
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


@plain(slots=True)
class Use:
    """What source and id of a message were first used for, and when; content is a digest of it.

    content is None where it is not known.  answer is None as long as nothing is decided.
    """

    identity: Identity
    type: str
    subject: str | None
    content: bytes | None
    at: datetime
    answer: Answer | None = None


class TooMuch(Exception):
    """A batch or a piece of a job needs more than one should hold: it is done in smaller parts."""


class Room:
    """The bytes that a transaction may still load and emit; None is without an end."""

    def __init__(self, size: int | None) -> None:
        self._left = math.inf if size is None else size

    def take(self, size: int) -> None:
        """Hold so many bytes more; raises TooMuch where there is no room for them."""
        self._left -= size
        if self._left < 0:
            raise TooMuch("one transaction would load and emit more than a worker should hold")
