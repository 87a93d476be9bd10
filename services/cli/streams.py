"""Standard output and standard error, on which text of others moves no cursor."""

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from contracts.sentences import visible


class Visible:
    """A stream that shows control characters in place of obeying them."""

    def __init__(self, stream: TextIO) -> None:
        """Rich finds the stream below by this name, and writes its colors there."""
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Write it as it may be seen."""
        return self.rich_proxied_file.write(visible(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def show_controls() -> None:
    """Let nothing that this process prints from now on reach a terminal as a command to it."""
    sys.stdout = Visible(sys.stdout)
    sys.stderr = Visible(sys.stderr)


def below(stream: TextIO) -> TextIO:
    """The stream itself, for what writes commands to the terminal and filters its own text."""
    while (found := getattr(stream, "rich_proxied_file", None)) is not None:
        stream = found
    return stream
