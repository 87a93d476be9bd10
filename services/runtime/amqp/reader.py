"""Deliveries, taken out of the byte stream of a connection before its library sees them.

For each delivery aiormq builds three frame objects, passes them through two queues and starts a
task: most of what a message costs.  Its public door for transports lets us read first: what
belongs to a delivery is decoded here, and every other frame goes on to it untouched.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from typing import Any

from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from pamqp import decode
from pamqp.commands import Basic
from yarl import URL

CHUNK = 256 * 1024
_METHOD, _HEADER, _BODY = 1, 2, 3
_DELIVER = b"\x00\x3c\x00\x3c"
PATIENCE = 1.0
"""Seconds without reading after which aiormq is told that the other side is alive."""
_OBJECTS = 1_000
HEARTBEAT_FRAME = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_frame = Struct(">BHI").unpack_from
_quad = Struct(">Q").unpack_from
_size_and_flags = Struct(">QH").unpack_from
_long = Struct(">I").unpack_from

_LENGTHS = {"octet": 1, "timestamp": 8, "table": -1}
# The properties of a message in the order of their flags; None is a short string.
_PROPERTIES = [
    (flag, name.replace("message_type", "type"), _LENGTHS.get(Basic.Properties.amqp_type(name)))
    for name, flag in Basic.Properties.flags.items()
]


@dataclass(slots=True)
class Delivery:
    """One AMQP message as delivered; properties has those that are short strings.

    head is how many bytes its properties and headers take.
    """

    tag: int
    consumer: str
    exchange: str
    routing_key: str
    properties: dict[str, str]
    table: bytes
    body: bytes
    head: int = 0

    @property
    def size(self) -> int:
        """The bytes that it takes, with the objects that hold it."""
        return _OBJECTS + self.head + len(self.body)

    def headers(self) -> dict[str, Any]:
        """The AMQP headers, decoded only for those who look; none where a sender's are odd."""
        try:
            return dict(decode.field_table(self.table)[1]) if self.table else {}
        except (ValueError, OverflowError, OSError, RecursionError):
            return {}


Take = Callable[[Delivery], None]


class Transport(TransportFactory):
    """The usual transport, whose deliveries go to take, in order, and nowhere else.

    While room is there and not set nothing is read, and the broker has to wait.
    """

    def __init__(self, take: Take, room: asyncio.Event | None = None) -> None:
        self._take = take
        self._room = room

    async def create(
        self, url: URL, **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """What aiormq calls to connect."""
        inner = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, writer = await inner.create(url, **options)
        return FrameReader(reader, self._take, self._room), writer  # type: ignore[return-value]


class FrameReader:
    """The reader that aiormq gets: the stream without its deliveries."""

    def __init__(
        self, reader: asyncio.StreamReader, take: Take, room: asyncio.Event | None = None
    ) -> None:
        self._reader = reader
        self._take = take
        self._room = room
        self._buffer = b""
        self._at = 0
        self._passed = b""
        self._taken = 0
        self._delivery: Delivery
        # The channel of the delivery under way; none has -1.
        self._channel = -1
        self._missing = 0
        self._parts: list[bytes] = []

    def at_eof(self) -> bool:
        """Whether nothing more will come."""
        return not self._passed and self._at == len(self._buffer) and self._reader.at_eof()

    async def read(self, n: int = -1) -> bytes:
        """What is left of the frame under way; for messages about broken streams only."""
        rest, self._passed = self._passed, b""
        return rest if n < 0 else rest[:n]

    async def readexactly(self, n: int) -> bytes:
        """The next bytes of the frames that are not of deliveries."""
        if not self._passed:
            self._passed = await self._next_frame()
        part, self._passed = self._passed[:n], self._passed[n:]
        return part

    async def _next_frame(self) -> bytes:
        while True:
            frame = self._parse()
            if frame is not None:
                return frame
            if self._taken:
                # aiormq must see that the other side is alive: it counts only what it gets.
                self._taken = 0
                return HEARTBEAT_FRAME
            if self._room is not None and not self._room.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._room.wait(), PATIENCE)
                return HEARTBEAT_FRAME
            left = self._buffer[self._at :]
            chunk = await self._reader.read(CHUNK)
            if not chunk:
                raise asyncio.IncompleteReadError(left, None)
            self._buffer, self._at = left + chunk, 0

    def _parse(self) -> bytes | None:
        """Take deliveries until another frame comes, which is returned; None wants more bytes."""
        buffer, at = self._buffer, self._at
        end = len(buffer)
        while end - at >= 8:
            kind, channel, size = _frame(buffer, at)
            if buffer[at : at + 4] == b"AMQP":
                # The broker's way to say that it speaks another version.
                self._at = end
                return buffer[at:]
            after = at + 8 + size
            if after > end:
                break
            if kind == _METHOD and buffer[at + 7 : at + 11] == _DELIVER:
                self._begin(buffer, at + 11, channel)
            elif channel == self._channel and kind == _HEADER:
                self._head(buffer[at + 7 : after - 1])
            elif channel == self._channel and kind == _BODY:
                self._add(buffer[at + 7 : after - 1])
            else:
                self._at = after
                return buffer[at:after]
            at = after
        self._at = at
        return None

    def _begin(self, buffer: bytes, at: int, channel: int) -> None:
        consumer, at = _short(buffer, at)
        (tag,) = _quad(buffer, at)
        # One byte says whether it was delivered before; the counts in its headers say more.
        exchange, at = _short(buffer, at + 9)
        routing_key, at = _short(buffer, at)
        self._delivery = Delivery(tag, consumer, exchange, routing_key, {}, b"", b"")
        self._channel = channel
        self._parts = []

    def _head(self, payload: bytes) -> None:
        self._missing, flags = _size_and_flags(payload, 4)
        self._delivery.head = len(payload)
        self._delivery.table = _properties(payload, flags, self._delivery.properties)
        if not self._missing:
            self._add(b"")

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._missing -= len(part)
        if self._missing <= 0:
            parts, self._channel = self._parts, -1
            self._delivery.body = parts[0] if len(parts) == 1 else b"".join(parts)
            self._taken += 1
            self._take(self._delivery)


def _short(buffer: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + buffer[at]
    return buffer[at + 1 : end].decode("utf-8", "replace"), end


def _properties(payload: bytes, flags: int, found: dict[str, str]) -> bytes:
    """Fill in the properties that are short strings; returns the headers, not decoded."""
    at = 14
    table = b""
    for flag, name, length in _PROPERTIES:
        if not flags & flag:
            continue
        if length is None:
            found[name], at = _short(payload, at)
        elif length < 0:
            (size,) = _long(payload, at)
            table = payload[at : at + 4 + size]
            at += 4 + size
        else:
            at += length
    return table
