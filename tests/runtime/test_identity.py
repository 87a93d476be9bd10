"""Source and id name one message: what comes under them with other content is another."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from services.runtime.decision import Answer
from services.runtime.messages import item
from services.runtime.messages.item import Item
from tests.harness import Harness
from tests.runtime.given import (
    PATIENT,
    event,
    handle,
    items_of,
    kept,
    plain,
)
from tests.runtime.probe import Add, Hooks, Reported
from tests.runtime.then import events, notes, rows


def add(note: str, id: str = "1", **more: Any) -> bytes:
    """A command under an id."""
    return plain(id=id, data={"note": note, **more})


async def outcomes(harness: Harness, *bodies: bytes, **more: Any) -> list[str]:
    """What becomes of these in one batch: the code, or the outcome where there is none."""
    items = [i for body in bodies for i in items_of(harness, body, **more)]
    return [said(answer) for answer in await handle(harness, *items, patience=PATIENT)]


def said(answer: Answer | None) -> str:
    """The code, or the outcome."""
    return answer.code or answer.outcome if answer else "waits"


def read(body: bytes) -> Item:
    """What is read of a body."""
    came = item.Origin("relais.commands", Add.TYPE)
    (found,) = item.read(came, body, {Add.TYPE: Add}, datetime.now(UTC))
    return found


class TestContent:
    """Type, subject and data, as JSON values."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (b'{"a": 1, "b": [1, {"c": null, "d": 2}]}', b'{"b":[1,{"d":2,"c":null}],"a":1}'),
            (b'{"a": 1}', b'{"a": 1.0}'),
            (b'{"a": 100}', b'{"a": 1e2}'),
            (b'{"a": 10000000000000000}', b'{"a": 1e16}'),
            (b'{"a": 0}', b'{"a": -0.0}'),
            (b'{"a": 0.1}', b'{"a": 0.10}'),
            (b'{"a": "\\u00e9"}', '{"a": "é"}'.encode()),
            (b"{}", b"null"),
        ],
    )
    def test_is_the_same_however_it_is_written(self, one: bytes, other: bytes) -> None:
        """Key order, white space, escapes and the form of a number do not count."""
        assert content(one) == content(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (b'{"a": 1}', b'{"a": true}'),
            (b'{"a": 0}', b'{"a": false}'),
            (b'{"a": 1}', b'{"a": "1"}'),
            (b'{"a": 1}', b'{"a": 1.5}'),
            (b'{"a": null}', b"{}"),
            (b'{"a": [1, 2]}', b'{"a": [2, 1]}'),
            (b'{"a": [1]}', b'{"a": 1}'),
            (b'{"a": 9007199254740993}', b'{"a": 9007199254740992}'),
        ],
    )
    def test_is_another_where_a_value_differs(self, one: bytes, other: bytes) -> None:
        """True is not 1, null is not absent, and a list has an order."""
        assert content(one) != content(other)

    def test_is_type_and_subject_as_well(self) -> None:
        """Also where the envelope is broken."""
        whole = {read(plain(**change)).content for change in ({}, {"subject": "B"}, {"type": "x"})}
        broken = {
            read(plain(time="bad", **change)).content
            for change in ({}, {"subject": "B"}, {"type": "x"})
        }
        assert len(whole) == 3
        assert whole == broken

    def test_is_nothing_else(self) -> None:
        """A repeat may have a newer time, or another trace."""
        assert read(plain(time="2026-11-23T09:00:00Z", traceparent="x")).content == (
            read(plain()).content
        )


def content(data: bytes) -> bytes:
    """The digest of a command with this data."""
    return read(plain(data="DATA").replace(b'"DATA"', data)).content


