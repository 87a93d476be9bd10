"""What becomes of messages: each is decided once, and nothing that cannot be is lost."""

import asyncio

import pytest
from pamqp import encode

from contracts import names
from services.runtime.amqp.reader import Delivery
from services.runtime.decision import Answer
from services.runtime.messages import item
from tests.harness import Harness
from tests.runtime.given import event, handle, item_of, items_of, plain
from tests.runtime.probe import Add, Added, Doubled, Hooks, Reported
from tests.runtime.then import events, notes, outbox_envelopes, rows

pytestmark = pytest.mark.servers


class TestTheSameMessage:
    """Source and id are what makes it the same."""

    async def test_twice_in_one_batch_has_one_effect(self, harness: Harness) -> None:
        """The second gets the answer of the first."""
        add = Add(thing_id="A", note="once")

        first, second = await handle(
            harness, item_of(harness, add, "1"), item_of(harness, add, "1")
        )

        assert first == second == Answer("accepted", version=1)
        assert await notes(harness) == ["once"]

    async def test_in_another_batch_has_no_second_effect(self, harness: Harness) -> None:
        """It gets the answer that was given, whatever has happened since."""
        add = Add(thing_id="A", note="once")
        (first,) = await handle(harness, item_of(harness, add, "1"))
        await handle(harness, item_of(harness, Add(thing_id="A", note="since")))

        (again,) = await handle(harness, item_of(harness, add, "1"))

        assert again == first
        assert await notes(harness) == ["once", "since"]

    @pytest.mark.parametrize("outcome", ["unchanged", "refused"])
    async def test_is_told_the_same_no(self, harness: Harness, outcome: str) -> None:
        """Code, message and version come again, the event that says so does not."""
        add = Add.model_validate({"thing_id": "A", "outcome": outcome})
        (first,) = await handle(harness, item_of(harness, add, "1"))

        (again,) = await handle(harness, item_of(harness, add, "1"))

        assert first is not None
        assert first.outcome == outcome
        assert again == first
        assert len(await events(harness, f"command.{outcome}")) == 1

    async def test_is_told_the_same_errors(self, harness: Harness) -> None:
        """A broken command is refused once, and told all of it again."""
        body = plain(data={"amount": "much", "nonsense": 1})
        (first,) = await handle(harness, *items_of(harness, body))

        (again,) = await handle(harness, *items_of(harness, body))

        assert first is not None
        assert len(first.errors) == 2
        assert again == first

    async def test_of_another_source_is_another(self, harness: Harness) -> None:
        """Two systems may count their messages alike."""
        await handle(harness, *items_of(harness, plain(source="/a")))
        await handle(harness, *items_of(harness, plain(source="/b")))

        assert len(await notes(harness)) == 2

    @pytest.mark.parametrize("known", [False, True], ids=["a new thing", "a known thing"])
    async def test_at_two_workers_has_one_effect(
        self, harness: Harness, hooks: Hooks, known: bool
    ) -> None:
        """Whoever is second decides again, and finds the answer of the first."""
        if known:
            await handle(harness, item_of(harness, Add(thing_id="A", note="before")))
        hooks.gate.clear()
        add = Add(thing_id="A", note="once")
        racing = [
            asyncio.create_task(handle(harness, item_of(harness, add, "1"))) for _ in range(2)
        ]
        await asyncio.wait(racing, timeout=0.1)

        hooks.gate.set()

        (first,), (second,) = await asyncio.gather(*racing)
        assert first == second
        assert (await notes(harness)).count("once") == 1
        assert len(await rows(harness, "outbox")) == 1 + known


