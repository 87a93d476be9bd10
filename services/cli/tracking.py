"""The commands for those who run the read model: make it again, and compare its counts."""

import asyncio
import getpass
import time
from typing import Annotated

import typer

from services.cli.failures import guarded

app = typer.Typer()
tracking_app = typer.Typer(
    no_args_is_help=True, help="Rebuild the read model, or compare its counts with its rows."
)
app.add_typer(tracking_app, name="tracking")

LOOKED_EVERY = 0.5
SILENT_FOR = 15.0
"""Seconds after which it is said again what a rebuild waits for."""


@tracking_app.command("rebuild")
def rebuild(
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Ask for it and return at once.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Give up the rebuild that is under way.")
    ] = False,
) -> int:
    """Make the read model again from the state of all services, while it is read and written.

    Workers do it; ended in the middle, it goes on by itself.  Exit code 1 where it fails.
    """
    return guarded(lambda: asyncio.run(_abandon() if abandon else _rebuild(not no_wait)))


@tracking_app.command("check")
def check() -> int:
    """Compare the counts of the read model with count(*) of its rows; changes nothing.

    Exit code 1 where some differ: each is printed by its name.
    """
    return guarded(lambda: asyncio.run(_check()))


async def _rebuild(wait: bool) -> int:
    from services.cli import endpoints
    from services.cli.problems import TRY_AGAIN, Problem
    from services.runtime.postgres import database
    from services.tracking import rebuild as work

    url = endpoints.find("tracking").postgres["tracking"]
    async with database.connect(url, "relais tracking") as conn:
        try:
            request_id = await work.ask(conn, f"/cli/{getpass.getuser()}")
        except work.UnderWay as error:
            raise Problem(f"{error}: relais tracking rebuild --abandon", TRY_AGAIN) from error
        if not wait:
            print(f"asked for {request_id}; the workers of tracking do it")
            return 0
        said, at = "", 0.0
        while True:
            progress = await work.find(conn, request_id)
            assert progress is not None
            line = _line(progress)
            if line != said and (line.split(":")[0] != said.split(":")[0] or _is_due(at)):
                print(line, flush=True)
                said, at = line, time.monotonic()
            if progress.state in ("done", "failed", "abandoned"):
                return 0 if progress.state == "done" else 1
            await asyncio.sleep(LOOKED_EVERY)


def _is_due(at: float) -> bool:
    return time.monotonic() - at >= min(SILENT_FOR, 2.0)


def _line(progress: object) -> str:
    """Where a rebuild is, in one line."""
    from services.tracking.rebuild import SAYS, Progress, senders

    assert isinstance(progress, Progress)
    line = f"{progress.state}: {SAYS[progress.state]}"
    if progress.remark:
        line += f"; {progress.remark}"
    if progress.state == "filling":
        read = sum(progress.read.values())
        line += f"; {read:,} read; waiting for {', '.join(progress.waits_for(senders())) or '-'}"
    return line


async def _abandon() -> int:
    from services.cli import endpoints
    from services.runtime.postgres import database
    from services.tracking import rebuild as work

    url = endpoints.find("tracking").postgres["tracking"]
    async with database.connect(url, "relais tracking") as conn:
        request_id = await work.abandon(conn)
    print(f"abandoned {request_id}" if request_id else "no rebuild is under way")
    return 0


async def _check() -> int:
    from services.cli import endpoints
    from services.runtime.postgres import database
    from services.tracking import checking

    url = endpoints.find("tracking").postgres["tracking"]
    async with database.connect(url, "relais tracking") as conn:
        found = await checking.compare(conn)
    for one in found:
        print(one)
    more = f" (the first {checking.LISTED:,})" if len(found) == checking.LISTED else ""
    print(f"{len(found):,} counts differ{more}" if found else "every count is right")
    return 1 if found else 0
