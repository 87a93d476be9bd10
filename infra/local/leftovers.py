"""A folder that serves one run at a time, and what a killed run has left in it."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local import keeper
from infra.local.errors import Unavailable

Report = Callable[[str], None]
PATIENCE_SECONDS = 60.0


@contextmanager
def lock(folder: Path, record: Path) -> Iterator[int]:
    """Lock a folder; the keeper inherits the lock, so it lasts until the last process is gone."""
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not try_lock(held):
            owner = living_owner(record)
            if owner or time.monotonic() > until:
                user = f"process {owner}" if owner else "a process that should have ended"
                raise Unavailable(f"{folder} is in use by {user}; wait for it to end, or end it.")
            # Its keeper is still clearing up after a parent that is gone.
            time.sleep(0.05)
        yield held
    finally:
        os.close(held)


def try_lock(held: int) -> bool:
    """Lock an open file unless another process has it locked."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def living_owner(record: Path) -> int | None:
    """Return the process on whose behalf a folder is kept, if it lives."""
    owner = read_record(record).get("owner", {})
    pid = owner.get("pid")
    if isinstance(pid, int) and keeper.started_at(pid) == owner.get("started") is not None:
        return pid
    return None


def read_record(record: Path) -> dict[str, Any]:
    """Return what a keeper wrote down, nothing when it wrote nothing readable."""
    try:
        facts = json.loads(record.read_text())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def end_leftovers(record: Path, report: Report) -> None:
    """End what a run whose keeper was killed as well has left behind."""
    facts = read_record(record)
    for process in facts.get("processes", []):
        if is_same(process, facts.get("boot")):
            name, pid = process["name"], process["pid"]
            report(f"Ending {name} (process {pid}), left behind by a killed run.")
            kill(process)
    for argv in facts.get("farewells", []):
        keeper.bid(argv)
    for path in facts.get("removals", []):
        shutil.rmtree(path, ignore_errors=True)
    record.unlink(missing_ok=True)


def clear(folder: Path, report: Report) -> None:
    """End what a killed run left behind in a folder; wait for its keeper, if that is at work."""
    if (folder / "lock").exists():
        with lock(folder, folder / "keeper.json"):
            end_leftovers(folder / "keeper.json", report)


def is_same(process: Mapping[str, Any], boot: str | None) -> bool:
    """Whether a process of the record still runs, and is not another one under a used id."""
    started = process.get("started")
    return (
        started is not None
        and boot == keeper.boot_id()
        and keeper.started_at(process["pid"]) == started
    )


def kill(process: Mapping[str, Any], seconds: float = 5.0) -> None:
    """End a process that is no child of ours: ask, wait, then kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["pid"], number)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if keeper.started_at(process["pid"]) != process["started"]:
                return
            time.sleep(0.02)
