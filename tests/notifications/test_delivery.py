"""What becomes of one notification, as a table."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.notifications import NotificationKind
from services.notifications import delivery
from services.notifications.delivery import Due, Outcome, RowKey, Told
from services.notifications.domain import Key
from services.runtime.decision import Cause
from tests.notifications.given import NOW

SECOND = timedelta(seconds=1)
UNKNOWN = (
    "unknown_entity: OU1 is not registered; register it with entity.register, "
    "and correct the audience if it names another"
)

TOLD = Told(
    key=Key(NotificationKind.PACKAGE_CANCELED, "CAT86", 1, ""),
    package_id="CAT86",
    order_id=None,
    happened_at=NOW,
    notice=b"{}",
    superseded=False,
    cause=Cause(),
)


def due(*, channel: str = "mailbox", kind: str = "entity", **changes: Any) -> Due:
    """A notification of OU1, added a moment ago; told replaces parts of what is told."""
    told = replace(TOLD, **changes.pop("told", {}))
    values: dict[str, Any] = {
        "id": "a1",
        "key": RowKey(7, "OU1", kind, channel),
        "told": told,
        "attempts": 0,
        "added_at": NOW,
        "label": "Agency OU1",
        "mailbox": "north",
        "channels": None if kind == "operator" else ["mailbox"],
        "is_declared": True,
        "has_failed": False,
        "ahead_attempts": None,
        "ahead_until": None,
    }
    return Due(**(values | changes))


def told_of(outcome: Outcome | None) -> tuple[str, int, str | None] | None:
    """Status, attempts and error; None where it is to be sent."""
    return (str(outcome.status), outcome.attempts, outcome.error) if outcome else None


MATRIX: dict[str, tuple[dict[str, Any], float, tuple[str, int, str | None] | None]] = {
    "known": ({}, 0, None),
    "operator": ({"kind": "operator", "mailbox": "central"}, 0, None),
    "superseded": ({"told": {"superseded": True}}, 0, ("superseded", 0, None)),
    "superseded on no channel": (
        {"told": {"superseded": True}, "channel": "email"},
        0,
        ("superseded", 0, None),
    ),
    "not told yet": ({"told": {"notice": None}}, 60, ("pending", 0, "not_told_yet")),
    "behind one not tried yet": (
        {"ahead_attempts": 0, "ahead_until": NOW + 99 * SECOND},
        0,
        ("pending", 0, "waits_for_an_earlier_one"),
    ),
    "behind one that failed": (
        {"ahead_attempts": 1, "ahead_until": NOW + 99 * SECOND},
        0,
        ("pending", 1, "waits_for_an_earlier_one"),
    ),
    "behind again": (
        {"ahead_attempts": 1, "ahead_until": NOW + 99 * SECOND, "attempts": 3},
        0,
        ("pending", 3, "waits_for_an_earlier_one"),
    ),
    "unknown": ({"channels": None}, 4.9, ("pending", 0, UNKNOWN)),
    "unknown for long": ({"channels": None}, 5, ("failed", 0, UNKNOWN)),
    "e-mail": (
        {"channel": "email", "channels": ["email"]},
        0,
        ("failed", 0, "channel_not_available"),
    ),
    "no mailbox any more": ({"channels": ["email"]}, 0, ("failed", 0, "channel_not_available")),
    "undeclared": ({"is_declared": False}, 29, ("pending", 0, "mailbox_not_declared")),
    "undeclared for long": ({"is_declared": False}, 30, ("pending", 1, "mailbox_not_declared")),
    "undeclared and tried": (
        {"is_declared": False, "attempts": 4},
        300,
        ("pending", 4, "mailbox_not_declared"),
    ),
    "refused": (
        {"is_declared": False, "has_failed": True},
        29,
        ("pending", 0, "mailbox_not_declared"),
    ),
    "refused for long": (
        {"is_declared": False, "has_failed": True, "attempts": 4},
        300,
        ("pending", 5, "mailbox_not_declared"),
    ),
    "refused to the end": (
        {"is_declared": False, "has_failed": True, "attempts": 7},
        5000,
        ("failed", 8, "mailbox_not_declared"),
    ),
}


class TestJudge:
    """What is decided about a notification before it is sent."""

    @pytest.mark.parametrize("case", MATRIX)
    def test_follows_the_table(self, case: str) -> None:
        """Each state of a recipient leads to one outcome; None is to send it."""
        changes, seconds, outcome = MATRIX[case]
        now = NOW + timedelta(seconds=seconds)
        assert told_of(delivery.judge(due(**changes), now)) == outcome

    def test_unknown_entity_is_looked_at_until_its_time_is_up(self) -> None:
        """It is due again every second, and exactly when it has failed."""
        outcome = delivery.judge(due(channels=None), NOW + 4.5 * SECOND)
        assert outcome is not None
        assert outcome.next_try_at == NOW + 5 * SECOND

    @pytest.mark.parametrize(("waited", "pause"), [(0, 1), (10, 10), (3600, 60)])
    def test_what_is_not_told_yet_is_looked_at_ever_less(self, waited: int, pause: int) -> None:
        """It waits as long again as it has waited, at least a second and at most a minute."""
        now = NOW + waited * SECOND
        outcome = delivery.judge(due(told={"notice": None}), now)
        assert outcome is not None
        assert outcome.next_try_at == now + pause * SECOND

    def test_one_behind_another_waits_for_it(self) -> None:
        """It is due again when the one before it is."""
        until = NOW + 99 * SECOND
        outcome = delivery.judge(due(ahead_attempts=2, ahead_until=until), NOW)
        assert outcome is not None
        assert outcome.next_try_at == until


class TestRefused:
    """What is done about a message that the broker would not take."""

    def test_pauses_grow_to_an_hour(self) -> None:
        """Each pause is four times the one before, up to an hour."""
        pauses = [
            (delivery.refused(due(attempts=n), "mailbox_full", NOW).next_try_at - NOW).seconds
            for n in range(delivery.TRIES - 1)
        ]
        assert pauses == [1, 4, 16, 64, 256, 1024, 3600]

    def test_last_try_leaves_it_failed(self) -> None:
        """After eight tries it is kept as failed, with what the broker said."""
        outcome = delivery.refused(due(attempts=7), "mailbox_full", NOW)
        assert told_of(outcome) == ("failed", 8, "mailbox_full")


class TestFirstTry:
    """What a cancel waits for is one try of each."""

    @pytest.mark.parametrize(
        ("attempts", "outcome", "counts"),
        [
            (0, "sent", True),
            (0, "refused", True),
            (1, "sent", False),
            (1, "refused", False),
            (0, "waiting", False),
            (0, "failed", True),
        ],
    )
    def test_counts_once(self, attempts: int, outcome: str, counts: bool) -> None:
        """A notification is tried for the first time once, however that ends."""
        one = due(attempts=attempts)
        outcomes: dict[str, Outcome | None] = {
            "sent": delivery.sent(one, NOW),
            "refused": delivery.refused(one, "mailbox_full", NOW),
            "waiting": delivery.judge(one._replace(is_declared=False), NOW),
            "failed": delivery.judge(one._replace(channels=None), NOW + 5 * SECOND),
        }
        found = outcomes[outcome]
        assert found is not None
        assert found.is_first_try is counts


class TestRoutingKey:
    """Where the broker brings a notice."""

    def test_of_an_entity_begins_with_its_mailbox(self) -> None:
        """The mailbox may be a gateway's."""
        assert due().routing_key == "north.entity.OU1"

    def test_of_an_operator_is_central(self) -> None:
        """Operators read one mailbox."""
        assert due(kind="operator", mailbox="central").routing_key == "central.operator.OU1"
