"""What the story works with: a client, the services' databases, and ways to wait for effects."""

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
from services.cli.demo.narrator import Tell
from services.cli.demo.tables import Pools
from services.cli.problems import Problem
from services.runtime.postgres import database

PATIENCE = 60.0
"""Seconds without any progress after which a wait is given up."""

PAUSE = 0.1
SENDING = 900.0
TRIES = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stack; check raises when it has given up on a worker."""

    amqp_url: str
    postgres: Mapping[str, str]
    pools: Pools
    client: Client
    actor: str
    check: Callable[[], None] = field(repr=False)

    async def do(self, command: Command) -> CommandOutcome:
        """Have a command done; raises Problem when it is refused."""
        outcome = await self._ask(command)
        if outcome.outcome == Outcome.REFUSED:
            raise Problem(f"{command.wire_type} {command.subject} was refused: {outcome.message}")
        return outcome

    async def refused(self, command: Command, code: RefusalCode) -> str:
        """Have a command refused with this code; gives the refusal's sentence."""
        outcome = await self._ask(command)
        if outcome.code != code:
            met = outcome.code or outcome.outcome
            raise Problem(f"{command.wire_type} {command.subject}: {code} was to come, not {met}")
        return outcome.message or ""

    async def _ask(self, command: Command) -> CommandOutcome:
        """Ask as often as it takes: the same id has no second effect, and the same answer."""
        id = str(uuid.uuid4())
        for _ in range(TRIES):
            try:
                return await self.client.ask(command, id=id, actor=self.actor)
            except client.NoOutcome:
                self.check()
        raise Problem(
            f"nobody answers {command.wire_type} {command.subject}; see the workers' logs"
        )

    async def send(self, commands: Sequence[Command]) -> None:
        """Send many commands; their effects are to be awaited."""
        if commands:
            await self.client.send_many(commands, timeout=SENDING, actor=self.actor)

    async def until(
        self, what: str, wanted: int, count: Callable[[], Awaitable[int]], tell: Tell | None = None
    ) -> None:
        """Wait until a count is reached; raises Problem when it stands still for too long."""
        best, moved = -1, time.monotonic()
        while True:
            asked = time.monotonic()
            if (found := await count()) >= wanted:
                return
            took = time.monotonic() - asked
            self.check()
            if tell is not None:
                tell(found)
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
async def stage(
    amqp_url: str, postgres: Mapping[str, str], actor: str, check: Callable[[], None]
) -> AsyncIterator[Stage]:
    """A stage while the block lasts."""
    async with AsyncExitStack() as opened:
        pools = {
            service: await opened.enter_async_context(
                database.pool(url, "relais demo", size=2, reads_all=True)
            )
            for service, url in postgres.items()
        }
        sender = await opened.enter_async_context(client.connect(amqp_url, source="/demo"))
        yield Stage(amqp_url, postgres, pools, sender, actor, check)
