"""How many rows a list has by status: exact where they are counted as they change, else bounded."""

from collections import Counter
from collections.abc import Iterable, Mapping

from services.runtime.service import Pool
from services.tracking.queries.keyset import Branch, Scan, fetch, where

MOST = 10_000
"""Where rows have to be counted one by one, no more than so many are."""

FOUND = 500
"""The same where each row has to be looked at, as where a text is looked for."""

Counts = dict[str, int | str]
"""By status; `10,000+` where there are more than were counted."""


COUNTED = """
SELECT scope, status, sum(n)::bigint AS n FROM model.counts
WHERE list = $1 AND scope = ANY ($2::text[])
GROUP BY scope, status
"""


async def exact(pool: Pool, list: str, scopes: Iterable[str]) -> dict[str, dict[str, int]]:
    """By scope and status, as the reader has counted."""
    wanted = [*scopes]
    found: dict[str, dict[str, int]] = {scope: {} for scope in wanted}
    for scope, status, n in await pool.fetch(COUNTED, list, wanted):
        found[scope][status] = n
    return found


async def statuses(pool: Pool, list: str, known: Iterable[str]) -> tuple[str, ...]:
    """The statuses that rows of a list have, also those that only a newer service knows."""
    found = await exact(pool, list, [""])
    return tuple(dict.fromkeys([*known, *found[""]]))


def bounded(n: int, most: int = MOST) -> int | str:
    """A count as it is shown."""
    return n if n <= most else f"{most:,}+"


async def by_branch(pool: Pool, scan: Scan, most: int = MOST) -> Counts:
    """Count the rows of each branch, up to a bound."""
    counts = " UNION ALL ".join(
        f"SELECT {n} AS branch, count(*) AS n FROM (SELECT FROM {_first(scan, branch, most)}) AS b"
        for n, branch in enumerate(scan.all)
    )
    totals: Counter[str] = Counter()
    for branch, n in await fetch(pool, counts, scan.arguments):
        totals[scan.all[branch].label] += n
    return {label: bounded(n, most) for label, n in totals.items()}


async def by_value(pool: Pool, scan: Scan, column: str, most: int = MOST) -> Counts:
    """Count the rows of a scan by the value of a column, up to a bound for all together."""
    (branch,) = scan.all
    rows = await fetch(
        pool,
        f"SELECT value, count(*) AS n FROM (SELECT {column} AS value "
        f"FROM {_first(scan, branch, most)}) AS b GROUP BY value",
        scan.arguments,
    )
    is_all = sum(n for _, n in rows) <= most
    return {value: n if is_all else f"{n:,}+" for value, n in rows}


def _first(scan: Scan, branch: Branch, most: int) -> str:
    """The first rows of a branch, and one more than are counted.

    In the order of the list: by the index that shows them, whatever the statistics say of others.
    """
    keys = branch.keys or tuple(key for key, _ in scan.sort.keys)
    down = " DESC" if scan.sort.descending else ""
    order = ", ".join(f"{key}{down}" for key in dict.fromkeys(keys))
    return f"{scan.source} WHERE {where(scan, branch)} ORDER BY {order} LIMIT {most + 1}"


async def up_to(pool: Pool, scan: Scan, most: int = MOST) -> int | str:
    """Count the rows of all branches of a scan, up to a bound."""
    total: int | str = 0
    for n in (await by_branch(pool, scan, most)).values():
        total = _sum(total, n)
    return total


def filled(counts: Mapping[str, int | str], labels: Iterable[str]) -> Counts:
    """Counts with a zero where there is nothing."""
    return {**dict.fromkeys(labels, 0), **counts}


def added(one: Mapping[str, int | str], two: Mapping[str, int | str]) -> Counts:
    """The sums of two counts; the sum with a bound is one."""
    labels = dict.fromkeys([*one, *two])
    return {label: _sum(one.get(label, 0), two.get(label, 0)) for label in labels}


def _sum(one: int | str, two: int | str) -> int | str:
    total = sum(int(str(n).rstrip("+").replace(",", "")) for n in (one, two))
    is_bounded = isinstance(one, str) or isinstance(two, str)
    return f"{total:,}+" if is_bounded else total
