"""How many rows a list has by status: exact where they are counted as they change, else bounded."""

from collections import Counter
from collections.abc import Iterable, Mapping

from services.runtime.service import Pool
from services.tracking.queries.keyset import Scan, fetch, where

MOST = 10_000
"""Where rows have to be counted one by one, no more than so many are."""

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


def bounded(n: int) -> int | str:
    """A count as it is shown."""
    return n if n <= MOST else f"{MOST:,}+"


async def by_branch(pool: Pool, scan: Scan) -> Counts:
    """Count the rows of each branch, up to a bound."""
    counts = " UNION ALL ".join(
        f"SELECT {n} AS branch, count(*) AS n "
        f"FROM (SELECT FROM {scan.source} WHERE {where(scan, branch)} LIMIT {MOST + 1}) AS b"
        for n, branch in enumerate(scan.all)
    )
    totals: Counter[str] = Counter()
    for branch, n in await fetch(pool, counts, scan.arguments):
        totals[scan.all[branch].label] += n
    return {label: bounded(n) for label, n in totals.items()}


async def by_value(pool: Pool, scan: Scan, column: str) -> Counts:
    """Count the rows of a scan by the value of a column, up to a bound for all together."""
    (branch,) = scan.all
    rows = await fetch(
        pool,
        f"SELECT value, count(*) AS n FROM (SELECT {column} AS value FROM {scan.source} "
        f"WHERE {where(scan, branch)} LIMIT {MOST + 1}) AS b GROUP BY value",
        scan.arguments,
    )
    is_all = sum(n for _, n in rows) <= MOST
    return {value: n if is_all else f"{n:,}+" for value, n in rows}


async def up_to(pool: Pool, scan: Scan) -> int | str:
    """Count the rows of a scan that is one branch, up to a bound."""
    (branch,) = scan.all
    counted = (
        f"SELECT count(*) FROM (SELECT FROM {scan.source} WHERE {where(scan, branch)} "
        f"LIMIT {MOST + 1}) AS b"
    )
    [(n,)] = await fetch(pool, counted, scan.arguments)
    return bounded(n)


def filled(counts: Mapping[str, int | str], labels: Iterable[str]) -> Counts:
    """Counts with a zero where there is nothing."""
    return {**dict.fromkeys(labels, 0), **counts}


def added(one: Mapping[str, int | str], two: Mapping[str, int | str]) -> Counts:
    """The sums of two counts; the sum with a bound is one."""
    labels = dict.fromkeys([*one, *two])
    return {label: _sum(one.get(label, 0), two.get(label, 0)) for label in labels}


def _sum(one: int | str, two: int | str) -> int | str:
    numbers = [int(str(n).rstrip("+").replace(",", "")) for n in (one, two)]
    is_bounded = isinstance(one, str) or isinstance(two, str)
    return f"{min(sum(numbers), MOST):,}+" if is_bounded else bounded(sum(numbers))
