"""How the events of a transaction are packed into AMQP messages."""

from collections import defaultdict
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from contracts import envelope, names
from contracts.envelope import Envelope
from contracts.message import Event
from services.runtime.decision import Cause, Room
from services.runtime.messages.outbox import _messages, _packs
from services.runtime.tables.transaction import Emitted
from tests.runtime.probe import Added, Doubled

CAUSE = Cause("correlation", "causation", "actor", "00-trace")


def added(thing: str, n: int, pad: int = 0) -> Added:
    """An event of one kind."""
    return Added(thing_id=thing, note=str(n), total=n, version=1, pad="x" * pad)


def doubled(thing: str, n: int) -> Doubled:
    """An event of another."""
    return Doubled(thing_id=thing, note=str(n))


@st.composite
def emitted_events(draw: st.DrawFn) -> list[Emitted]:
    """What a transaction says: few kinds, keys and things, so that they meet."""
    count = draw(st.integers(0, 40))
    story = []
    for n in range(count):
        thing = draw(st.sampled_from("ABC"))
        event: Event = added(thing, n) if draw(st.booleans()) else doubled(thing, n)
        story.append(Emitted(event, CAUSE, draw(st.sampled_from("XY"))))
    return story


class TestPacks:
    """Events of one type and key travel together."""

    @given(emitted_events())
    def test_lose_and_double_nothing(self, story: list[Emitted]) -> None:
        """Every event is in one pack."""
        packed = [e for pack in _packs(story) for e in pack]

        assert sorted(map(id, packed)) == sorted(map(id, story))

    @given(emitted_events())
    def test_are_of_one_type_and_key(self, story: list[Emitted]) -> None:
        """That is what the batch format allows."""
        for pack in _packs(story):
            assert len({(e.event.TYPE, e.key) for e in pack}) == 1

    def test_keep_what_is_about_the_key_behind_what_comes_under_it(self) -> None:
        """Progress of a package is not read before the changes that it counts."""
        story = [
            Emitted(added("A", 0), CAUSE, "A"),
            Emitted(doubled("B", 1), CAUSE, "A"),
            Emitted(added("A", 2), CAUSE, "A"),
            Emitted(doubled("C", 3), CAUSE, "A"),
        ]

        packs = [[e.event.subject for e in pack] for pack in _packs(story)]

        assert packs == [["A"], ["B", "C"], ["A"]]

    @given(emitted_events())
    def test_keep_the_order_of_each_subject(self, story: list[Emitted]) -> None:
        """What was said first about a thing goes out first."""
        packed = [e for pack in _packs(story) for e in pack]

        assert by_subject(packed) == by_subject(story)

    @given(emitted_events())
    def test_keep_the_order_within_a_type_and_key(self, story: list[Emitted]) -> None:
        """A reader of one kind of event gets them as they were said."""
        packed = [e for pack in _packs(story) for e in pack]

        assert by_kind(packed) == by_kind(story)

    @given(st.integers(1, 300))
    def test_are_as_few_as_the_kinds_where_each_is_about_a_thing_of_its_own(
        self, count: int
    ) -> None:
        """A rush of commands on one key is a few messages, not hundreds."""
        story = [Emitted(added(f"T{n}", n), CAUSE, "X") for n in range(count)]
        story += [Emitted(doubled(f"U{n}", n), CAUSE, "X") for n in range(count)]

        assert len(_packs(story)) == 2


def by_subject(story: list[Emitted]) -> dict[tuple[str, str], list[Event]]:
    """The events about each thing, in order."""
    found = defaultdict(list)
    for e in story:
        found[e.key, e.event.subject].append(e.event)
    return found


def by_kind(story: list[Emitted]) -> dict[tuple[str, str], list[Event]]:
    """The events of each type and key, in order."""
    found = defaultdict(list)
    for e in story:
        found[e.key, e.event.TYPE].append(e.event)
    return found


class TestBodies:
    """A pack becomes as few messages as the limits of the wire allow."""

    def test_hold_a_thousand_at_most(self) -> None:
        """And the ids go on from one to the next."""
        messages = written([added(f"T{n}", n) for n in range(2_300)])

        assert [len(envelope.read(body)) for body, _ in messages] == [1_000, 1_000, 300]
        run = messages[0][1].rpartition("-")[0]
        assert [id for _, id in messages] == [f"{run}-0", f"{run}-1000", f"{run}-2000"]
        assert ids(messages) == [f"{run}-{n}" for n in range(2_300)]

    def test_hold_a_mebibyte_at_most(self) -> None:
        """Whatever their number."""
        messages = written([added(f"T{n}", n, pad=300_000) for n in range(10)])

        assert all(len(body) <= names.MAX_BODY_BYTES for body, _ in messages)
        assert len(ids(messages)) == 10
        assert len(messages) == 4

    def test_say_what_they_are(self) -> None:
        """One event is plain, several are the batch format; properties mirror the first."""
        story = [Emitted(added("A", 1), CAUSE, "X"), Emitted(added("B", 2), CAUSE, "X")]
        (pack,), (single,) = _packs(story), _packs(story[:1])

        (many,) = _messages("/relais/probe", pack, "run", datetime.now(UTC), Room(None))
        (one,) = _messages("/relais/probe", single, "run", datetime.now(UTC), Room(None))

        assert many.content_type == "application/cloudevents-batch+json"
        assert one.content_type == "application/cloudevents+json"
        for message in (many, one):
            assert (message.exchange, message.routing_key) == (names.EVENTS, Added.TYPE)
            assert (message.type, message.message_id) == (Added.TYPE, "run-0")
            assert (message.app_id, message.partitionkey) == ("/relais/probe", "X")
            assert message.correlation_id == "correlation"
            assert message.mandatory
            for element in envelope.read(message.body):
                assert isinstance(element, Envelope)
                assert element.source == "/relais/probe"
                assert element.partitionkey == "X"
                assert (element.correlationid, element.causationid) == ("correlation", "causation")
                assert (element.actor, element.traceparent) == ("actor", "00-trace")

    def test_leave_out_a_correlation_that_no_property_holds(self) -> None:
        """The envelope has it all the same."""
        long = "é" * 200
        (pack,) = _packs([Emitted(added("A", 1), Cause(correlationid=long), "X")])

        (message,) = _messages("/relais/probe", pack, "run", datetime.now(UTC), Room(None))

        assert message.correlation_id == ""
        (element,) = envelope.read(message.body)
        assert isinstance(element, Envelope)
        assert element.correlationid == long


def written(events: list[Added]) -> list[tuple[bytes, str]]:
    """Body and id of the messages that these events become."""
    (pack,) = _packs([Emitted(event, CAUSE, "X") for event in events])
    messages = _messages("/relais/probe", pack, "run", datetime.now(UTC), Room(None))
    return [(message.body, message.message_id) for message in messages]


def ids(messages: list[tuple[bytes, str]]) -> list[str]:
    """The ids of the envelopes, in order."""
    elements = [element for body, _ in messages for element in envelope.read(body)]
    return [element.id for element in elements if isinstance(element, Envelope)]
