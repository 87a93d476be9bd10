"""All the SQL of the jobs: fanning out, ending a cancel, declaring mailboxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.cancellation import CancellationProgressed, PackageEntitiesNotified
from contracts.notifications import NotificationKind
from services.notifications.domain import Life
from services.runtime.postgres.database import Connection, Row
from services.runtime.received import Cause


@dataclass(frozen=True, slots=True)
class FanOut:
    """How far the recipients of a happening are in notifications.

    size is that of the audience, None where it is every entity active at as_of; position counts
    in the audience, cursor is the last of the entities.
    """

    fanout_id: int
    happening_id: int
    package_id: str
    edition: int
    kind: NotificationKind
    superseded: bool
    size: int | None
    as_of: datetime
    position: int
    cursor: str

    @property
    def is_new(self) -> bool:
        """Whether nobody has been added yet."""
        return self.position == 0 and not self.cursor

    @property
    def is_cancel(self) -> bool:
        """Whether a cancel waits for it."""
        return self.kind is NotificationKind.PACKAGE_CANCELED


# The one that was left alone longest: a huge one does not keep small ones waiting.
TAKE_FAN_OUT = """
SELECT f.fanout_id, f.happening_id, f.package_id, f.edition, h.kind, h.superseded,
       cardinality(f.audience) AS size, f.as_of, f.position, f.cursor
FROM fanouts f JOIN happenings h USING (happening_id)
ORDER BY f.worked_at, f.fanout_id LIMIT 1 FOR UPDATE OF f SKIP LOCKED
"""


async def take_fan_out(conn: Connection) -> FanOut | None:
    """Lock a job that nobody works on."""
    row = await conn.fetchrow(TAKE_FAN_OUT)
    if row is None:
        return None
    return FanOut(**dict(row) | {"kind": NotificationKind(row["kind"])})


NEXT_OF_AUDIENCE = """
SELECT unnest(audience[$2 + 1:$2 + $3]) FROM fanouts WHERE fanout_id = $1
"""
NEXT_ACTIVE = """
SELECT entity_id FROM entities WHERE entity_id > $1 AND active_during @> $2::timestamptz
ORDER BY entity_id LIMIT $3
"""


async def next_recipients(conn: Connection, job: FanOut, size: int) -> list[str]:
    """The next entities to be told, in an order that never changes; fewer than size at the end."""
    if job.size is None:
        rows = await conn.fetch(NEXT_ACTIVE, job.cursor, job.as_of, size)
    else:
        rows = await conn.fetch(NEXT_OF_AUDIENCE, job.fanout_id, job.position, size)
    return [row[0] for row in rows]


MOVE_FAN_OUT = """
UPDATE fanouts SET position = position + $2, cursor = $3, worked_at = $4 WHERE fanout_id = $1
"""


async def move_fan_out(conn: Connection, job: FanOut, added: list[str], now: datetime) -> None:
    """Note how far a job is."""
    await conn.execute(MOVE_FAN_OUT, job.fanout_id, len(added), added[-1], now)


END_FAN_OUT = "DELETE FROM fanouts WHERE fanout_id = $1"


async def end_fan_out(conn: Connection, job: FanOut) -> None:
    """Forget a job whose recipients are all in notifications."""
    await conn.execute(END_FAN_OUT, job.fanout_id)


HURRY = """
UPDATE notifications SET next_try_at = $2
WHERE package_id = $1 AND status = 'pending' AND next_try_at > $2
"""


async def hurry(conn: Connection, package_id: str, now: datetime) -> None:
    """Let what waits about a package be looked at now, each recipient's in order."""
    await conn.execute(HURRY, package_id, now)


@dataclass(frozen=True, slots=True)
class Cancel:
    """How many are to be told of a cancel, how many have been tried, and with what result."""

    package_id: str
    edition: int
    foreseen: int
    expected: int
    tried: int
    sent: int
    superseded: int
    cause: Cause

    @property
    def life(self) -> Life:
        """The package and its edition."""
        return self.package_id, self.edition

    @property
    def progress(self) -> CancellationProgressed:
        """How far it is."""
        return CancellationProgressed(
            package_id=self.package_id,
            edition=self.edition,
            service="notifications",
            done=self.tried,
            expected=max(self.foreseen, self.expected, self.tried),
        )

    @property
    def report(self) -> PackageEntitiesNotified:
        """What came of it; what is to be tried again later has failed for now."""
        return PackageEntitiesNotified(
            package_id=self.package_id,
            edition=self.edition,
            notified=self.sent,
            superseded=self.superseded,
            failed=self.expected - self.sent,
        )


