"""Workers are killed again and again while packages are ordered and canceled."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack

import pytest

from infra.local.stack import SERVICES
from tests.eventually import eventually
from tests.faults.crew import STARTING, Crew, died
from tests.faults.long import LONG
from tests.faults.world import World, world

pytestmark = pytest.mark.servers


class TestKills:
    """SIGKILL of any worker at any moment, and a new one in its place."""

    async def test_lose_nothing_and_do_nothing_twice(self, crew: Crew) -> None:
        """A dozen kills during a cancel of a thousand orders leave it proven right."""
        await survive(crew, kills=12, packages=4, entities=252)

    @LONG
    @pytest.mark.timeout(3600)
    async def test_for_a_long_time_do_neither(self, crew: Crew) -> None:
        """Two hundred kills during cancels of thousands of orders leave them proven right."""
        await survive(crew, kills=200, packages=8, entities=502)


async def survive(crew: Crew, kills: int, **sizes: int) -> None:
    """Order and cancel in one world after the other until the kills are over; prove each."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    async with AsyncExitStack() as opened:
        worlds: list[World] = []
        async with asyncio.TaskGroup() as tasks:
            killing = tasks.create_task(kill(crew, random.Random(seed), kills))
            while not killing.done():
                worlds.append(await opened.enter_async_context(world(crew.stack, **sizes)))
                await worlds[-1].placed()
                await worlds[-1].cancel()
        for one in worlds:
            await one.proven()


async def kill(crew: Crew, rng: random.Random, kills: int) -> None:
    """Kill one worker after another, each at a random moment, and start another in its place."""
    for _ in range(kills):
        service = rng.choice(SERVICES)
        post = crew.posts[service, 1]
        await eventually(post.is_ready, timeout=STARTING)
        # Nothing is waited for: any moment will do.
        await asyncio.sleep(rng.expovariate(5))
        post.process.signal(signal.SIGKILL)
        await died(post.process)
        crew.start(service, "--piece", "25")
