"""Show the progress of a package's cancel until it is complete."""

import asyncio
import time
from collections.abc import Callable

from pydantic import TypeAdapter, ValidationError
from rich.console import Console, Group
from rich.live import Live

from contracts.cancellation import NotificationsReport
from contracts.fields import Id
from services.cli import cancels, endpoints
from services.cli.cancels import Cancel
from services.cli.console import console
from services.cli.following import Following, following
from services.cli.problems import USAGE, Problem
from services.runtime.postgres import database

FRAME = 0.1
LINE = 0.5
"""Seconds between two looks, where each leaves lines behind."""
PATIENCE = 5.0
"""Seconds that a package may be unknown: as long as a service waits for it."""


async def watch(package: str) -> int:
    """Follow one package's cancel; ends with it, or with Ctrl-C."""
    try:
        TypeAdapter(Id).validate_python(package)
    except ValidationError:
        text = f"{package!r} is no id of a package, which has 1 to 64 of A-Z a-z 0-9 _ -"
        raise Problem(text, USAGE) from None
    stack = endpoints.find("packages")
    edition = await known_edition(stack.postgres["packages"], package)
    async with following(stack.amqp_url, stack.postgres["packages"], [package]) as follower:
        await show(follower, lambda: title(follower.cancels[package]), console())
    cancel = follower.cancels[package]
    later = f"; the package is in edition {edition} now" if edition > cancel.edition else ""
    print(f"the cancel of {package} is complete after {cancel.seconds:.2f} s{later}")
    report = cancel.parts["notifications"].report
    if isinstance(report, NotificationsReport) and report.failed:
        await print_unsent(cancel)
    return 0


EDITION = "SELECT edition FROM packages WHERE package_id = $1"


async def known_edition(packages_url: str, package: str, patience: float = PATIENCE) -> int:
    """The edition that a package is in; raises Problem where it stays unknown for `patience` s."""
    until = time.monotonic() + patience
    async with database.connect(packages_url, "relais watch") as conn:
        while not (edition := await conn.fetchval(EDITION, package)):
            if time.monotonic() >= until:
                raise Problem(f"there is no package {package}; check its id")
            await asyncio.sleep(LINE)
    return int(edition)


UNSENT = """
SELECT n.status, r.error, count(*) AS many,
       (array_agg(n.recipient_id ORDER BY n.recipient_id))[:5] AS some
FROM notifications n JOIN happenings h USING (happening_id)
     CROSS JOIN replace(n.error, n.recipient_id, '...') AS r (error)
WHERE h.subject = $1 AND h.kind = 'package_canceled' AND h.edition = $2
  AND n.status IN ('failed', 'pending')
GROUP BY n.status, r.error ORDER BY many DESC, r.error LIMIT 20
"""


async def print_unsent(cancel: Cancel) -> None:
    """Print whose notices of a cancel have not arrived, and why: by reason, some of each."""
    url = endpoints.find("notifications").postgres["notifications"]
    async with database.connect(url, "relais watch") as conn:
        rows = await conn.fetch(UNSENT, cancel.package_id, cancel.edition)
    out = console()
    for row in rows:
        more = f" and {row['many'] - len(row['some']):,} more" if row["many"] > 5 else ""
        again = ", is tried again" if row["status"] == "pending" else ""
        line = f"  not notified ({row['error']}{again}): {', '.join(row['some'])}{more}"
        out.print(line, markup=False, soft_wrap=True)


def title(cancel: Cancel) -> str:
    """A cancel and its state, in one line."""
    if not cancel.edition:
        return f"{cancel.package_id} has no cancel yet; waiting for one, Ctrl-C ends"
    text = f"cancel of {cancel.package_id}, edition {cancel.edition}"
    if cancel.is_complete:
        return f"{text}: complete after {cancel.seconds:.2f} s"
    waited = [name for name, part in cancel.parts.items() if part.report is None]
    stalled = " (stalled)" if cancel.stalled else ""
    return f"{text}{stalled}: waiting for {', '.join(waited) or 'packages to close it'}"


async def show(follower: Following, headline: Callable[[], str], console: Console) -> None:
    """Show the cancels added up until all are complete: as bars, or line by line where piped."""
    if console.is_terminal:
        await _show_live(follower, headline, console)
    else:
        await _show_lines(follower, headline, console)


async def _show_live(follower: Following, headline: Callable[[], str], console: Console) -> None:
    def draw() -> Group:
        return cancels.picture(headline(), cancels.together(follower.cancels.values()))

    with Live(draw(), console=console, auto_refresh=False) as live:
        while not follower.is_complete:
            await follower.news()
            live.update(draw(), refresh=True)
            # Drawing costs more than the events do; the eye needs ten pictures a second.
            await asyncio.sleep(0 if follower.is_complete else FRAME)
        live.update(draw(), refresh=True)


async def _show_lines(follower: Following, headline: Callable[[], str], console: Console) -> None:
    before: dict[str, str] = {}
    if text := headline():
        console.print(text, markup=False, highlight=False)
    while True:
        for name, part in cancels.together(follower.cancels.values()).items():
            text = cancels.describe(part)
            if before.get(name) != text:
                before[name] = text
                console.print(f"  {name}: {text}", markup=False, highlight=False)
        if follower.is_complete:
            return
        await follower.news()
        await asyncio.sleep(0 if follower.is_complete else LINE)
