"""An AMQP channel that publishes in batches: many messages in one write, confirms counted.

aiormq spends most of a publish on per-call bookkeeping: a future, a drain and a frame object for
each part.  This subclass keeps its connection, its reader and its calls, and replaces just that
path.  A test pins the seams it leans on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import aiormq.abc
from aiormq.channel import Channel
from pamqp import commands as spec
from pamqp.header import ContentHeader

from services.runtime.amqp.frames import Outgoing, Published, encode

MESSAGES_PER_WRITE = 200


@dataclass(slots=True)
class _Batch:
    """A run of publisher tags that wait for their confirms."""

    first: int
    open: int
    future: asyncio.Future[Published]
    returned: set[int] = field(default_factory=set)
    nacked: set[int] = field(default_factory=set)

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
        self._tags: dict[str, int] = {}
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
        if self.is_closed:
            raise aiormq.exceptions.ChannelInvalidStateError(f"{self!r} is closed")
        try:
            # The broker numbers messages as they come: nobody may write in between.
            async with self._writing:
                batch = self._register(messages)
                for at in range(0, len(messages), MESSAGES_PER_WRITE):
                    await self._write(messages[at : at + MESSAGES_PER_WRITE])
            return await batch.future
        finally:
            for message in messages:
                self._tags.pop(message.message_id, None)

    def _register(self, messages: Sequence[Outgoing]) -> _Batch:
        batch = _Batch(self.delivery_tag + 1, len(messages), self._waiter())
        for tag, message in enumerate(messages, batch.first):
            self._unconfirmed[tag] = batch
            self._tags[message.message_id] = tag
        self.delivery_tag += len(messages)
        return batch

    async def _write(self, messages: Sequence[Outgoing]) -> None:
        payload = b"".join(encode(m, self.number, self.max_content_size) for m in messages)
        drained = self._waiter()
        frame = aiormq.abc.ChannelFrame(payload, should_close=False, drain_future=drained)
        await self.write_queue.put(frame)
        await drained

    async def _on_confirm_frame(self, frame: aiormq.abc.ConfirmationFrameType) -> None:
        last = frame.delivery_tag or 0
        taken = isinstance(frame, spec.Basic.Ack)
        if getattr(frame, "multiple", False):
            # Tags are inserted in rising order, and a dict keeps that order.
            tags = list(takewhile(last.__ge__, self._unconfirmed))
        else:
            tags = [last]
        for tag in tags:
            if batch := self._unconfirmed.pop(tag, None):
                batch.confirm(tag, taken)

    async def _on_return_frame(self, frame: spec.Basic.Return) -> None:
        header = await self._get_frame()
        if not isinstance(header, ContentHeader):
            raise ValueError(f"a content header was to come, not {header!r}")
        message = await self._read_content(frame, header)
        # A message comes back before its confirm does.
        tag = self._tags.get(str(message.header.properties.message_id), 0)
        if batch := self._unconfirmed.get(tag):
            batch.returned.add(tag - batch.first)


async def open_channel(connection: aiormq.abc.AbstractConnection) -> BatchChannel:
    """Open the one batch channel of a connection."""
    await connection.ready()
    number = max(connection.channels, default=0) + 1
    channel = BatchChannel(connection, number)
    connection.channels[number] = channel
    await channel.open()
    return channel
