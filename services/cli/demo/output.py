"""Prints the progress of the demo: a line a step, which moves where a terminal can show it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

Progress = Callable[[int], None]
"""Called with how much of a step is done."""


class Output:
    """Prints headings and steps for people; no program reads them."""

    def __init__(self, console: Console) -> None:
        """The console is standard error where standard output is for a program."""
        self.console = console

    def heading(self, title: str) -> None:
        """Begin a section."""
        self.console.print()
        self.console.print(Text(title, style="bold"))

    def line(self, text: str, style: str = "") -> None:
        """Print a line of its own."""
        self.console.print(Padding(Text(text, style=style), (0, 0, 0, 2), expand=False))

    @contextmanager
    def step(self, text: str, total: int = 0) -> Iterator[Progress]:
        """Show a step while it runs, and print it with its time at the end."""
        began = time.monotonic()
        with self._moving(text) as status:

            def progress(done: int) -> None:
                if status is not None:
                    of = f" {done:,} of {total:,}" if total else f" {done:,}"
                    status.update(f"{text}:{of}")

            yield progress
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
