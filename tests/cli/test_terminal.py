"""What others wrote is shown by a terminal, and moves nothing on it."""

import io
import json
import sys
from collections.abc import Callable

import pytest
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contracts.sentences import one_line, visible
from services.cli import app, streams
from services.cli.console import console

STRANGE = (
    "\x1b]0;title\x07\x1b[2J\x9b31m\x00\x7f\r\x0b\x0c\x85\u061c\u200e\u200f\u2028\u2029"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\U000e0041"
)
FINE = "Été à 5 °C — «\u00a0oui\u00a0», 取消, \U0001f468\u200d\U0001f469, نعم"


class TestVisible:
    """Controls as JSON escapes them."""

    @pytest.mark.parametrize("character", sorted(set(STRANGE) - set("[]0;2J31mtitle")))
    def test_shows_a_control(self, character: str) -> None:
        """Each is the same character to whoever reads JSON."""
        shown = visible(f"a{character}b")
        assert shown.isascii()
        assert shown.isprintable()
        assert json.loads(f'"{shown}"') == f"a{character}b"

    def test_leaves_what_people_write(self) -> None:
        """Also spaces that do not break, joined emoji, and letters from right to left."""
        assert visible(FINE) == FINE
        assert visible("a\n\tb") == "a\n\tb"

    def test_within_a_line_ends_none(self) -> None:
        """A text that forges a line is one line."""
        assert one_line("a\nforged: b\r\n") == "a\\nforged: b\\u000d\\n"

    def test_shows_halves_of_characters(self) -> None:
        """A path may have them."""
        assert visible("\udc80") == "\\udc80"


def printed(write: Callable[[], object], monkeypatch: pytest.MonkeyPatch, *, tty: bool) -> str:
    """What reaches a stream."""
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: tty, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setenv("TERM", "xterm-256color")
    streams.show_controls()
    write()
    return out.getvalue()


def as_table() -> Table:
    """A text in the cells of a table and its heading."""
    table = Table(STRANGE, title=STRANGE)
    table.add_row(STRANGE)
    table.add_row(Text(STRANGE))
    return table


WAYS: dict[str, Callable[[], object]] = {
    "print": lambda: sys.stdout.write(STRANGE),
    "error": lambda: sys.stderr.write(STRANGE),
    "lines": lambda: sys.stdout.writelines([STRANGE]),
    "explained": lambda: app.explain(ValueError(STRANGE)),
    "text": lambda: console().print(STRANGE),
    "rich": lambda: console(stderr=True).print(Padding(Text(STRANGE, "dim"), 1)),
    "group": lambda: console().print(Group(Text(STRANGE), STRANGE)),
    "table": lambda: console().print(as_table()),
    "rule": lambda: console().rule(STRANGE),
}


class TestOutput:
    """Whatever way a command prints."""

    @pytest.mark.parametrize("way", WAYS)
    def test_has_no_control(self, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """But the ends of lines."""
        out = printed(WAYS[way], monkeypatch, tty=False)
        assert visible(out) == out
        assert "\\u001b" in out

    @pytest.mark.parametrize("way", WAYS)
    def test_has_none_on_a_terminal(self, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """But those of Relais itself: colors and styles."""
        out = printed(WAYS[way], monkeypatch, tty=True)
        assert "\x1b]" not in out
        assert "\x1b[2J" not in out
        assert not set(out) & (set(STRANGE) - set("\x1b[]0;2J31mtitle"))
        assert "u001b" in out

    def test_takes_no_markup_of_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A path or an id may look like it."""
        text = "[red]a[/] [/] [bold :warning:"
        out = printed(lambda: console().print(text), monkeypatch, tty=True)
        assert out == f"{text}\n"

    def test_keeps_its_colors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a terminal, also for the help that is not of our console."""
        out = printed(lambda: console().print(Text("a", "green")), monkeypatch, tty=True)
        assert out == "\x1b[32ma\x1b[0m\n"
        out = printed(lambda: Console().print("[green]a[/]"), monkeypatch, tty=True)
        assert out == "\x1b[32ma\x1b[0m\n"
