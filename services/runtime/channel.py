"""An AMQP channel that publishes in batches: many messages in one write, confirms counted.

aiormq spends most of a publish on per-call bookkeeping: a future, a drain and a frame object for
each part.  This subclass keeps its connection, its reader and its calls, and replaces just that
path.  A test pins the seams it leans on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Any

import aiormq.abc
from aiormq.channel import Channel
from pamqp import commands as spec
from pamqp.header import ContentHeader

from services.runtime.plain import plain

MESSAGES_PER_WRITE = 200
FRAME_END = b"\xce"

_frame = Struct(">BHI").pack
_header = Struct(">HHQH").pack
_long = Struct(">I").pack
_BASIC = 60
_PUBLISH = b"\x00\x3c\x00\x28\x00\x00"
# content type, headers, delivery mode, correlation id, message id, type, app id
_FLAGS = (15, 13, 12, 10, 7, 5, 3)
_PROPERTIES = sum(1 << bit for bit in _FLAGS)


@plain(frozen=True, slots=True)
class Outgoing:
    """One AMQP message to publish, persistent; partitionkey becomes a header."""

    exchange: str
    routing_key: str
    body: bytes
    type: str
    message_id: str
    content_type: str
    app_id: str
    correlation_id: str = ""
    partitionkey: str | None = None
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class Published:
    """What the broker said of a batch: the indexes it returned as unroutable or refused to take.

    Of those for a queue that does not answer it said nothing.
    """

    returned: frozenset[int] = frozenset()
    nacked: frozenset[int] = frozenset()
    silent: frozenset[int] = frozenset()

    @property
    def clean(self) -> bool:
        """Whether every message was taken."""
        return not (self.returned or self.nacked or self.silent)


class _Batch:
    """A run of publisher tags that wait for their confirms."""

    __slots__ = ("by_id", "first", "future", "nacked", "open", "returned")

    def __init__(self, first: int, messages: Sequence[Outgoing], future: Any) -> None:
        self.first = first
        self.open = len(messages)
        self.by_id = {message.message_id: i for i, message in enumerate(messages)}
        self.returned: set[int] = set()
        self.nacked: set[int] = set()
        self.future = future

    def confirm(self, tag: int, taken: bool) -> None:
        if not taken:
            self.nacked.add(tag - self.first)
        self.open -= 1
        if not self.open and not self.future.done():
            result = Published(frozenset(self.returned), frozenset(self.nacked - self.returned))
            self.future.set_result(result)


class BatchChannel(Channel):
    """A channel for publishing in batches."""

    def __init__(self, connection: aiormq.abc.AbstractConnection, number: int) -> None:
        """Use `open_channel`, which also registers and opens it."""
        super().__init__(connection, number, publisher_confirms=True)
        self._unconfirmed: dict[int, _Batch] = {}
        self._ids: dict[str, _Batch] = {}
        self._writing = asyncio.Lock()
        self._waiting: set[asyncio.Future[Any]] = set()
        self._closing.add_done_callback(self._fail_waiting)

    def _waiter(self) -> asyncio.Future[Any]:
        """A future of our own: aiormq rejects its futures with CancelledError when it closes,
        which a task cannot tell from its own cancellation.
        """
        future: asyncio.Future[Any] = self.loop.create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    def _fail_waiting(self, _: Any) -> None:
        for future in list(self._waiting):
            if not future.done():
                future.set_exception(ConnectionError(f"channel {self.number} was closed"))
                # Whoever was canceled no longer looks, and that is no news.
                future.exception()

    async def publish_batch(self, messages: Sequence[Outgoing]) -> Published:
        """Publish in order and wait until the broker has confirmed or refused each.

        If this is canceled or times out, the channel is no longer usable: close it.
        """
        if not messages:
            return Published()
        if self.is_closed:
            raise aiormq.exceptions.ChannelInvalidStateError(f"{self!r} is closed")
        try:
            # The broker numbers messages as they come: nobody may write in between.
            async with self._writing:
                batch = self._register(messages)
                for at in range(0, len(messages), MESSAGES_PER_WRITE):
                    await self._write(messages[at : at + MESSAGES_PER_WRITE])
            result: Published = await batch.future
            return result
        finally:
            for message in messages:
                self._ids.pop(message.message_id, None)

    def _register(self, messages: Sequence[Outgoing]) -> _Batch:
        batch = _Batch(self.delivery_tag + 1, messages, self._waiter())
        for message in messages:
            self.delivery_tag += 1
            self._unconfirmed[self.delivery_tag] = batch
            self._ids[message.message_id] = batch
        return batch

    async def _write(self, messages: Sequence[Outgoing]) -> None:
        payload = b"".join(_marshal(m, self.number, self.max_content_size) for m in messages)
        drained = self._waiter()
        frame = aiormq.abc.ChannelFrame(payload, should_close=False, drain_future=drained)
        await self.write_queue.put(frame)
        await drained

    async def _on_confirm_frame(self, frame: aiormq.abc.ConfirmationFrameType) -> None:
        last = frame.delivery_tag or 0
        taken = isinstance(frame, spec.Basic.Ack)
        if not getattr(frame, "multiple", False):
            if batch := self._unconfirmed.pop(last, None):
                batch.confirm(last, taken)
            return
        # Tags are inserted in rising order, and a dict keeps that order.
        done = []
        for tag in self._unconfirmed:
            if tag > last:
                break
            done.append(tag)
        for tag in done:
            self._unconfirmed.pop(tag).confirm(tag, taken)

    async def _on_return_frame(self, frame: spec.Basic.Return) -> None:
        header = await self._content_header()
        message = await self._read_content(frame, header)
        message_id = str(message.header.properties.message_id)
        if batch := self._ids.get(message_id):
            batch.returned.add(batch.by_id[message_id])

    async def _content_header(self) -> ContentHeader:
        header = await self._get_frame()
        if not isinstance(header, ContentHeader):
            raise ValueError(f"a content header was to come, not {header!r}")
        return header


async def open_channel(connection: aiormq.abc.AbstractConnection) -> BatchChannel:
    """Open the one batch channel of a connection."""
    await connection.ready()
    number = max(connection.channels, default=0) + 1
    channel = BatchChannel(connection, number)
    connection.channels[number] = channel
    await channel.open()
    return channel


def _short(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 255:
        raise ValueError(f"an AMQP short string has at most 255 bytes, not {len(encoded)}: {text}")
    return bytes((len(encoded),)) + encoded


@lru_cache(maxsize=4096)
def _publish_frame(exchange: str, routing_key: str, mandatory: bool, number: int) -> bytes:
    payload = _PUBLISH + _short(exchange) + _short(routing_key) + (b"\x01" if mandatory else b"\0")
    return _frame(1, number, len(payload)) + payload + FRAME_END


def _headers(partitionkey: str | None) -> bytes:
    if partitionkey is None:
        return b"\0\0\0\0"
    value = partitionkey.encode()
    entry = b"\x0cpartitionkeyS" + _long(len(value)) + value
    return _long(len(entry)) + entry


def _marshal(message: Outgoing, number: int, limit: int) -> bytes:
    """The frames of one publish: method, header and as many body frames as it takes."""
    body = message.body
    properties = b"".join(
        (
            _header(_BASIC, 0, len(body), _PROPERTIES),
            _short(message.content_type),
            _headers(message.partitionkey),
            b"\x02",
            _short(message.correlation_id),
            _short(message.message_id),
            _short(message.type),
            _short(message.app_id),
        )
    )
    frames = [
        _publish_frame(message.exchange, message.routing_key, message.mandatory, number),
        _frame(2, number, len(properties)) + properties + FRAME_END,
    ]
    for at in range(0, len(body), limit):
        part = body[at : at + limit]
        frames += (_frame(3, number, len(part)), part, FRAME_END)
    return b"".join(frames)
