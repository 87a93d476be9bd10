"""A worker process: one service, both engines, health, and an orderly end."""

import asyncio
import gc
import signal
import socket
import time
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial

import structlog
import uvicorn
import uvloop

from services.runtime import settings, telemetry, web
from services.runtime.amqp import broker
from services.runtime.amqp.lanes import Slot, slot_name
from services.runtime.amqp.publisher import Publisher
from services.runtime.messages import operations, sources
from services.runtime.messages.consumer import Consumer
from services.runtime.messages.decider import Decider
from services.runtime.messages.heartbeat import Heartbeat
from services.runtime.messages.kept import Line
from services.runtime.messages.relay import Relay
from services.runtime.postgres import database, migrate
from services.runtime.service import Service, heard, installed
from services.runtime.tables import cleaning, clock
from services.runtime.tables.sweeper import Sweep, Sweeper
from services.runtime.tables.transaction import NOW, Wakes, Work

log = structlog.get_logger()

STUCK_AFTER = 120.0
"""Seconds without any progress of the consumer's stages after which the process gives up."""
WATCHED_EVERY = 5.0
LEFT_AFTER = 10.0
"""Seconds after which an event that is still in the outbox does not flow."""


Opened = tuple[Work, Relay, datetime]
"""What a worker works with, and since when by the clock of its database."""


class Stuck(RuntimeError):
    """The worker is up but does nothing, which must not be."""


def run(service: Service) -> None:
    """Run a worker until SIGTERM or SIGINT; returns when all that had begun is finished."""
    config = settings.load(settings.Settings)
    if service.settings is not None:
        settings.load(service.settings)
    telemetry.configure(service.name, config.log_level)
    if unknown := settings.unknown():
        log.warning("unknown_settings", names=[name for name, _ in unknown])
    uvloop.run(Worker(service, config).run())


def sweeps(service: Service, decider: Decider, relay: Relay, inbox_days: int) -> list[Sweep]:
    """All table work of a worker: the runtime's own, then the service's."""
    return [
        Sweep("outbox", lambda _: relay.sweep()),
        *sources.sweeps(service, decider),
        cleaning.sweep(inbox_days),
        clock.sweep(service.set_back),
        operations.sweep(service),
        *service.table_work,
    ]


