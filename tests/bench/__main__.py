"""The benches, from the command line: `./run bench NAME`."""

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from services.cli.app import explain
from tests.bench.figures import Report, spread
from tests.bench.place import Place, place

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

Runs = Annotated[int, typer.Option(min=1, help="How often each figure is measured.")]
Messages = Annotated[int, typer.Option(min=1, help="Messages in the lanes when a worker starts.")]
Beside = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="Another checkout of Relais with its environment, measured in turns with this one; "
        "its figures end with _beside.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON, as the last line.")]


@app.callback()
def describe() -> None:
    """Measure what Relais does here, each figure beside its limit.

    Servers of their own are started, which write to disk; or RELAIS_AMQP_URL and
    RELAIS_POSTGRES_URL name others.  Absolute figures move with the machine: the ratios are what
    can be compared.  No bench fails because something is slow.
    """


@app.command()
def rush(
    runs: Runs = 3,
    messages: Messages = 50_000,
    peer_messages: Annotated[
        int, typer.Option(min=0, help="Messages for each peer; 0 runs none.")
    ] = 10_000,
    beside: Beside = None,
    as_json: Json = False,
) -> None:
    """A queue full of order.place, on one package and on 1,000; one orders worker, and peers."""
    from tests.bench import rush as work

    measure(
        "rush",
        lambda here, report: work.rush(
            here, report, runs=runs, messages=messages, peer_messages=peer_messages, beside=beside
        ),
        as_json=as_json,
    )


@app.command()
def bulk(
    runs: Runs = 3,
    messages: Messages = 50_000,
    beside: Beside = None,
    as_json: Json = False,
) -> None:
    """The same orders in batches of 100."""
    from tests.bench import bulk as work

    measure(
        "bulk",
        lambda here, report: work.bulk(here, report, runs=runs, messages=messages, beside=beside),
        as_json=as_json,
    )


@app.command()
def hop(
    runs: Runs = 3,
    messages: Messages = 20_000,
    beside: Beside = None,
    as_json: Json = False,
) -> None:
    """One edit of each of many packages; one packages worker."""
    from tests.bench import hop as work

    measure(
        "hop",
        lambda here, report: work.hop(here, report, runs=runs, messages=messages, beside=beside),
        as_json=as_json,
    )


@app.command()
def fanout(
    runs: Runs = 3,
    orders: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Orders of a package; may be repeated. [10,000 and 100,000]"),
    ] = None,
    entities: Annotated[
        int, typer.Option(min=1, max=50_000, help="Entities of the audience.")
    ] = 10_000,
    mailboxes: Annotated[int, typer.Option(min=1, help="Mailboxes that they share.")] = 8,
    beside: Beside = None,
    as_json: Json = False,
) -> None:
    """The cancel of a package with many orders on a whole stack, beside its rows and messages."""
    from tests.bench import fanout as work

    sizes = sorted(orders or [10_000, 100_000])
    measure(
        "fanout",
        lambda here, report: work.fanout(
            here,
            report,
            runs=runs,
            sizes=sizes,
            entities=entities,
            mailboxes=mailboxes,
            beside=beside,
        ),
        as_json=as_json,
    )


@app.command()
def latency(
    runs: Runs = 3,
    commands: Annotated[int, typer.Option(min=1, help="Commands of each way, ten a second.")] = 100,
    cancels: Annotated[int, typer.Option(min=1, help="Cancels of a package of 10 orders.")] = 30,
    beside: Beside = None,
    as_json: Json = False,
) -> None:
    """Lone commands and small cancels, beside a naive worker and single steps."""
    from tests.bench import latency as work

    measure(
        "latency",
        lambda here, report: work.latency(
            here, report, runs=runs, commands=commands, cancels=cancels, beside=beside
        ),
        as_json=as_json,
    )


@app.command()
def growth(
    runs: Runs = 3,
    messages: Messages = 50_000,
    orders: Annotated[int, typer.Option(min=1, help="Orders of the package.")] = 100_000,
    orders_in_table: Annotated[
        int, typer.Option(min=1, help="Orders of other packages in the full tables.")
    ] = 10_000_000,
    rows: Annotated[
        int, typer.Option(min=1, help="Rows each of two inboxes and of notifications.")
    ] = 10_000_000,
    scatter: Annotated[
        bool, typer.Option("--scatter", help="Also cancel a package whose orders lie far apart.")
    ] = False,
    entities: Annotated[int, typer.Option(min=1, max=50_000)] = 10_000,
    mailboxes: Annotated[int, typer.Option(min=1)] = 8,
    as_json: Json = False,
) -> None:
    """Rush and fanout on tables with many rows, beside empty ones."""
    from tests.bench import growth as work

    sizes = work.Sizes(
        orders_in_table=orders_in_table,
        rows=rows,
        messages=messages,
        orders=orders,
        entities=entities,
        mailboxes=mailboxes,
        scatter=scatter,
    )
    measure(
        "growth", lambda here, report: work.growth(here, report, sizes, runs=runs), as_json=as_json
    )