class TestABatch:
    """The unit of a transaction."""

    async def test_shows_each_message_what_the_ones_before_did(self, harness: Harness) -> None:
        """They are decided in order, against the world as it is by then."""
        adds = [Add(thing_id="A", note=str(n), amount=2) for n in range(5)]

        answers = await handle(harness, *(item_of(harness, add) for add in adds))

        assert [a.version for a in answers if a] == [1, 2, 3, 4, 5]
        assert [s.data["total"] for s in await outbox_envelopes(harness) if "total" in s.data] == [
            2,
            4,
            6,
            8,
            10,
        ]

    async def test_of_one_body_is_handled_element_by_element(self, harness: Harness) -> None:
        """A broken element harms no other."""
        good = [plain(id=str(n), data={"note": str(n)}) for n in (1, 3)]
        body = b"[%s,%s,%s,17]" % (good[0], plain(id="2", subject="no id!"), good[1])

        answers = await handle(harness, *items_of(harness, body))

        assert [a and a.outcome for a in answers] == ["accepted", "refused", "accepted", "refused"]
        assert await notes(harness) == ["1", "3"]
        assert [row["reason"] for row in await rows(harness, "parked")] == ["unreadable"]

    async def test_hands_its_cause_on(self, harness: Harness) -> None:
        """An event says which message caused it, and carries on its correlation and its trace."""
        attributes = {"correlationid": "story", "actor": "m.durand", "traceparent": "00-a-b-01"}
        await handle(harness, *items_of(harness, plain(id="7", **attributes)))

        (emitted,) = await outbox_envelopes(harness)

        assert emitted.envelope.causationid == "7"
        assert emitted.envelope.correlationid == "story"
        assert emitted.envelope.actor == "m.durand"
        assert emitted.envelope.traceparent == "00-a-b-01"

    async def test_says_its_events_in_order(self, harness: Harness) -> None:
        """What was said first about a thing is first, also of another kind."""
        adds = [Add(thing_id="A", note=str(n), amount=2) for n in range(2)]

        await handle(harness, *(item_of(harness, add) for add in adds))

        emitted = [(s.envelope.type, s.data["note"]) for s in await outbox_envelopes(harness)]
        assert emitted == [
            (Added.TYPE, "0"),
            (Doubled.TYPE, "0"),
            (Added.TYPE, "1"),
            (Doubled.TYPE, "1"),
        ]


class TestABrokenMessage:
    """A command is refused with all that is wrong, an event is kept for somebody to look at."""

    async def test_command_is_refused_with_every_error(self, harness: Harness) -> None:
        """Of its envelope and of its data at once."""
        body = plain(subject="no id!", time="yesterday", data={"amount": -1, "nonsense": 1})

        (answer,) = await handle(harness, *items_of(harness, body))

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        fields = {error.field for error in answer.errors}
        assert fields == {"subject", "time", "data.amount", "data.nonsense"}
        (refused,) = await events(harness, "command.refused")
        assert {error["field"] for error in refused.data["errors"]} == fields
        assert not await rows(harness, "parked")

    async def test_command_of_another_type_than_its_routing_key_is_refused(
        self, harness: Harness
    ) -> None:
        """It would be read as something that its sender did not route it as."""
        (answer,) = await handle(
            harness, *items_of(harness, plain(type="relais.package.cancel.v1"))
        )

        assert answer is not None
        assert answer.code == "invalid"
        assert [error.field for error in answer.errors] == ["type"]
        assert Add.TYPE in answer.errors[0].message

    async def test_event_is_parked(self, harness: Harness) -> None:
        """And said to be; nobody is there to be told no."""
        body = plain(type=Reported.TYPE, data={"thing_id": "A", "note": 3})

        (answer,) = await handle(harness, *event(harness, body))

        assert answer is not None
        assert answer.outcome == "parked"
        (parked,) = await rows(harness, "parked")
        assert (parked["reason"], parked["id"], parked["body"]) == ("invalid", "1", body)
        (emitted,) = await events(harness, "message.parked")
        assert emitted.data["reason"] == "invalid"
        assert emitted.data["message_id"] == "1"
        assert emitted.data["error"] == "data.note must be text, not 3"

    async def test_event_comes_again_and_is_parked_once(self, harness: Harness) -> None:
        """A redelivery finds that it is kept."""
        body = plain(type=Reported.TYPE, data={"thing_id": "A", "note": 3})
        await handle(harness, *event(harness, body))

        await handle(harness, *event(harness, body))

        assert len(await rows(harness, "parked")) == 1
        assert len(await events(harness, "message.parked")) == 1

    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xfe", b"17", b"[]", b"{", plain(id=...), plain(source="")]
    )
    async def test_unreadable_is_parked_and_answered(self, harness: Harness, body: bytes) -> None:
        """Not even who sent it can be told; its reply queue may hear of it all the same."""
        (answer,) = await handle(harness, *items_of(harness, body))

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        (parked,) = await rows(harness, "parked")
        assert (parked["reason"], parked["body"]) == ("unreadable", body)

    async def test_of_one_without_source_or_id_each_field_is_named(self, harness: Harness) -> None:
        """And whichever of the two can be read is in the answer."""
        nameless, unsigned, unnamed = [
            (await handle(harness, *items_of(harness, plain(**lacking, subject="no id!"))))[0]
            for lacking in ({"id": ..., "source": ...}, {"source": ""}, {"id": 3})
        ]
        assert nameless is not None
        assert unsigned is not None
        assert unnamed is not None
        assert [e.field for e in nameless.errors] == ["id", "source", "subject"]
        assert [e.field for e in unsigned.errors] == ["source", "subject"]
        assert [e.field for e in unnamed.errors] == ["id", "subject"]
        assert nameless.message == "id is required; source is required"
        assert unnamed.message == "id must be text, not 3; its source is '/test'"

    async def test_command_that_hides_a_nul_anywhere_is_refused(self, harness: Harness) -> None:
        """Postgres keeps none in text; it must not be what ends the worker."""
        body = plain(type=f"{Add.TYPE}\0", subject="\0", actor="\0", data={"\0": "\0"})

        (answer,) = await handle(harness, *items_of(harness, body))

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert len(await events(harness, "command.refused")) == 1

    async def test_event_that_hides_a_nul_anywhere_is_parked(self, harness: Harness) -> None:
        """In the properties of its AMQP message as well, and in what is said of it."""
        odd = dict.fromkeys(("message_id", "correlation_id", "reply_to"), "\0x")
        table = encode.field_table({"a\0": "b\0", "n": [1, "\0"], "d": 1.5, "t": {"x": "\0"}})
        body = plain(type=f"{Reported.TYPE}\0", data={"note": "\0"})
        for one in (body, b"\0"):
            came = Delivery(1, "lane", names.EVENTS, f"{Reported.TYPE}\0", odd, table, one)
            items = item.read(item.origin_of(came), one, harness.service.routes)
            await handle(harness, *items)

        assert len(await rows(harness, "parked")) == 2
        assert len(await events(harness, "message.parked")) == 2

    async def test_says_its_subject_where_it_can_be_read(self, harness: Harness) -> None:
        """The refusal is about the thing that the command was about."""
        await handle(harness, *items_of(harness, plain(subject="CAT86", time="bad")))
        await handle(harness, *items_of(harness, plain(id="2", subject="no id!")))

        subjects = [s.envelope.subject for s in await events(harness, "command.refused")]
        assert subjects == ["CAT86", "-"]