class Worker:
    """Wires one service to its database, its broker connections and its engines."""

    def __init__(self, service: Service, config: settings.Settings) -> None:
        self._service = service
        self._config = config
        self._url = settings.Current(partial(settings.database_url, service.name))
        self._amqp_url = settings.Current(settings.amqp_url)
        self._stopping = asyncio.Event()
        self._draining = False

    async def run(self) -> None:
        """Start, work, drain."""
        self._listen()
        async with AsyncExitStack() as stack:
            door = stack.enter_context(web.bound(self._config.http_host, self._config.http_port))
            if (opened := await self._opened(stack)) is None:
                log.info("stopped")
                return
            work, relay, started_at = opened
            slot = Slot(self._url, slot_name(self._service.name))
            stack.push_async_callback(slot.release)
            consumer = Consumer(self._service, work, self._config, slot)
            days = self._config.inbox_days
            sweeper = Sweeper(sweeps(self._service, consumer.decider, relay, days), work)
            _spare_the_collector()
            unready = partial(self._reasons, consumer, sweeper, relay)
            server = web.server(self._service.name, unready, lambda: consumer.remarks)
            heartbeat = Heartbeat(work, consumer, unready, started_at)
            await self._work(consumer, sweeper, server, door, heartbeat)
        log.info("stopped")

    def stop(self) -> None:
        """Begin the orderly end."""
        self._stopping.set()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    async def _opened(self, stack: AsyncExitStack) -> Opened | None:
        """What _open makes; None where a stop comes first, which cuts it short whatever it does."""
        opening = asyncio.create_task(self._open(stack))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            stopping.cancel()
            return opening.result()
        opening.cancel()
        cut = asyncio.gather(opening, return_exceptions=True)
        await asyncio.wait({cut}, timeout=broker.CLOSE_TIMEOUT)
        return None

    async def _open(self, stack: AsyncExitStack) -> Opened:
        """Connect to both sides, and check that what this worker needs is there."""
        name = f"relais {self._service.name}"
        async with database.checked(self._url, name) as conn:
            await migrate.check(conn, migrate.found(self._service.name, self._service.migrations))
            started_at = await conn.fetchval(NOW)
        pool = await stack.enter_async_context(database.pool(self._url, name))
        publisher = Publisher(self._amqp_url, f"{name} publisher")
        stack.push_async_callback(publisher.close)
        await publisher.open()
        wakes = Wakes()
        relay = Relay(self._service.name, pool, publisher, heard(installed()), wakes)
        work = Work(self._service.name, pool, relay, publisher, wakes, self._amqp_url)
        return work, relay, started_at

    def _reasons(self, consumer: Consumer, sweeper: Sweeper, relay: Relay) -> list[str]:
        """Why this worker is not ready, in sentences."""
        reasons = ["it is stopping"] if self._draining else consumer.reasons()
        reasons += telemetry.Wait.reasons()
        if relay.unroutable:
            reasons.append(f"{relay.unroutable} events reach no reader's queue; run `relais setup`")
        if relay.oldest > LEFT_AFTER:
            reasons.append(f"an event has waited {relay.oldest:.0f} s to be published")
        reasons += map(_blocked, consumer.decider.lines)
        if types := consumer.decider.unread:
            names = ", ".join(types)
            reasons.append(f"messages wait that only a newer version reads: {names}; update it")
        stuck = sorted(sweeper.stuck)
        return reasons + [f"the sweep {name} keeps failing; see its log" for name in stuck]

    async def _work(
        self,
        consumer: Consumer,
        sweeper: Sweeper,
        server: uvicorn.Server,
        door: socket.socket,
        heartbeat: Heartbeat,
    ) -> None:
        """Run until stopped; the end of any part is the end of all."""
        parts = {
            "web": server.serve([door]),
            "consumer": consumer.run(),
            "sweeper": sweeper.run(),
            "watchdog": self._watch(consumer),
            "stopping": self._stopping.wait(),
        }
        tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
        serving, consuming, sweeping, watching, _ = tasks
        beating = asyncio.create_task(heartbeat.run(), name="heartbeat")
        host, port = door.getsockname()[:2]
        log.info("started", lanes=self._config.lanes, http=f"{host}:{port}")
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._draining, was_consuming = True, consumer.is_consuming
        log.info("stopping", because=sorted(task.get_name() for task in done))
        consumer.stop()
        if not (consumer.is_consuming or consumer.is_busy):
            # It waits for a server that may never come.
            consuming.cancel()
        watching.cancel()
        beating.cancel()
        try:
            async with asyncio.timeout(self._config.drain_seconds):
                # What the consumer could not publish it waits for the outbox's sweep to bring.
                await asyncio.wait({consuming})
                sweeper.stop()
                await asyncio.wait({sweeping})
        except TimeoutError:
            log.warning("drain_cut_short", seconds=self._config.drain_seconds)
        if was_consuming:
            # One that waits for a server does not wait for it to take this as well.
            await heartbeat.end()
        server.should_exit = True
        await asyncio.wait({serving}, timeout=2)
        for task in tasks:
            task.cancel()
        for task in (*done, consuming, sweeping):
            if task.done() and not task.cancelled():
                task.result()

    async def _watch(self, consumer: Consumer) -> None:
        """End the process rather than let it stand idle with work in its hands."""
        while True:
            await asyncio.sleep(WATCHED_EVERY)
            # To wait for a server is progress: it has to come back, and a restart helps nobody.
            idle = time.monotonic() - max(consumer.last_progress, telemetry.Wait.last)
            if consumer.is_busy and idle > STUCK_AFTER:
                raise Stuck(f"no progress for {idle:.0f} s with messages in hand")


def _blocked(line: Line) -> str:
    return (
        f"{line.key} is held by another session of Postgres since {line.since:%H:%M:%SZ}; "
        f"{line.waiting} messages wait for it, see pg_stat_activity"
    )


def _spare_the_collector() -> None:
    """What was loaded at the start stays; looking at it again and again is wasted."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
