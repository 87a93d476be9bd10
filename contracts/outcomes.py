"""What becomes of a command: the answer to its sender, and the events when nothing changed."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import Field

from contracts.envelope import FieldError
from contracts.fields import Id, Instant, Text, Version, Whole
from contracts.message import Event
from contracts.values import OpenEnum

NO_SUBJECT = "-"
"""The subject of an answer to a command that had no valid one of its own."""


class Outcome(OpenEnum):
    """Done, already so, no, or kept for an operator: then another answer follows."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    PARKED = "parked"


class RefusalCode(OpenEnum):
    """Why a command was refused."""

    INVALID = "invalid"
    ID_REUSED = "id_reused"
    UNKNOWN_TYPE = "unknown_type"
    FORBIDDEN = "forbidden"
    VERSION_CONFLICT = "version_conflict"
    WRONG_STATUS = "wrong_status"
    FIELD_LOCKED = "field_locked"
    ALREADY_EXISTS = "already_exists"
    UNKNOWN_PACKAGE = "unknown_package"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_CAMPAIGN = "unknown_campaign"
    UNKNOWN_ENTITY = "unknown_entity"
    UNKNOWN_PROCESS = "unknown_process"
    ENTITY_INACTIVE = "entity_inactive"
    CAMPAIGN_CANCELED = "campaign_canceled"
    AUDIENCE_REQUIRED = "audience_required"
    CANCELLATION_RUNNING = "cancellation_running"
    NOT_OFFERED = "not_offered"
    NOT_IN_AUDIENCE = "not_in_audience"
    REGISTRATION_CLOSED = "registration_closed"
    ALREADY_ORDERED = "already_ordered"
    TOO_MANY_DOCUMENTS = "too_many_documents"
    PROCESS_STOPPED = "process_stopped"


class AnswerEvent(Event):
    """Something said about a command; about is the command's own subject."""

    SUBJECT: ClassVar[str] = "about"
    SUBJECT_IN_DATA: ClassVar[bool] = False

    about: Id


class CommandOutcome(AnswerEvent):
    """The answer that goes to the reply queue of a command's sender."""

    TYPE: ClassVar[str] = "relais.command.outcome.v1"

    command_id: Text | None = None
    command_type: Text | None = None
    outcome: Outcome
    code: RefusalCode | None = None
    message: Text | None = None
    version: Version | None = None
    errors: list[FieldError] | None = None


class CommandRefused(AnswerEvent):
    """A command was refused."""

    TYPE: ClassVar[str] = "relais.command.refused.v1"

    command_type: Text
    code: RefusalCode
    message: Text
    errors: list[FieldError] | None = None


class CommandUnchanged(AnswerEvent):
    """A command asked for what already was."""

    TYPE: ClassVar[str] = "relais.command.unchanged.v1"

    command_type: Text
    message: Text


_OF_PACKAGES = ("relais.package.", "relais.order.", "relais.orders.")


Number = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
"""The number of a parked message, by which operators name it."""

MAX_PARKED_TEXT = 64 * 1024
"""Bytes of a parked body that its event carries; of a larger one it says only the size."""


class MessageParked(Event):
    """A service keeps a message that it could not handle, until an operator decides.

    attempts is how often it was parked: once, and once more for each retry in vain.  An earlier
    version told neither its number nor that, nor when, nor the body.
    """

    TYPE: ClassVar[str] = "relais.message.parked.v1"
    SUBJECT: ClassVar[str] = "service"

    service: Id
    number: Number | None = None
    reason: Text
    message_id: Text | None = None
    type: Text | None = None
    package_id: Text | None = None
    error: Text | None = None
    attempts: Whole = 1
    parked_at: Instant | None = None
    body: Text | None = None
    body_bytes: Whole | None = None

    @classmethod
    def of(
        cls,
        service: str,
        number: int,
        reason: str,
        error: str,
        *,
        type: str,
        message_id: str | None,
        key: str | None,
        attempts: int,
        parked_at: datetime,
        body: bytes,
    ) -> Self:
        """The event of a message; key is what its order is kept by, of some types a package."""
        return cls(
            service=service,
            number=number,
            reason=reason,
            message_id=message_id,
            type=type,
            package_id=key if type.startswith(_OF_PACKAGES) else None,
            error=error,
            attempts=attempts,
            parked_at=parked_at,
            body=_text(body),
            body_bytes=len(body),
        )


def _text(body: bytes) -> str | None:
    """A body as text, where it is one and short enough to be told."""
    try:
        return None if len(body) > MAX_PARKED_TEXT or b"\0" in body else body.decode()
    except UnicodeDecodeError:
        return None


class Release(OpenEnum):
    """What becomes of a parked message in the end."""

    HANDLED = "handled"
    REFUSED = "refused"
    REPLACED = "replaced"
    DISCARDED = "discarded"


class MessageReleased(Event):
    """A parked message is parked no more; comment is the operator's."""

    TYPE: ClassVar[str] = "relais.message.released.v1"
    SUBJECT: ClassVar[str] = "service"

    service: Id
    number: Number
    how: Release
    comment: Text | None = None
