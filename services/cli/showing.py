"""Cancels on a terminal, or line by line where the output is piped."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live

from services.cli import cancels
from services.cli.cancels import Cancel

FRAME = 0.1
LINE = 0.5
"""Seconds between two looks, where each leaves lines behind."""


class Follower(Protocol):
    """Cancels that are kept up to date while they are shown."""

    @property
    def cancels(self) -> Mapping[str, Cancel]:
        """By package."""

    @property
    def is_complete(self) -> bool:
        """Whether every one of them is."""

    async def news(self) -> None:
        """Wait until something may have changed."""


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


async def show(follower: Follower, headline: Callable[[], str], console: Console) -> None:
    """Show the cancels added up until all are complete: as bars, or line by line where piped."""
    if console.is_terminal:
        await _show_live(follower, headline, console)
    else:
        await _show_lines(follower, headline, console)


async def _show_live(follower: Follower, headline: Callable[[], str], console: Console) -> None:
    def draw() -> Group:
        return cancels.picture(headline(), cancels.together(follower.cancels.values()))

    with Live(draw(), console=console, auto_refresh=False) as live:
        while not follower.is_complete:
            await follower.news()
            live.update(draw(), refresh=True)
            # Drawing costs more than the events do; the eye needs ten pictures a second.
            await asyncio.sleep(0 if follower.is_complete else FRAME)
        live.update(draw(), refresh=True)


async def _show_lines(follower: Follower, headline: Callable[[], str], console: Console) -> None:
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
