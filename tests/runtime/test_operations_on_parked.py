"""What operators ask about parked messages: retry, discard, replace."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.message import Command
from contracts.operations import (
    AllOf,
    DiscardParked,
    ReplaceParked,
    RetryParked,
)
from services.runtime.decision import Answer
from services.runtime.messages import operations
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.runtime.given import event, handle, items_of, kept, plain
from tests.runtime.probe import Hooks
from tests.runtime.then import events, notes, replies, rows

pytestmark = pytest.mark.servers

LATER = datetime(2100, 1, 1, tzinfo=UTC)
ALL = AllOf(until=LATER)


async def park(harness: Harness, hooks: Hooks, count: int = 1) -> list[int]:
    """Commands that could not be handled, and can be now; their numbers."""
    hooks.failing = {"bad"}
    for n in range(count):
        body = plain(id=f"bad-{n}", data={"note": "bad"})
        await handle(harness, *items_of(harness, body, reply_to="r", correlation_id="c"))
    hooks.failing = set()
    return [row["number"] for row in await rows(harness, "parked", "number")]


async def ask(harness: Harness, command: Command, **how: Any) -> Answer:
    """The answer of the service to an operator."""
    return await harness.ask(command, **how)


async def retried(harness: Harness) -> None:
    """Let the worker handle whatever is to be retried."""
    while await kept(harness).retry(harness.work):
        pass


async def released(harness: Harness) -> list[tuple[int, str, str | None, str | None, str | None]]:
    """Number, end, comment, cause and actor of each message that is parked no more."""
    return [
        (
            one.data["number"],
            one.data["how"],
            one.data["comment"],
            one.envelope.causationid,
            one.envelope.actor,
        )
        for one in await events(harness, "message.released")
    ]


class TestARetry:
    """Parked messages are handled again, and their senders answered."""

    async def test_is_asked_for_by_number(self, harness: Harness, hooks: Hooks) -> None:
        """The command is the cause of the release, and its comment goes with it."""
        one, two = await park(harness, hooks, 2)
        command = RetryParked(service="probe", numbers=[one], comment="fixed")

        answer = await ask(harness, command, id="retry-1", actor="o.bernard")
        await retried(harness)

        assert answer == Answer("accepted", message="probe retries 1 parked message")
        assert await notes(harness) == ["bad"]
        assert await released(harness) == [(one, "handled", "fixed", "retry-1", "o.bernard")]
        assert [row["number"] for row in await rows(harness, "parked")] == [two]
        assert [reply.data["outcome"] for reply in await replies(harness)] == ["accepted"]

    async def test_names_what_is_not_parked(self, harness: Harness, hooks: Hooks) -> None:
        """The rest is retried all the same."""
        (number,) = await park(harness, hooks)
        answer = await ask(harness, RetryParked(service="probe", numbers=[number, 10**9]))
        assert answer.outcome == "accepted"
        assert answer.message == (
            "probe retries 1 parked message; probe has no parked message 1000000000"
        )

    async def test_of_nothing_that_is_parked_is_refused(self, harness: Harness) -> None:
        """With the numbers, as many as a sentence bears."""
        answer = await ask(harness, RetryParked(service="probe", numbers=list(range(1, 31))))
        assert (answer.outcome, answer.code) == ("refused", "wrong_status")
        assert "19, 20 and 10 more" in (answer.message or "")

    async def test_that_is_asked_for_already_changes_nothing(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Also within one batch."""
        (number,) = await park(harness, hooks)
        command = RetryParked(service="probe", numbers=[number])
        first, second = await harness.send(command, command)
        assert first is not None
        assert second is not None
        assert (first.outcome, second.outcome) == ("accepted", "unchanged")
        assert second.message == f"probe is to retry {number} already"

    async def test_of_all_ends_at_the_moment_it_was_asked_for(
        self, harness: Harness, hooks: Hooks, piece_sizes: PieceSizes
    ) -> None:
        """In chunks; what was parked later stays, and so does what is of another reason."""
        numbers = await park(harness, hooks, 5)
        await handle(harness, *event(harness, b"{"))
        piece_sizes(2)
        until = (await rows(harness, "parked", "number"))[3]["kept_at"]
        command = RetryParked(service="probe", all_of=AllOf(reason="failed", until=until))

        answer = await ask(harness, command, id="retry-all")
        assert answer.outcome == "accepted"
        assert "with reason 'failed' since before" in (answer.message or "")
        assert await harness.sweep(operations.SWEEP) > 2
        await retried(harness)

        left = {row["number"]: row["reason"] for row in await rows(harness, "parked")}
        assert left.pop(numbers[4]) == "failed"
        assert list(left.values()) == ["unreadable"]
        assert {one[3] for one in await released(harness)} == {"retry-all"}
        assert await rows(harness, "jobs") == []

    async def test_of_all_of_a_reason_that_nothing_has_is_unchanged(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """It says which reasons there are."""
        await park(harness, hooks)
        all_of = AllOf(reason="fialed", until=LATER)
        answer = await ask(harness, RetryParked(service="probe", all_of=all_of))
        assert answer.outcome == "unchanged"
        assert (answer.message or "").endswith("the reasons here are failed")


class TestADiscard:
    """Parked messages are given up, and their senders told."""

    async def test_answers_the_sender(self, harness: Harness, hooks: Hooks) -> None:
        """At once, where there are few; the release is caused by the command."""
        (number,) = await park(harness, hooks)
        command = DiscardParked(service="probe", numbers=[number], comment="a test")

        answer = await ask(harness, command, id="discard-1", actor="o.bernard")

        assert answer == Answer("accepted", message="probe discards 1 parked message")
        assert await rows(harness, "parked") == []
        (last,) = await replies(harness)
        assert last.data["message"].startswith("discarded by an operator: a test")
        assert await released(harness) == [
            (number, "discarded", "a test", "discard-1", "o.bernard")
        ]

    async def test_leaves_alone_what_is_being_retried(self, harness: Harness, hooks: Hooks) -> None:
        """It may be handled at this moment."""
        (number,) = await park(harness, hooks)
        await harness.pool.execute("UPDATE kept SET retry_at = now() + interval '1 minute'")
        answer = await ask(harness, DiscardParked(service="probe", numbers=[number], comment="x"))
        assert (answer.outcome, answer.code) == ("refused", "wrong_status")
        assert f"probe retries {number} just now" in (answer.message or "")

    async def test_of_all_is_done_in_chunks(
        self,
        harness: Harness,
        hooks: Hooks,
        piece_sizes: PieceSizes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """However large the messages are: at least one, and no more bytes than a chunk has."""
        await park(harness, hooks, 5)
        piece_sizes(100)
        monkeypatch.setattr(operations, "MAX_BYTES", 1)

        answer = await ask(harness, DiscardParked(service="probe", all_of=ALL, comment="x"))

        assert answer.outcome == "accepted"
        assert await harness.sweep(operations.SWEEP) > 5
        assert await rows(harness, "parked") == []
        assert len(await released(harness)) == 5

    async def test_of_many_numbers_goes_on_in_the_sweep(
        self, harness: Harness, hooks: Hooks, piece_sizes: PieceSizes
    ) -> None:
        """Those that have been retried meanwhile are no longer there, and missed by nobody."""
        numbers = await park(harness, hooks, 5)
        piece_sizes(2, first=2)
        await ask(harness, DiscardParked(service="probe", numbers=numbers, comment="x"))
        assert len(await rows(harness, "parked")) == 3
        await harness.pool.execute("DELETE FROM kept WHERE number = $1", numbers[3])
        await harness.sweep(operations.SWEEP)
        assert await rows(harness, "parked") == []


class TestAReplacement:
    """An envelope is handled in place of a parked message."""

    async def test_is_handled_under_its_identity(self, harness: Harness, hooks: Hooks) -> None:
        """And released as replaced."""
        (number,) = await park(harness, hooks)
        body = plain(id="9", data={"note": "good"}).decode()
        command = ReplaceParked(service="probe", number=number, body=body, comment="a typo")

        answer = await ask(harness, command, id="replace-1")
        await retried(harness)

        assert answer.outcome == "accepted"
        assert await notes(harness) == ["good"]
        assert await released(harness) == [(number, "replaced", "a typo", "replace-1", None)]

    async def test_has_to_be_an_envelope(self, harness: Harness, hooks: Hooks) -> None:
        """The refusal names the field, and what is wrong with it."""
        (number,) = await park(harness, hooks)
        command = ReplaceParked(service="probe", number=number, body="{", comment="x")
        answer = await ask(harness, command)
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert [error.field for error in answer.errors] == ["data.body"]

    @pytest.mark.parametrize(
        ("exchange", "type_", "why"),
        [
            ("relais.events", "relais.order.cancel.v1", "an event as {} was, not a command"),
            ("relais.commands", "relais.order.canceled.v1", "a command as {} was, not an event"),
        ],
    )
    async def test_is_of_the_same_kind(
        self, harness: Harness, hooks: Hooks, exchange: str, type_: str, why: str
    ) -> None:
        """Nobody sends as a replacement what they may not send: a business command, or an event."""
        (number,) = await park(harness, hooks)
        await harness.pool.execute("UPDATE kept SET exchange = $1", exchange)
        body = plain(type=type_, subject="ORD29").decode()
        command = ReplaceParked(service="probe", number=number, body=body, comment="x")

        answer = await ask(harness, command)

        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert why.format(number) in (answer.message or "")

    async def test_of_what_is_not_parked_is_refused(self, harness: Harness) -> None:
        """By its number."""
        command = ReplaceParked(service="probe", number=7, body=plain().decode(), comment="x")
        answer = await ask(harness, command)
        assert (answer.outcome, answer.code) == ("refused", "wrong_status")
        assert "probe has no parked message 7" in (answer.message or "")
