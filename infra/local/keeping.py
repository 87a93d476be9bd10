"""Start processes that are ended for sure: after the block, an exception, or a kill -9 of this one.

The keeper (keeper.py) does the ending; this is its parent's side.
"""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from infra.local import keeper
from infra.local.errors import PortTaken, Unavailable
from infra.local.leftovers import end_leftovers, lock

T = TypeVar("T")
HELD = keeper.HELD
# A server on a busy machine takes some seconds; one that takes so long waits for something.
START_SECONDS = 90.0
RUN_SECONDS = 120.0
QUIET: Callable[[str], None] = lambda sentence: None  # noqa: E731 - a value, not a rule with a name


class Ended(Exception):
    """The processes are being ended; whoever still waits for one of them can stop."""


@dataclass
class Process:
    """One process that the keeper holds."""

    name: str
    pid: int
    log: Path
    kept: "Kept" = field(repr=False)
    returncode: int | None = None
    over: threading.Event = field(default_factory=threading.Event, repr=False)

    def signal(self, number: int) -> bool:
        """Send it a signal; false when it has ended already."""
        return bool(self.kept.ask({"signal": [self.pid, number]}).get("signalled"))

    def alive(self) -> bool:
        """Whether it still runs, as far as we have heard."""
        return not self.over.is_set()

    def wait_until(self, is_ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Wait until a server is ready; raises an error when it ends before, or hangs."""
        until = time.monotonic() + seconds
        while not is_ready():
            if not self.alive():
                self.kept.check()
                end = tail(self.log)
                kind = PortTaken if TAKEN.search(end) else Unavailable
                raise kind(f"{self.name} ended while starting:\n{end}")
            self.expect_before(until, "is not ready")
            self.kept.pause(0.02)

    def expect_before(self, until: float, state: str) -> None:
        """Raise an error with the end of the log once a moment has passed."""
        if time.monotonic() > until:
            raise Unavailable(
                f"{self.name} {state} after the time it is given; its log {self.log} ends:\n"
                f"{tail(self.log)}"
            )


class Kept:
    """The processes of one folder, and the pipe to the keeper that holds them."""

    def __init__(self, program: subprocess.Popen[bytes], folder: Path) -> None:
        """Speak to `program`, a keeper just started."""
        assert program.stdin
        assert program.stdout
        self.folder = folder
        self.closing = threading.Event()
        self._program = program
        self._requests: IO[bytes] = program.stdin
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._processes: dict[int, Process] = {}
        self._early: dict[int, int] = {}
        self._ended: dict[int, Callable[[Process], None]] = {}
        self._turn = threading.Lock()
        self._table = threading.Lock()
        threading.Thread(target=self._listen, args=(program.stdout,), daemon=True).start()

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = Path("/"),
        log: Path | None = None,
        user: tuple[int, int] | None = None,
        held: Path | None = None,
        stop: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
        ended: Callable[[Process], None] | None = None,
    ) -> Process:
        """Start a process; `stop` and then, `grace` seconds later, SIGKILL will end it.

        HELD in `argv` becomes a path to the folder `held` that works whoever may enter its parents.
        `ended` is called from the listening thread, so it must not wait.
        """
        log = log or self.folder / f"{name}.log"
        order = {
            "name": name,
            "argv": [str(part) for part in argv],
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd),
            "log": str(log),
            "user": user,
            "held": str(held) if held else None,
            "stop": int(stop),
            "grace": grace,
        }
        answer = self.ask({"start": order})
        if "started" not in answer:
            raise Unavailable(f"{name} does not start: {answer.get('failed')}.")
        return self._enter(Process(name, answer["started"], log, self), ended)

    def run(
        self, name: str, argv: Sequence[str | Path], *, seconds: float = RUN_SECONDS, **how: Any
    ) -> str:
        """Run a process to its end and return what it wrote; any exit code but 0 is an error."""
        log: Path = how.setdefault("log", self.folder / f"{name}.log")
        log.unlink(missing_ok=True)
        process = self.start(name, argv, **how)
        until = time.monotonic() + seconds
        while not process.over.wait(0.05):
            self.check()
            process.expect_before(until, "has not ended")
        if process.returncode != 0:
            self.check()
            raise Unavailable(f"{name} ended with code {process.returncode}:\n{tail(log)}")
        return log.read_text(errors="replace")

    def check(self) -> None:
        """Raise Ended once the processes are being ended."""
        if self.closing.is_set():
            raise Ended

    def pause(self, seconds: float) -> None:
        """Wait a moment, but not past the end."""
        self.closing.wait(seconds)
        self.check()

    def remove_at_end(self, path: Path) -> None:
        """Have a folder removed once every process is gone."""
        self.ask({"remove": str(path)})

    def run_at_end(self, argv: Sequence[str]) -> None:
        """Have a command run once every process is gone."""
        self.ask({"farewell": list(argv)})

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request to the keeper and return its answer."""
        with self._turn:
            self.check()
            try:
                self._requests.write(json.dumps(request).encode() + b"\n")
                self._requests.flush()
            except OSError as error:
                raise Unavailable(LOST.format(folder=self.folder)) from error
            answer = self._answers.get()
        if answer is None:
            raise Unavailable(LOST.format(folder=self.folder))
        return answer

    def end(self) -> None:
        """End every process and wait until they are gone; a second Ctrl-C hurries, none escapes."""
        interrupted: BaseException | None = None
        while True:
            try:
                self._hang_up()
                self._program.wait()
                break
            except (KeyboardInterrupt, SystemExit) as error:
                interrupted = error
                self._program.terminate()
        if interrupted:
            raise interrupted

    def _hang_up(self) -> None:
        """Tell the keeper that this is a wanted end, then close the pipe."""
        self.closing.set()
        with contextlib.suppress(OSError, ValueError):
            self._requests.write(b'{"end": true}\n')
            self._requests.flush()
        with contextlib.suppress(OSError):
            self._requests.close()

    def _listen(self, answers: IO[bytes]) -> None:
        """Handle the messages of the keeper until it is gone."""
        for line in answers:
            match json.loads(line):
                case {"exited": [int(pid), int(code)]}:
                    self._leave(pid, code)
                case answer:
                    self._answers.put(answer)
        for pid in list(self._processes):
            self._leave(pid, -signal.SIGKILL)
        self._answers.put(None)

    def _enter(self, process: Process, ended: Callable[[Process], None] | None) -> Process:
        """Note a process that has started; it may have ended before we heard its id."""
        with self._table:
            self._processes[process.pid] = process
            if ended:
                self._ended[process.pid] = ended
            early = self._early.pop(process.pid, None)
        if early is not None:
            self._leave(process.pid, early)
        return process

    def _leave(self, pid: int, code: int) -> None:
        """Note that a process has ended."""
        with self._table:
            process = self._processes.pop(pid, None)
            ended = self._ended.pop(pid, None)
            if process is None:
                self._early[pid] = code
                return
        process.returncode = code
        process.over.set()
        if ended and not self.closing.is_set():
            ended(process)


TAKEN = re.compile("eaddrinuse|already in use", re.IGNORECASE)
LOST = "The process that holds everything in {folder} has been killed; run the command again."


@contextmanager
def keeping(folder: Path, *, report: Callable[[str], None] = QUIET) -> Iterator[Kept]:
    """Hold a folder and the processes started in it; when the block is left none of them remains.

    Raises Unavailable when another living process holds the folder.
    What a killed run left behind in it is ended first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "keeper.json"
    with lock(folder, record) as held:
        end_leftovers(record, report)
        for log in folder.glob("*.log"):
            log.unlink()
        kept = Kept(start_keeper(record, held), folder)
    try:
        yield kept
    finally:
        kept.end()


def start_keeper(record: Path, lock: int) -> subprocess.Popen[bytes]:
    """Start the keeper in a session of its own, where the terminal's Ctrl-C does not reach it."""
    with open(record.with_name("keeper.log"), "wb") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, str(record.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            pass_fds=(lock,),
            start_new_session=True,
        )


def together(kept: Kept, *calls: Callable[[], T]) -> list[T]:
    """Make calls at the same time; when one fails, or we are interrupted, none holds the end up."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            raise_first(futures)
            return [future.result() for future in futures]
        except BaseException:
            kept.closing.set()
            raise


def raise_first(futures: Sequence[Future[T]]) -> None:
    """Raise what went wrong in those that are done."""
    for future in futures:
        if future.done() and (error := future.exception()):
            raise error


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, for the message of an error."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(it wrote nothing)"
