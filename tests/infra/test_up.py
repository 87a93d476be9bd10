"""`up` and `down`, as processes of their own."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.infra.processes import is_running, python, recorded
from tests.infra.stand_in import SERVICES

pytestmark = pytest.mark.servers

UP = """
import sys
from pathlib import Path
from services.cli import app, up
from tests.infra.stand_in import SERVICES
command = (sys.executable, "-m", "tests.infra.stand_in")
try:
    workers = dict.fromkeys(SERVICES, 1)
    let_in = lambda running: {"api_token": "secret"}
    sys.exit(up.up(workers, Path(sys.argv[1]), command=command, let_in=let_in))
except Exception as error:
    sys.exit(app.explain(error))
"""
DOWN = """
import sys
from pathlib import Path
from services.cli import up
sys.exit(up.down(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module", autouse=True)
def on_servers(amqp_url: str, postgres_url: str) -> None:
    """`up` finds the servers of this test run in the environment."""


@contextmanager
def started(state: Path) -> Iterator["subprocess.Popen[str]"]:
    """An `up` that has said it is ready."""
    with python(UP, state) as process:
        assert process.stdout
        try:
            told = []
            for line in process.stdout:
                told.append(line)
                if line.startswith("Ready after"):
                    break
            else:
                raise AssertionError("".join(told))
            yield process
        finally:
            process.terminate()


def output_of(program: str, state: Path) -> tuple[int, str]:
    """The exit code and the output of a program that ends by itself."""
    with python(program, state) as process:
        said, _ = process.communicate(timeout=60)
        return process.returncode, said


class TestUp:
    """A stack in the foreground."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_ends_in_order(self, tmp_path: Path, number: signal.Signals) -> None:
        """A signal stops every worker, takes the endpoints back, and is no error."""
        with started(tmp_path) as process:
            written = tmp_path / "endpoints.json"
            endpoints = json.loads(written.read_text())
            assert written.stat().st_mode & 0o777 == 0o600
            pids = recorded(tmp_path / "workers")
            process.send_signal(number)
            assert process.wait(timeout=60) == 0
        assert endpoints["amqp_url"] == os.environ["RELAIS_AMQP_URL"]
        assert endpoints["http_url"].startswith("http://127.0.0.1:")
        assert endpoints["api_token"] == "secret"
        assert set(endpoints["postgres"]) == set(SERVICES)
        assert set(pids) == {*(f"{service}-1" for service in SERVICES), "web-1"}
        assert not any(is_running(pid) for pid in pids.values())
        assert not (tmp_path / "endpoints.json").exists()

    def test_runs_once(self, tmp_path: Path) -> None:
        """A second one says which process runs, and what stops it."""
        with started(tmp_path) as first, python(UP, tmp_path) as second:
            assert second.wait(timeout=60) == 69
            assert first.poll() is None


class TestDown:
    """The end, from elsewhere."""

    def test_ends_a_running_one(self, tmp_path: Path) -> None:
        """It waits until the stack is gone; that one ends well."""
        with started(tmp_path) as process:
            pids = recorded(tmp_path / "workers")
            code, said = output_of(DOWN, tmp_path)
            assert (code, said) == (0, f"Stopping the stack of process {process.pid}.\nStopped.\n")
            assert process.wait(timeout=60) == 0
        assert not any(is_running(pid) for pid in pids.values())

    async def test_clears_up_after_a_killed_one(self, tmp_path: Path) -> None:
        """What a killed stack left is gone afterwards, whoever ended it."""
        with started(tmp_path) as process:
            pids = recorded(tmp_path / "workers")
            process.kill()
            process.wait()
            code, said = output_of(DOWN, tmp_path)
        assert code == 0
        assert said.endswith("No stack was running.\n")
        assert not (tmp_path / "endpoints.json").exists()
        await eventually(lambda: not any(is_running(pid) for pid in pids.values()))

    def test_says_when_there_is_none(self, tmp_path: Path) -> None:
        """Nothing to stop is no error."""
        assert output_of(DOWN, tmp_path) == (0, "No stack was running.\n")
