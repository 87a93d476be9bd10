"""What is said to and by every service about its own work: parked messages, snapshots, workers."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from contracts.fields import Comment, Id, Identity, Instant, OptionalComment, Text, Whole
from contracts.message import Command, Event
from contracts.outcomes import Number
from contracts.values import Value

ALL = "all"
"""The subject of a request to every service."""

Numbers = Annotated[list[Number], Field(min_length=1, max_length=1000)]


class AllOf(Value):
    """Every parked message until a moment, of one reason or one type where they are given."""

    reason: Text | None = None
    type: Text | None = None
    until: Instant


class ServiceCommand(Command):
    """A command about the work of one service, whatever its business is."""

    SUBJECT: ClassVar[str] = "service"

    service: Id


class ParkedCommand(ServiceCommand):
    """A command about parked messages: some by their numbers, or all of a kind."""

    numbers: Numbers | None = None
    all_of: AllOf | None = None
    comment: OptionalComment | None = None

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if (self.numbers is None) == (self.all_of is None):
            raise ValueError("must have either numbers or all_of")
        return self


class RetryParked(ParkedCommand):
    """Handle parked messages again."""

    TYPE: ClassVar[str] = "relais.parked.retry.v1"


class DiscardParked(ParkedCommand):
    """Give parked messages up, and say why."""

    TYPE: ClassVar[str] = "relais.parked.discard.v1"

    comment: Comment


class ReplaceParked(ServiceCommand):
    """Handle this envelope in place of a parked message."""

    TYPE: ClassVar[str] = "relais.parked.replace.v1"

    number: Number
    body: Text
    comment: Comment


class RequestSnapshot(ServiceCommand):
    """Emit the present state of everything that a service owns; its subject may be `all`."""

    TYPE: ClassVar[str] = "relais.snapshot.request.v1"

    request_id: Identity


class SnapshotCompleted(Event):
    """A service has emitted its present state: so many of each thing."""

    TYPE: ClassVar[str] = "relais.snapshot.completed.v1"
    SUBJECT: ClassVar[str] = "service"

    service: Id
    request_id: Identity
    counts: dict[str, Whole]


class WorkerSeen(Event):
    """A worker says how it is; it is not stored on the way, and may be lost."""

    TYPE: ClassVar[str] = "relais.worker.seen.v1"
    SUBJECT: ClassVar[str] = "service"

    service: Id
    instance: Text
    version: Text
    slot: Whole | None = None
    lanes: list[Whole]
    ready: bool
    waiting_for: list[Text]
    started_at: Instant
    last_batch_at: Instant | None = None
    outbox: Whole
    waiting: Whole
    parked: Whole
