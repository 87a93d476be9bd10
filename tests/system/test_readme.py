"""What the README tells a newcomer to do, done."""

import asyncio
import os
import re
import shutil
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

    async def test_cancels_by_hand(self, running: Stack, beside: Path) -> None:
        """Line by line to an order, over HTTP to a complete cancel, and once more from Python."""
        if shutil.which("curl") is None:
            pytest.skip("needs curl: apt-get install curl")
        (beside / "run").symlink_to(RELAIS)

        told = await ran(
            running, beside, "bash", "-e", "-c", block("sh", "./run send entity.register")
        )

        assert told.count("accepted: ") == 6

        told = await ran(running, beside, "bash", "-e", "-c", block("sh", "up() {"))

        assert '"counts":{' in told
        assert '"to_cancel":1' in told
        assert 'data: {"topics":["package:CAT86"]}' in told
        assert '"outcome":"accepted"' in told
        assert "orders: 1 canceled" in told
        assert "notifications: 1 notified" in told
        assert '"completed_at":"' in told
        assert "ORD29 is canceled because operator canceled CAT86 at" in told

        again = await ran(running, beside, sys.executable, "-c", block("python", "import asyncio"))

        assert again.startswith("unchanged ")
