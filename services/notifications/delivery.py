"""What becomes of one notification: sent, tried again, waiting, failed or superseded. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts import names
from contracts.directory import Channel
from contracts.notifications import NotificationKind, NotificationStatus, RecipientType
from contracts.packages import PackageEdition
from services.notifications.domain import Key, ids_of
from services.runtime.decision import Cause

Kind = NotificationKind
Status = NotificationStatus

UNKNOWN_FOR = timedelta(seconds=5)
"""How long an entity may be unknown before its notifications have failed."""
UNDECLARED_FOR = timedelta(seconds=30)
"""How long a mailbox may be undeclared before that counts as a failed try."""
TRIES = 8
"""Tries after which a notification is kept as failed."""
LONGEST_PAUSE = timedelta(hours=1)
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=1)

BEHIND = "waits_for_an_earlier_one"
MAILBOX_GONE = "mailbox_gone"
"""The broker returned it: no queue takes it any more."""
MAILBOX_FULL = "mailbox_full"
"""The broker refused it: the queue has no room."""
MAILBOX_SILENT = "mailbox_silent"
"""The broker neither took nor refused it: the queue has no leader, and may have it or not."""


class RowKey(NamedTuple):
    """The primary key of a notification."""

    happening_id: int
    recipient_id: str
    recipient_type: str
    channel: str


@dataclass(frozen=True, slots=True)
class State:
    """One notification as its row has it."""

    row: RowKey
    key: Key
    package_id: str
    order_id: str | None
    status: NotificationStatus
    attempts: int
    error: str | None
    sent_at: datetime | None

    @property
    def id(self) -> str:
        """The id that its recipient and readers of events know it by."""
        row = self.row
        return ids_of(self.key)(row.recipient_type, row.recipient_id, row.channel)

    @property
    def again(self) -> "State":
        """What it is once somebody has asked to try it again: that counts as an attempt.

        Its attempts always rise, since readers tell by them which of two states is newer.
        """
        return replace(self, status=Status.PENDING, attempts=self.attempts + 1, error=None)


@dataclass(frozen=True, slots=True)
class Told:
    """What the notices of a happening share; notice is None as long as it is not known.

    superseded is whether it is no longer true.
    """

    key: Key
    package_id: str
    order_id: str | None
    happened_at: datetime
    notice: bytes | None
    superseded: bool
    cause: Cause


class Due(NamedTuple):
    """A notification whose turn it is, and what is known of its recipient now.

    channels is None for an unknown entity and for an operator.  has_failed is whether the broker
    refused to make the mailbox, or the mailbox did not answer.  ahead_attempts and ahead_until
    tell of an earlier one for the same recipient about the same package that has to wait; None
    where there is none.  attempts_before are those before an operator asked to try it again.
    """

    id: str
    key: RowKey
    told: Told
    attempts: int
    added_at: datetime
    label: str | None
    mailbox: str
    channels: list[str] | None
    is_declared: bool
    has_failed: bool
    ahead_attempts: int | None
    ahead_until: datetime | None
    attempts_before: int = 0

    @property
    def is_of_operator(self) -> bool:
        """Whether it is for a person at central, not for an entity."""
        return self.key.recipient_type == RecipientType.OPERATOR

    @property
    def routing_key(self) -> str:
        """Where the broker brings it."""
        if self.is_of_operator:
            return names.operator_key(self.key.recipient_id)
        return names.entity_key(self.mailbox, self.key.recipient_id)


class Outcome(NamedTuple):
    """What a notification is from now on; one that is pending is due again at next_try_at."""

    due: Due
    status: NotificationStatus
    attempts: int
    error: str | None
    next_try_at: datetime

    @property
    def cancel(self) -> PackageEdition | None:
        """The cancel that counts this notification, if there is one."""
        key = self.due.told.key
        if key.kind is Kind.PACKAGE_CANCELED or self.status is Status.SUPERSEDED:
            return key.subject, key.edition
        return None

    @property
    def is_first_try(self) -> bool:
        """Whether it has been tried now, and had not been before."""
        return self.due.attempts == 0 and (self.status is not Status.PENDING or self.attempts > 0)


def judge(due: Due, now: datetime) -> Outcome | None:
    """What becomes of it without a try; None is to send it."""
    if due.told.superseded:
        return _ended(due, Status.SUPERSEDED, None, now)
    if due.told.notice is None:
        return _waiting(due, "not_told_yet", now)
    if due.ahead_until is not None:
        return _behind(due, due.ahead_until)
    if due.channels is None and not due.is_of_operator:
        return _unknown(due, now)
    if due.key.channel != Channel.MAILBOX or due.key.channel not in (due.channels or ["mailbox"]):
        return _ended(due, Status.FAILED, "channel_not_available", now)
    if not due.is_declared:
        return _undeclared(due, now)
    return None


def sent(due: Due, now: datetime) -> Outcome:
    """The broker has it."""
    return Outcome(due, Status.SENT, due.attempts + 1, None, now)


def refused(due: Due, error: str, now: datetime) -> Outcome:
    """The broker would not take it: tried again after ever longer pauses, then kept as failed."""
    attempts = due.attempts + 1
    tries = attempts - due.attempts_before
    if tries >= TRIES:
        return Outcome(due, Status.FAILED, attempts, error, now)
    pause = min(timedelta(seconds=4 ** (tries - 1)), LONGEST_PAUSE)
    return Outcome(due, Status.PENDING, attempts, error, now + pause)


def _behind(due: Due, until: datetime) -> Outcome:
    """It shares what becomes of the one ahead: a first try that failed is one of all behind it."""
    attempts = max(due.attempts, 1) if due.ahead_attempts else due.attempts
    return Outcome(due, Status.PENDING, attempts, BEHIND, until)


def _unknown(due: Due, now: datetime) -> Outcome:
    error = (
        f"unknown_entity: {due.key.recipient_id} is not registered; register it with "
        "entity.register, and correct the audience if it names another"
    )
    if now - due.added_at >= UNKNOWN_FOR:
        return _ended(due, Status.FAILED, error, now)
    again = min(now + SHORTEST_WAIT, due.added_at + UNKNOWN_FOR)
    return Outcome(due, Status.PENDING, due.attempts, error, again)


def _undeclared(due: Due, now: datetime) -> Outcome:
    """The broker may refuse it, or be away: that costs no try but the first."""
    waiting = _waiting(due, "mailbox_not_declared", now)
    if now - due.added_at < UNDECLARED_FOR:
        return waiting
    if due.has_failed:
        return refused(due, "mailbox_not_declared", now)
    return waiting._replace(attempts=max(due.attempts, 1))


def _waiting(due: Due, error: str, now: datetime) -> Outcome:
    """It waits as long again as it has waited: many that wait for long cost little."""
    waited = min(max(now - due.added_at, SHORTEST_WAIT), LONGEST_WAIT)
    return Outcome(due, Status.PENDING, due.attempts, error, now + waited)


def _ended(due: Due, status: NotificationStatus, error: str | None, now: datetime) -> Outcome:
    return Outcome(due, status, due.attempts, error, now)
