"""One thing that the API knows: what it is, why it is so, and what its cancel would do."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rich.padding import Padding
from rich.text import Text

from contracts.sentences import one_line
from services.cli import api
from services.cli.api import Api, Json
from services.cli.console import console
from services.cli.lists import table
from services.cli.problems import Problem
from services.cli.words import STYLES, cell

PLACES = {
    "package": "/api/packages",
    "order": "/api/orders",
    "campaign": "/api/campaigns",
    "entity": "/api/entities",
    "notification": "/api/notifications",
    "command": "/api/commands",
}
"""Where each kind of thing is found by its id."""


async def show(id: str, *, as_json: bool) -> int:
    """Print everything of the thing with this id; of each, where several kinds have it."""
    async with api.connected() as connection:
        paths = [f"{place}/{quote(id, safe='')}" for place in PLACES.values()]
        found = await _found(connection, list(PLACES), paths)
    if not found:
        raise _unknown(id, PLACES)
    if as_json:
        print(json.dumps([{"kind": kind, **thing} for kind, thing in found], ensure_ascii=False))
        return 0
    out = console()
    for kind, thing in found:
        out.print(Text(f"{kind} {one_line(id)}", "bold"))
        for name, value in thing.items():
            if value is not None and value != []:
                style = STYLES.get(str(value), "") if name == "status" else ""
                line = Text.assemble((f"{name.replace('_', ' ')}: ", "dim"), (cell(value), style))
                out.print(Padding(line, (0, 0, 0, 2), expand=False))
    return 0


async def why(id: str, *, as_json: bool) -> int:
    """Print why the thing with this id is as it is, and how it came to that, the root first."""
    kinds = ("process", "parked") if "/" in id else tuple(PLACES)
    found = await _reasons(id, kinds[:1] if "/" in id else kinds, api.CENTRAL)
    if not found and "/" in id:
        found = await _reasons(id, kinds[1:], api.OPERATIONS)
    if not found:
        raise _unknown(id, kinds)
    if as_json:
        print(json.dumps([answer for _, answer in found], ensure_ascii=False))
        return 0
    out = console()
    for _, answer in found:
        out.print(one_line(answer["sentence"]), soft_wrap=True)
        for number, hop in enumerate(answer["chain"], 1):
            out.print(Text(_hop(number, hop)), soft_wrap=True)
        if answer["remark"]:
            out.print(Text(answer["remark"], "dim"), soft_wrap=True)
    return 0


async def _reasons(id: str, kinds: Sequence[str], role: str) -> list[tuple[str, Json]]:
    async with api.connected(role) as connection:
        paths = [f"/api/why/{kind}/{quote(id)}" for kind in kinds]
        return await _found(connection, kinds, paths)


def _hop(number: int, hop: Json) -> str:
    comment = f": {one_line(hop['comment'])}" if hop["comment"] else ""
    return f"  {number}. {cell(hop['at'])}  {one_line(hop['sentence'])}{comment}"


async def _found(
    connection: Api, kinds: Sequence[str], paths: Sequence[str]
) -> list[tuple[str, Json]]:
    answers = await asyncio.gather(*map(_asked, [connection] * len(paths), paths))
    return [(kind, one) for kind, one in zip(kinds, answers, strict=True) if one is not None]


async def _asked(connection: Api, path: str) -> Json | None:
    """A thing; None where there is none, can be none of this id, or where it is not for us."""
    try:
        return await connection.find(path)
    except (api.NotValid, api.Forbidden):
        return None


def _unknown(id: str, kinds: Any) -> Problem:
    *others, last = kinds
    return Problem(f"no {', '.join(others)} or {last} has the id {id!r}, or it is not yours to see")


async def preview(package: str, *, as_json: bool) -> int:
    """Print what the cancel of a package would do; it does nothing."""
    async with api.connected() as connection:
        found = await connection.get(f"/api/packages/{quote(package, safe='')}/cancel-preview")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    out = console()
    for line in _foreseen(found):
        out.print(one_line(line), soft_wrap=True)
    return 0


def _foreseen(found: Json) -> list[str]:
    orders, campaigns, processes = found["orders"], found["campaigns"], found["processes"]
    entities = found["entities"]
    statuses = ", ".join(f"{n:,} {status}" for status, n in orders["by_status"].items())
    lines = [
        f"cancel of {found['label']} ({found['package_id']}), edition {found['edition']}, "
        f"now {found['status']}",
        f"  orders: {orders['to_cancel']:,} would be canceled, {orders['stay']:,} stay"
        + (f" ({statuses})" if statuses else ""),
        f"  campaigns: {campaigns['to_cancel']:,} would be canceled, "
        f"{processes['to_stop']:,} processes stopped, {processes['too_late']:,} too late",
        f"  notifications: {entities['to_notify']:,} entities would be told, "
        f"{entities['without_channel']:,} have no working channel",
    ]
    lines += [
        f"  {campaigns['reference']} also serves {other['package_id']} ({other['label']}), "
        "which would lose its campaign"
        for other in found["shared_with"]
    ]
    return lines


WORKERS = ("service", "instance", "version", "ready", "lanes", "outbox", "waiting", "parked")


async def workers(*, as_json: bool) -> int:
    """Print the workers that have been seen, how they are, and since when they were not."""
    async with api.connected(api.OPERATIONS) as connection:
        found = await connection.get("/api/workers")
    rows: list[Json] = found["items"]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    out = console()
    if not rows:
        out.print("no worker has been seen; `relais run SERVICE` starts one")
        return 0
    out.print(table((*WORKERS, "seen_at"), rows))
    for row in rows:
        for reason in row.get("waiting_for") or ():
            out.print(Text(f"{row['service']} {row['instance']}: {one_line(reason)}", "yellow"))
    return 0
