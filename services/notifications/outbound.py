"""All the SQL of sending: notifications are their own outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from contracts.notifications import NotificationKind
from services.notifications import domain
from services.notifications.delivery import Due, Outcome, RowKey, Told
from services.notifications.domain import Key
from services.runtime.database import Connection, Pool, Row
from services.runtime.received import Cause

LEASE = timedelta(seconds=5)

# Only the first that waits for a recipient about a package goes.  Those behind one that could
# not be delivered are taken as well, to be put off with it; behind one that nobody has tried, or
# behind a fan-out that may still add one, they stay.
TAKE = """
WITH due AS MATERIALIZED (
    SELECT n.ctid AS place, head.next_try_at AS behind_until
    FROM notifications n
    LEFT JOIN LATERAL (
        SELECT e.attempts, e.next_try_at, e.taken_until FROM notifications e
        WHERE e.status = 'pending' AND e.package_id = n.package_id
          AND e.recipient_id = n.recipient_id AND e.recipient_type = n.recipient_type
          AND e.channel = n.channel AND e.happening_id < n.happening_id
        ORDER BY e.happening_id LIMIT 1
    ) head ON true
    WHERE n.status = 'pending' AND n.next_try_at <= $1
      AND (n.taken_until IS NULL OR n.taken_until <= now())
      AND (head.attempts IS NULL OR head.attempts > 0 AND head.next_try_at > $1
           AND (head.taken_until IS NULL OR head.taken_until <= now()))
      AND NOT EXISTS (SELECT FROM fanouts f
                      WHERE f.package_id = n.package_id AND f.happening_id < n.happening_id)
    ORDER BY n.next_try_at, n.happening_id LIMIT $2
    FOR UPDATE OF n SKIP LOCKED
), taken AS (
    UPDATE notifications n SET taken_until = now() + $3::interval
    FROM due WHERE n.ctid = due.place
    RETURNING n.happening_id, n.recipient_id, n.recipient_type, n.channel, n.attempts,
               n.added_at, n.recipient_label, due.behind_until
)
SELECT t.happening_id, t.recipient_id, t.recipient_type, t.channel, t.attempts, t.added_at,
       coalesce(t.recipient_label, e.label) AS label,
       coalesce(e.mailbox, 'central') AS mailbox, e.channels,
       m.declared_at IS NOT NULL AS is_declared, t.behind_until
FROM taken t
LEFT JOIN entities e ON e.entity_id = t.recipient_id AND t.recipient_type = 'entity'
LEFT JOIN mailboxes m ON m.name = coalesce(e.mailbox, 'central')
ORDER BY t.happening_id, t.recipient_id
"""


FIND_TOLD = """
SELECT happening_id, kind, subject, edition, happening, package_id, order_id, happened_at, notice,
       superseded, cause
FROM happenings WHERE happening_id = ANY ($1::bigint[])
"""


async def take(conn: Connection, limit: int, now: datetime) -> list[Due]:
    """Hold the next notifications whose turn it is, for as long as a lease runs."""
    rows = await conn.fetch(TAKE, now, limit, LEASE)
    if not rows:
        return []
    found = await conn.fetch(FIND_TOLD, list({row["happening_id"] for row in rows}))
    told = {row["happening_id"]: _told(row) for row in found}
    ids = {happening_id: domain.ids_of(one.key) for happening_id, one in told.items()}
    return [
        Due(
            ids[happening_id](recipient_type, recipient_id, channel),
            RowKey(happening_id, recipient_id, recipient_type, channel),
            told[happening_id],
            *rest,
        )
        for happening_id, recipient_id, recipient_type, channel, *rest in rows
    ]


def _told(row: Row) -> Told:
    kind = NotificationKind(row["kind"])
    return Told(
        Key(kind, row["subject"], row["edition"], row["happening"]),
        row["package_id"],
        row["order_id"],
        row["happened_at"],
        None if row["notice"] is None else row["notice"].encode(),
        row["superseded"],
        Cause(**row["cause"]),
    )


# What is held, not what is pending: the indexes of that would be walked from end to end.
RENEW = """
UPDATE notifications n SET taken_until = now() + $5::interval
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    AS m (happening_id, recipient_id, recipient_type, channel)
WHERE n.happening_id = m.happening_id AND n.recipient_id = m.recipient_id
  AND n.recipient_type = m.recipient_type AND n.channel = m.channel
  AND n.taken_until IS NOT NULL
