"""The commands that run and check Relais on this machine: their arguments."""

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
    """Stop the stack of `up`, also what is left of one that was killed."""
    from services.cli import up as work

    return work.down()


@app.command()
def doctor() -> int:
    """Show what this machine has, what is missing, and how to get it; 69 if something is."""
    from services.cli import doctor as work

    return work.doctor()


@app.command()
def check() -> int:
    """Check format, lint, types, import rules, Compose file and Dockerfile; run the pure tests."""
    from services.cli import check as work

    return work.check()


@app.command(context_settings=ANYTHING)
def test(context: typer.Context) -> int:
    """Start a broker and a database and run the tests on them; arguments go to pytest."""
    from services.cli import testing as work

    return work.test(context.args)


@app.command(hidden=True)
def servers(
    durable: Annotated[bool, typer.Option(help="Write the data to disk, and keep it.")] = False,
) -> int:
    """Run a broker and a database for development until Ctrl-C."""
    from services.cli import up as work

    return work.servers(durable=durable)
