"""Versions of one service beside each other, and copies of what is another service's."""

from dataclasses import replace

import pytest

from contracts.packages import EditPackage
from services.runtime.messages.item import DRAIN, Item
from services.runtime.service import routes
from tests.harness import Harness
from tests.runtime.given import PATIENT, handle, item_of, items_of, kept, plain
from tests.runtime.probe import Add, Reported
from tests.runtime.then import events, notes, rows

pytestmark = pytest.mark.servers

AGE = "UPDATE kept SET kept_at = kept_at - interval '11 minutes'"
ELSEWHERE = EditPackage.TYPE
NOWHERE = "relais.probe.of-no-type.v1"


def of_version(harness: Harness, *read: type) -> Harness:
    """A worker of a version that reads just these, on the same database."""
    return Harness(replace(harness.service, routes=routes(*read)), harness.work, harness._stack)


def unread(older: Harness, thing: str = "A", note: str = "n") -> Item:
    """A command that the older worker gets, because a newer one has bound its type."""
    return item_of(older, Add(thing_id=thing, note=note))


class TestATypeOfANewerVersion:
    """An older worker leaves it to a newer one: it neither refuses it nor loses it."""

    @pytest.fixture
    def older(self, harness: Harness) -> Harness:
        """One that does not read Add yet."""
        return of_version(harness, Reported)

    async def test_waits(self, older: Harness) -> None:
        """Without an answer, and nobody is told that it is wrong."""
        assert await handle(older, unread(older)) == [None]

        assert len(await rows(older, "waiting")) == 1
        assert not await rows(older, "parked")
        assert not await events(older, "command.refused")

    async def test_of_an_event_waits_too(self, harness: Harness) -> None:
        """It is a fact that the newer version wants to hear."""
        older = of_version(harness, Add)

        await handle(older, item_of(older, Reported(thing_id="A")))

        assert len(await rows(older, "waiting")) == 1

    async def test_is_left_alone_by_the_older_sweep(self, older: Harness) -> None:
        """It is not read again and again by who cannot read it."""
        await handle(older, unread(older))
        sources = kept(older, PATIENT)

        await sources.decide_waiting(older.work)

        assert not sources.decider.wakes_waiting
        assert len(await rows(older, "waiting")) == 1

    async def test_is_decided_by_a_newer_worker(self, harness: Harness, older: Harness) -> None:
        """In the order in which they came."""
        await handle(older, *(unread(older, note=str(n)) for n in range(3)))

        await kept(harness, PATIENT).decide_waiting(harness.work)

        assert await notes(harness) == ["0", "1", "2"]
        assert not await rows(harness, "waiting")

    async def test_holds_nobody_up(self, older: Harness) -> None:
        """What the older worker reads it goes on handling."""
        await handle(older, unread(older), item_of(older, Reported(thing_id="A", note="read")))

        assert await notes(older) == ["read"]

    async def test_makes_the_older_worker_unready(self, harness: Harness, older: Harness) -> None:
        """Its readiness names the type; that of the newer one does not."""
        await handle(older, unread(older))
        sources, newer = kept(older), kept(harness)

        await sources.measure(older.work)
        await newer.measure(harness.work)

        assert sources.decider.unread == [Add.TYPE]
        assert not newer.decider.unread

    async def test_is_parked_where_no_newer_worker_comes(self, older: Harness) -> None:
        """After ten minutes, so that somebody hears of it."""
        await handle(older, unread(older))
        await older.pool.execute(AGE)

        await kept(older).decide_waiting(older.work)

        (parked,) = await rows(older, "parked")
        assert parked["reason"] == "unread"
        assert Add.TYPE in parked["error"]
        assert not await rows(older, "waiting")

    async def test_is_taken_up_even_then(self, harness: Harness, older: Harness) -> None:
        """By the first worker that reads it, without anybody's asking."""
        await handle(older, unread(older))
        await older.pool.execute(AGE)
        await kept(older).decide_waiting(older.work)
        newer = kept(harness)

        await newer.measure(harness.work)
        assert await newer.retry(harness.work)

        assert await notes(harness) == ["n"]
        assert not await rows(harness, "parked")


class TestACopy:
    """What is another service's has its own answer: from here comes none."""

    @pytest.mark.parametrize(
        ("type_", "routing_key", "copied"),
        [
            pytest.param(ELSEWHERE, ELSEWHERE, None, id="by BCC, which nobody sees"),
            pytest.param(ELSEWHERE, ELSEWHERE, [Add.TYPE], id="by CC"),
            pytest.param(Add.TYPE, ELSEWHERE, [Add.TYPE], id="of a type of ours"),
            pytest.param(ELSEWHERE, NOWHERE, [Add.TYPE], id="of a routing key of nobody"),
            pytest.param(NOWHERE, NOWHERE, [ELSEWHERE, Add.TYPE], id="of a type of nobody"),
        ],
    )
    async def test_of_another_service_s_command_is_left_to_it(
        self, harness: Harness, type_: str, routing_key: str, copied: list[str] | None
    ) -> None:
        """Whichever way it came here."""
        body, headers = plain(type=type_), {"CC": copied} if copied else {}
        came = items_of(harness, body, routing_key=routing_key, headers=lambda: headers)

        assert await handle(harness, *came) == [None]

        assert not await rows(harness, "kept")
        assert not await rows(harness, "inbox")
        assert not await rows(harness, "outbox")

    @pytest.mark.parametrize("body", [b"{", b"[]", plain(type=ELSEWHERE, id=...)])
    async def test_that_is_broken_is_left_to_it_too(self, harness: Harness, body: bytes) -> None:
        """Its reader finds that out as well."""
        await handle(harness, *items_of(harness, body, routing_key=ELSEWHERE))

        assert not await rows(harness, "kept")
        assert not await rows(harness, "outbox")

    async def test_to_another_service_is_handled_here(self, harness: Harness) -> None:
        """The copy is theirs; this one is ours."""
        headers = {"CC": [ELSEWHERE]}

        (answer,) = await handle(harness, *items_of(harness, plain(), headers=lambda: headers))

        assert answer is not None
        assert answer.outcome == "accepted"

    async def test_of_the_same_id_is_no_repeat(self, harness: Harness) -> None:
        """The answer to another command is none to it."""
        await handle(harness, *items_of(harness, plain()))

        copy = items_of(harness, plain(type=ELSEWHERE), routing_key=ELSEWHERE)
        assert await handle(harness, *copy) == [None]


class TestAWrongRoutingKey:
    """It is what is wrong, and the type is not."""

    async def test_that_no_lane_takes_is_refused_as_such(self, harness: Harness) -> None:
        """It is not called an unknown type."""
        body = plain(type="relais.package.cancel.v1")

        (answer,) = await handle(
            harness, *items_of(harness, body, routing_key="package.cancel", source=DRAIN)
        )

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert "'package.cancel'" in (answer.message or "")
        assert "'relais.package.cancel.v1'" in (answer.message or "")
        assert not await rows(harness, "parked")

    async def test_of_an_unreadable_body_is_an_unknown_type(self, harness: Harness) -> None:
        """There is nothing that it should have been."""
        (answer,) = await handle(
            harness, *items_of(harness, b"{", routing_key=NOWHERE, source=DRAIN)
        )

        assert answer is not None
        assert answer.code == "unknown_type"
