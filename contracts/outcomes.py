"""What becomes of a command: the answer to its sender, and the events when nothing changed."""

from typing import ClassVar, Self

from contracts.envelope import FieldError
from contracts.fields import Id, Text, Version
from contracts.message import Event
from contracts.values import OpenEnum

NO_SUBJECT = "-"
"""The subject of an answer to a command that had no valid one of its own."""


class Outcome(OpenEnum):
    """Done, already so, or no."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class RefusalCode(OpenEnum):
    """Why a command was refused."""

    INVALID = "invalid"
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


class MessageParked(Event):
    """A service keeps a message that it could not handle, until an operator decides."""

    TYPE: ClassVar[str] = "relais.message.parked.v1"
    SUBJECT: ClassVar[str] = "service"

    service: Id
    reason: Text
    message_id: Text | None = None
    type: Text | None = None
    package_id: Text | None = None
    error: Text | None = None

    @classmethod
    def of(
        cls,
        service: str,
        reason: str,
        error: str,
        *,
        type: str,
        message_id: str | None,
        key: str | None,
    ) -> Self:
        """The event of a message; key is what its order is kept by, of some types a package."""
        return cls(
            service=service,
            reason=reason,
            message_id=message_id,
            type=type,
            package_id=key if type.startswith(_OF_PACKAGES) else None,
            error=error,
        )
