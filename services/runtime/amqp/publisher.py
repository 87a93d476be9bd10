"""Publishing with confirms, in batches, on a connection of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from aio_pika.abc import AbstractConnection

from services.runtime import telemetry
from services.runtime.amqp.broker import close, connect, underlying
from services.runtime.amqp.channel import BatchChannel, open_channel
from services.runtime.amqp.frames import Outgoing, Published
from services.runtime.amqp.isolation import (
    Isolation,
    PublishFailed,
    Unconfirmed,
    publish_failure,
)

CONFIRM_TIMEOUT = 30.0


class Publisher:
    """Publishes batches on one channel, opened when needed and again after a fault."""

    def __init__(self, url: str, name: str) -> None:
        """Nothing is opened before the first publish."""
        self._url = url
        self._name = name
        self._isolation = Isolation(url, name)
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: BatchChannel | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last publish left a working channel."""
        return self._channel is not None and not self._channel.is_closed

    async def publish(
        self, messages: Sequence[Outgoing], queues: Sequence[str | None] | None = None
    ) -> Published:
        """Publish in order; raises PublishFailed when not every confirm came.

        queues names for each message the queue it is for, where one that does not answer is to
        hold up nobody else: its messages are then reported as silent, see isolation.
        """
        with telemetry.publish(len(messages)):
            if queues is None:
                return await self._together(messages)
            return await self._isolation.publish(messages, queues, self._together)

    async def publish_leased(
        self,
        messages: Sequence[Outgoing],
        queues: Sequence[str | None],
        lease: timedelta,
        renew: Callable[[], Awaitable[None]],
    ) -> Published:
        """Publish, and renew the lease on what is published while a slow broker takes its time.

        A renewal that raises ends the publish, and with it the channel that others use as well.
        """
        publishing = asyncio.create_task(self.publish(messages, queues))
        try:
            while not (await asyncio.wait({publishing}, timeout=lease.total_seconds() / 2))[0]:
                await renew()
            return publishing.result()
        finally:
            publishing.cancel()

    async def _together(self, messages: Sequence[Outgoing]) -> Published:
        """Publish on the one channel.

        The channel of a publish that failed or was canceled is thrown away: its confirms
        no longer count from where we think.
        """
        if not messages:
            return Published()
        channel = None
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT):
                channel = await self._ready()
                return await channel.publish_batch(messages)
        except BaseException as error:
            await asyncio.shield(self._throw_away(channel))
            late = isinstance(error, TimeoutError) and channel is not None
            kind = Unconfirmed if late else PublishFailed
            if failure := publish_failure(len(messages), error, kind):
                raise failure from error
            raise

    async def open(self) -> None:
        """Connect now, so that a worker is not ready before it can publish."""
        await self._ready()

    async def _ready(self) -> BatchChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self._discard()
                self._connection = await connect(self._url, self._name)
                self._channel = await open_channel(underlying(self._connection))
            return self._channel

    async def _throw_away(self, channel: BatchChannel | None) -> None:
        """Only a channel of our own: meanwhile somebody may have opened another."""
        async with self._opening:
            if channel is not None and channel is self._channel:
                await self._discard()

    async def close(self) -> None:
        """Throw the connection away."""
        async with self._opening:
            await self._discard()

    async def _discard(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await close(connection)
