"""The command line as people meet it: what they are told of arguments that make no sense."""

import os
import re
import subprocess
import sys
from importlib import metadata

import pytest

from services.cli import app, up
from services.cli.problems import USAGE


def told(capsys: pytest.CaptureFixture[str], *arguments: str, columns: int = 80) -> tuple[str, str]:
    """What these arguments print, on standard output and on standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relais", *arguments])
        patch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as ended:
            app.main()
    found = capsys.readouterr()
    assert ended.value.code == (0 if {"--help", "--version"} & {*arguments} else USAGE)
    return found.out, found.err


class TestMisuse:
    """Arguments that the command line does not have."""

    @pytest.mark.parametrize("arguments", [(), ("parked",)])
    def test_without_any_is_answered_by_the_help(
        self, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
    ) -> None:
        """The help says everything; no empty error follows it."""
        out, err = told(capsys, *arguments)
        assert ("Usage" in out, err) == (True, "")

    @pytest.mark.parametrize(
        ("arguments", "command"),
        [
            (("nope",), "relais"),
            (("watch",), "relais watch"),
            (("parked", "show", "orders", "x"), "relais parked show"),
        ],
    )
    def test_points_to_the_help_of_its_command(
        self, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], command: str
    ) -> None:
        """The help of all commands says nothing of the arguments of one."""
        assert f"See {command} --help." in told(capsys, *arguments)[1]

    def test_of_a_command_asks_for_the_one_meant(self, capsys: pytest.CaptureFixture[str]) -> None:
        """One sentence ends before the next begins."""
        assert "Did you mean 'send'? See relais --help." in told(capsys, "sned")[1]

    def test_of_a_field_given_as_an_option_shows_how_it_is_given(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The fields of commands are no options, and that is easy to miss."""
        err = told(capsys, "send", "package.cancel", "CAT86", "--comment", "late")[1]
        assert "--field comment=VALUE" in err

    @pytest.mark.parametrize("command", ["show", "retry", "discard"])
    def test_of_a_number_past_any_is_no_bug(
        self, capsys: pytest.CaptureFixture[str], command: str
    ) -> None:
        """A number that no table holds is refused before it is looked for."""
        err = told(capsys, "parked", command, "orders", "9" * 20)[1]
        assert "less than or equal to" in err


class TestVersion:
    """`relais --version`."""

    def test_names_what_is_installed(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The same version that a worker answers at /version."""
        assert told(capsys, "--version")[0].startswith(f"relais {metadata.version('relais')}, ")


class TestOutput:
    """What is printed, and where it goes."""

    @pytest.mark.parametrize("buffered", ["", "1"])
    def test_that_nobody_reads_to_its_end_is_no_failure(self, buffered: str) -> None:
        """Behind `| head` a command ends at once and in silence, wherever it is cut."""
        urls = {"RELAIS_AMQP_URL": "amqp://x", "RELAIS_POSTGRES_URL": "postgresql://x/x"}
        reading, writing = os.pipe()
        os.close(reading)
        ran = subprocess.run(
            [sys.executable, "-m", "services.cli.app", "config", "orders", "--json"],
            env={**os.environ, **urls, "PYTHONUNBUFFERED": buffered},
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        assert (ran.returncode, ran.stderr) == (1, b"")

    @pytest.mark.parametrize(
        ("line", "fitted"),
        [
            ("  ./run watch  list messages", "  ./run watch  list\n{:15}messages"),
            (
                "Postgres: a private one, because no other",
                "Postgres: a private one,\n  because no other",
            ),
            (
                "RabbitMQ  amqp://a-very-long-word@127.0.0.1/",
                "RabbitMQ\n{:10}amqp://a-very-long-word@127.0.0.1/",
            ),
            ("Logs  /short", "Logs  /short"),
        ],
    )
    def test_breaks_no_word_at_the_edge(self, line: str, fitted: str) -> None:
        """A second column goes on in its place; a URL stays whole, so that it can be copied."""
        assert up.fitted(line, 27) == fitted.format("")


class TestHelp:
    """The help of a command."""

    @pytest.mark.parametrize("columns", [40, 60, 80])
    def test_shows_whole_words_at_any_width(
        self, capsys: pytest.CaptureFixture[str], columns: int
    ) -> None:
        """An option cut short cannot be typed."""
        for command in ("demo", "up", "send"):
            out, _ = told(capsys, command, "--help", columns=columns)
            assert "…" not in out

    def test_fills_its_paragraphs(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where a line of the source ends says nothing to a reader."""
        out, _ = told(capsys, "demo", "--help")
        assert re.search(r"agencies order them, and +\n all packages are canceled at once", out)

    def test_names_its_options_in_full(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nobody can type an option whose end is not shown."""
        assert "--notifications-workers " in told(capsys, "demo", "--help")[0]
