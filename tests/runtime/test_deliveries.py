"""Deliveries, taken out of a stream of frames however it is cut into pieces."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp import decode
from pamqp.body import ContentBody
from pamqp.header import ContentHeader, ProtocolHeader
from pamqp.heartbeat import Heartbeat

from services.runtime.amqp.reader import HEARTBEAT_FRAME, Delivery, FrameReader

CHANNEL = 1
OTHER = 2
short = st.text(max_size=40)
properties = st.fixed_dictionaries(
    {},
    optional={
        "content_type": short,
        "content_encoding": short,
        "headers": st.dictionaries(st.text(min_size=1, max_size=20), short | st.integers(0, 9)),
        "delivery_mode": st.sampled_from([1, 2]),
        "priority": st.integers(0, 9),
        "correlation_id": short,
        "reply_to": short,
        "message_id": short,
        "message_type": short,
        "user_id": short,
        "app_id": short,
    },
)


@dataclass(frozen=True)
class Sent:
    """One message as the broker delivers it, its body in parts."""

    tag: int
    routing_key: str
    properties: dict[str, object]
    parts: list[bytes]

    def frames(self) -> list[bytes]:
        """The frames of its delivery."""
        deliver = spec.Basic.Deliver("lane", self.tag, False, "ex", self.routing_key)
        header = ContentHeader(
            body_size=sum(map(len, self.parts)),
            properties=spec.Basic.Properties(**self.properties),  # type: ignore[arg-type]
        )
        start: list[pamqp.frame.FrameTypes] = [deliver, header]
        bodies = [ContentBody(part) for part in self.parts]
        return [pamqp.frame.marshal(frame, CHANNEL) for frame in start + bodies]


@dataclass(frozen=True)
class Passing:
    """A frame that is no part of a delivery; a large one comes in one piece too."""

    frame: bytes

    def frames(self) -> list[bytes]:
        """Itself."""
        return [self.frame]


passing = st.sampled_from(
    [
        pamqp.frame.marshal(spec.Basic.Ack(7, True), OTHER),
        pamqp.frame.marshal(spec.Basic.ConsumeOk("lane"), CHANNEL),
        pamqp.frame.marshal(spec.Basic.Cancel("lane"), CHANNEL),
        pamqp.frame.marshal(spec.Connection.Blocked("memory"), 0),
        Heartbeat.marshal(),
    ]
).map(Passing)
sent = st.builds(
    Sent,
    tag=st.integers(1, 2**63 - 1),
    routing_key=short,
    properties=properties,
    parts=st.lists(st.binary(min_size=1, max_size=50), max_size=4),
)


async def read(chunks: Sequence[bytes]) -> tuple[list[Delivery], list[bytes]]:
    """The deliveries of a stream, and the frames that the library gets, as it asks for them."""
    taken: list[Delivery] = []
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    tap = FrameReader(stream, taken.append)
    passed = []
    try:
        while not tap.at_eof():
            passed.append(await frame(tap))
    except asyncio.IncompleteReadError:
        pass
    return taken, passed


async def frame(tap: FrameReader) -> bytes:
    """One frame, read in three bites as aiormq does."""
    head = await tap.readexactly(1) + await tap.readexactly(6)
    return head + await tap.readexactly(int.from_bytes(head[3:]) + 1)


def nested(depth: int) -> bytes:
    """An entry of a header table that holds a table that holds a table, and so on."""
    entry = b""
    for _ in range(depth):
        entry = b"\x01aF" + len(entry).to_bytes(4) + entry
    return entry


class TestTheStream:
    """What belongs to a delivery is taken, what does not is passed on."""

    @given(st.lists(sent | passing, max_size=8), st.integers(1, 400))
    async def test_is_read_the_same_in_pieces_of_any_size(
        self, story: list[Sent | Passing], size: int
    ) -> None:
        """Every message comes once, whole and in order, and every other frame untouched."""
        stream = b"".join(part for one in story for part in one.frames())
        chunks = [stream[at : at + size] for at in range(0, len(stream), size)]

        taken, passed = await read(chunks)

        messages = [one for one in story if isinstance(one, Sent)]
        assert [d.tag for d in taken] == [m.tag for m in messages]
        assert [d.routing_key for d in taken] == [m.routing_key for m in messages]
        assert [d.body for d in taken] == [b"".join(m.parts) for m in messages]
        assert [d.properties for d in taken] == [texts(m) for m in messages]
        assert [d.headers() for d in taken] == [m.properties.get("headers") or {} for m in messages]
        others = [one.frame for one in story if isinstance(one, Passing)]
        beats = Heartbeat.marshal()
        assert [f for f in passed if f != beats] == [f for f in others if f != beats]

    async def test_shows_the_library_that_the_other_side_lives(self) -> None:
        """A stream of deliveries alone must not look like a dead line."""
        story = [Sent(n, "key", {}, [b"x"]) for n in range(1, 4)]

        taken, passed = await read([part for one in story for part in one.frames()])

        assert len(taken) == 3
        assert passed[0] == HEARTBEAT_FRAME
        assert isinstance(pamqp.frame.unmarshal(HEARTBEAT_FRAME)[2], Heartbeat)

    async def test_is_left_unread_while_there_is_no_room(self) -> None:
        """The broker waits then; the library still hears that it lives."""
        taken: list[Delivery] = []
        stream = asyncio.StreamReader()
        for part in Sent(1, "key", {}, [b"x"]).frames():
            stream.feed_data(part)
        room = asyncio.Event()
        tap = FrameReader(stream, taken.append, room)

        assert await frame(tap) == HEARTBEAT_FRAME
        assert taken == []
        room.set()
        assert await frame(tap) == HEARTBEAT_FRAME
        assert [delivery.tag for delivery in taken] == [1]

    async def test_passes_on_the_header_of_another_protocol(self) -> None:
        """The broker's way to say that it speaks another version; the library knows it."""
        stream = asyncio.StreamReader()
        stream.feed_data(ProtocolHeader(1, 2, 3).marshal())
        tap = FrameReader(stream, lambda _: None)

        assert await tap.readexactly(1) + await tap.readexactly(6) == b"AMQP\x00\x01\x02"

    async def test_ends_where_the_broker_goes(self) -> None:
        """Half a frame and then nothing is an end, as the library knows it."""
        stream = asyncio.StreamReader()
        stream.feed_data(Sent(1, "key", {}, [b"body"]).frames()[0][:-3])
        stream.feed_eof()

        with pytest.raises(asyncio.IncompleteReadError):
            await FrameReader(stream, lambda _: None).readexactly(1)


