"""Processes as a test sees them from outside."""

import asyncio
import json
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from infra.local.keeper import dying_with_its_parent, started_at

PROJECT = Path(__file__).parents[2]


def is_running(pid: int) -> bool:
    """Whether a process has not ended."""
    return started_at(pid) is not None


def recorded(folder: Path) -> dict[str, int]:
    """The processes that a keeper has written down, by name."""
    try:
        facts = json.loads((folder / "keeper.json").read_text())
    except FileNotFoundError:
        return {}
    return {process["name"]: process["pid"] for process in facts["processes"]}


@asynccontextmanager
async def program(
    *argv: str, env: Mapping[str, str], stdout: int | None = None, stderr: int | None = None
) -> AsyncIterator[Process]:
    """A program with this environment, killed at the end if it still runs."""
    one = await asyncio.create_subprocess_exec(*argv, env=env, stdout=stdout, stderr=stderr)
    try:
        yield one
    finally:
        if one.returncode is None:
            one.kill()
        await one.wait()


def python(program: str, *arguments: object) -> "subprocess.Popen[str]":
    """Run a little program in a process that does not outlive us; what it prints can be read."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dying_with_its_parent(signal.SIGTERM),
    )
