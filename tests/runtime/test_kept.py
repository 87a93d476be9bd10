"""Messages that the broker no longer holds: commands that wait, and what is parked."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import names
from services.runtime.messages.inbox import Answer
from services.runtime.service import routes
from tests.desk import Desk
from tests.runtime.letters import (
    PATIENT,
    event,
    events,
    handle,
    kept,
    letter,
    letters,
    notes,
    plain,
    replies,
    rows,
    spoken,
)
from tests.runtime.probe import Add, Hooks, Told

pytestmark = pytest.mark.servers


def needing(note: str, other: str = "B") -> Add:
    """A command that names another thing."""
    return Add(thing_id="A", note=note, needs=other)


async def wait_for_b(desk: Desk, *wanted: str, id: str | None = None) -> list[Answer | None]:
    """Send commands that name a thing nobody knows yet."""
    items = [letter(desk, needing(note), id, reply_to="answers") for note in wanted]
    return await handle(desk, *items, patience=PATIENT)


async def make_b(desk: Desk) -> None:
    """From now on the thing is known."""
    await handle(desk, letter(desk, Add(thing_id="B", note="B")))


class TestAWaitingCommand:
    """It names something unknown, which may be on its way."""

    async def test_is_kept_without_an_answer(self, probe_desk: Desk) -> None:
        """Nobody is told no yet, and nothing has been done."""
        answers = await wait_for_b(probe_desk, "early")

        assert answers == [None]
        assert len(await rows(probe_desk, "waiting")) == 1
        assert not await rows(probe_desk, "inbox")
        assert not await spoken(probe_desk)

    async def test_is_decided_once_the_thing_is_known(self, probe_desk: Desk) -> None:
        """Its answer is committed with its effect: nobody delivers it again."""
        await wait_for_b(probe_desk, "early")
        await make_b(probe_desk)

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert await notes(probe_desk) == ["B", "early"]
        assert not await rows(probe_desk, "waiting")
        (reply,) = await replies(probe_desk)
        assert (reply.routing_key, reply.data["outcome"]) == ("answers", "accepted")

    async def test_keeps_its_place_while_it_waits(self, probe_desk: Desk) -> None:
        """Looking at it in vain changes nothing."""
        await wait_for_b(probe_desk, "early")
        before = await rows(probe_desk, "waiting")

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert await rows(probe_desk, "waiting") == before

    async def test_is_decided_in_order_of_arrival(self, probe_desk: Desk) -> None:
        """Also where the first make known what the next ones name."""
        await handle(
            probe_desk,
            *(
                letter(probe_desk, Add(thing_id=f"T{n}", needs=f"T{n - 1}", note=str(n)))
                for n in range(5, 0, -1)
            ),
            *(
                letter(probe_desk, Add(thing_id=f"S{n}", needs=f"T{n}", note=f"s{n}"))
                for n in range(1, 6)
            ),
            patience=PATIENT,
        )
        await handle(probe_desk, letter(probe_desk, Add(thing_id="T0", note="0")))

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert await notes(probe_desk) == ["0", "1", "s1"]
        assert len(await rows(probe_desk, "waiting")) == 8

    async def test_is_refused_when_patience_ends(self, probe_desk: Desk) -> None:
        """With the code and the sentence of what it names."""
        await wait_for_b(probe_desk, "early")

        await kept(probe_desk, timedelta(0)).decide_waiting(probe_desk.work)

        (reply,) = await replies(probe_desk)
        assert reply.data["outcome"] == "refused"
        assert reply.data["code"] == "unknown_package"
        assert reply.data["message"] == "B is not known; name one that is"
        assert len(await events(probe_desk, "command.refused")) == 1
        assert not await rows(probe_desk, "waiting")

    @pytest.mark.parametrize("together", [True, False], ids=["in its batch", "in another"])
    async def test_that_comes_again_gets_the_same_answer(
        self, probe_desk: Desk, together: bool
    ) -> None:
        """Both wait, one is decided, both senders are told."""
        if together:
            await wait_for_b(probe_desk, "early", "early", id="1")
        else:
            await wait_for_b(probe_desk, "early", id="1")
            await wait_for_b(probe_desk, "early", id="1")
        await make_b(probe_desk)

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert await notes(probe_desk) == ["B", "early"]
        first, second = await replies(probe_desk)
        assert first.data == second.data
        assert not await rows(probe_desk, "waiting")

    async def test_that_comes_again_when_all_is_known_is_decided_then(
        self, probe_desk: Desk
    ) -> None:
        """The one that waits is then a repeat."""
        await wait_for_b(probe_desk, "early", id="1")
        await make_b(probe_desk)
        (answer,) = await wait_for_b(probe_desk, "early", id="1")

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert answer == Answer("accepted", version=1)
        (reply,) = await replies(probe_desk)
        assert reply.data["version"] == 1
        assert await notes(probe_desk) == ["B", "early"]

    async def test_is_decided_by_one_worker(self, probe_desk: Desk, hooks: Hooks) -> None:
        """Otherwise there would be no order of arrival."""
        await wait_for_b(probe_desk, "early")
        await make_b(probe_desk)
        hooks.gate.clear()
        first = asyncio.create_task(kept(probe_desk, PATIENT).decide_waiting(probe_desk.work))
        await asyncio.wait({first}, timeout=0.1)
        hooks.batches.clear()

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert not hooks.batches
        hooks.gate.set()
        await first
        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)
        assert await notes(probe_desk) == ["B", "early"]

    async def test_that_cannot_be_handled_is_parked(self, probe_desk: Desk, hooks: Hooks) -> None:
        """It moves from one table to the other."""
        await wait_for_b(probe_desk, "early")
        await make_b(probe_desk)
        hooks.failing = {"early"}

        await kept(probe_desk, PATIENT).decide_waiting(probe_desk.work)

        assert not await rows(probe_desk, "waiting")
        assert len(await rows(probe_desk, "parked")) == 1

    async def test_keeps_null_apart_from_absent(self, probe_desk: Desk) -> None:
        """It is decided as it came, also when it was one of a batch."""
        await handle(
            probe_desk,
            *letters(probe_desk, b"[%s]" % plain(data={"needs": "B", "pad": None})),
            patience=PATIENT,
        )

        (waiting,) = await rows(probe_desk, "waiting")

        assert b'"pad":null' in waiting["body"]


async def ask_for_retry(desk: Desk) -> None:
    """What an operator does."""
    await desk.pool.execute("UPDATE parked SET retry_at = now()")


class TestARetriedMessage:
    """An operator has asked to handle a parked one again."""

    async def test_is_handled_and_forgotten(self, probe_desk: Desk, hooks: Hooks) -> None:
        """Its effect, its answer and its leaving are one transaction."""
        hooks.failing = {"bad"}
        bad = letter(probe_desk, Add(thing_id="A", note="bad"), "1", reply_to="answers")
        await handle(probe_desk, bad)
        hooks.failing = set()
        await ask_for_retry(probe_desk)

        await kept(probe_desk).retry(probe_desk.work)

        assert await notes(probe_desk) == ["bad"]
        assert not await rows(probe_desk, "parked")
        (reply,) = await replies(probe_desk)
        assert reply.data["outcome"] == "accepted"
        assert [row["outcome"] for row in await rows(probe_desk, "inbox")] == ["accepted"]

    async def test_is_told_as_handled_from_then_on(self, probe_desk: Desk, hooks: Hooks) -> None:
        """A redelivery after it gets the answer of the retry."""
        hooks.failing = {"bad"}
        add = Add(thing_id="A", note="bad")
        await handle(probe_desk, letter(probe_desk, add, "1"))
        hooks.failing = set()
        await ask_for_retry(probe_desk)
        await kept(probe_desk).retry(probe_desk.work)

        (answer,) = await handle(probe_desk, letter(probe_desk, add, "1"))

        assert answer == Answer("accepted", version=1)
        assert await notes(probe_desk) == ["bad"]

    async def test_that_fails_again_stays_where_it_is(self, probe_desk: Desk, hooks: Hooks) -> None:
        """Under its number, with the new error, and until somebody asks again."""
        hooks.failing = {"bad"}
        await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="bad"), "1"))
        (before,) = await rows(probe_desk, "parked")
        await ask_for_retry(probe_desk)

        await kept(probe_desk).retry(probe_desk.work)

        (after,) = await rows(probe_desk, "parked")
        assert after["number"] == before["number"]
        assert after["retry_at"] is None
        assert not await notes(probe_desk)

    async def test_that_nobody_asked_for_is_left_alone(
        self, probe_desk: Desk, hooks: Hooks
    ) -> None:
        """Parked is parked."""
        hooks.failing = {"bad"}
        await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="bad")))
        hooks.failing = set()

        await kept(probe_desk).retry(probe_desk.work)

        assert len(await rows(probe_desk, "parked")) == 1

    async def test_event_is_handled_by_a_version_that_can_read_it(self, probe_desk: Desk) -> None:
        """It was kept just for that."""
        whole = probe_desk.service
        probe_desk.service = replace(whole, routes=routes(Add))
        await handle(probe_desk, *event(probe_desk, plain(type=Told.TYPE, data={"thing_id": "A"})))
        probe_desk.service = whole
        await ask_for_retry(probe_desk)

        await kept(probe_desk).retry(probe_desk.work)

        assert await notes(probe_desk) == [""]
        assert not await rows(probe_desk, "parked")

    @pytest.mark.parametrize("body", [b"{", b"[[1,2,3]]", b"[]"])
    async def test_that_nobody_can_read_stays_and_ends(self, probe_desk: Desk, body: bytes) -> None:
        """However it falls to pieces."""
        await handle(probe_desk, *letters(probe_desk, body))
        (before,) = await rows(probe_desk, "parked")
        await ask_for_retry(probe_desk)

        await kept(probe_desk).retry(probe_desk.work)

        (after,) = await rows(probe_desk, "parked")
        assert (after["number"], after["body"]) == (before["number"], before["body"])
        assert after["retry_at"] is None

    async def test_of_the_dead_queue_that_fails_stays_one(
        self, probe_desk: Desk, hooks: Hooks
    ) -> None:
        """It came another way than it is handled now, and is the same all the same."""
        hooks.failing = {"n"}
        await handle(probe_desk, *letters(probe_desk, plain(), drained="dead"))
        await ask_for_retry(probe_desk)

        await kept(probe_desk).retry(probe_desk.work)

        (parked,) = await rows(probe_desk, "parked")
        assert (parked["reason"], parked["retry_at"]) == ("failed", None)

    async def test_of_an_unknown_type_is_sent_again(self, probe_desk: Desk) -> None:
        """Another service may read it by now: only the broker can tell which."""
        body = plain(type="relais.probe.new.v1")
        await handle(
            probe_desk,
            *letters(
                probe_desk,
                body,
                routing_key="relais.probe.new.v1",
                drained="unknown_type",
                message_id="m",
                correlation_id="c",
                headers=lambda: {"partitionkey": "A"},
            ),
        )
        await probe_desk.pool.execute("DELETE FROM outbox")
        await ask_for_retry(probe_desk)

        await kept(probe_desk).retry(probe_desk.work)

        assert not await rows(probe_desk, "parked")
        (sent,) = await rows(probe_desk, "outbox")
        assert (sent["exchange"], sent["routing_key"]) == (names.COMMANDS, "relais.probe.new.v1")
        assert (sent["body"], sent["message_id"], sent["correlation_id"]) == (body, "m", "c")
        assert sent["partitionkey"] == "A"

    async def test_is_not_retried_again_by_itself_where_it_ends_the_worker(
        self, probe_desk: Desk, hooks: Hooks
    ) -> None:
        """The wish is taken back before it is begun: a crash must not come round for ever."""
        hooks.failing = {"bad"}
        await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await ask_for_retry(probe_desk)
        hooks.gate.clear()
        retrying = asyncio.create_task(kept(probe_desk).retry(probe_desk.work))
        await asyncio.wait({retrying}, timeout=0.1)

        (parked,) = await rows(probe_desk, "parked")

        assert parked["retry_at"] is None
        hooks.gate.set()
        await retrying
        assert await notes(probe_desk) == ["bad"]

    async def test_at_two_workers_has_one_effect(self, probe_desk: Desk, hooks: Hooks) -> None:
        """Both look every second."""
        hooks.failing = {"bad"}
        await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await ask_for_retry(probe_desk)

        await asyncio.gather(*(kept(probe_desk).retry(probe_desk.work) for _ in range(2)))

        assert await notes(probe_desk) == ["bad"]
        assert not await rows(probe_desk, "parked")

    async def test_says_whether_there_is_more(self, probe_desk: Desk, hooks: Hooks) -> None:
        """A crowd is worked off without waiting a second for each."""
        hooks.failing = {"bad"}
        for _ in range(3):
            await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="bad")))
        hooks.failing = set()
        await ask_for_retry(probe_desk)

        while await kept(probe_desk).retry(probe_desk.work):
            pass

        assert not await rows(probe_desk, "parked")
