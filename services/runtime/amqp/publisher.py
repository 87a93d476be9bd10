"""Publishing with confirms, in batches, on a connection of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from aiormq.abc import AbstractConnection

from contracts.hosts import Url
from services.runtime import telemetry
from services.runtime.amqp import broker
from services.runtime.amqp.channel import BatchChannel, open_channel
from services.runtime.amqp.frames import Outgoing, Published
from services.runtime.amqp.isolation import Isolation, PublishFailed, Unconfirmed

OPEN_TIMEOUT = 30.0


class Publisher:
    """Publishes batches on one channel, opened when needed and again after a fault."""

    def __init__(self, url: Url, name: str) -> None:
        self._url = url
        self._name = name
        self._isolation = Isolation(url, name)
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: BatchChannel | None = None

    async def publish(
        self, messages: Sequence[Outgoing], queues: Sequence[str | None] | None = None
    ) -> Published:
        """Publish in order; raises PublishFailed when not every confirm came.

        queues names for each message the queue it is for, where one that does not answer is to
        hold up nobody else: its messages are then reported as silent, see isolation.
        """
        if not (count := len(messages)):
            return Published()
        try:
            with telemetry.publish(count):
                if queues is None:
                    return await self._together(messages)
                return await self._isolation.publish(messages, queues, self._together)
        except asyncio.CancelledError as error:
            if broker.is_canceled():
                raise
            raise PublishFailed("the connection closed while publishing") from error
        except Exception as error:
            if isinstance(error, Unconfirmed) or not broker.is_fault(error):
                raise
            raise PublishFailed(f"{count} messages not confirmed: {error!r}") from error

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
            async with asyncio.timeout(OPEN_TIMEOUT):
                channel = await self.open()
            return await channel.publish_batch(messages)
        except BaseException as error:
            if channel is not None:
                self.forget(channel)
                if isinstance(error, TimeoutError):
                    raise Unconfirmed(
                        f"{len(messages)} messages not confirmed: {error!r}"
                    ) from error
            raise

    async def open(self) -> BatchChannel:
        """The channel; a worker opens it early, so as not to be ready before it can publish."""
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._discard()
                self._connection = await broker.connect(self._url, self._name)
                self._channel = await open_channel(self._connection)
            return self._channel

    def forget(self, channel: BatchChannel) -> None:
        """Use this channel no more, nor its connection; one that was opened meanwhile stays."""
        if channel is self._channel:
            self._discard()

    def _discard(self) -> None:
        """Nobody waits for the end of a connection: the broker may not answer."""
        if self._connection is not None:
            broker.closing(self._connection)
        self._connection, self._channel = None, None

    async def close(self) -> None:
        """Close the connection."""
        async with self._opening:
            if self._connection is not None:
                await broker.close(self._connection)
            self._connection, self._channel = None, None
