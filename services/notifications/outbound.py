"""All the SQL of sending: notifications are their own outbox."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from operator import itemgetter

from contracts.notifications import NotificationKind
from services.notifications import domain
from services.notifications.delivery import Due, Outcome, RowKey, Told
from services.notifications.domain import Key
from services.notifications.store import VERSIONS
from services.runtime.decision import Cause
from services.runtime.service import Connection, Pool, Row, attempt

LEASE = timedelta(seconds=5)
HELD_BYTES = 8 * 1024 * 1024
"""What the notices that are sent at once may take."""
ROUNDS = 16
"""As many as the table has."""

# Whoever comes second waits a moment and takes what is left.  A lease that a crash takes back
# harms nobody, so nobody waits for the disk.  The plan for TAKE must not depend on statistics:
# of a million that wait it is to look at the first few, not to gather and sort them all.
LOCK_ROUNDS = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true),
                      set_config('enable_bitmapscan', 'off', true))
SELECT r.round, r.worked_at FROM rounds r, quick
WHERE r.taken_until <= now() ORDER BY r.round FOR UPDATE OF r
"""
# Only the first that waits for a recipient about a package goes.  What stands behind one that
# had to wait is taken as well, to wait with it: if it stayed, many of that kind would be looked at
# in place of what they wait for.  Behind a fan-out that may still add one it does stay.
TAKE = f"""
SELECT n.round, n.happening_id, n.recipient_id, n.recipient_type, n.channel, n.attempts,
       n.added_at, coalesce(n.recipient_label, e.label) AS label,
       coalesce(e.mailbox, 'central') AS mailbox, e.channels,
       m.declared_at IS NOT NULL AS is_declared, m.error IS NOT NULL AS has_failed,
       n.head_attempts, n.head_next_try_at, n.attempts_before
FROM (
    SELECT n.*, head.attempts AS head_attempts, head.next_try_at AS head_next_try_at
    FROM unnest($1::smallint[]) AS r (round)
    CROSS JOIN LATERAL (
        (SELECT * FROM notifications n
         WHERE n.status = 'pending' AND n.round = r.round AND n.next_try_at <= $2
           AND n.happening_id <= coalesce((SELECT min(f.place) / {VERSIONS} FROM jobs f
                                           WHERE f.line = n.package_id AND f.kind = 'fan_out'
                                             AND f.state = 'running'), n.happening_id)
         ORDER BY n.next_try_at, n.happening_id LIMIT $3)
        UNION ALL
        (SELECT * FROM notifications n
         WHERE n.status = 'pending' AND n.round = r.round AND n.next_try_at IS NULL
           AND n.happening_id <= coalesce((SELECT min(f.place) / {VERSIONS} FROM jobs f
                                           WHERE f.line = n.package_id AND f.kind = 'fan_out'
                                             AND f.state = 'running'), n.happening_id)
         ORDER BY n.happening_id LIMIT $3)
    ) n
    LEFT JOIN LATERAL (
        SELECT e.attempts, e.next_try_at FROM notifications e
        WHERE e.status = 'pending' AND e.next_try_at IS NOT NULL AND e.package_id = n.package_id
          AND e.recipient_id = n.recipient_id AND e.recipient_type = n.recipient_type
          AND e.channel = n.channel AND e.happening_id < n.happening_id
        ORDER BY e.happening_id LIMIT 1
    ) head ON true
    LIMIT $3
) n
LEFT JOIN entities e ON e.entity_id = n.recipient_id AND n.recipient_type = 'entity'
LEFT JOIN mailboxes m ON m.name = coalesce(e.mailbox, 'central')
"""
# The first of them whose notices are no more than so many bytes, and at least one.
FIND_TOLD = """
SELECT happening_id, kind, subject, edition, happening, package_id, order_id, happened_at, notice,
       superseded, cause
FROM (SELECT *, sum(octet_length(notice)) OVER (ORDER BY happening_id) - octet_length(notice)
                    AS before
      FROM happenings WHERE happening_id = ANY ($1::bigint[])) AS h
WHERE coalesce(before, 0) < $2
"""
HOLD_ROUNDS = """
UPDATE rounds SET holder = $2, taken_until = now() + $3::interval WHERE round = ANY ($1::smallint[])
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Notifications of rounds that nobody else sends to as long as the lease runs.

    is_full is whether there may be more, also in other rounds, has_more whether more can go once
    these have gone, is_busy whether others hold rounds, of which there may be more as well.
    """

    holder: uuid.UUID
    due: list[Due]
    is_full: bool
    has_more: bool
    is_busy: bool


