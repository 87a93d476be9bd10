"""The way of this process to RabbitMQ: one client that reconnects, and answers that are stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from contracts import hosts, names
from contracts.client import Client, NotSent
from contracts.hosts import Url
from contracts.message import Command
from contracts.outcomes import CommandOutcome
from services.runtime.service import Pool, persist
from services.tracking import commands
from services.tracking.commands import Asked
from services.tracking.web.hub import Hub
from services.tracking.web.problems import Problem

log = structlog.get_logger()

PATIENCE = 5.0
"""Seconds that RabbitMQ has to confirm a command."""
BULK_PATIENCE = 15.0
"""Seconds for many of them; less than the lease, see commands.py."""
MOST_ANSWERS = 5_000
"""Answers in one statement."""
RETRY_AFTER = "5"


class Broker:
    """Sends commands whose rows are stored, and stores what comes back, whoever still waits."""

    def __init__(self, url: Url, pool: Pool, hub: Hub) -> None:
        self._url = url
        self._pool = pool
        self._hub = hub
        self._client = Client(url, commands.SOURCE, self._take)
        self._answers: list[CommandOutcome] = []
        self._came = asyncio.Event()
        self._storing = asyncio.create_task(self._store())

    async def close(self) -> None:
        """Close the connection, and store what has come."""
        await self._client.close()
        self._storing.cancel()
        await asyncio.wait({self._storing})
        if self._answers:
            with suppress(OSError):
                await commands.answered(self._pool, self._answers)

    async def send(self, asked: Asked, *, traceparent: str | None = None) -> None:
        """Send one command whose row says `sending`; raises Problem 503."""
        try:
            await self._client.send(
                asked.command,
                id=asked.id,
                timeout=PATIENCE,
                actor=asked.sender,
                correlationid=asked.correlationid,
                traceparent=traceparent,
            )
        except (NotSent, ConnectionError) as error:
            raise await self._away([asked.id], asked.command, error) from error
        await commands.sent(self._pool, [asked.id])

    async def send_many(self, asked: Sequence[Asked]) -> None:
        """Send many of one sender; neighbours of one type and key travel together."""
        first = asked[0]
        try:
            await self._client.send_many(
                [one.command for one in asked],
                ids=[one.id for one in asked],
                timeout=BULK_PATIENCE,
                actor=first.sender,
                correlationid=first.correlationid,
            )
        except NotSent as error:
            taken = {one.id for one in asked}.difference(error.ids)
            await commands.sent(self._pool, sorted(taken))
            raise await self._away(list(error.ids), first.command, error) from error
        except ConnectionError as error:
            ids = [one.id for one in asked]
            raise await self._away(ids, first.command, error) from error
        await commands.sent(self._pool, [one.id for one in asked])

    async def _away(self, ids: list[str], command: Command, error: Exception) -> Problem:
        name = names.short_type(command.wire_type)
        detail = f"RabbitMQ at {hosts.place(self._url)} does not confirm {name}: {error}"
        await commands.not_sent(self._pool, ids, detail)
        kept = (
            f"; {ids[0] if len(ids) == 1 else f'{len(ids)} commands'} will be sent as soon as "
            "RabbitMQ takes it; the same again, with the same id, has no second effect; "
            + _where(ids)
        )
        where = {"Location": f"/api/commands/{ids[0]}"} if len(ids) == 1 else {}
        headers = {"Retry-After": RETRY_AFTER, **where}
        return Problem(503, "unavailable", detail + kept, headers=headers, away=["RabbitMQ"])

    def _take(self, outcome: CommandOutcome) -> None:
        self._answers.append(outcome)
        self._came.set()

    async def _store(self) -> None:
        """Store answers as they come, together those that came together."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._answers:
                some = self._answers[:MOST_ANSWERS]
                try:
                    await persist("answers", lambda: commands.answered(self._pool, some))  # noqa: B023
                except Exception:
                    # What cannot be stored is told by the events as well.
                    log.exception("answers_not_stored", count=len(some))
                del self._answers[: len(some)]
                self._hub.announce([f"command:{one.command_id}" for one in some])


def _where(ids: list[str]) -> str:
    if len(ids) > 1:
        return "GET /api/commands?state=sending shows them, and DELETE withdraws each until then"
    return f"GET /api/commands/{ids[0]} shows it, and DELETE withdraws it until then"


@asynccontextmanager
async def opened(url: Url, pool: Pool, hub: Hub) -> AsyncIterator[Broker]:
    """The way to RabbitMQ while the block lasts."""
    broker = Broker(url, pool, hub)
    try:
        yield broker
    finally:
        await broker.close()
