"""Pages of a list by keyset: the rows after a row, found by an index, never by counting.

Most indexes begin with the status.  A list of all statuses is a union of one scan for each, of
which Postgres takes no more rows than it returns (Merge Append).
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from contracts.envelope import FieldError
from services.runtime.service import Pool, Row
from services.tracking.queries.filters import Unserved

INSTANT, TEXT, NUMBER = "timestamptz", "text", "bigint"

CHUNK = 2_000
"""Rows that an export reads at once."""

Direction = Literal["next", "prev"]


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that an index serves: by these expressions over t, all up or all down."""

    keys: tuple[tuple[str, str], ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """The row that a page begins after, by its keys, and in which direction the page goes."""

    direction: Direction
    keys: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One scan of an index: counted as label; keys where they are others than those of the sort."""

    label: str
    condition: str
    keys: tuple[str, ...] | None = None


@dataclass
class Scan:
    """Which rows a list has: those of any branch that meet every condition.

    source is what FROM names, t the table of the keys; around is what is joined to the rows of a
    page, called page, and more what that adds.
    """

    columns: str
    source: str
    sort: Sort
    around: str = ""
    more: str = ""
    conditions: list[str] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)

    def bind(self, value: Any, type: str = TEXT) -> str:
        """The place of a value in the statement."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type}"

    def equal(self, column: str, value: Any, type: str = TEXT) -> None:
        """Only rows with this value; None is no limit."""
        if value is not None:
            self.conditions.append(f"{column} = {self.bind(value, type)}")

    def dated(self, since: datetime | None, until: datetime | None) -> None:
        """Only rows whose first key is in this range, its end not included; raises Unserved."""
        key, type = self.sort.keys[0]
        for name, value in (("from", since), ("to", until)):
            if value is not None and type != INSTANT:
                raise Unserved(FieldError(name, "needs a list by date, which this order is not"))
        for operator, value in ((">=", since), ("<", until)):
            if value is not None:
                self.conditions.append(f"{key} {operator} {self.bind(value, type)}")

    def branch(self, column: str, values: Iterable[str]) -> None:
        """One scan for each of these values of a column, counted as that."""
        self.branches = [Branch(value, f"{column} = {self.bind(value)}") for value in values]

    @property
    def all(self) -> list[Branch]:
        """The branches, or the one that a scan without any is."""
        return self.branches or [Branch("all", "true")]


def statement(scan: Scan, position: Position | None, limit: int) -> tuple[str, list[Any]]:
    """The rows of one page in the direction of the position."""
    arguments = list(scan.arguments)

    def bind(value: Any, type: str) -> str:
        arguments.append(value)
        return f"${len(arguments)}::{type}"

    backwards = position is not None and position.direction == "prev"
    down = scan.sort.descending != backwards
    types = [type for _, type in scan.sort.keys]
    after = ""
    if position is not None:
        after = f"{'<' if down else '>'} ({', '.join(map(bind, position.keys, types))})"
    union = "\nUNION ALL\n".join(_part(scan, branch, after) for branch in scan.all)
    order = ", ".join(f"key_{n} {'DESC' if down else 'ASC'}" for n in range(len(types)))
    text = f"SELECT * FROM ({union}) AS u ORDER BY {order} LIMIT {bind(limit, 'int')}"
    if scan.around:
        text = f"SELECT page.*, {scan.more} FROM ({text}) AS page {scan.around} ORDER BY {order}"
    return text, arguments


def _part(scan: Scan, branch: Branch, after: str) -> str:
    keys = branch.keys or tuple(key for key, _ in scan.sort.keys)
    named = ", ".join(f"{key} AS key_{n}" for n, key in enumerate(keys))
    beyond = [f"({', '.join(keys)}) {after}"] if after else []
    return f"SELECT {scan.columns}, {named} FROM {scan.source} WHERE {where(scan, branch, *beyond)}"


def where(scan: Scan, branch: Branch, *more: str) -> str:
    """The condition of a branch."""
    return " AND ".join((branch.condition, *scan.conditions, *more))


_PLACE = re.compile(r"\$(\d+)")


async def fetch(pool: Pool, text: str, arguments: Sequence[Any]) -> list[Row]:
    """The rows of a statement that may use only some of these arguments."""
    used = sorted({int(n) for n in _PLACE.findall(text)})
    places = {str(n): f"${place}" for place, n in enumerate(used, 1)}
    renumbered = _PLACE.sub(lambda found: places[found[1]], text)
    return await pool.fetch(renumbered, *(arguments[n - 1] for n in used))


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page in the order of the list, and the positions of its neighbors."""

    rows: list[Row]
    next: Position | None
    prev: Position | None


async def page(pool: Pool, scan: Scan, position: Position | None, limit: int) -> Found:
    """One page after a position, or the first."""
    text, arguments = statement(scan, position, limit + 1)
    rows = await fetch(pool, text, arguments)
    there_is_more, rows = len(rows) > limit, rows[:limit]
    if position is not None and position.direction == "prev":
        rows.reverse()
        before, after = there_is_more, True
    else:
        before, after = position is not None, there_is_more
    if not rows:
        return Found([], None, None)
    return Found(
        rows,
        Position("next", keys_of(scan, rows[-1])) if after else None,
        Position("prev", keys_of(scan, rows[0])) if before else None,
    )


def keys_of(scan: Scan, row: Row) -> tuple[Any, ...]:
    """Where a row is in the list."""
    return tuple(row[f"key_{n}"] for n in range(len(scan.sort.keys)))


async def chunks(
    pool: Pool, scan: Scan, position: Position | None = None
) -> AsyncIterator[list[Row]]:
    """All rows of a list after a position, some at a time, each time in a transaction of its own.

    No connection is held while somebody slow reads what was found.
    """
    while True:
        text, arguments = statement(scan, position, CHUNK)
        rows = await fetch(pool, text, arguments)
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        position = Position("next", keys_of(scan, rows[-1]))
