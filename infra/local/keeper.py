"""Hold processes for a parent, and end them all once the parent is done or gone.

A program of its own (standard library only), started by keeping.py as `keeper.py RECORD`.
Requests come in on standard input and answers go out on standard output, one JSON object a line.
The end of standard input is the parent's end, however it came: a kill -9 closes a pipe as well.
It is the subreaper of what it starts, so a daemon that walks away from its parent still ends here;
what it starts gets a signal from the kernel, should the keeper itself be killed.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ORPHANED_GRACE = 5.0
HELD = "{held}"


@dataclass
class Child:
    """One process that runs, with the way to end it."""

    name: str
    popen: subprocess.Popen[bytes]
    started: str | None
    stop: int
    grace: float

    @property
    def pid(self) -> int:
        """Its process id, safe to signal for as long as it has not been waited for."""
        return self.popen.pid


class Keeper:
    """What is held: children, folders to remove and commands to run when all is over."""

    def __init__(self, record: Path) -> None:
        """Hold nothing yet; `record` is where the next run looks for what this one left behind."""
        self.record = record
        self.parent = os.getppid()
        self.children: dict[int, Child] = {}
        self.removals: list[str] = []
        self.farewells: list[list[str]] = []
        self.ending = False
        self.hurry = False
        self.orphaned = True

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what one request asks."""
        match request:
            case {"start": dict(order)}:
                return self.start(order)
            case {"signal": [int(pid), int(number)]}:
                return {"signalled": self.signal(pid, number)}
            case {"remove": str(path)}:
                self.removals.append(path)
            case {"farewell": list(argv)}:
                self.farewells.append(argv)
            case {"end": True}:
                self.orphaned, self.ending = False, True
        self.write_record()
        return {}

    def start(self, order: dict[str, Any]) -> dict[str, Any]:
        """Start one process in a session of its own, away from the terminal's Ctrl-C."""
        try:
            popen = spawn(order)
        except (OSError, subprocess.SubprocessError) as error:
            return {"failed": str(error)}
        child = Child(order["name"], popen, started_at(popen.pid), order["stop"], order["grace"])
        self.children[child.pid] = child
        self.write_record()
        return {"started": child.pid}

    def signal(self, pid: int, number: int) -> bool:
        """Signal one of our own; false when it is gone."""
        if pid not in self.children:
            return False
        os.kill(pid, number)
        return True

    def reap(self) -> None:
        """Notice who has ended, adopted grandchildren included, and send it to the parent."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if child := self.children.pop(pid, None):
                child.popen.returncode = os.waitstatus_to_exitcode(status)
                self.write_record()
                send({"exited": [pid, child.popen.returncode]})

    def end(self, wait: Callable[[float], None]) -> None:
        """End every process: ask, wait for its grace, then kill; clear up after them."""
        self.ending = True
        begun = time.monotonic()
        for child in self.children.values():
            os.kill(child.pid, child.stop)
        while self.children:
            wait(0.1)
            self.reap()
            self.kill_older_than(time.monotonic() - begun)
        kill_orphans()
        for argv in self.farewells:
            bid(argv)
        for path in self.removals:
            shutil.rmtree(path, ignore_errors=True)
        self.record.unlink(missing_ok=True)

    def kill_older_than(self, seconds: float) -> None:
        """Kill those that were asked to end and have used up their grace."""
        limit = 0.0 if self.hurry else ORPHANED_GRACE if self.orphaned else float("inf")
        for child in self.children.values():
            if seconds > min(child.grace, limit):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)

    def write_record(self) -> None:
        """Write to disk what would be left behind if this process were killed now."""
        facts = {
            "boot": boot_id(),
            "owner": {"pid": self.parent, "started": started_at(self.parent)},
            "processes": [
                {"name": child.name, "pid": child.pid, "started": child.started}
                for child in self.children.values()
            ],
            "removals": self.removals,
            "farewells": self.farewells,
        }
        # The folder may be gone, removed by hand: nothing to leave word in, and no reason to fail.
        with contextlib.suppress(OSError):
            draft = self.record.with_suffix(".new")
            draft.write_text(json.dumps(facts))
            draft.replace(self.record)


def spawn(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the process that `order` describes, its output appended to its log."""
    user: dict[str, Any] = {}
    if order["user"]:
        uid, gid = order["user"]
        user = {"user": uid, "group": gid, "extra_groups": []}
    with contextlib.ExitStack() as closing:
        log = closing.enter_context(open(order["log"], "ab"))
        argv: list[str] = order["argv"]
        fds: tuple[int, ...] = ()
        if order["held"]:
            held = os.open(order["held"], os.O_RDONLY | os.O_DIRECTORY)
            closing.callback(os.close, held)
            argv, fds = [part.replace(HELD, f"/proc/self/fd/{held}") for part in argv], (held,)
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=order["env"],
            cwd=order["cwd"],
            pass_fds=fds,
            start_new_session=True,
            preexec_fn=dying_with_its_parent(order["stop"]),
            **user,
        )


