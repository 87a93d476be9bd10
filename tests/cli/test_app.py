"""The command line as people meet it: what they are told of arguments that make no sense."""

import re

import pytest

from services.cli import app
from services.cli.problems import USAGE


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """What these arguments print, on standard output and on standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relais", *arguments])
        patch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as ended:
            app.main()
    found = capsys.readouterr()
    assert ended.value.code == (USAGE if "--help" not in arguments else 0)
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


class TestHelp:
    """The help of a command, at 80 columns."""

    def test_fills_its_paragraphs(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where a line of the source ends says nothing to a reader."""
        out, _ = told(capsys, "demo", "--help")
        assert re.search(r"agencies order them, and +\n all packages are canceled at once", out)

    def test_names_its_options_in_full(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nobody can type an option whose end is not shown."""
        assert "--notifications-workers " in told(capsys, "demo", "--help")[0]
