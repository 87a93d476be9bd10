"""The console for text that people read."""

import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from contracts.sentences import visible
from services.cli import streams

PIPED = 160
"""Columns where there is no terminal: a table that grep reads must not fold its cells."""


class _Console(Console):
    """Text is text, whoever wrote it: no markup, no emoji codes, and controls are shown.

    What styles it stands beside the text, in a Text or a style.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error where that is for programs."""
    file = streams.below(sys.stderr if stderr else sys.stdout)
    width = None if file.isatty() else PIPED
    return _Console(file=file, width=width, markup=False, emoji=False, highlight=False)
