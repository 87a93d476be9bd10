"""The commands about the work of a service: parked messages, and its present state again."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from contracts import names
from contracts.message import Command
from contracts.operations import (
    AllOf,
    DiscardParked,
    ReplaceParked,
    RequestSnapshot,
    RetryParked,
)
from services.runtime.decision import Answer
from services.runtime.messages import operations, passes
from services.runtime.messages.item import DRAIN
from services.runtime.service import Connection, Page, Service, Snapshot, installed_names
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.runtime.given import event, handle, item_of, items_of, kept, plain
from tests.runtime.probe import Add, Added, Hooks
from tests.runtime.then import events, notes, outbox_envelopes, replies, rows

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

    async def test_of_what_is_not_parked_is_refused(self, harness: Harness) -> None:
        """By its number."""
        command = ReplaceParked(service="probe", number=7, body=plain().decode(), comment="x")
        answer = await ask(harness, command)
        assert (answer.outcome, answer.code) == ("refused", "wrong_status")
        assert "probe has no parked message 7" in (answer.message or "")


THINGS = """
SELECT thing_id, total, version FROM things WHERE thing_id > $1 ORDER BY thing_id LIMIT $2
"""


async def things(conn: Connection, after: str | None, size: int) -> Page:
    """The things of the probe as events."""
    found = await conn.fetch(THINGS, after or "", size)
    states = [Added(note="snapshot", **dict(row)) for row in found]
    return Page(states, states[-1].thing_id if states else after, ["k"] * len(states))


async def nothing(_: Connection, __: Any, ___: int) -> Page:
    """A thing of which there is none."""
    return Page([])


def telling(harness: Harness, *drains: str) -> Harness:
    """The probe with something to tell of its present state."""
    told = (Snapshot("none", nothing), Snapshot("thing", things))
    harness.service = replace(harness.service, snapshots=told, drains=drains)
    return harness


async def snapshots(harness: Harness) -> list[str]:
    """The things of which the state was emitted again, in order."""
    found = await events(harness, Added.TYPE.removeprefix("relais.").removesuffix(".v1"))
    return [one.envelope.subject for one in found if one.data["note"] == "snapshot"]


class TestASnapshot:
    """A service emits its present state, once for each request."""

    async def test_is_of_every_row_once(self, harness: Harness, piece_sizes: PieceSizes) -> None:
        """In pieces, caused by the request, with the key that the service gives, then counted."""
        telling(harness)
        ids = [f"T{n}" for n in range(5)]
        await handle(harness, *(item_of(harness, Add(thing_id=id, note="n")) for id in ids))
        piece_sizes(2)
        request = RequestSnapshot(service="probe", request_id="r1")

        answer = await ask(harness, request, id="snap-1")
        assert answer.outcome == "accepted"
        assert await harness.sweep(operations.SWEEP) == 5

        assert await snapshots(harness) == ids
        told = [
            one for one in await outbox_envelopes(harness) if one.data.get("note") == "snapshot"
        ]
        assert {one.envelope.causationid for one in told} == {"snap-1"}
        assert {one.partitionkey for one in told} == {"k"}
        assert [one.data["version"] for one in told] == [1] * 5
        (end,) = await events(harness, "snapshot.completed")
        assert end.data == {
            "service": "probe",
            "request_id": "r1",
            "counts": {"none": 0, "thing": 5},
        }
        assert (end.partitionkey, end.envelope.causationid) == ("probe", "snap-1")

    async def test_is_asked_for_once(self, harness: Harness) -> None:
        """The same request again changes nothing, whoever sends it, also once it is done."""
        telling(harness)
        request = RequestSnapshot(service="probe", request_id="r1")
        await ask(harness, request)
        await harness.sweep(operations.SWEEP)
        answer = await ask(harness, request, source="/another")
        assert answer.outcome == "unchanged"
        await harness.sweep(operations.SWEEP)
        assert len(await events(harness, "snapshot.completed")) == 1

    async def test_goes_on_beside_another(self, harness: Harness, piece_sizes: PieceSizes) -> None:
        """Each has a cursor of its own, and neither waits for the other."""
        telling(harness)
        await handle(harness, *(item_of(harness, Add(thing_id=f"T{n}")) for n in range(4)))
        piece_sizes(1)
        await ask(harness, RequestSnapshot(service="probe", request_id="r1"))
        for _ in range(3):
            await harness.piece(operations.SWEEP)
        await ask(harness, RequestSnapshot(service="probe", request_id="r2"))
        await harness.sweep(operations.SWEEP)
        ends = await events(harness, "snapshot.completed")
        assert [end.data["counts"]["thing"] for end in ends] == [4, 4]
        assert len(await snapshots(harness)) == 8

    async def test_of_a_service_that_owns_nothing_is_complete(self, harness: Harness) -> None:
        """Whoever waits for all services hears of it as well."""
        await ask(harness, RequestSnapshot(service="probe", request_id="r1"))
        await harness.sweep(operations.SWEEP)
        (end,) = await events(harness, "snapshot.completed")
        assert end.data["counts"] == {}


def sent(harness: Harness, body: bytes, type_: str, **more: Any) -> Any:
    """One operation as it comes from a lane."""
    return items_of(harness, body, routing_key=type_, reply_to="r", **more)


def operation(type_: str, subject: str, data: Any) -> bytes:
    """The JSON of an operation."""
    return plain(id=uuid.uuid4().hex, type=type_, subject=subject, data=data)


class TestWhomAnOperationIsFor:
    """Every service gets each of them, and one answers."""

    BROKEN = operation(RetryParked.TYPE, "orders", {"nubmers": [1]})

    @pytest.mark.parametrize("central", [False, True])
    async def test_is_not_the_service_of_another_name(
        self, harness: Harness, central: bool
    ) -> None:
        """No answer, no place in the inbox, no event: neither of a good one nor of a broken one."""
        telling(harness, *([names.UNROUTED] if central else []))
        good = operation(RetryParked.TYPE, "orders", {"numbers": [1]})
        for body in (good, good, self.BROKEN):
            assert await handle(harness, *sent(harness, body, RetryParked.TYPE)) == [None]
        for table in ("inbox", "outbox", "kept"):
            assert await rows(harness, table) == []

    @pytest.mark.parametrize(
        "body",
        [
            operation(RetryParked.TYPE, "ordres", {"numbers": [1]}),
            operation(RetryParked.TYPE, "all", {"numbers": [1]}),
            operation(RetryParked.TYPE, "no id!", {"numbers": [1]}),
            operation(RequestSnapshot.TYPE, "ordres", {"request_id": "r"}),
            operation(RequestSnapshot.TYPE, "all", {"requets_id": "r"}),
            operation(Add.TYPE, "A", {"note": "n"}),
        ],
    )
    async def test_is_one_service_where_nobody_is_named(
        self, harness: Harness, body: bytes
    ) -> None:
        """The one that reads what is unrouted refuses it, all others leave it alone."""
        claimed = orjson.loads(body)["type"]
        type_ = claimed if claimed != Add.TYPE else RetryParked.TYPE
        assert await handle(harness, *sent(harness, body, type_)) == [None]
        assert await rows(harness, "inbox") == []

        telling(harness, names.UNROUTED)
        (answer,) = await handle(harness, *sent(harness, body, type_))
        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert len(await events(harness, "command.refused")) == 1

    async def test_is_said_with_the_names_of_services(self, harness: Harness) -> None:
        """Whoever misspelt one finds the right one."""
        telling(harness, names.UNROUTED)
        answer = await ask(harness, RetryParked(service="ordres", numbers=[1]))
        *others, last = sorted(installed_names())
        sentence = f"subject must be one of {', '.join(others)} or {last}, not 'ordres'"
        assert (answer.message, answer.errors[0].field) == (sentence, "subject")
        answer = await ask(harness, RequestSnapshot(service="ordres", request_id="r"))
        assert "or all, not 'ordres'" in (answer.message or "")

    async def test_is_one_where_nothing_can_be_read(self, harness: Harness) -> None:
        """It is parked once."""
        await handle(harness, *sent(harness, b"{", RetryParked.TYPE))
        assert await rows(harness, "kept") == []
        telling(harness, names.UNROUTED)
        await handle(harness, *sent(harness, b"{", RetryParked.TYPE))
        assert [row["reason"] for row in await rows(harness, "parked")] == ["unreadable"]

    async def test_is_every_one_where_all_are_asked(self, harness: Harness) -> None:
        """Each begins; the sender hears from one, also when it asks again."""
        telling(harness)
        body = operation(RequestSnapshot.TYPE, "all", {"request_id": "r"})
        again = operation(RequestSnapshot.TYPE, "all", {"request_id": "r"})
        for one in (body, body, again):
            items = sent(harness, one, RequestSnapshot.TYPE)
            assert await handle(harness, *items) == [None]
        await harness.sweep(operations.SWEEP)
        assert [one.kind for one in await outbox_envelopes(harness)] == ["snapshot.completed"]

        telling(harness, names.UNROUTED)
        third = operation(RequestSnapshot.TYPE, "all", {"request_id": "r2"})
        (answer,) = await handle(harness, *sent(harness, third, RequestSnapshot.TYPE))
        assert answer is not None
        assert answer.outcome == "accepted"

    async def test_is_left_to_the_drain_where_no_lane_took_it(self, harness: Harness) -> None:
        """Before `relais setup` nobody reads it: it is kept, and its sender told."""
        telling(harness, names.UNROUTED)
        body = operation(RetryParked.TYPE, "orders", {"numbers": [1]})
        (answer,) = await handle(harness, *sent(harness, body, RetryParked.TYPE, source=DRAIN))
        assert answer is not None
        assert answer.code == "unknown_type"

    async def test_is_found_out_by_the_version_that_reads_it(self, harness: Harness) -> None:
        """What an older one has parked as unread is let go, and said to be."""
        body = operation(RetryParked.TYPE, "orders", {"numbers": [1]})
        reads: Service = harness.service
        object.__setattr__(reads, "routes", {Add.TYPE: Add})
        try:
            (item,) = items_of(harness, body, routing_key=RetryParked.TYPE)
            old = replace(item, received_at=datetime.now(UTC) - timedelta(hours=1))
            # An older version knows nothing of operations.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(operations, "OPERATIONS", {})
                patch.setattr(passes, "read_elsewhere", lambda _: frozenset())
                await handle(harness, old)
        finally:
            harness.service = replace(reads)
        assert [row["reason"] for row in await rows(harness, "parked")] == ["unread"]
        await kept(harness).measure(harness.work)
        await retried(harness)
        assert await rows(harness, "parked") == []
        assert [one[1] for one in await released(harness)] == ["handled"]
