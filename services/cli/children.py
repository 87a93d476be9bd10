"""Run tools in child processes that end with this one."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.keeper import dying_with_its_parent

PROJECT = Path(__file__).parents[2]
GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """The result of a tool whose output was captured."""

    code: int
    output: str
    seconds: float


def tool(name: str) -> str:
    """Return the path of a program of our own environment."""
    return str(Path(sys.executable).with_name(name))


def run_captured(argv: Sequence[str], environment: Mapping[str, str]) -> Outcome:
    """Run a tool in the project's folder and return its output."""
    started = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=dying_with_its_parent(signal.SIGTERM),
    )
    return Outcome(done.returncode, done.stdout, time.monotonic() - started)


def run_attached(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a tool on our terminal and return its exit code; a signal to us ends it in order."""
    process = subprocess.Popen(
        argv,
        cwd=PROJECT,
        env=environment,
        preexec_fn=dying_with_its_parent(signal.SIGTERM),
    )
    try:
        return process.wait()
    except BaseException as error:
        end(process, interrupted=isinstance(error, KeyboardInterrupt) and os.isatty(0))
        raise


def end(process: "subprocess.Popen[bytes]", *, interrupted: bool) -> None:
    """Ask a tool to end in order, then to end, then kill it.

    On a terminal Ctrl-C has `interrupted` it already; a second signal would cut its end short.
    """
    # What a script starts in the background ignores SIGINT, and so do its children.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not (interrupted or ignored):
        process.send_signal(signal.SIGINT)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt, SystemExit):
            process.wait(0 if ignored else GRACE_SECONDS)
            return
        process.send_signal(number)
        ignored = False
    process.wait()
