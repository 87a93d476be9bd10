"""The consumer drains lanes: take what is there, decide it, publish, acknowledge.

Three stages run at once: reading ahead, deciding one batch, and publishing the one before.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog
from aiormq.abc import AbstractChannel
from aiormq.exceptions import AMQPError

from services.runtime import telemetry
from services.runtime.amqp import broker, lanes, topology
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.messages import answers
from services.runtime.messages.decider import Decider, Result
from services.runtime.messages.intake import Batch, Intake
from services.runtime.postgres.database import backoff, is_transient
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.tables.transaction import Work

log = structlog.get_logger()

LOOKED_AT_EVERY = 10.0
"""Seconds between two looks at the lanes."""
ANSWERED_WITHIN = 5.0
BACK_WITHIN = 10.0
"""Seconds after a fault of the broker in which it may not have brought back all its queues."""
STANDS_AFTER = 10.0
"""Seconds without progress of the oldest batch in hand after which work does not flow."""

Done = asyncio.Queue[tuple[Batch | None, Result] | None]
"""Batches that have been decided, in commit order; a batch of parts comes with the last of them.
None is the end."""


class Consumer:
    """Consumes the lanes of one service until it is told to stop; heals what breaks."""

    def __init__(self, service: Service, work: Work, settings: Settings, slot: lanes.Slot) -> None:
        self._service = service
        self._work = work
        self._settings = settings
        self._slot = slot
        self.decider = Decider(service, work, timedelta(seconds=settings.unknown_wait_seconds))
        self._stopping = asyncio.Event()
        self._intake: Intake | None = None
        self._in_hand: deque[Batch] = deque()
        self._awaited = "Postgres"
        self._errors: dict[str, str] = {}
        self._silent: Sequence[str] = ()
        self._remarks: Callable[[], list[str]] = list
        self._queues: Sequence[str] = ()
        self._major = 0
        self.last_batch_at: datetime | None = None
        """When the last batch was decided, by the clock of the database."""
        self.last_progress = time.monotonic()
        """When the oldest batch in hand last came to its next stage: the others wait for it."""

    @property
    def is_busy(self) -> bool:
        """Whether batches have been taken and not acknowledged."""
        return bool(self._in_hand)

    @property
    def is_consuming(self) -> bool:
        """Whether messages come in; not while what has begun waits for a server that is away."""
        return self._intake is not None and self._intake.is_consuming

    @property
    def slot(self) -> int | None:
        """The slot that this worker holds, where it does."""
        return self._slot.number if self._slot.is_held else None

    def lanes(self, slots: Collection[int]) -> list[int]:
        """The numbers of the lanes whose messages come to this worker, while these slots are held.

        A broker that spreads no lanes leaves all to whoever consumed them first: where others are
        beside it, only what has come tells.
        """
        intake, slot = self._intake, self.slot
        if intake is None or slot is None or not intake.is_consuming:
            return []
        if self._major >= 4 or not set(slots) - {slot}:
            return lanes.taken(slot, slots, len(self._queues))
        return [n for n, queue in enumerate(self._queues) if queue in intake.delivering]

    def reasons(self) -> list[str]:
        """Why messages are not handled, in sentences."""
        found = []
        if self._intake is None:
            error = self._errors.get(self._awaited, "")
            found.append(f"it consumes no lane; it waits for {self._awaited}{error}")
        elif not self._intake.is_consuming:
            found.append(f"it consumes no lane; {self._intake.why_not}")
        found += [f"RabbitMQ does not answer for the lane {lane}" for lane in self._silent]
        idle = time.monotonic() - self.last_progress
        if self._in_hand and idle > STANDS_AFTER:
            count = len(self._in_hand[0].items)
            found.append(f"a batch of {count} messages has made no progress for {idle:.0f} s")
        return found

    @property
    def remarks(self) -> list[str]:
        """What whoever asks for its readiness should know, though all is well."""
        return self._remarks() if self.is_consuming else []

    def _remarks_on(
        self, intake: Intake, queues: Sequence[str], slot: int, major: int
    ) -> list[str]:
        remarks = []
        if slot and major < 4 and intake.delivering.isdisjoint(queues):
            remarks.append(
                "it stands by: before RabbitMQ 4 one worker of a service takes all lanes, "
                "and nothing has come to this one so far"
            )
        if len(queues) > (wanted := self._settings.lanes):
            remarks.append(
                f"it reads {len(queues)} lanes though RELAIS_LANES is {wanted}: make it the same "
                "for `relais setup` and all workers, and run `relais setup`"
            )
        if intake.expired:
            remarks.append(
                "messages that expire in a queue of Relais come out of order, of late "
                f"{intake.expired} here: `relais setup` names the policy that does it"
            )
        return remarks

    def stop(self) -> None:
        """Take nothing more; what has begun is finished."""
        self._stopping.set()
        if self._intake is not None:
            self._intake.end("stopping")

    async def run(self) -> None:
        """Consume, and after a fault of the broker consume again, until stopped."""
        attempt, failed = 0, -math.inf
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._session()
            except (Exception, asyncio.CancelledError) as error:
                # aiormq raises the same when a connection closes.
                closed = isinstance(error, asyncio.CancelledError) and not broker.is_canceled()
                if is_fault := closed or broker.is_fault(error):
                    failed = time.monotonic()
                # One that comes back takes connections before it knows all its queues again.
                is_early = time.monotonic() < failed + BACK_WITHIN
                is_early &= isinstance(error, topology.TopologyError)
                if not (is_fault or is_early or is_transient(error)):
                    raise
                log.warning("consuming_failed", awaited=self._awaited, error=repr(error))
                self._errors[self._awaited] = f": {type(error).__name__} {error}".rstrip()
            finally:
                self._intake = None
                self._in_hand.clear()
                self._silent = ()
            self.last_progress = time.monotonic()
            attempt = 1 if time.monotonic() - began > 10 else attempt + 1
            if not self._stopping.is_set():
                await backoff(attempt)

    async def _session(self) -> None:
        self._awaited = "Postgres"
        slot = await self._slot.take()
        self._errors.pop("Postgres", None)
        self._awaited = "RabbitMQ"
        url, name = self._work.amqp_url, f"relais {self._service.name} consumer"
        wanted = self._service.reader(self._settings.lanes)
        async with broker.connected(url, name) as connection:
            major = broker.major(broker.version(connection))
            queues = await topology.check(connection, wanted, self._service.drains)
            await topology.bind_again(connection, wanted)
        self._intake = intake = Intake(self._service, major)
        self._remarks = partial(self._remarks_on, intake, queues, slot, major)
        self._queues, self._major = queues, major
        if self._stopping.is_set():
            intake.end("stopping")
        async with broker.consuming(url, name, intake.deliver, intake.room) as channel:
            await channel.basic_qos(prefetch_count=self._settings.prefetch)
            self._errors.clear()
            log.info("consuming", lanes=len(queues), slot=slot)
            priorities = lanes.priorities(slot, len(queues))
            # One of the workers is enough for what is hardly ever there.
            since = f"{self._settings.inbox_days * 12}h" if slot == 0 else None
            # What comes is worked on meanwhile, or the broker's answers might find no room.
            beginning = asyncio.create_task(intake.consume(channel, queues, priorities, since))
            watches = (
                asyncio.create_task(self._watch_slot(intake)),
                asyncio.create_task(self._watch_lanes(intake, channel, queues)),
            )
            done: Done = asyncio.Queue(maxsize=2)
            try:
                # The three stages run until the intake ends, and let what has begun flow out.
                async with asyncio.TaskGroup() as stages:
                    stages.create_task(intake.read_ahead())
                    stages.create_task(self._decide(intake, done))
                    stages.create_task(self._publish(done, channel))
            finally:
                for watch in watches:
                    watch.cancel()
                beginning.cancel()
                await asyncio.wait({beginning}, timeout=broker.CLOSE_TIMEOUT)
            if beginning.done() and not beginning.cancelled():
                beginning.result()

    async def _watch_slot(self, intake: Intake) -> None:
        """Another worker may have the slot once its session is lost: deal again."""
        while await self._slot.look():
            await asyncio.sleep(1)
        intake.end("slot lost")

    async def _watch_lanes(
        self, intake: Intake, channel: AbstractChannel, queues: Sequence[str]
    ) -> None:
        """See which lanes do not answer, such as one without a leader."""
        while True:
            await asyncio.sleep(LOOKED_AT_EVERY)
            silent = [queue for queue in queues if not await _answers(channel, queue)]
            # Nothing is read from a connection that has brought too much already.
            self._silent = silent if intake.room.is_set() else ()

    async def _decide(self, intake: Intake, done: Done) -> None:
        async def hand_on(batch: Batch, part: Result) -> None:
            await done.put((None, part))
            self._progress(batch)

        while (batch := await intake.take()) is not None:
            self._in_hand.append(batch)
            self._progress(batch)
            decide = self.decider.decide_suspects if batch.suspect else self.decider.decide
            await done.put((batch, await decide(batch.items, partial(hand_on, batch))))
            self._progress(batch)
        await done.put(None)

    async def _publish(self, done: Done, channel: AbstractChannel) -> None:
        """Publish the events, then answer the senders, then acknowledge; in commit order."""
        while (finished := await done.get()) is not None:
            batch, result = finished
            await self._work.outbox.publish(result.rows)
            await self._reply(result, channel)
            if batch is None:
                continue
            # A channel that has died takes no acknowledgement: the inbox knows what comes again.
            with suppress(*broker.FAULTS):
                await channel.basic_ack(batch.tag, multiple=True, wait=False)
            self._progress(batch)
            self._in_hand.popleft()
            self._observe(batch, result)

    async def _reply(self, result: Result, channel: AbstractChannel) -> None:
        messages = [
            reply
            for asked, answer in result.answers
            if not asked.is_kept and (reply := answers.reply(self._service.name, asked, answer))
        ]
        queues = [message.routing_key for message in messages]
        # Once the channel has died, the messages come again and are answered again.
        with telemetry.Wait("RabbitMQ", "replies") as wait:
            while not channel.is_closed:
                try:
                    await self._work.publisher.publish(messages, queues)
                    return
                except PublishFailed as error:
                    await backoff(wait.failed(error))

    def _progress(self, batch: Batch) -> None:
        if self._in_hand and self._in_hand[0] is batch:
            self.last_progress = time.monotonic()

    def _observe(self, batch: Batch, result: Result) -> None:
        """Measure and log a batch: who a lone message is, of several only the number."""
        first, fields = batch.items[0], {}
        if len(batch.items) == 1:
            fields = {
                "message_id": first.id,
                "message_type": first.type,
                "correlation_id": first.correlationid,
                "outcome": result.answers[0][1].outcome if result.answers else "waiting",
            }
        self.last_batch_at = result.now or self.last_batch_at
        # The sender's stamp of the first, which is the oldest.
        stamp = getattr(first.element, "time", None)
        age = (result.now - stamp).total_seconds() if stamp and result.now else None
        telemetry.batch(len(batch.items), self.last_progress - batch.begun, age, fields)


async def _answers(channel: AbstractChannel, queue: str) -> bool:
    """Whether the broker says how a queue is."""
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            await topology.look(channel.connection, queue)
    except (AMQPError, OSError, RuntimeError):
        return False
    return True
