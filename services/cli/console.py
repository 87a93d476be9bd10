"""The console for text that people read."""

from rich.console import Console

PIPED = 160
"""Columns where there is no terminal: a table that grep reads must not fold its cells."""


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error where that is for programs."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=PIPED)
