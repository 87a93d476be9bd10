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

from services.runtime.amqp import broker
from services.runtime.amqp.channel import open_channel
from services.runtime.amqp.frames import Outgoing, Published

log = structlog.get_logger()

PROBE_TIMEOUT = 5.0
PROBES_AT_ONCE = 200
SILENT_FOR = 60.0
"""Seconds for which nothing more is sent to a queue that did not answer."""
REMEMBERED_FOR = 3600.0
"""Seconds for which it is probed before it is trusted again, unless it has answered."""

Together = Callable[[Sequence[Outgoing]], Awaitable[Published]]
Batch = Sequence[tuple[Outgoing, str | None]]
"""Each message with the queue that nobody else is to wait for."""
Probed = dict[int, Published]
"""What the broker answered for each message that was sent apart, by its place in the batch."""

# Routable nowhere: a broker that takes anything at all confirms it at once.
_SIGN_OF_LIFE = Outgoing("", "relais.nowhere", b"", "", "", "", "", mandatory=False)


class PublishFailed(broker.Unavailable):
    """The broker did not confirm every message; it may have some."""


class Unconfirmed(PublishFailed):
    """The broker took them and did not confirm them in time: one silent queue is enough."""


class Isolation:
    """Remembers which queues are silent, and publishes past them."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._silent: dict[str | None, float] = {}

    async def publish(
        self, messages: Sequence[Outgoing], queues: Sequence[str | None], together: Together
    ) -> Published:
        """Publish; queues names for each message the queue that nobody else is to wait for."""
        batch = list(zip(messages, queues, strict=True))
        probed: Probed = {}
        try:
            if not self._silent:
                return await together(messages)
            await self._probe(batch, self._doubted(), probed)
            return await self._publish_rest(batch, probed, together)
        except Unconfirmed as error:
            log.warning("silent_queue_sought", error=str(error))
            await self._probe(batch, set(queues) - {None}, probed)
            return await self._publish_rest(batch, probed, together)

    def _doubted(self) -> set[str | None]:
        """The queues that did not answer some time ago."""
        now = time.monotonic()
        for queue in [q for q, until in self._silent.items() if until + REMEMBERED_FOR < now]:
            del self._silent[queue]
        return {queue for queue, until in self._silent.items() if until <= now}

    def _is_silent(self, queue: str | None) -> bool:
        return self._silent.get(queue, 0) > time.monotonic()

    async def _probe(self, batch: Batch, doubted: AbstractSet[str | None], probed: Probed) -> None:
        """Publish the first message for each doubted queue on a channel of its own."""
        firsts: dict[str | None, int] = {}
        for at, (_, queue) in enumerate(batch):
            if queue in doubted and at not in probed and not self._is_silent(queue):
                firsts.setdefault(queue, at)
        if not firsts:
            return
        answers = await self._publish_apart([batch[at][0] for at in firsts.values()])
        for (queue, at), answer in zip(firsts.items(), answers, strict=True):
            if answer is None:
                self._silent[queue] = time.monotonic() + SILENT_FOR
                log.error("silent_queue", queue=queue)
            else:
                self._silent.pop(queue, None)
                probed[at] = answer

    async def _publish_rest(self, batch: Batch, probed: Probed, together: Together) -> Published:
        """Publish together what was not probed, but nothing for a silent queue."""
        open = [at for at in range(len(batch)) if at not in probed]
        silent = {at for at in open if self._is_silent(batch[at][1])}
        left = [at for at in open if at not in silent]
        rest = await together([batch[at][0] for at in left])
        returned = [left[n] for n in rest.returned]
        nacked = [left[n] for n in rest.nacked]
        returned += [at for at, answer in probed.items() if answer.returned]
        nacked += [at for at, answer in probed.items() if answer.nacked]
        return Published(frozenset(returned), frozenset(nacked), frozenset(silent))

    async def _publish_apart(self, messages: Sequence[Outgoing]) -> list[Published | None]:
        """Publish each on a channel of its own; None for one that is not confirmed in time.

        Raises PublishFailed when the broker takes nothing at all, before or after.
        """
        room = asyncio.Semaphore(PROBES_AT_ONCE)

        async def publish(message: Outgoing) -> Published | None:
            published = None
            with suppress(TimeoutError):
                async with room, asyncio.timeout(PROBE_TIMEOUT):
                    channel = await open_channel(connection)
                    published = await channel.publish_batch([message])
                    await channel.close()
            return published

        async def check() -> None:
            if await publish(_SIGN_OF_LIFE) is None:
                raise PublishFailed("the broker confirms nothing")

        async with broker.opened(self._url, f"{self._name} probe") as connection:
            await check()
            answers = await asyncio.gather(*(publish(message) for message in messages))
            if None in answers:
                await check()
            return answers