def _cancel(row: Row) -> Cancel:
    return Cancel(**dict(row) | {"cause": Cause(**row["cause"])})


LOCK_CANCELS = """
SELECT 1 FROM cancels c
JOIN unnest($1::text[], $2::int[]) AS m (package_id, edition) USING (package_id, edition)
ORDER BY c.package_id, c.edition FOR UPDATE OF c
"""


async def lock_cancels(conn: Connection, lives: Sequence[Life]) -> None:
    """Take turns with all who add to these cancels, or send of them; before any of their rows."""
    if lives:
        await conn.execute(LOCK_CANCELS, [p for p, _ in lives], [e for _, e in lives])


COUNT = """
UPDATE cancels c SET tried = c.tried + m.tried, sent = c.sent + m.sent,
                     superseded = c.superseded + m.superseded
FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[])
    AS m (package_id, edition, tried, sent, superseded)
WHERE c.package_id = m.package_id AND c.edition = m.edition
RETURNING c.package_id, c.edition, c.foreseen, c.expected, c.tried, c.sent, c.superseded, c.cause
"""


@dataclass(slots=True)
class Count:
    """What a round of sending was to one cancel."""

    tried: int = 0
    sent: int = 0
    superseded: int = 0


async def count(conn: Connection, counts: dict[Life, Count]) -> list[Cancel]:
    """Add up what was sent; the cancels as they are now."""
    if not counts:
        return []
    rows = await conn.fetch(
        COUNT,
        [package_id for package_id, _ in counts],
        [edition for _, edition in counts],
        [one.tried for one in counts.values()],
        [one.sent for one in counts.values()],
        [one.superseded for one in counts.values()],
    )
    return [_cancel(row) for row in rows]


LOCK_TRIED = """
SELECT package_id, edition, foreseen, expected, tried, sent, superseded, cause FROM cancels
WHERE completed_at IS NULL AND started_at IS NOT NULL
  AND orders_seen >= orders_canceled AND tried >= expected
ORDER BY started_at LIMIT 100 FOR UPDATE SKIP LOCKED
"""
# Under the lock: nobody can add to these cancels meanwhile.
FIND_OPEN = """
SELECT m.package_id, m.edition FROM unnest($1::text[], $2::int[]) AS m (package_id, edition)
WHERE EXISTS (SELECT FROM fanouts f WHERE f.package_id = m.package_id AND f.edition = m.edition)
   OR EXISTS (SELECT FROM happenings h CROSS JOIN rounds r JOIN notifications n
                  ON n.round = r.round AND n.happening_id = h.happening_id
              WHERE h.subject = m.package_id AND h.kind = 'package_available'
                AND h.edition = m.edition AND n.status = 'pending' AND n.next_try_at IS NULL)
   OR EXISTS (SELECT FROM notifications n JOIN happenings h USING (happening_id)
              WHERE n.package_id = m.package_id AND n.status = 'pending'
                AND n.next_try_at IS NOT NULL AND h.superseded AND h.edition = m.edition)
"""


# An offer may have been refused while its cancel came in; it is not to wait for its next try.
HURRY_DROPPED = """
UPDATE notifications n SET next_try_at = $3
FROM unnest($1::text[], $2::int[]) AS m (package_id, edition)
JOIN happenings h ON h.subject = m.package_id AND h.kind = 'package_available'
                 AND h.edition = m.edition AND h.superseded
WHERE n.package_id = m.package_id AND n.happening_id = h.happening_id
  AND n.status = 'pending' AND n.next_try_at > $3
"""


async def lock_done(conn: Connection, now: datetime) -> tuple[list[Cancel], bool]:
    """Lock cancels of which nothing is left to do, and that have not been reported.

    Says besides whether some wait for offers to be dropped, which are due now.
    """
    tried = [_cancel(row) for row in await conn.fetch(LOCK_TRIED)]
    if not tried:
        return [], False
    rows = await conn.fetch(FIND_OPEN, [c.package_id for c in tried], [c.edition for c in tried])
    open_ = {(row["package_id"], row["edition"]) for row in rows}
    if open_:
        await conn.execute(HURRY_DROPPED, [p for p, _ in open_], [e for _, e in open_], now)
    return [cancel for cancel in tried if cancel.life not in open_], bool(open_)


COMPLETE = """
UPDATE cancels c SET completed_at = $3
FROM unnest($1::text[], $2::int[]) AS m (package_id, edition)
WHERE c.package_id = m.package_id AND c.edition = m.edition
"""


async def complete(conn: Connection, done: Sequence[Cancel], now: datetime) -> None:
    """Report no more of these."""
    if done:
        await conn.execute(COMPLETE, [c.package_id for c in done], [c.edition for c in done], now)
