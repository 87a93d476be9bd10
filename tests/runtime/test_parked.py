"""What senders and operators are told of parked messages."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from contracts import names
from services.runtime.decision import Answer
from services.runtime.messages import outbox, parked
from services.runtime.tables.transaction import Transaction
from tests.harness import Harness
from tests.runtime.given import event, handle, item_of, items_of, kept, plain
from tests.runtime.probe import Add, Hooks, Reported
from tests.runtime.then import events, notes, outbox_envelopes, replies, rows

pytestmark = pytest.mark.servers


async def park(harness: Harness, hooks: Hooks, **more: Any) -> Answer | None:
    """A command that cannot be handled at first; its sender waits for an answer."""
    hooks.failing = {"bad"}
    (answer,) = await handle(
        harness,
        *items_of(harness, plain(data={"note": "bad"}), reply_to="r", correlation_id="c", **more),
    )
    hooks.failing = set()
    return answer


async def retry(harness: Harness) -> None:
    """Ask for a retry, and do it."""
    await harness.pool.execute("UPDATE kept SET retry_at = now()")
    await kept(harness).retry(harness.work)


async def discard(harness: Harness, number: int, comment: str | None = None) -> set[int]:
    """What an operator does."""
    async with harness.pool.acquire() as conn, conn.transaction():
        tx = Transaction(conn, datetime.now(UTC))
        gone = await parked.discard(tx, harness.service.name, [number], comment)
        await outbox.store(names.source(harness.service.name), tx)
    return gone


async def replace(harness: Harness, body: bytes) -> None:
    """What an operator does, and the retry that follows."""
    (row,) = await rows(harness, "parked")
    async with harness.pool.acquire() as conn:
        assert await parked.replace(conn, row["number"], body, "a typo")
    await kept(harness).retry(harness.work)


async def released(harness: Harness) -> list[tuple[str, str | None]]:
    """How parked messages have ended, and the comments."""
    return [(e.data["how"], e.data["comment"]) for e in await events(harness, "message.released")]


class TestAParkedCommand:
    """Its sender hears of it, and hears again what became of it."""

    async def test_is_answered_with_the_reason(self, harness: Harness, hooks: Hooks) -> None:
        """Also when it is sent again."""
        answer = await park(harness, hooks)

        assert answer is not None
        assert (answer.outcome, answer.code) == ("parked", None)
        assert "as parked (failed) until an operator decides: LookupError" in (answer.message or "")
        assert await park(harness, hooks) == answer

    async def test_is_answered_again_when_it_is_retried(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """With what became of it, under another id than the first answer."""
        await park(harness, hooks)
        hooks.failing = {"bad"}
        await retry(harness)
        hooks.failing = set()
        await retry(harness)

        again, last = await replies(harness)
        assert [again.data["outcome"], last.data["outcome"]] == ["parked", "accepted"]
        assert again.envelope.id != last.envelope.id
        assert {
            row["correlation_id"] for row in await rows(harness, "outbox") if not row["exchange"]
        } == {"c"}
        assert await released(harness) == [("handled", None)]

    async def test_is_answered_again_when_it_is_discarded(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """And so is whoever sends it again."""
        await park(harness, hooks)
        (row,) = await rows(harness, "parked")

        assert await discard(harness, row["number"], "of no use") == {row["number"]}

        (last,) = await replies(harness)
        assert (last.data["outcome"], last.data["code"]) == ("refused", None)
        assert last.data["message"].startswith("discarded by an operator: of no use; it was parked")
        assert await released(harness) == [("discarded", "of no use")]
        again = await park(harness, hooks)
        assert again == Answer("refused", message=last.data["message"])
        assert not await rows(harness, "parked")

    async def test_that_a_worker_is_retrying_is_not_discarded(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """It may be handled at this moment."""
        await park(harness, hooks)
        (row,) = await rows(harness, "parked")
        await harness.pool.execute("UPDATE kept SET retry_at = now() + interval '1 minute'")
        assert await discard(harness, row["number"]) == set()

    async def test_is_answered_again_when_it_is_replaced(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """The one that came keeps its id: a repeat of it gets this answer."""
        await park(harness, hooks)

        await replace(harness, plain(data={"note": "good"}))

        assert await notes(harness) == ["good"]
        (last,) = await replies(harness)
        assert last.data["outcome"] == "accepted"
        assert await released(harness) == [("replaced", "a typo")]
        assert await park(harness, hooks) == Answer("accepted", version=1)
        (other,) = await handle(harness, *items_of(harness, plain(data={"note": "good"})))
        assert other is not None
        assert other.code == "id_reused"

    async def test_whose_replacement_fails_is_parked_again(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Under its number; nothing is released."""
        await park(harness, hooks)
        hooks.failing = {"worse"}
        await replace(harness, plain(id="2", data={"note": "worse"}))

        (row,) = await rows(harness, "parked")
        assert (row["attempts"], row["retry_at"]) == (2, None)
        assert not await released(harness)
        hooks.failing = set()
        await retry(harness)
        assert await released(harness) == [("replaced", "a typo")]
        assert [row["id"] for row in await rows(harness, "inbox")] == ["1"]

    async def test_that_nobody_could_read_is_answered_when_replaced(self, harness: Harness) -> None:
        """Its replacement has an identity of its own."""
        await handle(harness, *items_of(harness, b"{", reply_to="r", correlation_id="c"))

        await replace(harness, plain(id="7"))

        assert await notes(harness) == ["n"]
        (last,) = await replies(harness)
        assert (last.data["command_id"], last.data["outcome"]) == ("7", "accepted")

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"{", "not JSON"),
            (b"[%s]" % plain(), "not an array"),
            (plain(subject="no id!", time="x"), "subject must be .*; time must be"),
            (plain(id=...), "id is required"),
        ],
    )
    async def test_is_replaced_by_one_envelope(
        self, harness: Harness, hooks: Hooks, body: bytes, why: str
    ) -> None:
        """Anything else would only be parked again."""
        await park(harness, hooks)
        (row,) = await rows(harness, "parked")
        async with harness.pool.acquire() as conn:
            with pytest.raises(parked.NotOne, match=why):
                await parked.replace(conn, row["number"], body, None)


