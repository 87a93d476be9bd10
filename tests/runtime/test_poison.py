"""A message that cannot be handled is found and kept; the others go on."""

from dataclasses import replace

import asyncpg
import pytest

from services.runtime.messages.decider import TRIES
from services.runtime.messages.inbox import Answer
from tests.desk import Desk
from tests.runtime.letters import event, events, handle, letter, notes, rows, spoken
from tests.runtime.probe import Add, Added, Hooks, Told
from tests.runtime.stage import written

pytestmark = pytest.mark.servers


class TestAPoisonousMessage:
    """One that cannot be handled is found and kept; the others go on."""

    @pytest.mark.parametrize("at", [0, 250, 499])
    async def test_among_five_hundred_parks_itself_alone(
        self, probe_desk: Desk, hooks: Hooks, at: int
    ) -> None:
        """Every other one is handled once, in order."""
        hooks.failing = {str(at)}
        adds = [Add(thing_id=f"T{n % 7}", note=str(n)) for n in range(500)]

        answers = await handle(probe_desk, *(letter(probe_desk, add) for add in adds))

        good = [str(n) for n in range(500) if n != at]
        assert await notes(probe_desk) == good
        assert [n for n, answer in enumerate(answers) if answer is None] == [at]
        (parked,) = await rows(probe_desk, "parked")
        assert parked["reason"] == "failed"
        assert "cannot handle" in parked["error"]
        assert "Traceback" in parked["traceback"]
        told = [s.data["note"] for s in await spoken(probe_desk) if s.envelope.type == Added.TYPE]
        assert sorted(told, key=int) == good

    async def test_is_tried_so_many_times(self, probe_desk: Desk, hooks: Hooks) -> None:
        """What fails twice and then goes was no poison."""
        hooks.faults = [LookupError("a moment's weakness")] * (TRIES - 1)

        (answer,) = await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="n")))

        assert answer == Answer("accepted", version=1)
        assert not await rows(probe_desk, "parked")

    async def test_that_comes_again_is_not_tried_again(
        self, probe_desk: Desk, hooks: Hooks
    ) -> None:
        """It is kept until somebody says so; the redelivery of it ends in the inbox."""
        hooks.failing = {"bad"}
        bad = Add(thing_id="A", note="bad")
        await handle(probe_desk, letter(probe_desk, bad, "1"))
        hooks.batches.clear()

        await handle(probe_desk, letter(probe_desk, bad, "1"))

        assert not hooks.batches
        assert len(await rows(probe_desk, "parked")) == 1
        assert len(await events(probe_desk, "message.parked")) == 1

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
        self, probe_desk: Desk, hooks: Hooks, fault: Exception
    ) -> None:
        """Faults of the other side are waited out, however many; nothing is held against it."""
        hooks.faults = [fault] * (TRIES + 1)

        (answer,) = await handle(probe_desk, letter(probe_desk, Add(thing_id="A", note="n")))

        assert answer == Answer("accepted", version=1)
        assert not await rows(probe_desk, "parked")

    async def test_is_what_refuses_an_event(self, probe_desk: Desk) -> None:
        """A fact cannot be refused: that is a bug of the service, and kept as one."""
        body = written(Told(thing_id="A"), "1")
        (told,) = event(probe_desk, body)

        await handle(probe_desk, replace(told, body=Add(thing_id="A", come_to="refused")))

        (parked,) = await rows(probe_desk, "parked")
        assert "refused an event" in parked["error"]
