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
STALLED_AFTER = 4.0
"""Seconds without a confirm, and without room for a write, after which a publish has stalled."""


@dataclass(slots=True, eq=False)
class _Batch:
    """A run of publisher tags that wait for their confirms, for as long as the broker moves."""

    first: int
    last: int
    open: int
    future: asyncio.Future[Published]
    patience: asyncio.Timeout
    returned: set[int] = field(default_factory=set)
    nacked: set[int] = field(default_factory=set)

    def confirm(self, tag: int, taken: bool) -> None:
        if not taken:
            self.nacked.add(tag - self.first)
        self.open -= 1
        if not self.open and not self.future.done():
            result = Published(frozenset(self.returned), frozenset(self.nacked - self.returned))
            self.future.set_result(result)

    def moved(self) -> None:
        if not self.patience.expired():
            self.patience.reschedule(self.future.get_loop().time() + STALLED_AFTER)


class BatchChannel(Channel):
    """A channel for publishing in batches."""

    def __init__(self, connection: aiormq.abc.AbstractConnection, number: int) -> None:
        """Use `open_channel`, which also registers and opens it."""
        super().__init__(connection, number, publisher_confirms=True)
        self._unconfirmed: dict[int, _Batch] = {}
        self._batches: list[_Batch] = []
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

        It times out when nothing moves, and not while the broker is slow.
        If this is canceled or times out, the channel is no longer usable: close it.
        """
        if self.is_closed:
            raise aiormq.exceptions.ChannelInvalidStateError(f"{self!r} is closed")
        batch = None
        try:
            async with asyncio.timeout(None) as patience:
                # The broker numbers messages as they come: nobody may write in between.
                async with self._writing:
                    batch = self._register(messages, patience)
                    for at in range(0, len(messages), MESSAGES_PER_WRITE):
                        batch.moved()
                        await self._write(messages[at : at + MESSAGES_PER_WRITE])
                return await batch.future
        finally:
            if batch is not None:
                self._batches.remove(batch)
            for message in messages:
                self._tags.pop(message.message_id, None)

    def _register(self, messages: Sequence[Outgoing], patience: asyncio.Timeout) -> _Batch:
        first, last = self.delivery_tag + 1, self.delivery_tag + len(messages)
        batch = _Batch(first, last, len(messages), self._waiter(), patience)
        self._batches.append(batch)
        for tag, message in enumerate(messages, batch.first):
            self._unconfirmed[tag] = batch
            self._tags[message.message_id] = tag
        self.delivery_tag = last
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
        # What was written later waits for these.
        for batch in self._batches:
            if tags and batch.last >= tags[0]:
                batch.moved()

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
