"""The read model is made again while packages are canceled and workers of tracking die."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.faults.scenario import new_scenario
from tests.faults.workers import Workers, died

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

RELAIS = Path(sys.executable).with_name("relais")
SPOILED = "UPDATE model.counts SET n = n + 1; UPDATE model.orders SET label = 'spoiled'"
STATES = "SELECT state FROM rebuilds WHERE state <> 'first' ORDER BY started_at"


async def relais(workers: Workers, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        RELAIS,
        *arguments,
        env=workers.stack.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


class TestARebuild:
    """Asked for on the command line, of real workers."""

    async def test_ends_right_beside_cancels_and_kills_and_can_be_done_again(
        self, workers: Workers
    ) -> None:
        """What was wrong before is right, and so is what happened meanwhile."""
        async with new_scenario(workers.stack, packages=3, entities=40) as scenario:
            await scenario.placed()
            await scenario.pools["tracking"].execute(SPOILED)
            code, out = await relais(workers, "tracking", "check")
            assert code == 1
            assert "orders, ordered: counted" in out
            await workers.replace("tracking", "--kill-at", "in_decision:2")
            await workers.ready()
            async with asyncio.TaskGroup() as tasks:
                rebuilding = tasks.create_task(relais(workers, "tracking", "rebuild"))
                tasks.create_task(scenario.cancel())
                await died(workers.process("tracking"))
                workers.start("tracking")
            code, out = rebuilding.result()
            assert code == 0, out
            assert "done" in out
            await scenario.verify()
            code, out = await relais(workers, "tracking", "rebuild")
            assert code == 0, out
            assert await scenario.is_tracked()
            code, out = await relais(workers, "tracking", "check")
            assert (code, out) == (0, "every count is right\n")
