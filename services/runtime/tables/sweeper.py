"""The sweeper drains tables: each sweep does its work piece by piece, whoever put it there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from aiormq.exceptions import AMQPError

from services.runtime import telemetry
from services.runtime.amqp.broker import Unavailable, is_canceled
from services.runtime.postgres.database import backoff, is_transient
from services.runtime.tables.transaction import Work

log = structlog.get_logger()

TRIES = 10
"""Failures in a row, not transient, after which a sweep is reported as stuck."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Table work: run does the next piece and returns whether there is more right now.

    It runs again at once while there is more (after a pause of so many seconds, where it has
    one), when a commit of this process wakes it by name, and otherwise every so many seconds.
    """

    name: str
    run: Callable[[Work], Awaitable[bool]]
    every: float = 1.0
    pause: float = 0.0


class Sweeper:
    """Runs every sweep of a worker, each in a task of its own, until stopped."""

    def __init__(self, sweeps: Sequence[Sweep], work: Work) -> None:
        self._sweeps = sweeps
        self._work = work
        self._stopping = asyncio.Event()
        self.stuck: set[str] = set()

    def stop(self) -> None:
        """Finish the pieces under way and begin no more."""
        self._stopping.set()
        self._work.wakes.call(sweep.name for sweep in self._sweeps)

    async def run(self) -> None:
        """Sweep until stopped."""
        async with asyncio.TaskGroup() as tasks:
            for sweep in self._sweeps:
                tasks.create_task(self._run(sweep), name=sweep.name)

    async def _run(self, sweep: Sweep) -> None:
        # Each sweep publishes its own events, in the order of its own transactions.
        work = replace(self._work)
        try:
            await self._repeat(sweep, work)
        finally:
            await work.flush()

    async def _repeat(self, sweep: Sweep, work: Work) -> None:
        with telemetry.Wait("Postgres", sweep.name) as wait:
            await self._repeat_until_stopped(sweep, work, wait)

    async def _repeat_until_stopped(self, sweep: Sweep, work: Work, wait: telemetry.Wait) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with telemetry.piece(sweep.name):
                    more = await sweep.run(work)
                if not more:
                    await work.flush()
                failures = 0
                wait.over()
                self.stuck.discard(sweep.name)
            except (Exception, asyncio.CancelledError) as error:
                # aiormq raises the same when a connection closes.
                if is_canceled():
                    raise
                failures += 1
                await self._failed(sweep, error, failures, wait)
                continue
            if sweep.pause or not more:
                await work.wakes.wait(sweep.name, sweep.pause if more else sweep.every)

    async def _failed(
        self, sweep: Sweep, error: BaseException, failures: int, wait: telemetry.Wait
    ) -> None:
        """Try again, however often: table work waits in its table, and readiness reports it."""
        if isinstance(error, AMQPError | Unavailable | asyncio.CancelledError):
            wait.failed(error, "RabbitMQ")
        elif is_transient(error):
            wait.failed(error, "Postgres")
        else:
            log.error("sweep_failed", sweep=sweep.name, attempt=failures, exc_info=error)
            if failures >= TRIES:
                self.stuck.add(sweep.name)
        await backoff(failures)