@app.command()
def scale(
    runs: Runs = 3,
    messages: Messages = 50_000,
    workers: Annotated[
        list[int] | None, typer.Option(min=1, help="May be repeated. [1, 2 and 4]")
    ] = None,
    delay_ms: Annotated[
        float, typer.Option(min=0, help="From a worker to its database, each way.")
    ] = 5.0,
    lanes: Annotated[int, typer.Option(min=1, max=256, help="Lanes of the service.")] = 16,
    as_json: Json = False,
) -> None:
    """Rush on 1,000 packages with 1, 2 and 4 workers; needs RabbitMQ 4.

    Name one in RELAIS_AMQP_URL: an older one gives all lanes to the first worker.
    """
    from tests.bench import scale as work

    counts = sorted(set(workers or [1, 2, 4]))
    measure(
        "scale",
        lambda here, report: work.scale(
            here,
            report,
            runs=runs,
            messages=messages,
            counts=counts,
            delay=delay_ms / 1000,
            lanes=lanes,
        ),
        as_json=as_json,
    )


@app.command()
def start(
    runs: Runs = 5,
    messages: Annotated[int, typer.Option(min=1, help="Messages in the lanes at a stop.")] = 20_000,
    beside: Beside = None,
    as_json: Json = False,
) -> None:
    """`relais run` until ready, and SIGTERM under load until the end."""
    from tests.bench import start as work

    measure(
        "start",
        lambda here, report: work.start(here, report, runs=runs, messages=messages, beside=beside),
        as_json=as_json,
    )


@app.command()
def projection(
    runs: Runs = 3,
    rows: Annotated[int, typer.Option(min=1, help="Rows that full lanes change.")] = 50_000,
    orders: Annotated[
        int, typer.Option(min=0, help="Orders of the canceled package; 0 cancels none.")
    ] = 100_000,
    messages: Annotated[
        int, typer.Option(min=0, help="Orders of the rush beside; 0 runs none.")
    ] = 30_000,
    as_json: Json = False,
) -> None:
    """The read model: rows a second from full lanes, and how far behind it is."""
    from tests.bench import projection as work

    measure(
        "projection",
        lambda here, report: work.projection(
            here, report, runs=runs, rows=rows, orders=orders, messages=messages
        ),
        as_json=as_json,
    )


@app.command()
def limits(
    runs: Runs = 3,
    messages: Annotated[int, typer.Option(min=1, help="Messages for each part.")] = 20_000,
    rows: Annotated[int, typer.Option(min=1, help="Orders of one package to cancel.")] = 100_000,
    as_json: Json = False,
) -> None:
    """What the parts can do here: publish, read, commit, update, read and write a body."""
    from tests.bench import limits as work

    measure(
        "limits",
        lambda here, report: work.limits(here, report, runs=runs, messages=messages, rows=rows),
        as_json=as_json,
    )


@app.command()
def lists(
    rows: Annotated[int, typer.Option(min=1_000, help="Orders in the read model.")] = 10_000_000,
    packages: Annotated[int, typer.Option(min=100, help="Packages in it.")] = 100_000,
    samples: Annotated[
        int, typer.Option(min=0, help="How often each question is asked; 0 is for plans alone.")
    ] = 20,
    plans: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the plan of every statement there.")
    ] = None,
    csv: Annotated[bool, typer.Option(help="Also export 1,000,000 orders.")] = True,
    seeded: Annotated[
        str | None,
        typer.Option(
            metavar="DATABASE",
            help="Take this database of the server in RELAIS_POSTGRES_URL, fill it if it is "
            "empty, and keep it for the next run.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every list of the API on large tables, first and thousandth page, each filter and order."""
    from tests.bench import lists as work
    from tests.bench.model import Sizes

    sizes = Sizes(orders=rows, packages=packages)
    measure(
        "lists",
        lambda here, report: work.lists(
            here, report, sizes, samples=samples, plans_in=plans, csv=csv, seeded=seeded
        ),
        as_json=as_json,
    )


def measure(bench: str, work: Callable[[Place, Report], Awaitable[None]], *, as_json: bool) -> None:
    """Run a bench on its servers and show what it found."""
    console = Console(stderr=as_json)
    report = Report(bench, console)
    with place() as here:
        for sentence in here.servers.chosen:
            console.print(sentence, style="dim", highlight=False)
        uvloop.run(_awaited(work(here, report)))
    report.note(disturbance(here.others))
    report.show()
    if as_json:
        Console(soft_wrap=True, highlight=False).print(report.as_json(), markup=False)


def disturbance(others: Sequence[float]) -> str:
    """How much other work there was, in a sentence: such figures say little."""
    shares = spread(others)
    return (
        f"While ours stood still, other work took {shares.median:.0%} of the processors, "
        f"at most {shares.max:.0%}."
    )


async def _awaited(work: Awaitable[None]) -> None:
    await work


def main() -> None:
    """Run the bench that the arguments name; exit codes are those of `relais`."""
    try:
        code = app(prog_name="relais bench", standalone_mode=False)
    except Exception as error:
        if os.environ.get("RELAIS_DEBUG"):
            raise
        sys.exit(explain(error))
    sys.exit(code)


if __name__ == "__main__":
    main()
