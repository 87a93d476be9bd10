"""Workers are killed again and again while packages are ordered and canceled."""

import asyncio
import random
import signal

import pytest

from services.runtime import declared
from tests.eventually import eventually
from tests.faults.long import LONG
from tests.faults.scenario import new_scenario
from tests.faults.workers import STARTING, Workers, died

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


class TestKills:
    """SIGKILL of any worker at any moment, and a new one in its place."""

    async def test_lose_nothing_and_do_nothing_twice(self, workers: Workers) -> None:
        """A dozen kills during a cancel of a thousand orders leave it proven right."""
        await survive(workers, kills=12, packages=4, entities=252)

    @LONG
    @pytest.mark.timeout(3600)
    async def test_for_a_long_time_do_neither(self, workers: Workers) -> None:
        """Two hundred kills during cancels of thousands of orders leave them proven right."""
        await survive(workers, kills=200, patience=600, packages=4, entities=502)


async def survive(workers: Workers, kills: int, patience: float = 100, **sizes: int) -> None:
    """Run one scenario after the other, and verify each, until the kills are over."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    rng = random.Random(seed)
    while kills > 0:
        async with new_scenario(workers.stack, patience=patience, **sizes) as scenario:
            over = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                killing = tasks.create_task(kill(workers, rng, kills, over))
                await scenario.placed()
                await scenario.cancel()
                over.set()
            kills -= killing.result()
            await workers.ready()
            await scenario.verify()


async def kill(workers: Workers, rng: random.Random, most: int, over: asyncio.Event) -> int:
    """Kill one worker after another, and start others in their places; gives how many died."""
    for done in range(most):
        service = rng.choice(declared.names())
        worker = workers.processes[service, 1]
        await eventually(worker.is_ready, timeout=STARTING)
        # Nothing is waited for: any moment will do.
        await asyncio.sleep(rng.expovariate(5))
        if over.is_set():
            return done
        worker.process.signal(signal.SIGKILL)
        await died(worker.process)
        workers.start(service, "--piece", "25")
    return most
