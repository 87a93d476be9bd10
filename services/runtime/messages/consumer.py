"""The consumer drains lanes: take what is there, decide it in one transaction, bring it out.

Three stages run at once: reading ahead, deciding one batch, and bringing out the one before.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog
from aiormq.abc import AbstractChannel

from contracts.envelope import Envelope
from services.runtime import metrics
from services.runtime.amqp import broker, lanes, topology
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.messages import answers, kept
from services.runtime.messages.decider import TRIES, Decided, Decider
from services.runtime.messages.inbox import Answer
from services.runtime.messages.intake import Batch, Intake
from services.runtime.messages.item import Item
from services.runtime.postgres.database import backoff, is_transient, persist
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.tables.transaction import Work

log = structlog.get_logger()


class Consumer:
    """Consumes the lanes of one service until it is told to stop; heals what breaks."""

    def __init__(self, service: Service, work: Work, settings: Settings, slot: lanes.Slot) -> None:
        """Nothing is opened before run."""
        self._service = service
        self._work = work
        self._settings = settings
        self._slot = slot
        self.decider = Decider(service, work, timedelta(seconds=settings.unknown_wait_seconds))
        self._stopping = asyncio.Event()
        self._intake: Intake | None = None
        self.is_busy = False
        self.last_progress = time.monotonic()

    @property
    def is_consuming(self) -> bool:
        """Whether messages come in; not while what has begun waits for a server that is away."""
        return self._intake is not None and self._intake.is_consuming

    def stop(self) -> None:
        """Take nothing more; what has begun is finished."""
        self._stopping.set()
        if self._intake is not None:
            self._intake.end("stopping")

    async def run(self) -> None:
        """Consume, and after a fault of the broker consume again, until stopped."""
        attempt = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._session()
            except asyncio.CancelledError as error:
                if broker.is_canceled():
                    raise
                log.warning("consuming_failed", error=repr(error))
            except Exception as error:
                if not (broker.is_fault(error) or is_transient(error)):
                    raise
                log.warning("consuming_failed", error=repr(error))
            finally:
                self._intake = None
            self.last_progress = time.monotonic()
            attempt = 1 if time.monotonic() - began > 10 else attempt + 1
            if not self._stopping.is_set():
                await backoff(attempt)

    async def _session(self) -> None:
        slot = await self._slot.take()
        url, name = self._settings.amqp_url, f"relais {self._service.name} consumer"
        wanted = topology.reader(self._service, self._settings.lanes)
        async with broker.connected(url, name) as connection:
            queues = await topology.check(connection, wanted, self._service.drains)
            await topology.bind_again(connection, wanted)
        self._intake = intake = Intake(self._service)
        if self._stopping.is_set():
            intake.end("stopping")
        async with broker.consuming(url, name, intake.deliver, intake.room) as channel:
            await channel.basic_qos(prefetch_count=self._settings.prefetch)
            log.info("consuming", lanes=len(queues), slot=slot)
            priorities = lanes.priorities(slot, len(queues))
            # What comes is worked on meanwhile, or the broker's answers might find no room.
            beginning = asyncio.create_task(intake.consume(channel, queues, priorities))
            watch = asyncio.create_task(self._watch_slot(intake))
            try:
                await self._drain(intake, channel)
            finally:
                watch.cancel()
                beginning.cancel()
                await asyncio.wait({beginning}, timeout=broker.CLOSE_TIMEOUT)
            if beginning.done() and not beginning.cancelled():
                beginning.result()

    async def _watch_slot(self, intake: Intake) -> None:
        """Another worker may have the slot once its session is lost: deal again."""
        while self._slot.is_held:
            await asyncio.sleep(1)
        intake.end("slot lost")

    async def _drain(self, intake: Intake, channel: AbstractChannel) -> None:
        """Run the three stages until the intake ends, and let what has begun flow out."""
        done: asyncio.Queue[tuple[Batch, Decided] | None] = asyncio.Queue(maxsize=2)
        async with asyncio.TaskGroup() as stages:
            stages.create_task(intake.read_ahead())
            stages.create_task(self._decide(intake, done))
            stages.create_task(self._bring_out(done, channel))

    async def _decide(
        self, intake: Intake, done: asyncio.Queue[tuple[Batch, Decided] | None]
    ) -> None:
        while (batch := await intake.take()) is not None:
            self._progress(busy=True)
            if batch.suspect:
                decided = await self._decide_alone(batch.items)
            else:
                decided = await self.decider.decide(batch.items)
            await done.put((batch, decided))
            self._progress(busy=not done.empty())
        await done.put(None)

    async def _decide_alone(self, items: Sequence[Item]) -> Decided:
        """Handle what keeps coming back after a note that it was begun; give up after three."""
        decided = Decided()
        for suspect in items:
            digest = suspect.digest
            begun = await persist("attempt", lambda d=digest: self._begin_attempt(d))  # type: ignore[misc]
            if begun > TRIES:
                crash = RuntimeError(f"the worker ended {TRIES} times while handling it")
                await self.decider.park(suspect, "crashed", crash, decided)
            else:
                one = await self.decider.decide([suspect])
                decided.rows += one.rows
                decided.answers += one.answers
            await persist("attempt", lambda d=digest: self._end_attempt(d))  # type: ignore[misc]
        return decided

    async def _begin_attempt(self, digest: str) -> int:
        return int(await self._work.pool.fetchval(kept.BEGIN_ATTEMPT, digest))

    async def _end_attempt(self, digest: str) -> None:
        await self._work.pool.execute(kept.END_ATTEMPT, digest)

    async def _bring_out(
        self, done: asyncio.Queue[tuple[Batch, Decided] | None], channel: AbstractChannel
    ) -> None:
        """Publish the events, then answer the senders, then acknowledge; in commit order."""
        while (finished := await done.get()) is not None:
            batch, decided = finished
            await self._work.relay.publish(decided.rows)
            await self._reply(decided.answers, channel)
            # A channel that has died takes no acknowledgement: the inbox knows what comes again.
            with suppress(*broker.FAULTS):
                await channel.basic_ack(batch.tag, multiple=True, wait=False)
            self._tell(batch, decided)

    async def _reply(
        self, answered: Sequence[tuple[Item, Answer]], channel: AbstractChannel
    ) -> None:
        messages = [
            reply
            for asked, answer in answered
            if not asked.kept and (reply := answers.reply(self._service.name, asked, answer))
        ]
        attempt = 0
        # Once the channel has died, the messages come again and are answered again.
        while not channel.is_closed:
            try:
                queues = [message.routing_key for message in messages]
                await self._work.publisher.publish(messages, queues)
                return
            except PublishFailed as error:
                attempt += 1
                log.warning("replies_failed", count=len(messages), error=str(error))
                await backoff(attempt)

    def _progress(self, *, busy: bool) -> None:
        self.is_busy = busy
        self.last_progress = time.monotonic()

    def _tell(self, batch: Batch, decided: Decided) -> None:
        self._progress(busy=False)
        seconds = self.last_progress - batch.begun
        metrics.BATCH_SIZE.observe(len(batch.items))
        metrics.BATCH_SECONDS.observe(seconds)
        if age := _age(batch.items[0]):
            metrics.MESSAGE_AGE.observe(age)
        about = _about(batch.items[0], decided) if len(batch.items) == 1 else {}
        duration = round(seconds * 1000, 1)
        log.info("batch_done", messages=len(batch.items), duration_ms=duration, **about)


def _age(first: Item) -> float | None:
    """Seconds since the sender's stamp of the oldest message of a batch."""
    stamp = first.element.time if isinstance(first.element, Envelope) else None
    return (first.received_at - stamp).total_seconds() if stamp else None


def _about(message: Item, decided: Decided) -> dict[str, str | None]:
    """Who a lone message is, for the log; of a crowd only the number is told."""
    if not isinstance(message.element, Envelope):
        return {"message_type": message.type}
    return {
        "message_id": message.element.id,
        "message_type": message.type,
        "correlation_id": message.element.correlationid or message.element.id,
        "outcome": decided.answers[0][1].outcome if decided.answers else "waiting",
    }