def dying_with_its_parent(stop: int) -> Callable[[], None] | None:
    """Return what makes a new process get `stop` from the kernel when its parent is killed."""
    if sys.platform != "linux":
        return None
    return lambda: prctl(PR_SET_PDEATHSIG, stop)


def prctl(option: int, value: int) -> None:
    """Set one process attribute (Linux)."""
    LIBC.prctl(option, value, 0, 0, 0)


# Loaded once and before any fork: a forked child must not import or allocate more than it has to.
LIBC = ctypes.CDLL(None, use_errno=True)


def kill_orphans(seconds: float = 5.0) -> None:
    """Kill what walked away from its parent and was handed to us by the kernel."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for pid in children_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def children_of(parent: int) -> Iterator[int]:
    """Yield the ids of the processes whose parent is `parent` (nothing where there is no /proc)."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat_fields(entry.read_text())[1]) == parent:
                yield int(entry.parent.name)


def started_at(pid: int) -> str | None:
    """Return when a process started, None when it has ended.

    In clock ticks; with the process id it is an identity that never recurs.
    """
    try:
        fields = stat_fields(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return None if sys.platform == "linux" else start_time_from_ps(pid)
    # A zombie has ended; only its parent has not asked yet, and may never do so.
    return None if fields[0] in "ZX" else fields[19]


def start_time_from_ps(pid: int) -> str | None:
    """Return when a process started, where there is no /proc."""
    answer = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None


def stat_fields(text: str) -> list[str]:
    """Split /proc/PID/stat after the command's name, which may itself hold spaces and brackets."""
    return text.rpartition(")")[2].split()


def boot_id() -> str | None:
    """Return the id of this boot of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def bid(argv: list[str]) -> None:
    """Run one last command; nobody is there to hear of its failure."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(argv, capture_output=True, timeout=20, check=False)


def send(answer: dict[str, Any]) -> None:
    """Send one line to the parent, who may be gone."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")


def wake_on_signals(keeper: Keeper) -> int:
    """Return a descriptor that becomes readable when a child ended or a signal came."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def asked(number: int, frame: object) -> None:
        keeper.hurry, keeper.ending = keeper.ending, True

    signal.signal(signal.SIGTERM, asked)
    # Handlers that do nothing, not SIG_IGN: a new process would inherit that.
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: None)
    return reading


def serve(keeper: Keeper, wake: int) -> None:
    """Answer requests until the parent ends it, or is gone."""
    unread = b""
    while not keeper.ending:
        # A forked child of the parent may hold the pipe open after its death: look at both.
        readable, _, _ = select.select([0, wake], [], [], 1.0)
        if os.getppid() != keeper.parent:
            return
        if wake in readable:
            os.read(wake, 4096)
        keeper.reap()
        if 0 in readable:
            data = os.read(0, 65536)
            if not data:
                return
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                send(keeper.answer(json.loads(line)))


def main(record: Path) -> None:
    """Serve, then end everything."""
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    keeper = Keeper(record)
    keeper.write_record()
    wake = wake_on_signals(keeper)

    def wait(seconds: float) -> None:
        if select.select([wake], [], [], seconds)[0]:
            os.read(wake, 4096)

    try:
        serve(keeper, wake)
    finally:
        keeper.end(wait)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
