"""Workers are killed again and again while packages are ordered and canceled."""

import asyncio
import random
import signal

import pytest

from services.runtime import declared
from tests.eventually import eventually
from tests.faults.crew import STARTING, Crew, died
from tests.faults.long import LONG
from tests.faults.world import world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


class TestKills:
    """SIGKILL of any worker at any moment, and a new one in its place."""

    async def test_lose_nothing_and_do_nothing_twice(self, crew: Crew) -> None:
        """A dozen kills during a cancel of a thousand orders leave it proven right."""
        await survive(crew, kills=12, packages=4, entities=252)

    @LONG
    @pytest.mark.timeout(3600)
    async def test_for_a_long_time_do_neither(self, crew: Crew) -> None:
        """Two hundred kills during cancels of thousands of orders leave them proven right."""
        await survive(crew, kills=200, patience=600, packages=4, entities=502)


async def survive(crew: Crew, kills: int, patience: float = 100, **sizes: int) -> None:
    """Order and cancel in one world after the other, and prove each, until the kills are over."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    rng = random.Random(seed)
    while kills > 0:
        async with world(crew.stack, patience=patience, **sizes) as w:
            over = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                killing = tasks.create_task(kill(crew, rng, kills, over))
                await w.placed()
                await w.cancel()
                over.set()
            kills -= killing.result()
            await crew.ready()
            await w.proven()


async def kill(crew: Crew, rng: random.Random, most: int, over: asyncio.Event) -> int:
    """Kill one worker after another, and start others in their places; gives how many died."""
    for done in range(most):
        service = rng.choice(declared.names())
        post = crew.posts[service, 1]
        await eventually(post.is_ready, timeout=STARTING)
        # Nothing is waited for: any moment will do.
        await asyncio.sleep(rng.expovariate(5))
        if over.is_set():
            return done
        post.process.signal(signal.SIGKILL)
        await died(post.process)
        crew.start(service, "--piece", "25")
    return most
