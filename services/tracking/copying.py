"""Copies from the model to the next one what no snapshot tells: which event set a status, when a
notification was tried, what canceled a campaign and when it came back.
"""

from collections.abc import Sequence

from services.runtime.service import Job, JobKind, Transaction
from services.tracking import domain
from services.tracking.store import CAMPAIGNS, NOTIFICATIONS, TABLES, Table

Register = tuple[str, Sequence[str]]
"""When the present row p has something newer to say than the next one n, and in which columns."""

_CAUSE: Register = ("p.cause_version > n.cause_version", tuple(domain.CAUSE))
_SAME = "p.attempts = n.attempts AND p.status = n.status AND n.cause IS NULL"
_CAUSED = f"{_SAME} AND p.cause IS NOT NULL"
REGISTERS: dict[Table, Sequence[Register]] = {
    **dict.fromkeys(TABLES, (_CAUSE,)),
    CAMPAIGNS: (
        _CAUSE,
        ("p.canceled_version > n.canceled_version", ("canceled_version", "canceled_by")),
        ("p.reinitialized_at > coalesce(n.reinitialized_at, '-infinity')", ("reinitialized_at",)),
    ),
    NOTIFICATIONS: (
        (_CAUSED, ("cause", "caused_by")),
        (f"{_SAME} AND (p.cause IS NOT NULL OR p.at < n.at)", ("at",)),
    ),
}


def statement(table: Table) -> str:
    """Copy the next rows behind a key; gives the last key, and how many there were."""
    registers = REGISTERS[table]
    columns = [name for _, names in registers for name in names]
    fenced = {"attempts", "status"} if table is NOTIFICATIONS else set()
    read = ", ".join([*table.key, *columns, *sorted(fenced)])
    changes = ", ".join(
        f"{name} = CASE WHEN {fence} THEN p.{name} ELSE n.{name} END"
        for fence, names in registers
        for name in names
    )
    key, same = ", ".join(table.key), " AND ".join(f"n.{k} = p.{k}" for k in table.key)
    after = ", ".join(f"${n}" for n in range(1, len(table.key) + 1))
    size = f"${len(table.key) + 1}"
    newer = " OR ".join(f"({fence})" for fence, _ in registers)
    last = ", ".join(f"{name} DESC" for name in table.key)
    return f"""
WITH p AS (
    SELECT {read} FROM model.{table.name} WHERE ({key}) > ({after}) ORDER BY {key} LIMIT {size}
), copied AS (
    UPDATE next.{table.name} AS n SET {changes} FROM p WHERE {same} AND ({newer})
)
SELECT {key}, count(*) OVER () AS n FROM p ORDER BY {last} LIMIT 1
"""


FINISH = "UPDATE rebuilds SET state = 'comparing' WHERE request_id = $1 AND state = 'copying'"
IS_COPYING = "SELECT 1 FROM rebuilds WHERE request_id = $1 AND state = 'copying' FOR SHARE"


async def _copy(tx: Transaction, job: Job, size: int) -> Job:
    """Copy one piece of one table; the cursor is the place of the table and the key reached."""
    if not await tx.conn.fetchval(IS_COPYING, job.line):
        # It has been abandoned.
        return job.moved(job.cursor, done=True)
    at, after = job.cursor or (0, None)
    if at == len(TABLES):
        await tx.conn.execute(FINISH, job.line)
        return job.moved([at, None], done=True)
    table = TABLES[at]
    found = await tx.conn.fetchrow(statement(table), *(after or [""] * len(table.key)), size)
    if found is None:
        return job.moved([at + 1, None])
    n = found["n"]
    cursor = [at, list(found.values())[:-1]] if n == size else [at + 1, None]
    return job.moved(cursor, copied=n)


COPY = JobKind("rebuild", _copy, retained=False)
"""Of a job of this kind the line is the id of the rebuild."""
