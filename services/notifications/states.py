"""All the SQL of how notifications stand: to tell it again, and to try again what has failed."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from contracts.notifications import NotificationKind, NotificationStatus
from services.notifications.delivery import RowKey, State
from services.notifications.domain import Key
from services.runtime.service import Connection, Row

FIRST = RowKey(0, "", "", "")
"""Before every notification."""
CHUNK = 2_000
"""Notifications that are looked at at once for those that have some id."""


ROW = "n.happening_id, n.recipient_id, n.recipient_type, n.channel"
COLUMNS = f"""
{ROW}, n.package_id, n.status, n.attempts, n.error, n.sent_at, h.order_id, h.kind, h.subject,
h.edition, h.happening
"""
AFTER = f"({ROW}) > ($1::bigint, $2, $3, $4)"

NEXT_STATES = f"""
SELECT {COLUMNS}
FROM (SELECT * FROM notifications n WHERE {AFTER} ORDER BY {ROW} LIMIT $5) AS n
JOIN happenings h USING (happening_id)
ORDER BY {ROW}
"""


async def next_states(conn: Connection, after: RowKey, size: int) -> list[State]:
    """The next notifications by happening and recipient."""
    return _states(await conn.fetch(NEXT_STATES, *after, size))


LOCK_FAILED = f"""
SELECT {COLUMNS}
FROM notifications n JOIN happenings h USING (happening_id)
WHERE n.package_id = $6 AND n.status = 'failed' AND {AFTER}
  AND ($7::int IS NULL OR h.edition = $7)
ORDER BY {ROW} LIMIT $5 FOR UPDATE OF n
"""


async def lock_failed(
    conn: Connection, package_id: str, edition: int | None, after: RowKey, size: int
) -> list[State]:
    """Lock the next failed notifications about a package, of one edition where that is given."""
    return _states(await conn.fetch(LOCK_FAILED, *after, size, package_id, edition))


async def lock_named(
    conn: Connection, package_id: str, edition: int | None, ids: Collection[str]
) -> dict[str, State]:
    """Lock those failed notifications about a package that have one of these ids.

    An id is made of what it names, and no row has it: they are all looked at, a chunk at a time.
    """
    found: dict[str, State] = {}
    after, wanted = FIRST, set(ids)
    while len(found) < len(wanted):
        states = await lock_failed(conn, package_id, edition, after, CHUNK)
        found |= {id: state for state in states if (id := state.id) in wanted}
        if len(states) < CHUNK:
            break
        after = states[-1].row
    return found


FIND_AGAIN = f"""
SELECT {COLUMNS}
FROM notifications n JOIN happenings h USING (happening_id)
WHERE n.package_id = $1 AND n.status = 'pending' AND n.next_try_at IS NOT NULL LIMIT $2
"""


async def find_pending(conn: Connection, package_id: str) -> set[str]:
    """The ids of notifications about a package that are to be tried again anyway, or the first."""
    return {state.id for state in _states(await conn.fetch(FIND_AGAIN, package_id, CHUNK))}


TRY_AGAIN = """
UPDATE notifications n
SET status = 'pending', attempts = n.attempts + 1, attempts_before = n.attempts + 1, error = NULL,
    added_at = $5, next_try_at = $5
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    AS m (happening_id, recipient_id, recipient_type, channel)
WHERE n.happening_id = m.happening_id AND n.recipient_id = m.recipient_id
  AND n.recipient_type = m.recipient_type AND n.channel = m.channel AND n.status = 'failed'
"""


async def try_again(conn: Connection, failed: Sequence[State], now: datetime) -> None:
    """Let these be tried again, as if they came now; whoever calls holds them."""
    if failed:
        columns = zip(*(state.row for state in failed), strict=True)
        await conn.execute(TRY_AGAIN, *map(list, columns), now)


def _states(rows: Iterable[Row]) -> list[State]:
    return [
        State(
            RowKey(*row[:4]),
            Key(NotificationKind(row["kind"]), row["subject"], row["edition"], row["happening"]),
            row["package_id"],
            row["order_id"],
            NotificationStatus(row["status"]),
            row["attempts"],
            row["error"],
            row["sent_at"],
        )
        for row in rows
    ]
