"""The consumer drains lanes: take what is there, decide it in one transaction, bring it out.

Three stages run at once on one batch each: parsing, deciding, and bringing out.
"""

import asyncio
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from aiormq.abc import AbstractChannel
from pamqp.common import FieldTable

from contracts import names
from services.runtime import broker, item, lanes, metrics, parked, replies, topology
from services.runtime.broker import PublishFailed
from services.runtime.database import backoff, is_transient, persist
from services.runtime.decide import decide, park
from services.runtime.deliveries import Delivery
from services.runtime.inbox import Answer
from services.runtime.item import Item
from services.runtime.outbox import OutboxRow
from services.runtime.parked import Parking
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.work import Turn, Work

log = structlog.get_logger()

MAX_ELEMENTS = 500
MAX_BYTES = 4 * 1024 * 1024
TRIES = 3
SUSPECT_AFTER = 3
"""Deliveries of one message after which it may be what kills the worker."""


@dataclass(slots=True)
class Decided:
    """What a batch came to: rows to publish, then answers to give."""

    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[tuple[Item, Answer]] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """Elements of consecutive deliveries, and the tag that acknowledges them all."""

    items: list[Item]
    tag: int
    suspect: bool
    begun: float


class Decider:
    """Decides items, whatever happens: tries again, halves, and parks what will not go."""

    def __init__(self, service: Service, work: Work, patience: timedelta) -> None:
        """patience: how long a command that names something unknown is decided again."""
        self._service = service
        self._work = work
        self._patience = patience

    async def decide(self, items: Sequence[Item]) -> Decided:
        """Decide these in order; returns when each is committed, one way or another."""
        decided = Decided()
        if items:
            await self._decide(list(items), decided)
        return decided

    async def _decide(self, items: list[Item], decided: Decided) -> None:
        tries = TRIES if len(items) == 1 else 1
        for attempt in range(1, tries + 1):
            try:
                await persist("decide", lambda: self._commit(items, decided))
                return
            except Exception as error:
                log.warning("batch_failed", messages=len(items), attempt=attempt, error=repr(error))
                failure = error
                if attempt < tries:
                    await backoff(attempt)
        if len(items) == 1:
            await self.park(items[0], "failed", failure, decided)
            return
        # One bad message harms no other: it is found by halving.
        middle = len(items) // 2
        await self._decide(items[:middle], decided)
        await self._decide(items[middle:], decided)

    async def _commit(self, items: list[Item], decided: Decided) -> None:
        async with self._work.begin() as turn:
            answers = await decide(self._service, turn, items, self._patience)
            told = [(i, a) for i, a in zip(items, answers, strict=True) if a is not None]
            self._answer_kept(turn, told)
        decided.rows += turn.outbox.rows
        decided.answers += told

    def _answer_kept(self, turn: Turn, told: list[tuple[Item, Answer]]) -> None:
        """Nobody delivers a kept message again, so its answer is committed with its effect."""
        for kept, answer in told:
            if kept.kept and (reply := replies.reply(self._service.name, kept, answer)):
                turn.outbox.add_reply(reply)

    async def park(
        self, message: Item, reason: str, error: BaseException, decided: Decided
    ) -> None:
        """Keep a message that cannot be handled; its followers go on."""
        trace = "".join(traceback.format_exception(error))
        parking = Parking(message, reason, f"{type(error).__name__}: {error}", trace)

        async def keep() -> list[OutboxRow]:
            async with self._work.begin() as turn:
                await park(self._service, turn, parking)
            return turn.outbox.rows

        decided.rows += await persist("park", keep)
        log.error("message_parked", reason=reason, type=message.type, error=repr(error))


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
        self.is_consuming = False
        self.is_busy = False
        self.last_progress = time.monotonic()

    def stop(self) -> None:
        """Take nothing more; what has begun is finished."""
        self._stopping.set()

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
            except broker.FAULTS as error:
                log.warning("consuming_failed", error=repr(error))
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("consuming_failed", error=repr(error))
            finally:
                self.is_consuming = False
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
        intake = Intake(self._service, self._stopping)
        async with broker.consuming(url, name, intake.deliver) as channel:
            await channel.basic_qos(prefetch_count=self._settings.prefetch)
            await intake.consume(channel, queues, lanes.priorities(slot, len(queues)))
            self.is_consuming = True
            log.info("consuming", lanes=len(queues), slot=slot)
            watch = asyncio.create_task(self._watch_slot(intake))
            try:
                await self._drain(intake, channel)
            finally:
                watch.cancel()
                self.is_consuming = False

    async def _watch_slot(self, intake: "Intake") -> None:
        """Another worker may have the slot once its session is lost: deal again."""
        while self._slot.is_held:
            await asyncio.sleep(1)
        intake.end("slot lost")

    async def _drain(self, intake: "Intake", channel: AbstractChannel) -> None:
        """Run the three stages until the intake ends, and let what has begun flow out."""
        parsed: asyncio.Queue[Batch | None] = asyncio.Queue(maxsize=1)
        done: asyncio.Queue[tuple[Batch, Decided] | None] = asyncio.Queue(maxsize=2)
        async with asyncio.TaskGroup() as stages:
            stages.create_task(self._parse(intake, parsed))
            stages.create_task(self._decide(parsed, done))
            stages.create_task(self._bring_out(done, channel))

    async def _parse(self, intake: "Intake", parsed: asyncio.Queue[Batch | None]) -> None:
        while (batch := await intake.take()) is not None:
            await parsed.put(batch)
        await parsed.put(None)

    async def _decide(
        self,
        parsed: asyncio.Queue[Batch | None],
        done: asyncio.Queue[tuple[Batch, Decided] | None],
    ) -> None:
        while (batch := await parsed.get()) is not None:
            self._progress(busy=True)
            if batch.suspect:
                decided = await self._decide_alone(batch.items)
            else:
                decided = await self.decider.decide(batch.items)
            await done.put((batch, decided))
            self._progress(busy=not parsed.empty() or not done.empty())
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
        return int(await self._work.pool.fetchval(parked.BEGIN_ATTEMPT, digest))

    async def _end_attempt(self, digest: str) -> None:
        await self._work.pool.execute(parked.END_ATTEMPT, digest)

    async def _bring_out(
        self, done: asyncio.Queue[tuple[Batch, Decided] | None], channel: AbstractChannel
    ) -> None:
        """Publish the events, then answer the senders, then acknowledge; in commit order."""
        while (finished := await done.get()) is not None:
            batch, decided = finished
            await self._work.relay.publish(decided.rows)
            await self._reply(decided.answers)
            # A channel that has died takes no acknowledgement: the inbox knows what comes again.
            with suppress(*broker.FAULTS):
                await channel.basic_ack(batch.tag, multiple=True, wait=False)
            self._tell(batch)

    async def _reply(self, answers: Sequence[tuple[Item, Answer]]) -> None:
        messages = [
            reply
            for asked, answer in answers
            if not asked.kept and (reply := replies.reply(self._service.name, asked, answer))
        ]
        try:
            await self._work.publisher.publish(messages)
        except PublishFailed as error:
            # Not acknowledged yet: if the broker is gone, they come again and are answered again.
            log.warning("replies_failed", count=len(messages), error=str(error))

    def _progress(self, *, busy: bool) -> None:
        self.is_busy = busy
        self.last_progress = time.monotonic()

    def _tell(self, batch: Batch) -> None:
        self._progress(busy=False)
        seconds = self.last_progress - batch.begun
        metrics.BATCH_SIZE.observe(len(batch.items))
        metrics.BATCH_SECONDS.observe(seconds)
        log.debug("batch_done", messages=len(batch.items), duration_ms=round(seconds * 1000, 1))