class TestACommandOfMuchToTell:
    """What it would come to does not fit into one message."""

    async def test_is_refused_and_harms_no_other(self, harness: Harness) -> None:
        """Its sender hears why; what it had changed is taken back."""
        pad = "x" * (names.MAX_BODY_BYTES - 300)
        commands = [
            item_of(harness, Add(thing_id="A", note="before"), "1"),
            item_of(harness, Add(thing_id="A", note="large", pad=pad), "2"),
            item_of(harness, Add(thing_id="A", note="after"), "3"),
        ]

        before, large, after = await handle(harness, *commands)

        assert before == Answer("accepted", version=1)
        assert after == Answer("accepted", version=2)
        assert large is not None
        assert (large.outcome, large.code) == ("refused", "invalid")
        assert "at most 1048576" in (large.message or "")
        assert await notes(harness) == ["before", "after"]
        assert (await handle(harness, commands[1]))[0] == large
        assert await rows(harness, "parked") == []


class TestAPriority:
    """RabbitMQ 4 lets a command that has one overtake others of its package."""

    @pytest.mark.parametrize(
        ("properties", "heeds", "overtakes"),
        [
            ({"priority": "4"}, True, True),
            ({"priority": "0"}, True, False),
            ({}, True, False),
            ({"priority": "9"}, False, False),
        ],
    )
    def test_overtakes_where_the_broker_heeds_it(
        self, properties: dict[str, str], heeds: bool, overtakes: bool
    ) -> None:
        """Before RabbitMQ 4 no lane does."""
        delivery = Delivery(1, "lane", names.COMMANDS, Add.TYPE, properties, b"", plain())

        assert item.origin_of(delivery, heeds_priority=heeds).overtakes is overtakes

    async def test_is_refused_where_it_overtakes(self, harness: Harness) -> None:
        """So that none has its effect before one that was sent earlier."""
        (answer,) = await handle(harness, *items_of(harness, plain(), overtakes=True))

        assert answer is not None
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert "priority must not be set" in (answer.message or "")

    async def test_of_an_event_is_no_matter(self, harness: Harness) -> None:
        """A fact cannot be refused; services give their events none."""
        fact = plain(type=Reported.TYPE, data={"thing_id": "A"})

        (answer,) = await handle(harness, *event(harness, fact, overtakes=True))

        assert answer is not None
        assert answer.outcome == "accepted"


class TestWhatIsKeptOfABatch:
    """An element that is put aside is kept as it came."""

    async def test_keeps_the_difference_between_null_and_absent(self, harness: Harness) -> None:
        """Null clears a field, absent leaves it: one must not become the other."""
        body = b"[%s]" % plain(type=Reported.TYPE, data={"note": None, "more": {"deep": None}})

        await handle(harness, *event(harness, body))

        (parked,) = await rows(harness, "parked")
        assert b'"note":null' in parked["body"]
        assert b'"deep":null' in parked["body"]
