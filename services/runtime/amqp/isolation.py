"""Queues that do not answer, and how they are kept from holding up the others.

RabbitMQ keeps whatever comes on a channel behind a message for a queue that has no leader.  Where
confirms do not come, the first message for each queue is sent on a channel of its own: it shows
which queues are unresponsive, and those get nothing for a while.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

import structlog

from services.runtime.amqp.broker import connected, is_canceled, is_fault, underlying
from services.runtime.amqp.channel import open_channel
from services.runtime.amqp.frames import Outgoing, Published

log = structlog.get_logger()

PROBE_TIMEOUT = 5.0
PROBES_AT_ONCE = 200
SILENT_FOR = 60.0
"""Seconds for which nothing more is sent to a queue that did not answer."""
REMEMBERED_FOR = 3600.0
"""Seconds for which it is probed before it is trusted again, unless it has answered."""

PublishTogether = Callable[[Sequence[Outgoing]], Awaitable[Published]]

# Routable nowhere: a broker that takes anything at all confirms it at once.
_SIGN_OF_LIFE = Outgoing("", "relais.nowhere", b"", "", "", "", "", mandatory=False)


class PublishFailed(ConnectionError):
    """The broker did not confirm every message; it may have some."""


class Unconfirmed(PublishFailed):
    """The broker took them and did not confirm them in time: one silent queue is enough."""


def publish_failure(
    count: int, error: BaseException, kind: type[PublishFailed] = PublishFailed
) -> PublishFailed | None:
    """What a publish of `count` messages that failed raises; None where it is no fault of AMQP."""
    if isinstance(error, asyncio.CancelledError) and not is_canceled():
        return PublishFailed("the connection closed while publishing")
    if is_fault(error):
        return kind(f"{count} messages not confirmed: {error!r}")
    return None


class Isolation:
    """Remembers which queues are silent, and publishes past them."""

    def __init__(self, url: str, name: str) -> None:
        """No queue is known to be silent."""
        self._url = url
        self._name = name
        self._silent: dict[str, float] = {}

    async def publish(
        self, messages: Sequence[Outgoing], queues: Sequence[str | None], together: PublishTogether
    ) -> Published:
        """Publish; queues names for each message the queue that nobody else is to wait for."""
        if not self._silent:
            try:
                return await together(messages)
            except Unconfirmed as error:
                return await self._search(_Progress(messages, queues), together, error)
        progress = _Progress(messages, queues)
        await self._probe(progress, self._doubted())
        try:
            await self._publish_rest(progress, together)
        except Unconfirmed as error:
            return await self._search(progress, together, error)
        return progress.published

    async def _search(
        self, progress: "_Progress", together: PublishTogether, why: Unconfirmed
    ) -> Published:
        """Find out which queues are silent, and publish for all others."""
        log.warning("silent_queue_sought", error=str(why))
        await self._probe(progress, {queue for queue in progress.queues if queue is not None})
        await self._publish_rest(progress, together)
        return progress.published

    def _doubted(self) -> set[str]:
        """The queues that did not answer some time ago."""
        now = time.monotonic()
        gone = [queue for queue, until in self._silent.items() if until + REMEMBERED_FOR < now]
        for queue in gone:
            del self._silent[queue]
        return {queue for queue, until in self._silent.items() if until <= now}

    def _is_silent(self, queue: str | None) -> bool:
        return queue is not None and self._silent.get(queue, 0) > time.monotonic()

    async def _probe(self, progress: "_Progress", queues: AbstractSet[str]) -> None:
        """Publish the first message for each of these queues on a channel of its own."""
        firsts: dict[str, int] = {}
        for at in progress.open:
            queue = progress.queues[at]
            if queue is not None and queue in queues and not self._is_silent(queue):
                firsts.setdefault(queue, at)
        if not firsts:
            return
        answers = await self._publish_apart([progress.messages[at] for at in firsts.values()])
        for (queue, at), answer in zip(firsts.items(), answers, strict=True):
            if answer is None:
                self._silent[queue] = time.monotonic() + SILENT_FOR
                log.error("silent_queue", queue=queue)
            else:
                self._silent.pop(queue, None)
                progress.record([at], answer)

    async def _publish_rest(self, progress: "_Progress", together: PublishTogether) -> None:
        """Publish together what has not been published, but nothing for a silent queue."""
        progress.skip([at for at in progress.open if self._is_silent(progress.queues[at])])
        left = list(progress.open)
        progress.record(left, await together([progress.messages[at] for at in left]))

    async def _publish_apart(self, messages: Sequence[Outgoing]) -> list[Published | None]:
        """Publish each on a channel of its own; None for one that is not confirmed in time.

        Raises PublishFailed when the broker takes nothing at all, before or after.
        """
        room = asyncio.Semaphore(PROBES_AT_ONCE)

        async def publish(message: Outgoing) -> Published | None:
            async with room:
                published = None
                with suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_TIMEOUT):
                        channel = await open_channel(underlying(connection))
                        published = await channel.publish_batch([message])
                        await channel.close()
                return published

        async def check() -> None:
            if await publish(_SIGN_OF_LIFE) is None:
                raise PublishFailed("the broker confirms nothing")

        try:
            async with connected(self._url, f"{self._name} probe") as connection:
                await check()
                answers = await asyncio.gather(*(publish(message) for message in messages))
                if None in answers:
                    await check()
                return answers
        except BaseException as error:
            if failure := publish_failure(len(messages), error):
                raise failure from error
            raise


class _Progress:
    """What the broker has answered so far about the messages of a batch."""

    def __init__(self, messages: Sequence[Outgoing], queues: Sequence[str | None]) -> None:
        self.messages = messages
        self.queues = queues
        self.open = dict.fromkeys(range(len(messages)))
        self._returned: set[int] = set()
        self._nacked: set[int] = set()
        self._silent: set[int] = set()

    def record(self, places: Sequence[int], published: Published) -> None:
        """These were published, with this result."""
        self._returned.update(places[n] for n in published.returned)
        self._nacked.update(places[n] for n in published.nacked)
        for at in places:
            del self.open[at]

    def skip(self, places: Sequence[int]) -> None:
        """These are for silent queues, and are not published."""
        self._silent.update(places)
        for at in places:
            del self.open[at]

    @property
    def published(self) -> Published:
        return Published(
            frozenset(self._returned), frozenset(self._nacked), frozenset(self._silent)
        )
