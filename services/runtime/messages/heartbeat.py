"""A worker says how it is: at its start, every few seconds, and at its orderly end.

What it says may be lost, and nothing waits for it: neither the worker nor its end.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import metadata

import structlog

from contracts import envelope, names
from contracts.operations import WorkerSeen
from services.runtime import telemetry
from services.runtime.amqp import lanes
from services.runtime.amqp.frames import Outgoing
from services.runtime.messages.consumer import Consumer
from services.runtime.tables.transaction import Work

log = structlog.get_logger()

FIRST_AFTER = 1.0
"""Seconds from the start to the first: by then a worker usually consumes, and has measured."""
EVERY = 10.0
"""Seconds between two of them."""
WITHIN = 2.0
"""Seconds that are waited for the database, which tells which slots are held."""
LAST_WITHIN = 1.0
"""Seconds that the end of a worker waits for its last one."""


class Heartbeat:
    """Emits worker.seen for one worker.

    started_at is by the clock of the service's database; a monotonic clock tells how long ago that
    was, so that the database may be away meanwhile.
    """

    def __init__(
        self,
        work: Work,
        consumer: Consumer,
        reasons: Callable[[], list[str]],
        started_at: datetime,
    ) -> None:
        self._work = work
        self._consumer = consumer
        self._reasons = reasons
        self._started_at = started_at
        self._began = time.monotonic()
        self._emitting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Emit one now and then, for ever."""
        await asyncio.sleep(FIRST_AFTER)
        while True:
            self._begin()
            await asyncio.sleep(EVERY)

    async def end(self) -> None:
        """Emit the last, and wait a moment for it; nobody else publishes any more."""
        for begin in (False, True):
            if begin:
                self._begin()
            if self._emitting is not None:
                await asyncio.wait({self._emitting}, timeout=LAST_WITHIN)
        if self._emitting is not None and self._emitting.cancel():
            await asyncio.wait({self._emitting}, timeout=LAST_WITHIN)

    def _begin(self) -> None:
        """Emit one, unless the one before is still on its way to a broker that takes nothing."""
        if self._emitting is None or self._emitting.done():
            self._emitting = asyncio.create_task(self._emit())

    async def _emit(self) -> None:
        try:
            seen = self._seen(await self._slots())
            await self._work.publisher.publish([self._message(seen)])
        except Exception as error:
            log.info("heartbeat_lost", error=repr(error))

    async def _slots(self) -> list[int]:
        """The slots that workers of this service hold; none where the database does not answer."""
        try:
            async with asyncio.timeout(WITHIN):
                return await lanes.held(self._work.pool)
        except Exception as error:
            log.info("slots_unknown", error=repr(error))
            return []

    def _seen(self, slots: list[int]) -> WorkerSeen:
        reasons = self._reasons()
        return WorkerSeen(
            service=self._work.service,
            instance=telemetry.instance(),
            version=metadata.version("relais"),
            slot=self._consumer.slot,
            lanes=self._consumer.lanes(slots),
            ready=not reasons,
            waiting_for=reasons,
            started_at=self._started_at,
            last_batch_at=self._consumer.last_batch_at,
            outbox=telemetry.value(telemetry.OUTBOX_PENDING),
            waiting=telemetry.value(telemetry.WAITING),
            parked=telemetry.value(telemetry.PARKED),
        )

    def _message(self, seen: WorkerSeen) -> Outgoing:
        id, source = uuid.uuid4().hex, names.source(seen.service)
        body = envelope.write(
            id=id,
            source=source,
            type=seen.TYPE,
            subject=seen.subject,
            data_json=seen.data_json(),
            time=self._started_at + timedelta(seconds=time.monotonic() - self._began),
            partitionkey=seen.key,
        )
        return Outgoing(
            exchange=names.EVENTS,
            routing_key=seen.TYPE,
            body=body,
            type=seen.TYPE,
            message_id=id,
            content_type=names.CLOUDEVENT,
            app_id=source,
            partitionkey=seen.key,
            mandatory=False,
            persistent=False,
        )
