"""A proof as a table for people."""

from rich.console import Console
from rich.table import Table

from services.cli.proof import LISTED, Proof

SHOWN = 20
PARKED_WIDTH = 120


def show(found: Proof, console: Console) -> None:
    """Print how every service stands, what is missing and what is parked."""
    console.print(_table(found))
    for one in found.missing[:SHOWN]:
        text = f"missing: {one.type} {one.id} of {one.sender} in the inbox of {one.reader}"
        console.print(text, markup=False, soft_wrap=True)
    _print_rest(found, console)
    for name, standing in found.services.items():
        for row in standing.parked[:SHOWN]:
            text = f"parked: {name} {row['number']}: {row['type']} {row['id'] or ''} {row['error']}"
            console.print(text[:PARKED_WIDTH], markup=False, soft_wrap=True)
    console.print(_verdict(found))


def _table(found: Proof) -> Table:
    columns = ("service", "said", "handled", "refused", "parked", "missing")
    table = Table(*columns, "outbox", "waiting", "queued", box=None, pad_edge=False)
    for name, standing in found.services.items():
        refused = standing.handled.get("refused", 0)
        handled = sum(standing.handled.values()) - refused - standing.handled.get("parked", 0)
        counts = (standing.said, handled, refused, len(standing.parked), standing.missing)
        left = (standing.outbox, standing.waiting, standing.queued)
        table.add_row(name, *(f"{count:,}" for count in (*counts, *left)))
    return table


def _print_rest(found: Proof, console: Console) -> None:
    total = sum(standing.missing for standing in found.services.values())
    if total > SHOWN:
        more = f"--json lists {LISTED:,}" if total > LISTED else "--json lists all"
        console.print(f"... {total:,} missing in all; {more}", markup=False)


def _verdict(found: Proof) -> str:
    since = found.since.isoformat(" ", "seconds")
    if found.ok:
        return (
            f"[green]proved[/]: every message since {since} was handled once by all who read it, "
            "refused or parked"
        )
    left = ", ".join(
        f"{name} has {count:,} {what}"
        for name, standing in found.services.items()
        for what in ("missing", "outbox", "waiting", "queued")
        if (count := getattr(standing, what))
    )
    return (
        f"[red]not proved[/] since {since}: {left}; see that a worker of each runs, ask again, "
        "and look at their logs"
    )
