"""Whatever happens to a parent, its processes end."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from infra.local import keeper
from infra.local.errors import Unavailable
from infra.local.keeping import Kept, Process, keeping
from tests.eventually import eventually
from tests.infra.processes import is_running, python, recorded

SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
STUBBORN = (
    *(sys.executable, "-S", "-u", "-c"),
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(600)",
)
# Forks twice, as a daemon does, and leaves the id of the daemon in a file.
DAEMON = (
    *(sys.executable, "-S", "-c"),
    """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1], "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
time.sleep(600)
""",
)
PARENT = """
import sys, time
from pathlib import Path
from infra.local.keeping import keeping
with keeping(Path(sys.argv[1])) as kept:
    kept.start("sleeper", sys.argv[2:])
    print("started", flush=True)
    time.sleep(600)
"""


# Out of the kernel's reach: the signal that tells of the keeper's end is switched off.
UNTOLD = (
    *(sys.executable, "-S", "-u", "-c"),
    "import ctypes, time; ctypes.CDLL(None).prctl(1, 0); print('untold'); time.sleep(600)",
)


def start_and_fail(state: Path, started: list[Process]) -> None:
    """Leave the block by an exception."""
    with keeping(state) as kept:
        started.append(kept.start("sleeper", SLEEP))
        raise KeyError


async def deaf(kept: Kept, grace: float) -> Process:
    """A process that does not listen to SIGTERM any more."""
    process = kept.start("stubborn", STUBBORN, grace=grace)
    await eventually(lambda: "deaf" in process.log.read_text())
    return process


class TestTheEndOfABlock:
    """When the block is left, nothing of it remains."""

    def test_ends_what_was_started(self, tmp_path: Path) -> None:
        """A process ends with the block that started it."""
        with keeping(tmp_path) as kept:
            process = kept.start("sleeper", SLEEP)
            assert is_running(process.pid)
        assert not is_running(process.pid)

    def test_ends_it_after_an_exception_too(self, tmp_path: Path) -> None:
        """An exception ends the processes, and is not swallowed."""
        started: list[Process] = []
        with pytest.raises(KeyError):
            start_and_fail(tmp_path, started)
        assert not is_running(started[0].pid)

    async def test_kills_what_does_not_end_by_itself(self, tmp_path: Path) -> None:
        """After its grace a process that ignores SIGTERM is killed."""
        with keeping(tmp_path) as kept:
            process = await deaf(kept, grace=0.1)
        assert not is_running(process.pid)
        assert process.returncode == -signal.SIGKILL

    async def test_ends_daemons(self, tmp_path: Path) -> None:
        """A process that walked away from its parent ends as well."""
        note = tmp_path / "daemon"
        with keeping(tmp_path / "state") as kept:
            kept.start("daemon", (*DAEMON, str(note)))
            pid = int(await eventually(lambda: note.exists() and note.read_text()))
        assert not is_running(pid)

    def test_removes_folders_and_its_record(self, tmp_path: Path) -> None:
        """Folders outside the state are removed, and no record is left to act upon."""
        outside = tmp_path / "outside"
        outside.mkdir()
        with keeping(tmp_path / "state") as kept:
            kept.remove_at_end(outside)
        assert not outside.exists()
        assert not (tmp_path / "state/keeper.json").exists()

    async def test_a_second_interrupt_hurries(self, tmp_path: Path) -> None:
        """Ctrl-C while waiting for a slow end kills at once; nothing escapes."""
        # Stands for SIGINT, which a running event loop takes for itself.
        previous = signal.signal(signal.SIGUSR1, signal.default_int_handler)
        block = keeping(tmp_path)
        process = await deaf(block.__enter__(), grace=60)
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        with pytest.raises(KeyboardInterrupt):
            block.__exit__(None, None, None)
        signal.signal(signal.SIGUSR1, previous)
        assert not is_running(process.pid)


class TestAProcess:
    """What is known of a process."""

    async def test_its_end_is_heard_of(self, tmp_path: Path) -> None:
        """The callback gets the process with its exit code."""
        ended: list[Process] = []
        with keeping(tmp_path) as kept:
            process = kept.start("short", ("false",), ended=ended.append)
            await eventually(lambda: ended)
        assert ended == [process]
        assert process.returncode == 1

    def test_a_failed_run_says_why(self, tmp_path: Path) -> None:
        """The error of a tool that failed holds what it said last."""
        with keeping(tmp_path) as kept, pytest.raises(Unavailable, match="no such luck"):
            kept.run("tool", ("sh", "-c", "echo no such luck; exit 3"))

    async def test_that_hangs_is_given_up(self, tmp_path: Path) -> None:
        """What a server or a tool printed is shown when its time is over, and it is ended."""
        with keeping(tmp_path) as kept:
            server = kept.start("server", STUBBORN)
            await eventually(lambda: server.log.read_text() == "deaf\n")
            with pytest.raises(Unavailable, match=r"(?s)server is not ready.*\.log ends:\ndeaf"):
                server.wait_until(lambda: False, seconds=0)
            with pytest.raises(Unavailable, match="tool has not ended"):
                kept.run("tool", SLEEP, seconds=0)

    def test_a_missing_program_is_named(self, tmp_path: Path) -> None:
        """A program that is not there is an error that names it."""
        with keeping(tmp_path) as kept, pytest.raises(Unavailable, match="/no/such/program"):
            kept.start("missing", ("/no/such/program",))


class TestAKilledParent:
    """SIGKILL of the parent, of the keeper, or of both."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    async def test_leaves_nothing(self, tmp_path: Path, number: signal.Signals) -> None:
        """Its processes end without it."""
        with python(PARENT, tmp_path, *SLEEP) as parent:
            assert parent.stdout
            assert parent.stdout.readline() == "started\n"
            pid = recorded(tmp_path)["sleeper"]
            parent.send_signal(number)
            await eventually(lambda: not is_running(pid))
            await eventually(lambda: not (tmp_path / "keeper.json").exists())

    async def test_with_its_keeper_leaves_what_the_next_run_ends(self, tmp_path: Path) -> None:
        """A process that outlived both is found in the record, and ended."""
        with python(PARENT, tmp_path, *UNTOLD) as parent:
            assert parent.stdout
            parent.stdout.readline()
            pid = recorded(tmp_path)["sleeper"]
            await eventually(lambda: "untold" in (tmp_path / "sleeper.log").read_text())
            [keeper_pid] = keeper.children_of(parent.pid)
            os.kill(parent.pid, signal.SIGSTOP)
            os.kill(keeper_pid, signal.SIGKILL)
            os.kill(parent.pid, signal.SIGKILL)
        assert is_running(pid)
        said: list[str] = []
        with keeping(tmp_path, report=said.append):
            assert not is_running(pid)
        assert said == [f"Ending sleeper (process {pid}), left behind by a killed run."]

    async def test_with_its_keeper_ends_what_listens(self, tmp_path: Path) -> None:
        """The kernel tells processes that their keeper was killed."""
        with python(PARENT, tmp_path, *SLEEP) as parent:
            assert parent.stdout
            parent.stdout.readline()
            pid = recorded(tmp_path)["sleeper"]
            [keeper_pid] = keeper.children_of(parent.pid)
            os.kill(keeper_pid, signal.SIGKILL)
            os.kill(parent.pid, signal.SIGKILL)
            await eventually(lambda: not is_running(pid))


class TestAnotherProcess:
    """Those who have nothing to do with us."""

    def test_that_got_a_recorded_id_is_left_alone(self, tmp_path: Path) -> None:
        """An id alone does not make a process ours: the time of its start has to fit."""
        with keeping(tmp_path / "other") as kept:
            stranger = kept.start("stranger", SLEEP)
            process = {"name": "ours", "pid": stranger.pid, "started": "1"}
            facts = {"boot": keeper.boot_id(), "processes": [process]}
            (tmp_path / "keeper.json").write_text(json.dumps(facts))
            with keeping(tmp_path):
                assert is_running(stranger.pid)

    def test_is_kept_out_of_a_folder_in_use(self, tmp_path: Path) -> None:
        """A folder serves one run at a time, and the error names the one that has it."""
        with (
            keeping(tmp_path),
            pytest.raises(Unavailable, match=f"in use by process {os.getpid()}"),
            keeping(tmp_path),
        ):
            pass
