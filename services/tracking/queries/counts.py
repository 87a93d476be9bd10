"""How many rows a list has by status: exact where they are counted as they change, else bounded."""

from collections.abc import Iterable, Mapping

from services.runtime.service import Pool
from services.tracking.queries.keyset import Scan, wheres

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
        f"FROM (SELECT FROM {scan.source} WHERE {where} LIMIT {MOST + 1}) AS b"
        for n, where in enumerate(wheres(scan, scan.conditions))
    )
    totals: dict[str, int] = {}
    for branch, n in await pool.fetch(counts, *scan.arguments):
        label = scan.branches[branch][0] if scan.branches else "all"
        totals[label] = totals.get(label, 0) + n
    return {label: bounded(n) for label, n in totals.items()}


async def up_to(pool: Pool, scan: Scan) -> int | str:
    """Count all rows of a scan, up to a bound."""
    where = " OR ".join(f"({one})" for one in wheres(scan, scan.conditions))
    counted = (
        f"SELECT count(*) FROM (SELECT FROM {scan.source} WHERE {where} LIMIT {MOST + 1}) AS b"
    )
    return bounded(await pool.fetchval(counted, *scan.arguments))


def filled(counts: Mapping[str, int | str], labels: Iterable[str]) -> Counts:
    """Counts with a zero where there is nothing."""
    return {**dict.fromkeys(labels, 0), **counts}
