"""Messages that the broker no longer holds: commands that wait, and what is parked."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts import names
from services.runtime.decision import Answer
from services.runtime.messages.item import DRAIN
from services.runtime.service import routes
from tests.eventually import eventually
from tests.harness import Harness
from tests.runtime.given import (
    PATIENT,
    event,
    handle,
    item_of,
    items_of,
    kept,
    plain,
)
from tests.runtime.probe import Add, Hooks, Reported
from tests.runtime.then import events, notes, outbox_envelopes, replies, rows

pytestmark = pytest.mark.servers


def needing(note: str, other: str = "B") -> Add:
    """A command that names another thing."""
    return Add(thing_id="A", note=note, needs=other)


async def wait_for_b(harness: Harness, *wanted: str, id: str | None = None) -> list[Answer | None]:
    """Send commands that name a thing nobody knows yet."""
    items = [item_of(harness, needing(note), id, reply_to="answers") for note in wanted]
    return await handle(harness, *items, patience=PATIENT)


async def make_b(harness: Harness) -> None:
    """From now on the thing is known."""
    await handle(harness, item_of(harness, Add(thing_id="B", note="B")))


class TestAWaitingCommand:
    """It names something unknown, which may be on its way."""

    async def test_is_kept_without_an_answer(self, harness: Harness) -> None:
        """Nobody is told no yet, and nothing has been done."""
        answers = await wait_for_b(harness, "early")

        assert answers == [None]
        assert len(await rows(harness, "waiting")) == 1
        assert not await rows(harness, "inbox")
        assert not await outbox_envelopes(harness)

    async def test_is_decided_once_the_thing_is_known(self, harness: Harness) -> None:
        """Its answer is committed with its effect: nobody delivers it again."""
        await wait_for_b(harness, "early")
        await make_b(harness)

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert await notes(harness) == ["B", "early"]
        assert not await rows(harness, "waiting")
        (reply,) = await replies(harness)
        assert (reply.routing_key, reply.data["outcome"]) == ("answers", "accepted")

    async def test_keeps_its_place_while_it_waits(self, harness: Harness) -> None:
        """Looking at it in vain changes nothing."""
        await wait_for_b(harness, "early")
        before = await rows(harness, "waiting")

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert await rows(harness, "waiting") == before

    async def test_is_decided_in_order_of_arrival(self, harness: Harness) -> None:
        """Also where the first make known what the next ones name."""
        await handle(
            harness,
            *(
                item_of(harness, Add(thing_id=f"T{n}", needs=f"T{n - 1}", note=str(n)))
                for n in range(5, 0, -1)
            ),
            *(
                item_of(harness, Add(thing_id=f"S{n}", needs=f"T{n}", note=f"s{n}"))
                for n in range(1, 6)
            ),
            patience=PATIENT,
        )
        await handle(harness, item_of(harness, Add(thing_id="T0", note="0")))

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert await notes(harness) == ["0", "1", "s1"]
        assert len(await rows(harness, "waiting")) == 8

    async def test_is_refused_when_patience_ends(self, harness: Harness) -> None:
        """With the code and the sentence of what it names."""
        await wait_for_b(harness, "early")

        await kept(harness, timedelta(0)).decide_waiting(harness.work)

        (reply,) = await replies(harness)
        assert reply.data["outcome"] == "refused"
        assert reply.data["code"] == "unknown_package"
        assert reply.data["message"] == "B is not known; name one that is"
        assert len(await events(harness, "command.refused")) == 1
        assert not await rows(harness, "waiting")

    @pytest.mark.parametrize("together", [True, False], ids=["in its batch", "in another"])
    async def test_that_comes_again_gets_the_same_answer(
        self, harness: Harness, together: bool
    ) -> None:
        """Both wait, one is decided, both senders are told."""
        if together:
            await wait_for_b(harness, "early", "early", id="1")
        else:
            await wait_for_b(harness, "early", id="1")
            await wait_for_b(harness, "early", id="1")
        await make_b(harness)

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert await notes(harness) == ["B", "early"]
        first, second = await replies(harness)
        assert first.data == second.data
        assert not await rows(harness, "waiting")

    async def test_that_comes_again_when_all_is_known_is_decided_then(
        self, harness: Harness
    ) -> None:
        """The one that waits is then a repeat."""
        await wait_for_b(harness, "early", id="1")
        await make_b(harness)
        (answer,) = await wait_for_b(harness, "early", id="1")

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert answer == Answer("accepted", version=1)
        (reply,) = await replies(harness)
        assert reply.data["version"] == 1
        assert await notes(harness) == ["B", "early"]

    async def test_is_decided_by_one_worker(self, harness: Harness, hooks: Hooks) -> None:
        """Otherwise there would be no order of arrival."""
        await wait_for_b(harness, "early")
        await make_b(harness)
        hooks.gate.clear()
        first = asyncio.create_task(kept(harness, PATIENT).decide_waiting(harness.work))
        await asyncio.wait({first}, timeout=0.1)
        hooks.batches.clear()

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert not hooks.batches
        hooks.gate.set()
        await first
        await kept(harness, PATIENT).decide_waiting(harness.work)
        assert await notes(harness) == ["B", "early"]

    async def test_that_cannot_be_handled_is_parked(self, harness: Harness, hooks: Hooks) -> None:
        """It moves from one table to the other."""
        await wait_for_b(harness, "early")
        await make_b(harness)
        hooks.failing = {"early"}

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert not await rows(harness, "waiting")
        assert len(await rows(harness, "parked")) == 1

    async def test_keeps_null_apart_from_absent(self, harness: Harness) -> None:
        """It is decided as it came, also when it was one of a batch."""
        await handle(
            harness,
            *items_of(harness, b"[%s]" % plain(data={"needs": "B", "pad": None})),
            patience=PATIENT,
        )

        (waiting,) = await rows(harness, "waiting")

        assert b'"pad":null' in waiting["body"]


async def ask_for_retry(harness: Harness) -> None:
    """What an operator does."""
    await harness.pool.execute("UPDATE kept SET retry_at = now()")


class TestARetriedMessage:
    """An operator has asked to handle a parked one again."""

    async def test_is_handled_and_forgotten(self, harness: Harness, hooks: Hooks) -> None:
        """Its effect, its answer and its leaving are one transaction."""
        hooks.failing = {"bad"}
        bad = item_of(harness, Add(thing_id="A", note="bad"), "1", reply_to="answers")
        await handle(harness, bad)
        hooks.failing = set()
        await ask_for_retry(harness)

        await kept(harness).retry(harness.work)

        assert await notes(harness) == ["bad"]
        assert not await rows(harness, "parked")
        (reply,) = await replies(harness)
        assert reply.data["outcome"] == "accepted"
        assert [row["outcome"] for row in await rows(harness, "inbox")] == ["accepted"]

    async def test_is_told_as_handled_from_then_on(self, harness: Harness, hooks: Hooks) -> None:
        """A redelivery after it gets the answer of the retry."""
        hooks.failing = {"bad"}
        add = Add(thing_id="A", note="bad")
        await handle(harness, item_of(harness, add, "1"))
        hooks.failing = set()
        await ask_for_retry(harness)
        await kept(harness).retry(harness.work)

        (answer,) = await handle(harness, item_of(harness, add, "1"))

        assert answer == Answer("accepted", version=1)
        assert await notes(harness) == ["bad"]

    async def test_that_fails_again_stays_where_it_is(self, harness: Harness, hooks: Hooks) -> None:
        """Under its number, with the new error, and until somebody asks again."""
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad"), "1"))
        (before,) = await rows(harness, "parked")
        await ask_for_retry(harness)

        await kept(harness).retry(harness.work)

        (after,) = await rows(harness, "parked")
        assert after["number"] == before["number"]
        assert after["retry_at"] is None
        assert not await notes(harness)

    async def test_that_nobody_asked_for_is_left_alone(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Parked is parked."""
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad")))
        hooks.failing = set()

        await kept(harness).retry(harness.work)

        assert len(await rows(harness, "parked")) == 1

    async def test_event_is_handled_by_a_version_that_can_read_it(self, harness: Harness) -> None:
        """It was kept just for that."""
        whole = harness.service
        harness.service = replace(whole, routes=routes(Add))
        await handle(harness, *event(harness, plain(type=Reported.TYPE, data={"thing_id": "A"})))
        harness.service = whole
        await ask_for_retry(harness)

        await kept(harness).retry(harness.work)

        assert await notes(harness) == [""]
        assert not await rows(harness, "parked")

    @pytest.mark.parametrize("body", [b"{", b"[[1,2,3]]", b"[]"])
    async def test_that_nobody_can_read_stays_and_ends(self, harness: Harness, body: bytes) -> None:
        """However it falls to pieces."""
        await handle(harness, *items_of(harness, body))
        (before,) = await rows(harness, "parked")
        await ask_for_retry(harness)

        await kept(harness).retry(harness.work)

        (after,) = await rows(harness, "parked")
        assert (after["number"], after["body"]) == (before["number"], before["body"])
        assert after["retry_at"] is None

    async def test_of_an_unknown_type_is_sent_again(self, harness: Harness) -> None:
        """Another service may read it by now: only the broker can tell which."""
        body = plain(type="relais.probe.new.v1")
        await handle(
            harness,
            *items_of(
                harness,
                body,
                routing_key="relais.probe.new.v1",
                source=DRAIN,
                message_id="m",
                correlation_id="c",
                headers=lambda: {"partitionkey": "A"},
            ),
        )
        await harness.pool.execute("DELETE FROM outbox")
        await ask_for_retry(harness)

        await kept(harness).retry(harness.work)

        assert not await rows(harness, "parked")
        (sent,) = [row for row in await rows(harness, "outbox") if "new" in row["type"]]
        assert (sent["exchange"], sent["routing_key"]) == (names.COMMANDS, "relais.probe.new.v1")
        assert (sent["body"], sent["message_id"], sent["correlation_id"]) == (body, "m", "c")
        assert sent["partitionkey"] == "A"

    async def test_is_not_forgotten_where_its_worker_ends(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """It is claimed for a minute; then another worker takes it up."""
        await self.begin_retry(harness, hooks)

        (parked,) = await rows(harness, "parked")
        assert parked["retry_at"] > datetime.now(UTC)
        await ask_for_retry(harness)
        hooks.gate.set()
        await kept(harness).retry(harness.work)

        assert await notes(harness) == ["bad"]
        assert not await rows(harness, "parked")

    async def test_is_parked_again_where_it_ends_the_worker_each_time(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Three times are enough: a crash must not come round for ever."""
        await self.begin_retry(harness, hooks)
        for _ in range(2):
            await ask_for_retry(harness)
            await end_in_the_middle(harness)
        await ask_for_retry(harness)

        await kept(harness).retry(harness.work)

        (parked,) = await rows(harness, "parked")
        assert (parked["reason"], parked["retry_at"]) == ("crashed", None)
        assert not await notes(harness)

    async def begin_retry(self, harness: Harness, hooks: Hooks) -> None:
        """A parked message is retried, and the worker ends in the middle of it."""
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await ask_for_retry(harness)
        hooks.gate.clear()
        await end_in_the_middle(harness)

    async def test_at_two_workers_has_one_effect(self, harness: Harness, hooks: Hooks) -> None:
        """Both look every second."""
        hooks.failing = {"bad"}
        await handle(harness, item_of(harness, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await ask_for_retry(harness)

        await asyncio.gather(*(kept(harness).retry(harness.work) for _ in range(2)))

        assert await notes(harness) == ["bad"]
        assert not await rows(harness, "parked")

    async def test_says_whether_there_is_more(self, harness: Harness, hooks: Hooks) -> None:
        """A crowd is worked off without waiting a second for each."""
        hooks.failing = {"bad"}
        for _ in range(3):
            await handle(harness, item_of(harness, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await ask_for_retry(harness)

        while await kept(harness).retry(harness.work):
            pass

        assert not await rows(harness, "parked")


async def end_in_the_middle(harness: Harness) -> None:
    """Begin a retry and end it as the end of a process does."""
    before = await attempts(harness)
    retrying = asyncio.create_task(kept(harness).retry(harness.work))
    await eventually(lambda: has_begun(harness, before))
    retrying.cancel()
    await asyncio.wait({retrying})


async def attempts(harness: Harness) -> int:
    """How often messages were begun that may end the worker."""
    return sum(row["count"] for row in await rows(harness, "attempts"))


async def has_begun(harness: Harness, before: int) -> bool:
    """Whether one more has been begun."""
    return await attempts(harness) > before
