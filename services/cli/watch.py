"""Show the progress of a package's cancel until it is complete, as the API tells of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import TypeAdapter, ValidationError

from contracts.cancellation import NotificationsReport
from contracts.fields import Id
from contracts.sentences import one_line
from services.cli import api, showing
from services.cli.api import Api, Json
from services.cli.cancels import REPORTS, Cancel
from services.cli.console import console
from services.cli.problems import USAGE, Problem

EVERY = 1.0
"""Seconds after which the ledger is read without a hint, for a hint may be lost."""
PATIENCE = 5.0
"""Seconds that a package may be unknown: as long as a service waits for it."""
FAILED = 5
"""Recipients that are named of those who were not reached."""


async def watch(package: str) -> int:
    """Follow one package's cancel; ends with it, or with Ctrl-C."""
    try:
        TypeAdapter(Id).validate_python(package)
    except ValidationError:
        text = f"{package!r} is no id of a package, which has 1 to 64 of A-Z a-z 0-9 _ -"
        raise Problem(text, USAGE) from None
    async with api.connected() as connection:
        edition = await known_edition(connection, package)
        async with following(connection, package) as follower:
            await showing.show(follower, lambda: showing.title(follower.cancel), console())
        cancel = follower.cancel
        later = f"; the package is in edition {edition} now" if edition > cancel.edition else ""
        print(f"the cancel of {package} is complete after {cancel.seconds:.2f} s{later}")
        report = cancel.parts["notifications"].report
        if isinstance(report, NotificationsReport) and report.failed:
            await print_failed(connection, cancel, report.failed)
    return 0


async def known_edition(connection: Api, package: str, patience: float = PATIENCE) -> int:
    """The edition that a package is in; raises Problem where it stays unknown for `patience` s."""
    until = time.monotonic() + patience
    while True:
        # Of a package that is older than tracking only the cancel may be known.
        for path in (f"/api/packages/{package}", ledger_of(package)):
            if (found := await connection.find(path)) is not None:
                return int(found["edition"])
        if time.monotonic() >= until:
            raise Problem(f"there is no package {package}; check its id")
        await asyncio.sleep(0.5)


def ledger_of(package: str) -> str:
    """Where the ledger of its latest cancel is."""
    return f"/api/packages/{package}/cancellation"


async def print_failed(connection: Api, cancel: Cancel, failed: int) -> None:
    """Print whose notices of a cancel have not arrived, and why: some of them."""
    filters: api.Parameters = {
        "package": cancel.package_id,
        "edition": cancel.edition,
        "kind": "package_canceled",
        "status": "failed",
    }
    out = console()
    shown = 0
    async for one in connection.items("/api/notifications", filters, FAILED):
        shown += 1
        line = f"  not notified: {one['recipient_id']} ({one_line(one['error'] or 'no reason')})"
        out.print(line, soft_wrap=True)
    if failed > shown:
        out.print(
            f"  and {failed - shown:,} more: relais notifications list --failed "
            f"--package {cancel.package_id}",
            soft_wrap=True,
        )


class Follower:
    """The cancel of a package, read again whenever the stream hints at a change."""

    def __init__(self, connection: Api, package: str) -> None:
        self.cancel = Cancel(package)
        self._connection = connection
        self._hinted = asyncio.Event()

    @property
    def cancels(self) -> dict[str, Cancel]:
        """The one there is."""
        return {self.cancel.package_id: self.cancel}

    @property
    def is_complete(self) -> bool:
        """Whether every service is done."""
        return self.cancel.is_complete

    async def news(self) -> None:
        """Wait for a hint, or a second, and read the ledger."""
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                await self._hinted.wait()
        self._hinted.clear()
        await self.read()

    async def read(self) -> None:
        """Take what the ledger says now, if the package has had a cancel."""
        found = await self._connection.find(ledger_of(self.cancel.package_id))
        if found is not None:
            take(self.cancel, found)

    async def listen(self) -> None:
        """Note hints as they come; while the stream is away, the ledger is read every second."""
        topics = f"package:{self.cancel.package_id}"
        while True:
            with suppress(Problem):
                async with self._connection.stream(
                    "/api/stream", "text/event-stream", topics=topics
                ) as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("data:"):
                            self._hinted.set()
            await asyncio.sleep(EVERY)


def take(cancel: Cancel, ledger: Json) -> None:
    """Bring a cancel to what the ledger says of it."""
    if ledger["edition"] < cancel.edition:
        return
    cancel.begin(ledger["edition"])
    for name, kind in REPORTS.items():
        told, part = ledger[name], cancel.parts[name]
        part.done = max(part.done, told["done"] or 0)
        part.expected = max(part.expected, told["expected"] or 0)
        if told["report"] is not None:
            part.report = kind(**told["report"])
    cancel.stalled = ledger["stalled_at"] is not None
    if ledger["completed_at"] is not None:
        cancel.seconds = ledger["seconds"] or 0.0


@asynccontextmanager
async def following(connection: Api, package: str) -> AsyncIterator[Follower]:
    """Follow the cancel of a package while the block lasts."""
    follower = Follower(connection, package)
    await follower.read()
    listening = asyncio.create_task(follower.listen())
    try:
        yield follower
    finally:
        listening.cancel()
