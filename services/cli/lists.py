"""Lists of things that the API knows: as a table, as JSON, or as CSV."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from contracts.sentences import one_line
from services.cli import api
from services.cli.api import Api, Json, Parameters
from services.cli.console import console
from services.cli.problems import USAGE, Problem
from services.cli.words import STYLES, cell

USUAL = 50
"""Rows of a list, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class List:
    """One list: its path, the columns of its table, and what to say of one that is empty."""

    path: str
    columns: Sequence[str]
    noun: str


PACKAGES = List(
    "/api/packages",
    ("package_id", "label", "status", "edition", "distribution_level", "campaign_id", "changed_at"),
    "packages",
)
ORDERS = List(
    "/api/orders",
    ("order_id", "label", "status", "entity_id", "package_id", "edition", "placed_at"),
    "orders",
)
CAMPAIGNS = List(
    "/api/campaigns",
    ("campaign_id", "label", "status", "kind", "program", "changed_at"),
    "campaigns",
)
ENTITIES = List(
    "/api/entities",
    ("entity_id", "label", "active", "channels", "mailbox", "changed_at"),
    "entities",
)
NOTIFICATIONS = List(
    "/api/notifications",
    (
        *("notification_id", "kind", "recipient_id", "channel", "status"),
        "package_id",
        "at",
        "error",
    ),
    "notifications",
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How much of a list is wanted, and in which form; limit None is all of it."""

    limit: int | None
    as_json: bool = False
    as_csv: bool = False


def manner(limit: int | None, *, all_: bool, as_json: bool, as_csv: bool) -> Manner:
    """What the options ask for; raises Problem where they contradict each other."""
    if all_ and limit is not None:
        raise Problem("give either --all or --limit, not both", USAGE)
    if as_json and as_csv:
        raise Problem("give either --json or --csv, not both", USAGE)
    return Manner(None if all_ else limit or USUAL, as_json, as_csv)


async def show(wanted: List, filters: Parameters, how: Manner) -> int:
    """Print what matches."""
    async with api.connected() as connection:
        if how.as_csv:
            await _print_csv(connection, wanted, filters, how.limit)
        elif how.as_json:
            await _print_json(connection.items(wanted.path, filters, how.limit))
        else:
            await _print_table(connection, wanted, filters, how.limit)
    return 0


async def _print_json(items: AsyncIterator[Json]) -> None:
    """One array, written as its items come."""
    before = "["
    async for item in items:
        print(before + json.dumps(item, ensure_ascii=False), end="")
        before = ",\n "
    print("[]" if before == "[" else "]")


async def _print_csv(connection: Api, wanted: List, filters: Parameters, limit: int | None) -> None:
    """The lines of the API, with the head and at most so many rows."""
    given = {name: str(value) for name, value in filters.items() if value is not None}
    left = None if limit is None else limit + 1
    async with connection.stream(wanted.path, "text/csv", **given) as answer:
        quoted, unended = False, ""
        async for text in answer.aiter_text():
            *lines, unended = (unended + text).split("\n")
            for line in lines:
                print(line.removesuffix("\r"))
                # A line within quotes is part of a row.
                quoted ^= line.count('"') % 2 == 1
                if left is not None and not quoted:
                    left -= 1
                    if not left:
                        return


async def _print_table(
    connection: Api, wanted: List, filters: Parameters, limit: int | None
) -> None:
    found: list[Json] = []
    page: Json = {}
    cursor: str | None = None
    while limit is None or len(found) < limit:
        size = api.LARGEST_PAGE if limit is None else min(api.LARGEST_PAGE, limit - len(found))
        page = await connection.get(wanted.path, **filters, limit=size, cursor=cursor)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    out = console()
    if found:
        out.print(table(wanted.columns, found))
    else:
        out.print(_none(wanted, filters))
    note = _counted(page.get("counts") or {})
    if cursor is not None:
        note = f"{note}{'; ' if note else ''}there are more: --limit N or --all shows them"
    if note:
        console(stderr=True).print(Text(note, "dim"))


def _none(wanted: List, filters: Parameters) -> str:
    given = [f"{name} {value}" for name, value in filters.items() if value is not None]
    if not given:
        return f"there are no {wanted.noun}"
    return one_line(f"no {wanted.noun} with {', '.join(given)}")


def _counted(counts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {number:,}" if isinstance(number, int) else f"{name} {number}"
        for name, number in counts.items()
    )


def table(columns: Sequence[str], rows: Sequence[Json]) -> Table:
    """Some columns of some rows, those that none has a value for left out."""
    shown = [name for name in columns if any(row.get(name) is not None for row in rows)]
    made = Table(box=None, pad_edge=False)
    for name in shown:
        made.add_column(name.removesuffix("_at").replace("_", " "), overflow="fold")
    for row in rows:
        style = STYLES.get(str(row.get("status")), "")
        made.add_row(
            *(Text(cell(row.get(name)), style if name == "status" else "") for name in shown)
        )
    return made
