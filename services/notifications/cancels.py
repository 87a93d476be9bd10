"""Cancels as notifications sees them: whom they told, and when nobody is left to tell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from contracts.cancellation import CancellationProgressed, PackageEntitiesNotified
from contracts.packages import PackageEdition
from services.notifications import wakes
from services.notifications.store import VERSIONS
from services.runtime.decision import Cause
from services.runtime.service import Connection, Row, Transaction


@dataclass(frozen=True, slots=True)
class Cancel:
    """How many are to be told of a cancel, how many have been tried, and with what result.

    is_tried is whether all that is known of has been tried, and all orders have been reported.
    """

    package_id: str
    edition: int
    foreseen: int
    expected: int
    tried: int
    sent: int
    superseded: int
    cause: Cause
    is_tried: bool

    @property
    def life(self) -> PackageEdition:
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


def _columns(lives: Collection[PackageEdition]) -> tuple[list[str], list[int]]:
    return [package_id for package_id, _ in lives], [edition for _, edition in lives]


IS_TRIED = """
(c.completed_at IS NULL AND c.started_at IS NOT NULL
 AND coalesce(c.orders_seen >= c.orders_canceled, false) AND c.tried >= c.expected)
"""
COLUMNS = f"""
c.package_id, c.edition, c.foreseen, c.expected, c.tried, c.sent, c.superseded, c.cause,
{IS_TRIED} AS is_tried
"""

LOCK_CANCELS = """
SELECT 1 FROM cancels c
JOIN unnest($1::text[], $2::int[]) AS m (package_id, edition) USING (package_id, edition)
ORDER BY c.package_id, c.edition FOR UPDATE OF c
"""


async def lock(conn: Connection, lives: Sequence[PackageEdition]) -> None:
    """Take turns with all who add to these cancels, or send of them; before any of their rows."""
    if lives:
        await conn.execute(LOCK_CANCELS, *_columns(lives))


COUNT = f"""
UPDATE cancels c SET tried = c.tried + m.tried, sent = c.sent + m.sent,
                     superseded = c.superseded + m.superseded
FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[])
    AS m (package_id, edition, tried, sent, superseded)
WHERE c.package_id = m.package_id AND c.edition = m.edition
RETURNING {COLUMNS}
"""


@dataclass(slots=True)
class Count:
    """What a round of sending was to one cancel."""

    tried: int = 0
    sent: int = 0
    superseded: int = 0


async def count(conn: Connection, counts: dict[PackageEdition, Count]) -> list[Cancel]:
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


FAN_OUTS = f"""
FROM jobs f JOIN happenings h ON h.happening_id = f.place / {VERSIONS}
WHERE f.kind = 'fan_out' AND f.state = 'running'
"""
# Old ones whose fan-outs go on for long are not to take the places of others that can end.
LOCK_TRIED = f"""
SELECT {COLUMNS} FROM cancels c
WHERE {IS_TRIED}
  AND NOT EXISTS (SELECT {FAN_OUTS} AND f.line = c.package_id AND h.edition = c.edition)
ORDER BY c.started_at LIMIT $1 FOR UPDATE OF c SKIP LOCKED
"""
LOOK = f"""
SELECT {COLUMNS} FROM cancels c
JOIN unnest($1::text[], $2::int[]) AS m (package_id, edition) USING (package_id, edition)
"""
# Under the lock: nobody can add to these cancels meanwhile.
FIND_OPEN = f"""
SELECT m.package_id, m.edition FROM unnest($1::text[], $2::int[]) AS m (package_id, edition)
WHERE EXISTS (SELECT {FAN_OUTS} AND f.line = m.package_id AND h.edition = m.edition)
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


COMPLETE = """
UPDATE cancels c SET completed_at = $3
FROM unnest($1::text[], $2::int[]) AS m (package_id, edition)
WHERE c.package_id = m.package_id AND c.edition = m.edition
"""


async def end(tx: Transaction, tried: Sequence[Cancel]) -> int:
    """Report those cancels that nothing is left to do of; the caller holds them.

    Returns how many it has reported.  Offers that others still wait for are due now.
    """
    if not tried:
        return 0
    rows = await tx.conn.fetch(FIND_OPEN, *_columns([cancel.life for cancel in tried]))
    open_ = {(row["package_id"], row["edition"]) for row in rows}
    if open_:
        await tx.conn.execute(HURRY_DROPPED, *_columns(open_), tx.now)
        tx.wake(wakes.SEND)
    done = [cancel for cancel in tried if cancel.life not in open_]
    for cancel in done:
        tx.emit(cancel.report, cancel.cause)
    if done:
        await tx.conn.execute(COMPLETE, *_columns([cancel.life for cancel in done]), tx.now)
    return len(done)


async def end_these(tx: Transaction, lives: Sequence[PackageEdition]) -> None:
    """Report those of these cancels that nothing is left to do of; the caller holds them."""
    rows = await tx.conn.fetch(LOOK, *_columns(lives))
    await end(tx, [cancel for row in rows if (cancel := _cancel(row)).is_tried])


async def end_some(tx: Transaction, limit: int) -> bool:
    """Report cancels that nothing is left to do of; returns whether there may be more."""
    tried = [_cancel(row) for row in await tx.conn.fetch(LOCK_TRIED, limit)]
    return await end(tx, tried) > 0 and len(tried) == limit
