"""What the README tells a newcomer to do, done."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from infra.local.stack import Stack
from tests.system.conftest import RELAIS

pytestmark = pytest.mark.servers

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()


def block(language: str, start: str) -> str:
    """The example in this language that begins so."""
    found = re.findall(rf"```{language}\n({re.escape(start)}.*?)```", README, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


async def ran(running: Stack, folder: Path, *argv: str | Path) -> str:
    """What a program prints beside the stack; it must end well."""
    env = {**running.environment, "RELAIS_AMQP_URL": running.amqp_url}
    env |= {"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=folder, env=env, stdout=PIPE, stderr=STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


class TestTheReadme:
    """Its examples run as they stand there."""

    async def test_cancels_by_hand(self, running: Stack, tmp_path: Path) -> None:
        """Line by line to a complete cancel, and then once more from Python."""
        (tmp_path / "run").symlink_to(RELAIS)
        by_hand = block("sh", "./run send entity.register")

        told = await ran(running, tmp_path, "bash", "-e", "-c", by_hand)

        assert told.count("accepted: ") == 7
        assert "orders: 1 canceled" in told
        assert "notifications: 1 notified" in told

        again = await ran(
            running, tmp_path, sys.executable, "-c", block("python", "import asyncio")
        )

        assert again.startswith("unchanged ")
