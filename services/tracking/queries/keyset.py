"""Pages of a list by keyset: the rows after a row, found by an index, never by counting.

Most indexes begin with the status.  A list of all statuses is a union of one scan for each, of
which Postgres takes no more rows than it returns (Merge Append).
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.runtime.service import Pool, Row

INSTANT, TEXT, NUMBER = "timestamptz", "text", "bigint"

CHUNK = 2_000
"""Rows that an export reads at once."""

Direction = Literal["next", "prev"]
Label = str
"""What a branch is counted as."""


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that an index serves: by these expressions over t, all up or all down."""

    keys: tuple[tuple[str, str], ...]
    descending: bool = False

    @property
    def is_by_time(self) -> bool:
        """Whether its first key is a moment, which a range of dates can bound."""
        return self.keys[0][1] == INSTANT


@dataclass(frozen=True, slots=True)
class Position:
    """The row that a page begins after, by its keys, and in which direction the page goes."""

    direction: Direction
    keys: tuple[Any, ...]


@dataclass
class Scan:
    """Which rows a list has: those of any branch that meet every condition.

    source is what FROM names, t the table of the keys; around is what is joined to the rows of a
    page, called page.  counted gives the column that tells rows apart when branches do not.
    """

    columns: str
    source: str
    sort: Sort
    around: str = ""
    more: str = ""
    conditions: list[str] = field(default_factory=list)
    branches: list[tuple[Label, str]] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)

    def bind(self, value: Any, type: str = TEXT) -> str:
        """The place of a value in the statement."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type}"

    def equal(self, column: str, value: Any, type: str = TEXT) -> None:
        """Only rows with this value; None is no limit."""
        if value is not None:
            self.conditions.append(f"{column} = {self.bind(value, type)}")

    def between(self, since: datetime | None, until: datetime | None) -> None:
        """Only rows whose first key is in this range, its end not included."""
        key, type = self.sort.keys[0]
        for operator, value in ((">=", since), ("<", until)):
            if value is not None:
                self.conditions.append(f"{key} {operator} {self.bind(value, type)}")

    def branch(self, column: str, values: Iterable[str]) -> None:
        """One scan for each of these values of a column, counted as that."""
        self.branches = [(value, f"{column} = {self.bind(value)}") for value in values]


def statement(scan: Scan, position: Position | None, limit: int) -> tuple[str, list[Any]]:
    """The rows of one page in the direction of the position."""
    arguments = list(scan.arguments)

    def bind(value: Any, type: str) -> str:
        arguments.append(value)
        return f"${len(arguments)}::{type}"

    backwards = position is not None and position.direction == "prev"
    down = scan.sort.descending != backwards
    conditions = list(scan.conditions)
    if position is not None:
        keys = ", ".join(key for key, _ in scan.sort.keys)
        types = (type for _, type in scan.sort.keys)
        values = ", ".join(map(bind, position.keys, types))
        conditions.append(f"({keys}) {'<' if down else '>'} ({values})")
    names = [f"key_{n}" for n in range(len(scan.sort.keys))]
    keys = ", ".join(f"{k} AS {n}" for (k, _), n in zip(scan.sort.keys, names, strict=True))
    union = "\nUNION ALL\n".join(
        f"SELECT {scan.columns}, {keys} FROM {scan.source} WHERE {where}"
        for where in wheres(scan, conditions)
    )
    order = ", ".join(f"{name} {'DESC' if down else 'ASC'}" for name in names)
    text = f"SELECT * FROM ({union}) AS u ORDER BY {order} LIMIT {bind(limit, 'int')}"
    if scan.around:
        text = f"SELECT page.*, {scan.more} FROM ({text}) AS page {scan.around} ORDER BY {order}"
    return text, arguments


def wheres(scan: Scan, conditions: Sequence[str]) -> list[str]:
    """The condition of each branch."""
    branches = [condition for _, condition in scan.branches] or ["true"]
    return [" AND ".join((branch, *conditions)) for branch in branches]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page in the order of the list, and the positions of its neighbors."""

    rows: list[Row]
    next: Position | None
    prev: Position | None


async def page(pool: Pool, scan: Scan, position: Position | None, limit: int) -> Found:
    """One page after a position, or the first."""
    text, arguments = statement(scan, position, limit + 1)
    rows = await pool.fetch(text, *arguments)
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


async def chunks(pool: Pool, scan: Scan, size: int = CHUNK) -> AsyncIterator[list[Row]]:
    """All rows of a list, some at a time, each time in a transaction of its own.

    No connection is held while somebody slow reads what was found.
    """
    position = None
    while True:
        text, arguments = statement(scan, position, size)
        rows = await pool.fetch(text, *arguments)
        if rows:
            yield rows
        if len(rows) < size:
            return
        position = Position("next", keys_of(scan, rows[-1]))
