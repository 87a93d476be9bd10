"""The commands that run Relais on this machine: their arguments, and where the work is."""

from typing import Annotated

import typer

from services.cli.workers import per_service

app = typer.Typer()

ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
@per_service()
def up(workers: dict[str, int]) -> int:
    """Run a broker, a database and all services until Ctrl-C or `down`; the data stays."""
    from services.cli import up as work

    return work.up(workers)


@app.command()
def down() -> int:
    """Stop what `up` runs, and clear up after one that was killed."""
    from services.cli import up as work

    return work.down()


@app.command()
def doctor() -> int:
    """Say what this machine has, what it lacks, and how to get it; exit code 69 if it lacks."""
    from services.cli import doctor as work

    return work.doctor()


@app.command()
def check() -> int:
    """Check format, lint, types, import rules, files for others, and run the pure tests."""
    from services.cli import check as work

    return work.check()


@app.command(context_settings=ANYTHING)
def test(context: typer.Context) -> int:
    """Start a broker and a database and run the tests on them; arguments go to pytest."""
    from services.cli import testing as work

    return work.test(context.args)


@app.command(hidden=True)
def servers(
    durable: Annotated[bool, typer.Option(help="Keep the data, and write it to disk.")] = False,
) -> int:
    """Run a broker and a database for development until Ctrl-C."""
    from services.cli import up as work

    return work.servers(durable=durable)