def texts(message: Sent) -> dict[str, object]:
    """The priority, and what is a short string; the library leaves empty ones out."""
    found: dict[str, object] = {
        k: v for k, v in message.properties.items() if isinstance(v, str) and v
    }
    if kind := found.pop("message_type", None):
        found["type"] = kind
    if "priority" in message.properties:
        found["priority"] = str(message.properties["priority"])
    return found


class TestWhatNobodyCanRead:
    """A sender's odd property never stops the messages of others."""

    async def test_text_that_is_not_utf8_is_replaced(self) -> None:
        """Brokers do not look at it, so it comes to us."""
        header = ContentHeader(properties=spec.Basic.Properties(message_id="zz"))
        deliver = spec.Basic.Deliver("lane", 1, False, "ex", "key")
        frames = [pamqp.frame.marshal(f, CHANNEL) for f in (deliver, header)]

        taken, _ = await read([frame.replace(b"zz", b"\xff\xfe") for frame in frames])

        assert taken[0].properties["message_id"] == "��"

    async def test_a_stamp_of_the_year_50000_is_passed_over(self) -> None:
        """Microseconds where seconds are meant are an honest mistake."""
        stamped = b"\x00\x3c\x00\x00" + bytes(8) + b"\x00\x40" + (10**15).to_bytes(8)
        header = b"\x02\x00\x01" + len(stamped).to_bytes(4) + stamped + b"\xce"
        deliver = pamqp.frame.marshal(spec.Basic.Deliver("lane", 1, False, "ex", "k"), CHANNEL)
        with pytest.raises(pamqp.exceptions.UnmarshalingException):
            pamqp.frame.unmarshal(header)

        taken, _ = await read([deliver, header])

        assert [delivery.tag for delivery in taken] == [1]

    @pytest.mark.parametrize(
        "entry",
        [
            b"\x02\xff\xfeS\x00\x00\x00\x01x",
            b"\x01aT" + (10**15).to_bytes(8),
            b"\x01aT" + (2**64 - 1).to_bytes(8),
            b"\x01a?",
            nested(2_000),
        ],
        ids=[
            "a name that is not UTF-8",
            "microseconds",
            "a moment beyond all",
            "an unknown kind",
            "tables in tables",
        ],
    )
    def test_headers_that_cannot_be_decoded_are_none(self, entry: bytes) -> None:
        """A message is judged by its body; its headers are for us to count by."""
        table = len(entry).to_bytes(4) + entry
        with pytest.raises((ValueError, OverflowError, OSError, RecursionError)):
            decode.field_table(table)

        assert Delivery(1, "lane", "ex", "key", {}, table, b"").headers() == {}
