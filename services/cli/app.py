"""The command `relais`: imports the module of a command, runs it, and explains errors."""

import logging
import os
import platform
import sys
from importlib import import_module, metadata
from shutil import get_terminal_size
from typing import Annotated, NoReturn

import typer

from services.cli import streams
from services.cli.failures import is_unread
from services.cli.problems import BUG, INTERRUPTED, USAGE

# Only the module of the command asked for is imported: a worker has to be ready in a second.
# A module has a typer app named `app`; a new command is one more name here.
MODULES = {
    "services.cli.local": ("up", "down", "doctor", "check", "test", "servers"),
    "services.cli.ops": ("setup", "run", "serve", "send", "parked", "config", "proof"),
    "services.cli.questions": (
        *("packages", "orders", "campaigns", "entities", "notifications"),
        *("show", "why", "preview", "watch", "workers"),
    ),
    "services.cli.token": ("token",),
    "services.cli.operator": ("operator",),
    "services.cli.demo": ("demo",),
    "services.cli.bench": ("bench",),
    "services.cli.tracking": ("tracking",),
}


COLUMNS = 72
"""The width from which on a help has room for boxes and columns."""


def main() -> NoReturn:
    """Run the command line and exit: with 0, with 1 on failure, or with a code of problems.py."""
    streams.show_controls()
    # Libraries warn of a lost connection, which our message explains; a worker logs the warning.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        code = build(sys.argv[1:])(prog_name="relais", standalone_mode=False)
        sys.stdout.flush()
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if is_unread(error):
            # Python would try to write the rest at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(1)
        if os.environ.get("RELAIS_DEBUG"):
            raise
        sys.exit(explain(error))
    sys.exit(code if isinstance(code, int) else 0)


def build(arguments: list[str]) -> typer.Typer:
    """Return the app with the command that `arguments` ask for, with all of them if unsure."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        # In columns where they have room: squeezed, they show half the name of an option.
        rich_markup_mode="markdown" if get_terminal_size().columns >= COLUMNS else None,
    )
    app.callback()(describe)
    for module in modules_for(arguments):
        app.add_typer(import_module(module).app)
    return app


def show_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        print(f"relais {metadata.version('relais')}, Python {platform.python_version()}")
        raise typer.Exit


def describe(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Relais carries the campaign packages of a distributed-marketing organisation."""


def modules_for(arguments: list[str]) -> list[str]:
    """Return the modules to import."""
    asked = arguments[0] if arguments else ""
    return [module for module, names in MODULES.items() if asked in names] or list(MODULES)


def explain(error: Exception) -> int:
    """Print an error on standard error and return its exit code.

    An error made for people has an attribute `exit_code`, and its message needs no traceback.
    """
    if isinstance(error, typer.TyperException):
        # Where nothing was asked for, the help has been shown, and that is all.
        if error.format_message():
            print(f"relais: {misused(error)}", file=sys.stderr)
        return USAGE
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        print(f"relais: {error}", file=sys.stderr)
        return code
    kind = type(error).__name__
    print(
        f"relais: this is a bug: {kind}: {error}\nRELAIS_DEBUG=1 shows where it happened.",
        file=sys.stderr,
    )
    return BUG


def misused(error: typer.TyperException) -> str:
    """What is wrong with the arguments, and which help explains them."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "relais"
    text = error.format_message().rstrip(".")
    option = getattr(error, "option_name", None)
    is_near = bool(getattr(error, "possibilities", None))
    if option and not is_near and command == "relais send":
        name = option.lstrip("-").replace("-", "_")
        text += f"; a field of the command is given as --field {name}=VALUE"
    return f"{text}{'' if text.endswith('?') else '.'} See {command} --help."


if __name__ == "__main__":
    main()