"""


async def renew(pool: Pool, held: Sequence[Due]) -> None:
    """Hold on to notifications while a slow broker takes its time."""
    await pool.execute(RENEW, *_columns(held), LEASE)


RECORD = """
UPDATE notifications n
SET status = m.status, attempts = m.attempts, error = m.error, next_try_at = m.next_try_at,
    taken_until = NULL, sent_at = CASE m.status WHEN 'sent' THEN $9::timestamptz END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[],
            $8::timestamptz[])
    AS m (happening_id, recipient_id, recipient_type, channel, status, attempts, error,
          next_try_at)
WHERE n.happening_id = m.happening_id AND n.recipient_id = m.recipient_id
  AND n.recipient_type = m.recipient_type AND n.channel = m.channel
  AND n.taken_until IS NOT NULL
RETURNING n.happening_id, n.recipient_id, n.recipient_type, n.channel
"""


async def record(conn: Connection, outcomes: Sequence[Outcome], now: datetime) -> list[Outcome]:
    """Store what became of notifications; those that nobody else has ended meanwhile."""
    rows = await conn.fetch(
        RECORD,
        *_columns([outcome.due for outcome in outcomes]),
        [outcome.status for outcome in outcomes],
        [outcome.attempts for outcome in outcomes],
        [outcome.error for outcome in outcomes],
        [outcome.next_try_at for outcome in outcomes],
        now,
    )
    if len(rows) == len(outcomes):
        return list(outcomes)
    changed = {tuple(row) for row in rows}
    return [outcome for outcome in outcomes if outcome.due.key in changed]


def _columns(held: Sequence[Due]) -> list[list[object]]:
    return [list(column) for column in zip(*(due.key for due in held), strict=True)]


LOSE_MAILBOXES = """
UPDATE mailboxes SET declared_at = NULL, next_try_at = $2
WHERE name = ANY ($1::text[]) AND declared_at IS NOT NULL
"""


async def lose_mailboxes(conn: Connection, mailboxes: Collection[str], now: datetime) -> None:
    """Let mailboxes that the broker no longer has be declared again."""
    await conn.execute(LOSE_MAILBOXES, sorted(mailboxes), now)


FIND_UNDECLARED = """
SELECT name FROM mailboxes WHERE declared_at IS NULL AND next_try_at <= $1
ORDER BY next_try_at, name LIMIT $2
"""


async def find_undeclared(conn: Connection, limit: int, now: datetime) -> list[str]:
    """Mailboxes that have no queue yet."""
    return [row["name"] for row in await conn.fetch(FIND_UNDECLARED, now, limit)]


MARK_DECLARED = """
UPDATE mailboxes SET declared_at = $2, error = NULL WHERE name = ANY ($1::text[])
"""
# Few wait, so these are found by walking all that do.
WAKE = """
UPDATE notifications n SET next_try_at = $2 FROM entities e
WHERE n.status = 'pending' AND n.next_try_at > $2 AND n.recipient_type = 'entity'
  AND n.recipient_id = e.entity_id AND e.mailbox = ANY ($1::text[])
"""


async def mark_declared(conn: Connection, mailboxes: Sequence[str], now: datetime) -> None:
    """Note that mailboxes have their queues, and let what waits for them go."""
    await conn.execute(MARK_DECLARED, mailboxes, now)
    await conn.execute(WAKE, mailboxes, now)


MARK_REFUSED = """
UPDATE mailboxes m SET next_try_at = $3, error = r.error
FROM unnest($1::text[], $2::text[]) AS r (name, error) WHERE m.name = r.name
"""


async def mark_refused(conn: Connection, refusals: dict[str, str], next_try_at: datetime) -> None:
    """Note why the broker does not make these mailboxes, and ask it again later."""
    await conn.execute(MARK_REFUSED, list(refusals), list(refusals.values()), next_try_at)
