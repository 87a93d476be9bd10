"""Print a proof: as a table for people, as JSON for programs."""

import asyncio
import json
import sys
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts import names
from contracts.sentences import one_line
from services.cli import api, endpoints, proof
from services.cli.console import console
from services.cli.proof import LISTED, Proof
from services.runtime import declared

SHOWN = 20
ADVICE = {
    "missing": "missing; run the proof again, and if it still is, read the log of {}",
    "outbox": "in the outbox, not published; is a worker of {} running?",
    "waiting": "waiting for something they name; run the proof again in some seconds",
    "queued": "queued; is a worker of {} running?",
}
"""What to do about a count in a column, for the service of its row."""


KEPT = 200
"""Parked messages of a service, and characters of an error, that a proof is kept with."""


def report(since: str, *, wait: float, as_json: bool, keep: bool = False) -> int:
    """Print the proof of the running stack, and keep it; the exit code is 0 only when it holds."""
    begin = proof.moment(since)
    found = asyncio.run(_prove(begin, wait))
    if as_json:
        print(json.dumps(proof.as_dict(found), default=str))
    else:
        show(found, console())
    if keep:
        print(f"kept as proof {asyncio.run(_keep(found))}", file=sys.stderr)
    return 0 if found.ok else 1


async def _keep(found: Proof) -> str:
    """Post a proof to the API, as operations; the id that it got."""
    body = json.loads(json.dumps(proof.as_dict(found), default=str))
    for standing in body["services"].values():
        some = standing["parked"][:KEPT]
        standing["parked"] = [{**row, "error": (row["error"] or "")[:KEPT]} for row in some]
    async with api.connected(api.OPERATIONS) as asked:
        kept = await asked.post("/api/proofs", body)
    return str(kept["proof_id"])


async def _prove(since: datetime, wait: float) -> Proof:
    return await proof.prove(endpoints.find(*declared.names()), since, wait)


def show(found: Proof, console: Console) -> None:
    """Print the counts of every service, what is missing and what is parked."""
    console.print(_table(found))
    for one in found.missing[:SHOWN]:
        text = f"missing in {one.reader}: {names.short_type(one.type)} {one.id} of {one.sender}"
        console.print(one_line(text), soft_wrap=True)
    _print_rest(found, console)
    for name, standing in found.services.items():
        for row in standing.parked[:SHOWN]:
            kind = names.short_type(row["type"] or "-")
            text = f"parked: {name} {row['number']}: {kind}, {row['reason']}"
            console.print(one_line(text), soft_wrap=True)
    if any(standing.parked for standing in found.services.values()):
        console.print("look at one with `relais parked show SERVICE NUMBER`")
    console.print(_verdict(found))


def _table(found: Proof) -> Table:
    columns = ("service", "emitted", "handled", "refused", "parked", "missing")
    table = Table(
        *columns, "outbox", "waiting", "queued", box=None, pad_edge=False, collapse_padding=True
    )
    table.columns[0].min_width = max(map(len, found.services))
    for name, standing in found.services.items():
        refused = standing.handled.get("refused", 0)
        handled = sum(standing.handled.values()) - refused - standing.handled.get("parked", 0)
        counts = (standing.emitted, handled, refused, len(standing.parked), standing.missing)
        left = (standing.outbox, standing.waiting, standing.queued)
        table.add_row(name, *(f"{count:,}" for count in (*counts, *left)))
    return table


def _print_rest(found: Proof, console: Console) -> None:
    total = sum(standing.missing for standing in found.services.values())
    if total > SHOWN:
        more = f"--json lists {LISTED:,}" if total > LISTED else "--json lists all"
        console.print(f"... {total:,} missing in all; {more}")


def _verdict(found: Proof) -> Text:
    since = found.since.isoformat(" ", "seconds")
    if found.ok:
        text = f": every message since {since} was handled once by every reader, refused or parked"
        return Text.assemble(("proved", "green"), text)
    left = [
        f"  {name}: {count:,} {advice.format(name)}"
        for name, standing in found.services.items()
        for column, advice in ADVICE.items()
        if (count := getattr(standing, column))
    ]
    return Text.assemble(("not proved", "red"), "\n".join([f" since {since}:", *left]))