@pytest.mark.servers
class TestACommandUnderAUsedId:
    """It is refused as `id_reused`, and named what the id was used for."""

    async def test_is_refused_with_what_it_was_used_for(self, harness: Harness) -> None:
        """The sender sees that nothing was done, and why."""
        await outcomes(harness, add("first"))

        (answer,) = await handle(harness, *items_of(harness, plain(subject="B")))

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "id_reused")
        (used,) = await rows(harness, "inbox", "received_at LIMIT 1")
        at = f"{used['received_at']:%Y-%m-%dT%H:%M:%SZ}"
        assert answer.message is not None
        assert answer.message.startswith(
            f"source '/test' and id '1' were used for {Add.TYPE[7:-3]} of A at {at} (accepted); "
        )
        assert await notes(harness) == ["first"]
        (refused,) = await events(harness, "command.refused")
        assert (refused.data["code"], refused.envelope.subject) == ("id_reused", "B")

    async def test_is_refused_in_the_same_batch(self, harness: Harness) -> None:
        """The first one counts."""
        found = await outcomes(harness, add("first"), add("other"), add("first"))
        assert found == ["accepted", "id_reused", "accepted"]
        assert await notes(harness) == ["first"]

    async def test_is_refused_once(self, harness: Harness) -> None:
        """A redelivery of it gets the same answer, and no second event."""
        await outcomes(harness, add("first"))
        for _ in range(2):
            assert await outcomes(harness, add("other"), add("other")) == ["id_reused"] * 2
        assert await outcomes(harness, add("third")) == ["id_reused"]
        assert len(await events(harness, "command.refused")) == 2

    async def test_is_the_same_written_otherwise(self, harness: Harness) -> None:
        """The form of the JSON does not count."""
        await outcomes(harness, add("first", amount=1))
        again = b'{"data": {"amount": 1, "note": "first"},' + plain(data=...)[1:]
        assert await outcomes(harness, again) == ["accepted"]
        assert await notes(harness) == ["first"]

    async def test_is_refused_where_the_first_was_broken(self, harness: Harness) -> None:
        """Whatever became of it: a corrected command has an id of its own."""
        assert await outcomes(harness, add("bad", amount=-1)) == ["invalid"]
        assert await outcomes(harness, add("bad", amount=-1)) == ["invalid"]
        assert await outcomes(harness, add("bad")) == ["id_reused"]

    async def test_is_refused_while_the_first_waits(self, harness: Harness) -> None:
        """The one that came first keeps the id."""
        assert await outcomes(harness, add("early", needs="B")) == ["waits"]
        assert await outcomes(harness, add("other")) == ["id_reused"]
        assert await outcomes(harness, add("early", needs="B"), add("x")) == ["waits", "id_reused"]
        await outcomes(harness, plain(id="2", subject="B", data={"note": "B"}))

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert await notes(harness) == ["B", "early"]
        assert await outcomes(harness, add("early", needs="B")) == ["accepted"]

    async def test_in_the_batch_of_one_that_waits_is_refused(self, harness: Harness) -> None:
        """Both are there at once."""
        assert await outcomes(harness, add("early", needs="B"), add("other")) == [
            "waits",
            "id_reused",
        ]

    async def test_is_refused_while_the_first_is_parked(
        self, harness: Harness, hooks: Hooks
    ) -> None:
        """And the retry of the first is not disturbed by it."""
        hooks.failing = {"bad"}
        assert await outcomes(harness, add("bad")) == ["parked"]
        assert await outcomes(harness, add("bad")) == ["parked"]
        assert await outcomes(harness, add("other")) == ["id_reused"]
        hooks.failing = set()
        await harness.pool.execute("UPDATE kept SET retry_at = now()")

        await kept(harness).retry(harness.work)

        assert await notes(harness) == ["bad"]
        assert await outcomes(harness, add("bad"), add("other")) == ["accepted", "id_reused"]

    async def test_at_another_worker_is_refused(self, harness: Harness, hooks: Hooks) -> None:
        """Both think at first that they are the only one."""
        hooks.gate.clear()
        racing = [
            asyncio.create_task(outcomes(harness, plain(subject=subject))) for subject in "AB"
        ]
        await asyncio.wait(racing, timeout=0.1)

        hooks.gate.set()

        found = await asyncio.gather(*racing)
        assert sorted(one for (one,) in found) == ["accepted", "id_reused"]
        assert len(await notes(harness)) == 1

    async def test_of_a_row_from_before_gets_the_old_answer(self, harness: Harness) -> None:
        """There is nothing to compare it with."""
        await outcomes(harness, add("first"))
        await harness.pool.execute("UPDATE inbox SET digest = NULL, subject = NULL")
        assert await outcomes(harness, add("other")) == ["accepted"]


@pytest.mark.servers
class TestAnEventUnderAUsedId:
    """Nobody is there to be told: it is kept for an operator."""

    def reported(self, note: str) -> bytes:
        """An event under an id."""
        return plain(type=Reported.TYPE, data={"thing_id": "A", "note": note})

    async def test_is_parked_with_that_reason(self, harness: Harness) -> None:
        """Once, however often it comes."""
        await handle(harness, *event(harness, self.reported("first")))
        for _ in range(2):
            await handle(harness, *event(harness, self.reported("other")))

        (parked,) = await rows(harness, "parked")
        assert parked["reason"] == "id_reused"
        assert "were used for" in parked["error"]
        assert len(await events(harness, "message.parked")) == 1
        assert await notes(harness) == ["first"]

    async def test_is_handled_where_an_operator_wants_it(self, harness: Harness) -> None:
        """A retry is what says so; it has an effect once."""
        await handle(harness, *event(harness, self.reported("first")))
        await handle(harness, *event(harness, self.reported("other")))
        await harness.pool.execute("UPDATE kept SET retry_at = now()")

        await kept(harness).retry(harness.work)
        await handle(harness, *event(harness, self.reported("other")))

        assert await notes(harness) == ["first", "other"]
        assert not await rows(harness, "parked")
