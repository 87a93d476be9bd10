"""A proof as a table for people."""

from rich.console import Console
from rich.table import Table

from services.cli.parked import short
from services.cli.proof import LISTED, Proof

SHOWN = 20
ADVICE = {
    "missing": "missing; has it arrived when you ask again? Else look at the log of {}",
    "outbox": "in the outbox, not published; is a worker of {} running?",
    "waiting": "waiting for what they name; ask again in some seconds",
    "queued": "queued; is a worker of {} running?",
}
"""What to do about what is counted in a column, for the service of its row."""


def show(found: Proof, console: Console) -> None:
    """Print how every service stands, what is missing and what is parked."""
    console.print(_table(found))
    for one in found.missing[:SHOWN]:
        text = f"missing in {one.reader}: {short(one.type)} {one.id} of {one.sender}"
        console.print(text, markup=False, soft_wrap=True)
    _print_rest(found, console)
    for name, standing in found.services.items():
        for row in standing.parked[:SHOWN]:
            text = f"parked: {name} {row['number']}: {short(row['type'] or '-')}, {row['reason']}"
            console.print(text, markup=False, soft_wrap=True)
    if any(standing.parked for standing in found.services.values()):
        console.print("look at one with `relais parked show SERVICE NUMBER`", markup=False)
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
    left = [
        f"  {name}: {count:,} {advice.format(name)}"
        for name, standing in found.services.items()
        for column, advice in ADVICE.items()
        if (count := getattr(standing, column))
    ]
    return "\n".join([f"[red]not proved[/] since {since}:", *left])