async def take(conn: Connection, limit: int, now: datetime) -> Held:
    """Hold the rounds of the next notifications; of each recipient and package the first one."""
    holder = uuid.uuid4()
    free = await conn.fetch(LOCK_ROUNDS)
    least_recent = sorted(free, key=itemgetter("worked_at"))
    rows = await conn.fetch(TAKE, [row["round"] for row in least_recent], now, limit)
    is_busy = len(free) < ROUNDS
    if not rows:
        return Held(holder, [], is_full=False, has_more=False, is_busy=is_busy)
    await conn.execute(HOLD_ROUNDS, list({row["round"] for row in rows}), holder, LEASE)
    named = list({row["happening_id"] for row in rows})
    found = await conn.fetch(FIND_TOLD, named, HELD_BYTES)
    told = {row["happening_id"]: _told(row) for row in found}
    due = _that_fit(_firsts([row for row in rows if row["happening_id"] in told], told))
    is_full = len(rows) == limit
    return Held(holder, due, is_full, is_full or len(due) < len(rows), is_busy)


def _firsts(rows: Sequence[Row], told: Mapping[int, Told]) -> list[Due]:
    """Of those for one recipient about one package the first, in the order of what happened."""
    ids = {happening_id: domain.ids_of(one.key) for happening_id, one in told.items()}
    firsts: dict[tuple[str, str, str, str], Due] = {}
    for row in sorted(rows, key=itemgetter("happening_id")):
        key = RowKey(*row[1:5])
        line = (*key[1:], told[key.happening_id].package_id)
        if line not in firsts:
            id = ids[key.happening_id](key.recipient_type, key.recipient_id, key.channel)
            firsts[line] = Due(id, key, told[key.happening_id], *row[5:])
    return list(firsts.values())


def _that_fit(due: list[Due]) -> list[Due]:
    """The first of them whose messages can be held at once, and at least one; others stay."""
    sizes = accumulate(len(one.told.notice or b"") for one in due)
    return due[: max(sum(size <= HELD_BYTES for size in sizes), 1)]


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


RENEW = "UPDATE rounds SET taken_until = now() + $2::interval WHERE holder = $1"


async def renew(pool: Pool, held: Held) -> None:
    """Hold on to rounds; where this fails, another worker may send the same under the same ids."""
    await attempt("renew", lambda: pool.execute(RENEW, held.holder, LEASE))


RELEASE = """
UPDATE rounds SET holder = NULL, taken_until = now(), worked_at = now() WHERE holder = $1
"""


async def release(conn: Connection | Pool, held: Held) -> None:
    """Let others send to these rounds once this has committed; harmless if the lease ran out."""
    await conn.execute(RELEASE, held.holder)


RECORD = """
UPDATE notifications n
SET status = m.status, attempts = m.attempts, error = m.error, next_try_at = m.next_try_at,
    sent_at = CASE m.status WHEN 'sent' THEN $9::timestamptz END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[],
            $8::timestamptz[])
    AS m (happening_id, recipient_id, recipient_type, channel, status, attempts, error,
          next_try_at)
WHERE n.happening_id = m.happening_id AND n.recipient_id = m.recipient_id
  AND n.recipient_type = m.recipient_type AND n.channel = m.channel AND n.status = 'pending'
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


NOTE_ERROR = """
UPDATE mailboxes SET error = $2
WHERE name = ANY ($1::text[]) AND declared_at IS NOT NULL AND error IS DISTINCT FROM $2
"""


async def note_error(conn: Connection, mailboxes: Collection[str], error: str | None) -> None:
    """Note what is wrong with mailboxes that are there, or with None that nothing is."""
    await conn.execute(NOTE_ERROR, sorted(mailboxes), error)


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
# They are found by walking all that wait.
HURRY = """
UPDATE notifications n SET next_try_at = $2 FROM entities e
WHERE n.status = 'pending' AND n.next_try_at > $2 AND n.recipient_type = 'entity'
  AND n.recipient_id = e.entity_id AND e.mailbox = ANY ($1::text[])
"""


async def mark_declared(conn: Connection, mailboxes: Sequence[str], now: datetime) -> None:
    """Note that mailboxes have their queues."""
    await conn.execute(MARK_DECLARED, mailboxes, now)


async def hurry(conn: Connection, mailboxes: Sequence[str], now: datetime) -> None:
    """Let what waits for mailboxes be looked at now."""
    await conn.execute(HURRY, mailboxes, now)


MARK_REFUSED = """
UPDATE mailboxes m SET next_try_at = $3, error = r.error
FROM unnest($1::text[], $2::text[]) AS r (name, error) WHERE m.name = r.name
"""


async def mark_refused(conn: Connection, refusals: dict[str, str], next_try_at: datetime) -> None:
    """Note why the broker does not make these mailboxes, and ask it again later."""
    await conn.execute(MARK_REFUSED, list(refusals), list(refusals.values()), next_try_at)
