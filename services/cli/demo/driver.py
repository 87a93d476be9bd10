"""Drives a stack: sends commands, and waits for their effects in the services' databases."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from contracts import client
from contracts.client import Client
from contracts.message import Command
from contracts.outcomes import CommandOutcome, Outcome, RefusalCode
from services.cli.demo.output import Progress
from services.cli.demo.tables import Pools
from services.cli.problems import Problem
from services.runtime.postgres import database

PATIENCE = 60.0
"""Seconds without any progress after which a wait is given up."""

PAUSE = 0.1
SENDING = 900.0
TRIES = 5


@dataclass(frozen=True, slots=True)
class Driver:
    """Sends commands to a running stack; check raises when the stack has given up on a worker."""

    amqp_url: str
    postgres: Mapping[str, str]
    pools: Pools
    client: Client
    actor: str
    check: Callable[[], None] = field(repr=False)

    async def do(self, command: Command) -> CommandOutcome:
        """Send a command and wait for its outcome; raises Problem when it is refused."""
        outcome = await self._ask(command)
        if outcome.outcome == Outcome.REFUSED:
            raise Problem(f"{command.wire_type} {command.subject} was refused: {outcome.message}")
        return outcome

    async def refused(self, command: Command, code: RefusalCode) -> str:
        """Send a command that must be refused with this code; return the refusal's message."""
        outcome = await self._ask(command)
        if outcome.code != code:
            found = outcome.code or outcome.outcome
            name = f"{command.wire_type} {command.subject}"
            raise Problem(f"{name}: expected the outcome {code}, not {found}")
        return outcome.message or ""

    async def _ask(self, command: Command) -> CommandOutcome:
        """Ask several times if need be: the same id has no second effect, and the same answer."""
        id = str(uuid.uuid4())
        for _ in range(TRIES):
            try:
                return await self.client.ask(command, id=id, actor=self.actor)
            except client.NoOutcome:
                self.check()
        raise Problem(
            f"no service answers {command.wire_type} {command.subject}; see the workers' logs"
        )

    async def send(self, commands: Sequence[Command]) -> None:
        """Send many commands, without waiting for their outcomes."""
        if commands:
            await self.client.send_many(commands, timeout=SENDING, actor=self.actor)

    async def until(
        self,
        what: str,
        wanted: int,
        count: Callable[[], Awaitable[int]],
        progress: Progress | None = None,
    ) -> None:
        """Wait until a count is reached; raises Problem when it stands still for too long."""
        best, moved = -1, time.monotonic()
        while True:
            asked = time.monotonic()
            if (found := await count()) >= wanted:
                return
            took = time.monotonic() - asked
            self.check()
            if progress is not None:
                progress(found)
            if found > best:
                best, moved = found, time.monotonic()
            if time.monotonic() - moved > PATIENCE:
                raise Problem(
                    f"{what}: {found:,} of {wanted:,}, and no more for {PATIENCE:.0f} s; "
                    "see the workers' logs"
                )
            # Counting many rows must not slow down those who make them.
            await asyncio.sleep(max(PAUSE, 10 * took))

    async def until_found(
        self, what: str, service: str, statement: str, wanted: int, *arguments: Any
    ) -> None:
        """Wait until a statement of one service's database counts so many."""

        async def count() -> int:
            return int(await self.pools[service].fetchval(statement, *arguments))

        await self.until(what, wanted, count)


@asynccontextmanager
async def connect(
    amqp_url: str, postgres: Mapping[str, str], actor: str, check: Callable[[], None]
) -> AsyncIterator[Driver]:
    """Connect to a stack while the block lasts."""
    async with AsyncExitStack() as opened:
        pools = {
            service: await opened.enter_async_context(
                database.pool(url, "relais demo", size=2, reads_all=True)
            )
            for service, url in postgres.items()
        }
        sender = await opened.enter_async_context(client.connect(amqp_url, source="/demo"))
        yield Driver(amqp_url, postgres, pools, sender, actor, check)
