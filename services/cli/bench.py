"""The command `relais bench`: the benches are kept with the tests, and run from there."""

import os
import sys

import typer

from services.cli.failures import guarded
from services.cli.problems import USAGE, Problem

app = typer.Typer()

ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=ANYTHING)
def bench(context: typer.Context) -> int:
    """Measure what Relais does here: see --help for the benches."""
    return guarded(lambda: run(context.args))


def run(arguments: list[str]) -> int:
    """Run a bench in a process of its own; arguments go to it as they are."""
    from services.cli.children import PROJECT, run_attached

    if not (PROJECT / "tests/bench").is_dir():
        raise Problem("the benches are part of the repository; run them in a clone of it", USAGE)
    return run_attached([sys.executable, "-m", "tests.bench", *arguments], os.environ)
