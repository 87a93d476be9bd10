"""A message that cannot be handled is found and kept; the others go on."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from services.runtime.decision import Answer
from services.runtime.messages.decider import TRIES, Decider
from services.runtime.messages.item import Item
from tests.harness import Harness
from tests.runtime.environment import written
from tests.runtime.given import HASTY, event, handle, item_of
from tests.runtime.probe import Add, Added, Hooks, Reported
from tests.runtime.then import events, notes, outbox_envelopes, rows

pytestmark = pytest.mark.servers


class TestAPoisonousMessage:
    """One that cannot be handled is found and kept; the others go on."""

    @pytest.mark.parametrize("at", [0, 250, 499])
    async def test_among_five_hundred_parks_itself_alone(
        self, harness: Harness, hooks: Hooks, at: int
    ) -> None:
        """Every other one is handled once, in order."""
        hooks.failing = {str(at)}
        adds = [Add(thing_id=f"T{n % 7}", note=str(n)) for n in range(500)]

        answers = await handle(harness, *(item_of(harness, add) for add in adds))

        good = [str(n) for n in range(500) if n != at]
        assert await notes(harness) == good
        assert [n for n, a in enumerate(answers) if a and a.outcome == "parked"] == [at]
        (parked,) = await rows(harness, "parked")
        assert parked["reason"] == "failed"
        assert "cannot handle" in parked["error"]
        assert "Traceback" in parked["traceback"]
        told = [
            s.data["note"] for s in await outbox_envelopes(harness) if s.envelope.type == Added.TYPE
        ]
        assert sorted(told, key=int) == good

    async def test_is_tried_so_many_times(self, harness: Harness, hooks: Hooks) -> None:
        """What fails twice and then goes was no poison."""
        hooks.faults = [LookupError("a moment's weakness")] * (TRIES - 1)

        (answer,) = await handle(harness, item_of(harness, Add(thing_id="A", note="n")))

        assert answer == Answer("accepted", version=1)
        assert not await rows(harness, "parked")

    async def test_that_comes_again_is_not_tried_again(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """It is kept until somebody says so; the redelivery of it ends in the inbox."""
        hooks.failing = {"bad"}
        bad = Add(thing_id="A", note="bad")
        await handle(harness, item_of(harness, bad, "1"))
        hooks.batches.clear()

        await handle(harness, item_of(harness, bad, "1"))

        assert not hooks.batches
        assert len(await rows(harness, "parked")) == 1
        assert len(await events(harness, "message.parked")) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            ConnectionResetError("gone"),
            asyncpg.DeadlockDetectedError("deadlock detected"),
            asyncpg.SerializationError("could not serialize"),
            asyncpg.AdminShutdownError("terminating connection"),
            TimeoutError(),
        ],
        ids=lambda fault: type(fault).__name__,
    )
    async def test_is_not_what_meets_a_passing_fault(
        self, harness: Harness, hooks: Hooks, fault: Exception
    ) -> None:
        """Faults of the other side are waited out, however many; nothing is held against it."""
        hooks.faults = [fault] * (TRIES + 1)

        (answer,) = await handle(harness, item_of(harness, Add(thing_id="A", note="n")))

        assert answer == Answer("accepted", version=1)
        assert not await rows(harness, "parked")

    async def test_is_what_refuses_an_event(self, harness: Harness) -> None:
        """A fact cannot be refused: that is a bug of the service, and kept as one."""
        body = written(Reported(thing_id="A"), "1")
        (told,) = event(harness, body)

        await handle(harness, replace(told, body=Add(thing_id="A", outcome="refused")))

        (parked,) = await rows(harness, "parked")
        assert "refused an event" in parked["error"]


BEGUN = "INSERT INTO attempts (digest, count, last) VALUES ($1, $2, now())"


class TestAMessageThatKeepsComing:
    """It may be what ends the worker, once one has begun it."""

    async def test_is_decided_with_others_where_nobody_had_begun_it(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Workers that are stopped give back what they were given, however often."""
        items = [item_of(harness, Add(thing_id="A", note=str(n))) for n in range(20)]

        await decide_suspects(harness, items)

        assert hooks.batches == [20]
        assert await notes(harness) == [str(n) for n in range(20)]
        assert not await rows(harness, "attempts")

    async def test_is_decided_alone_where_a_worker_had(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Those between such are decided together, and all in order."""
        items = [item_of(harness, Add(thing_id="A", note=str(n))) for n in range(10)]
        for at in (3, 4):
            await harness.pool.execute(BEGUN, items[at].digest, 1)

        await decide_suspects(harness, items)

        assert hooks.batches == [3, 1, 1, 5]
        assert await notes(harness) == [str(n) for n in range(10)]
        assert not await rows(harness, "attempts")

    async def test_is_parked_where_it_has_ended_so_many(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """Those that were begun with it once are handled."""
        items = [item_of(harness, Add(thing_id="A", note=str(n))) for n in range(5)]
        for at, item in enumerate(items):
            await harness.pool.execute(BEGUN, item.digest, TRIES if at == 2 else 1)

        await decide_suspects(harness, items)

        assert await notes(harness) == ["0", "1", "3", "4"]
        (parked,) = await rows(harness, "parked")
        assert (parked["reason"], parked["id"]) == ("crashed", items[2].id)
        assert not await rows(harness, "attempts")

    async def test_may_be_there_twice(self, harness: Harness) -> None:
        """A sender may put one message into an array two times."""
        twice = item_of(harness, Add(thing_id="A", note="n"), "1")

        await decide_suspects(harness, [twice, twice])

        assert await notes(harness) == ["n"]
        assert not await rows(harness, "attempts")


async def decide_suspects(harness: Harness, items: Sequence[Item]) -> None:
    """Decide what has come so often that one of it may end the worker."""
    await Decider(harness.service, harness.work, HASTY).decide_suspects(items)