class Intake:
    """What the broker has delivered and nobody has begun."""

    def __init__(self, service: Service, stopping: asyncio.Event) -> None:
        """Nothing is consumed before consume."""
        self._service = service
        self._stopping = stopping
        self._deliveries: list[Delivery] = []
        self._at = 0
        self._arrived = asyncio.Event()
        self._ended: str | None = None
        self._drains: dict[str, str] = {}

    async def consume(
        self, channel: AbstractChannel, queues: Sequence[str], priorities: Sequence[int]
    ) -> None:
        """Consume every lane with its priority, and what is drained into parked.

        It is one channel for all: its tags tell the order of arrival across lanes.
        """
        channel.on_consumer_cancel_callbacks.add(lambda _: self.end("canceled by the broker"))
        channel.closing.add_done_callback(lambda _: self.end("channel closed"))
        self._drains = {names.dead(self._service.name): "dead"}
        self._drains |= dict.fromkeys(self._service.drains, "unknown_type")
        for queue, priority in zip(queues, priorities, strict=True):
            await _consume(channel, queue, {"x-priority": priority})
        for queue in self._drains:
            await _consume(channel, queue, {})
        metrics.LANES_HELD.set(len(queues))

    def deliver(self, delivery: Delivery) -> None:
        """Take one delivery from the connection."""
        self._deliveries.append(delivery)
        self._arrived.set()

    def end(self, why: str) -> None:
        """Take nothing more; whatever was not begun goes back."""
        if self._ended is None:
            log.info("intake_ended", why=why)
            self._ended = why
        self._arrived.set()

    async def take(self) -> Batch | None:
        """What is there now, at most a batch of it; None when the intake has ended."""
        while self._at == len(self._deliveries):
            if not await self._more():
                return None
        if self._ended or self._stopping.is_set():
            return None
        return self._batch()

    async def _more(self) -> bool:
        self._deliveries.clear()
        self._at = 0
        self._arrived.clear()
        if self._ended:
            return False
        arrived = asyncio.create_task(self._arrived.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({arrived, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrived.cancel()
            stopping.cancel()
        return not self._stopping.is_set() and self._ended is None

    def _batch(self) -> Batch:
        """Whole deliveries, in order of arrival; one that keeps coming back is taken alone."""
        now = datetime.now(UTC)
        batch = Batch([], 0, False, time.monotonic())
        size = 0
        while self._at < len(self._deliveries):
            delivery = self._deliveries[self._at]
            suspect = _deliveries_so_far(delivery) >= SUSPECT_AFTER
            elements = [] if suspect and batch.items else self._read(delivery, now)
            full = len(batch.items) + len(elements) > MAX_ELEMENTS
            if batch.items and (suspect or full or size + len(delivery.body) > MAX_BYTES):
                break
            batch.items += elements
            batch.tag = delivery.tag
            batch.suspect = suspect
            size += len(delivery.body)
            self._at += 1
            if suspect:
                break
        del self._deliveries[: self._at]
        self._at = 0
        return batch

    def _read(self, delivery: Delivery, now: datetime) -> list[Item]:
        drained = self._drains.get(delivery.consumer)
        return item.read(
            item.origin_of(delivery), delivery.body, self._service.routes, now, drained=drained
        )


async def _consume(channel: AbstractChannel, queue: str, arguments: FieldTable) -> None:
    async def unused(_: object) -> None:
        """Deliveries are taken out of the stream before they come here."""

    await channel.basic_consume(queue, unused, arguments=arguments, consumer_tag=queue)


def _deliveries_so_far(delivery: Delivery) -> int:
    """RabbitMQ 4 counts failures and hand-outs apart; either may be a worker that died."""
    if not (delivery.may_have(b"x-delivery-count") or delivery.may_have(b"x-acquired-count")):
        return 0
    headers = delivery.headers()
    counts = (headers.get("x-delivery-count"), headers.get("x-acquired-count"))
    return max((c for c in counts if isinstance(c, int)), default=0)
