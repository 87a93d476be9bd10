"""A message that cannot be handled is found and kept; the others go on."""

from dataclasses import replace

import asyncpg
import pytest

from services.runtime.decision import Answer
from services.runtime.messages.decider import TRIES
from tests.harness import Harness
from tests.runtime.environment import written
from tests.runtime.given import event, handle, item_of
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
