"""A folder of its own for one run, so that two at once do not meet."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from infra.local import keeper
from infra.local.keeping import QUIET
from infra.local.leftovers import Report, clear


@contextmanager
def fresh(place: Path, report: Report = QUIET) -> Iterator[Path]:
    """Give a new empty folder under `place`; what runs that are over have left there goes.

    It is removed at the end, but stays for reading its logs when the block fails.
    """
    remove_leftovers(place, report)
    folder = place / f"{os.getpid()}-{keeper.started_at(os.getpid())}"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    rmtree(folder, ignore_errors=True)


def remove_leftovers(place: Path, report: Report) -> None:
    """Remove the folders of runs that are over, and end what they have left running."""
    for folder in place.glob("*-*"):
        pid, _, started = folder.name.partition("-")
        if pid.isdigit() and keeper.started_at(int(pid)) != started:
            for lock in folder.rglob("lock"):
                clear(lock.parent, report)
            rmtree(folder, ignore_errors=True)
