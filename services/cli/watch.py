"""Show the progress of a package's cancel until it is complete."""

import asyncio
from collections.abc import Callable

from pydantic import TypeAdapter, ValidationError
from rich.console import Console, Group
from rich.live import Live

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


async def watch(package: str) -> int:
    """Follow one package's cancel; ends with it, or with Ctrl-C."""
    try:
        TypeAdapter(Id).validate_python(package)
    except ValidationError:
        text = f"{package!r} is no id of a package, which has 1 to 64 of A-Z a-z 0-9 _ -"
        raise Problem(text, USAGE) from None
    stack = endpoints.find("packages")
    if not await is_known(stack.postgres["packages"], package):
        console().print(f"package {package} is not known to packages; check the id", markup=False)
    async with following(stack.amqp_url, stack.postgres["packages"], [package]) as follower:
        await show(follower, lambda: title(follower.cancels[package]), console())
    cancel = follower.cancels[package]
    print(f"the cancel of {package} is complete after {cancel.seconds:.2f} s")
    return 0


async def is_known(packages_url: str, package: str) -> bool:
    """Whether there is such a package."""
    async with database.connect(packages_url, "relais watch") as conn:
        found = await conn.fetchval("SELECT true FROM packages WHERE package_id = $1", package)
    return bool(found)


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
            await _news(follower)
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
        await _news(follower)
        await asyncio.sleep(0 if follower.is_complete else LINE)


async def _news(follower: Following) -> None:
    await follower.changed.wait()
    follower.changed.clear()
