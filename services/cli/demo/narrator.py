"""Tells the story as it goes: a line a step, and a moving one where a terminal can show it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

Tell = Callable[[int], None]
"""How far a step has got."""


class Narrator:
    """Prints acts and steps; what is printed is never needed by a program."""

    def __init__(self, console: Console) -> None:
        """The console is standard error where standard output is for a program."""
        self.console = console

    def act(self, title: str) -> None:
        """Begin a part of the story."""
        self.console.print()
        self.console.print(Text(title, style="bold"))

    def say(self, text: str, style: str = "") -> None:
        """A line of its own."""
        self.console.print(Padding(Text(text, style=style), (0, 0, 0, 2), expand=False))

    @contextmanager
    def step(self, text: str, total: int = 0) -> Iterator[Tell]:
        """A step that takes a while; it is told with its time once it is over."""
        began = time.monotonic()
        with self._moving(text) as status:

            def tell(done: int) -> None:
                if status is not None:
                    of = f" {done:,} of {total:,}" if total else f" {done:,}"
                    status.update(f"{text}:{of}")

            yield tell
        seconds = time.monotonic() - began
        line = Table.grid(padding=(0, 1))
        line.add_row(Text("  ✓", "green"), Text.assemble(text, (f"  {seconds:.1f} s", "dim")))
        self.console.print(line)

    @contextmanager
    def _moving(self, text: str) -> Iterator[Status | None]:
        if not self.console.is_terminal:
            yield None
            return
        with self.console.status(text) as status:
            yield status
