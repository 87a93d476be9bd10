"""A worker as a process of its own, with the signals of an operating system."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from tests.eventually import eventually
from tests.runtime.probe import TOKEN, Add
from tests.runtime.stage import THINGS, Stage, adds, effects, exactly, hearing, parked

pytestmark = pytest.mark.servers


class TestAProcess:
    """The real thing, with the signals of an operating system."""

    async def test_drains_when_it_is_told_to_stop(self, here: Stage) -> None:
        """It exits with 0, and what it had not begun is there for the next."""
        commands = adds(THINGS, 4_000)
        await here.send(*commands)
        async with process(here) as first:
            await effects(here, 1)
            first.send_signal(signal.SIGTERM)
            assert await first.wait() == 0

        handled = await here.count("journal")
        assert handled + await here.depth() == len(commands)
        assert await here.count("outbox") == 0
        async with process(here):
            await effects(here, len(commands))
            await eventually(lambda: exactly(here, 0))
        assert await here.count("journal") == len(commands)

    async def test_that_is_killed_leaves_nothing_half_done(self, here: Stage) -> None:
        """At any moment of its work, again and again."""
        commands = adds(THINGS, 4_000)
        await here.send(*commands)
        async with hearing(here) as ears:
            for at in (1, 1_000, 2_000):
                async with process(here) as one:
                    await effects(here, at)
                    one.kill()
                    await one.wait()
            async with process(here):
                await effects(here, len(commands))
                await eventually(lambda: len(set(ears.notes())) == len(commands), timeout=30)

        assert sorted(await here.notes(), key=int) == [str(n) for n in range(len(commands))]
        assert len({e.id for e in ears.envelopes()}) == len(commands)

    async def test_that_a_message_ends_parks_it(self, here: Stage) -> None:
        """After so many attempts that it is known which one it is; the others are handled."""
        await here.send(*[Add(thing_id="A", note=note) for note in ("1", "bad", "3")])

        exits: list[int] = []
        while len(exits) < 10 and not await here.count("parked"):
            async with process(here, PROBE_CRASHES="bad") as one:
                ended = asyncio.create_task(one.wait())
                kept = asyncio.create_task(eventually(lambda: parked(here), timeout=30))
                await asyncio.wait({ended, kept}, return_when=asyncio.FIRST_COMPLETED)
                kept.cancel()
                await asyncio.wait({kept})
                if ended.done():
                    exits.append(ended.result())

        assert exits == [9] * 6
        assert await here.db.fetchval("SELECT reason FROM parked") == "crashed"

        async def forgotten() -> bool:
            return await here.count("attempts") == 0

        async with process(here, PROBE_CRASHES="bad"):
            await eventually(lambda: exactly(here, 0))
            await effects(here, 2)
            # The last one may have ended between parking it and forgetting its attempts.
            await eventually(forgotten)
        assert await here.notes() == ["1", "3"]

    async def test_tells_its_story_in_lines_of_json(self, here: Stage) -> None:
        """Who it is, what happened and when, one object a line."""
        async with process(here, stdout=PIPE) as one:
            await here.send(Add(thing_id="A"))
            await effects(here, 1)
            one.send_signal(signal.SIGTERM)
            out, _ = await one.communicate()

        lines = [orjson.loads(line) for line in out.splitlines()]
        assert {"started", "consuming", "stopping", "stopped"} <= {line["event"] for line in lines}
        for line in lines:
            assert {"timestamp", "level", "event", "service", "instance"} <= line.keys()
            assert line["service"] == here.service.name


@asynccontextmanager
async def process(
    stage: Stage, *, stdout: int | None = asyncio.subprocess.DEVNULL, **environment: str
) -> AsyncIterator[Process]:
    """A worker of the probe as a process of its own, killed at the end if it still runs."""
    own = {
        "PROBE_NAME": stage.service.name,
        "PROBE_TOKEN": TOKEN,
        "RELAIS_AMQP_URL": stage.amqp_url,
        "RELAIS_LANES": str(stage.lanes),
        f"RELAIS_{stage.service.name.upper()}_POSTGRES_URL": stage.database_url,
    }
    one = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.station"),
        env={**os.environ, **own, **environment},
        stdout=stdout,
    )
    try:
        yield one
    finally:
        if one.returncode is None:
            one.kill()
        await one.wait()