class TestTheEventOfAParkedMessage:
    """It tells all that an operator needs to decide."""

    async def parked(self, harness: Harness, body: bytes) -> dict[str, Any]:
        """The data of the event of a message that nobody can read."""
        await handle(harness, *event(harness, body))
        (emitted,) = await events(harness, "message.parked")
        return emitted.data

    async def test_has_number_time_and_body(self, harness: Harness) -> None:
        """As its row has them."""
        body = plain(type=Reported.TYPE, data={"thing_id": "A", "note": 3})
        data = await self.parked(harness, body)

        (row,) = await rows(harness, "parked")
        assert (data["service"], data["number"]) == (harness.service.name, row["number"])
        assert (data["attempts"], data["body"], data["body_bytes"]) == (1, body.decode(), len(body))
        assert datetime.fromisoformat(data["parked_at"]) == row["kept_at"]

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b" " * 65536, True),
            (b" " * 65537, False),
            (b"\xff", False),
            (b"\0", False),
            (b'"' * 65536, True),
            (b"\x1b" * 65536, True),
        ],
    )
    async def test_has_no_body_that_is_long_or_no_text(
        self, harness: Harness, body: bytes, told: bool
    ) -> None:
        """It says how long it is in any case."""
        data = await self.parked(harness, body)
        assert data["body"] == (body.decode() if told else None)
        assert data["body_bytes"] == len(body)

    async def test_comes_again_with_each_retry_in_vain(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """The attempts are counted, the moment is that of the first time."""
        await park(harness, hooks)
        hooks.failing = {"bad"}
        await retry(harness)

        first, again = [e.data for e in await events(harness, "message.parked")]
        assert (first["attempts"], again["attempts"]) == (1, 2)
        assert first["parked_at"] == again["parked_at"]
        assert first["number"] == again["number"]

    async def test_comes_once_for_what_comes_twice(self, harness: Harness) -> None:
        """Also in one batch, and of what has no identity."""
        for _ in range(2):
            await handle(harness, *event(harness, b"{"), *event(harness, b"{"))
        assert len(await events(harness, "message.parked")) == 1
        assert len(await rows(harness, "parked")) == 1

    async def test_is_followed_by_how_it_ended(self, harness: Harness, hooks: Hooks) -> None:
        """A retry may be refused as well."""
        hooks.failing = {"bad"}
        refused = Add(thing_id="A", note="bad", outcome="refused")
        await handle(harness, item_of(harness, refused))
        hooks.failing = set()

        await retry(harness)

        assert await released(harness) == [("refused", None)]
        (row,) = [row for row in await rows(harness, "outbox") if "released" in row["type"]]
        assert row["partitionkey"] == harness.service.name
        assert orjson.loads(row["body"])["subject"] == harness.service.name
        assert await outbox_envelopes(harness)
