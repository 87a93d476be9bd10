"""The command `relais demo`."""

from typing import Annotated

import typer

from services.cli.failures import guarded
from services.cli.workers import per_service

app = typer.Typer()


@app.command()
@per_service("-workers", least=1)
def demo(
    workers: dict[str, int],
    orders: Annotated[
        int, typer.Option(min=0, metavar="N", help="Open orders that the cancel meets.")
    ] = 100,
    entities: Annotated[
        int,
        typer.Option(
            min=2, max=50_000, metavar="N", help="Local entities that order, and are notified."
        ),
    ] = 100,
    mailboxes: Annotated[
        int, typer.Option(min=1, max=1_000, metavar="N", help="Mailboxes that the entities share.")
    ] = 8,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, as the last line.")
    ] = False,
) -> int:
    """Run one cancel from end to end on a stack of its own, and prove that every effect is right.

    Agencies register, a central entity offers packages, agencies order them, and all packages are
    canceled at once. Then every service's own tables and every mailbox are compared with what was
    expected, the packages are used again, and the read model is compared with the tables. One
    package, CAT86, is as large as asked for; those of the other distribution levels are small. An
    entity orders a collaborative package once, so of 100,000 orders of 10,000 entities the first
    10,000 are placed by commands, and the others are imported into the orders table. seconds_cancel
    is the time from the first cancel command to the last completion.

    Exit code 0 only when nothing is lost, nothing came twice, and the read model is true.
    """
    from services.cli.demo import run
    from services.cli.demo.scenario import Sizes

    sizes = Sizes(orders, entities, mailboxes)
    return guarded(lambda: run.demo(sizes, workers, as_json=as_json))
