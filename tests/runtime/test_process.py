"""A worker as a process of its own, with the signals of an operating system."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AbstractAsyncContextManager

import orjson
import pytest

from tests.eventually import eventually
from tests.infra.processes import program
from tests.runtime.environment import (
    THINGS,
    Environment,
    adds,
    effects,
    exactly,
    parked,
    recording_events,
)
from tests.runtime.probe import TOKEN, Add

pytestmark = pytest.mark.servers


class TestAProcess:
    """The real thing, with the signals of an operating system."""

    async def test_drains_when_it_is_told_to_stop(self, env: Environment) -> None:
        """It exits with 0, and what it had not begun is there for the next."""
        commands = adds(THINGS, 4_000)
        await env.send(*commands)
        async with process(env) as first:
            await effects(env, 1)
            first.send_signal(signal.SIGTERM)
            assert await first.wait() == 0

        handled = await env.count("journal")
        assert handled + await env.depth() == len(commands)
        assert await env.count("outbox") == 0
        async with process(env):
            await effects(env, len(commands))
            await eventually(lambda: exactly(env, 0))
        assert await env.count("journal") == len(commands)

    async def test_that_is_killed_leaves_nothing_half_done(self, env: Environment) -> None:
        """At any moment of its work, again and again."""
        commands = adds(THINGS, 4_000)
        await env.send(*commands)
        async with recording_events(env) as recorder:
            for at in (1, 1_000, 2_000):
                async with process(env) as one:
                    await effects(env, at)
                    one.kill()
                    await one.wait()
            async with process(env):
                await effects(env, len(commands))
                await eventually(lambda: len(set(recorder.notes())) == len(commands), timeout=30)

        assert sorted(await env.notes(), key=int) == [str(n) for n in range(len(commands))]
        assert len({e.id for e in recorder.envelopes()}) == len(commands)

    async def test_that_a_message_ends_parks_it(self, env: Environment) -> None:
        """After so many attempts that it is known which one it is; the others are handled."""
        await env.send(*[Add(thing_id="A", note=note) for note in ("1", "bad", "3")])

        exits: list[int] = []
        while len(exits) < 10 and not await env.count("parked"):
            async with process(env, PROBE_CRASHES="bad") as one:
                ended = asyncio.create_task(one.wait())
                kept = asyncio.create_task(eventually(lambda: parked(env), timeout=30))
                await asyncio.wait({ended, kept}, return_when=asyncio.FIRST_COMPLETED)
                kept.cancel()
                await asyncio.wait({kept})
                if ended.done():
                    exits.append(ended.result())

        assert exits == [9] * 6
        assert await env.db.fetchval("SELECT reason FROM kept") == "crashed"

        async def forgotten() -> bool:
            return await env.count("attempts") == 0

        async with process(env, PROBE_CRASHES="bad"):
            await eventually(lambda: exactly(env, 0))
            await effects(env, 2)
            # The last one may have ended between parking it and forgetting its attempts.
            await eventually(forgotten)
        assert await env.notes() == ["1", "3"]

    async def test_tells_its_story_in_lines_of_json(self, env: Environment) -> None:
        """Who it is, what happened and when, one object a line."""
        async with process(env, stdout=PIPE) as one:
            await env.send(Add(thing_id="A"))
            await effects(env, 1)
            one.send_signal(signal.SIGTERM)
            out, _ = await one.communicate()

        lines = [orjson.loads(line) for line in out.splitlines()]
        assert {"started", "consuming", "stopping", "stopped"} <= {line["event"] for line in lines}
        for line in lines:
            assert {"timestamp", "level", "event", "service", "instance"} <= line.keys()
            assert line["service"] == env.service.name


def process(
    env: Environment, *, stdout: int | None = asyncio.subprocess.DEVNULL, **environment: str
) -> AbstractAsyncContextManager[Process]:
    """A worker of the probe as a process of its own, killed at the end if it still runs."""
    own = {
        "PROBE_NAME": env.service.name,
        "PROBE_TOKEN": TOKEN,
        "RELAIS_AMQP_URL": env.amqp_url,
        "RELAIS_LANES": str(env.lanes),
        f"RELAIS_{env.service.name.upper()}_POSTGRES_URL": env.database_url,
    }
    argv = (sys.executable, "-m", "tests.runtime.probe_worker")
    return program(*argv, env={**os.environ, **own, **environment}, stdout=stdout)
