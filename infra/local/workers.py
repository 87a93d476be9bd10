"""One worker of a stack: its place, how long to wait after a death, and how it ended."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from infra.local.keeping import Process

# A worker that lives shorter than this has died quickly.
QUICK_SECONDS = 5.0
BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF = 3.0


@dataclass
class Worker:
    """One place for a worker process, whichever process fills it now.

    arguments are those of the command that fills it.
    """

    service: str
    number: int
    port: int
    log: Path
    arguments: tuple[str, ...]
    process: Process | None = None
    started: float = 0.0
    quick_deaths: int = 0
    killed: bool = False

    @property
    def name(self) -> str:
        """What people call it: `orders-1`."""
        return f"{self.service}-{self.number}"

    def count_death(self) -> float:
        """Note that it died; return how many seconds to wait before it is started again."""
        quick = time.monotonic() - self.started < QUICK_SECONDS and not self.killed
        self.killed = False
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        return float(min(BACKOFF_SECONDS * 2**self.quick_deaths, LONGEST_BACKOFF))


def how_it_ended(worker: Worker) -> str:
    """Describe how a worker's process ended: by a signal, or with an exit code."""
    code = worker.process.returncode if worker.process else None
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"
