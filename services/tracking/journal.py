"""The tables beside the model, which stay when it is made again: what happened, what was asked for,
what is parked, who works, what the snapshots of a rebuild have brought.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.message import to_json
from contracts.operations import SnapshotCompleted, WorkerSeen
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, MessageReleased
from contracts.packages import PackageEdition
from services.runtime.service import Connection
from services.tracking import history
from services.tracking.history import Line

_LINE = tuple(Line.__slots__)
ADD_LINES = f"""
INSERT INTO history AS h ({", ".join(_LINE)})
SELECT {", ".join(_LINE)} FROM json_populate_recordset(NULL::history, (SELECT $1::text::json))
ORDER BY event_id, source
ON CONFLICT (event_id, source) DO UPDATE
SET count = h.count + excluded.count, at = least(h.at, excluded.at)
WHERE right(h.event_id, length(h.type) + 1) = '/' || h.type
"""


async def save_lines(conn: Connection, lines: Iterable[Line]) -> None:
    """Add what happened; what is there already stays, and parts of one fan-out are one row."""
    found = list(lines)
    if found:
        await conn.execute(ADD_LINES, to_json(found).decode())


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_RISING = _names("""canceled_at stalled_at completed_at changed_at orders_done orders_expected
    campaigns_done campaigns_expected notifications_done notifications_expected""")
_ONCE = _names("""canceled_by comment cause orders_report campaigns_report notifications_report
    waiting_for seconds""")
_LEDGER = ("package_id", "edition", *_RISING, *_ONCE)
SAVE_LEDGERS = f"""
INSERT INTO cancellations AS c ({", ".join(_LEDGER)})
SELECT {", ".join(_LEDGER)}
FROM json_populate_recordset(NULL::cancellations, (SELECT $1::text::json))
ORDER BY package_id, edition
ON CONFLICT (package_id, edition) DO UPDATE SET
    {", ".join(f"{n} = greatest(c.{n}, excluded.{n})" for n in _RISING)},
    {", ".join(f"{n} = coalesce(c.{n}, excluded.{n})" for n in _ONCE)}
"""


async def save_ledgers(
    conn: Connection, ledgers: Mapping[PackageEdition, Mapping[str, Any]]
) -> None:
    """Add to the ledgers of cancels what is new."""
    found = [
        {"package_id": package_id, "edition": edition, **part}
        for (package_id, edition), part in ledgers.items()
    ]
    if found:
        await conn.execute(SAVE_LEDGERS, to_json(found).decode())


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a command; about and type are given where its event tells them."""

    command_id: str
    outcome: str
    at: datetime
    about: str | None = None
    type: str | None = None
    event: CommandRefused | CommandUnchanged | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of its row."""
        refused = self.event if isinstance(self.event, CommandRefused) else None
        return {
            "command_id": self.command_id,
            "type": self.type,
            "subject": self.about,
            "outcome": self.outcome,
            "decided_at": self.at,
            "code": refused.code if refused else None,
            "message": self.event.message if self.event else None,
            "errors": refused.errors if refused else None,
        }


# The answer to its sender is final, the event of the same says the same; only a parked one is
# answered again.
_DECIDE = """
UPDATE commands AS c
SET state = 'decided',
    outcome = CASE WHEN c.outcome = 'parked' THEN d.outcome
                   ELSE coalesce(c.outcome, d.outcome) END,
    decided_at = coalesce(c.decided_at, d.decided_at), code = coalesce(c.code, d.code),
    message = coalesce(c.message, d.message), errors = coalesce(c.errors, d.errors),
    visible_at = coalesce(c.visible_at, $1)
FROM decided AS d
WHERE c.command_id = d.command_id
  AND (c.state <> 'decided' OR c.visible_at IS NULL OR c.outcome = 'parked')
"""
SAVE_ACCEPTED = f"""
WITH decided AS (
    SELECT command_id, decided_at, 'accepted' AS outcome, NULL::text AS code,
           NULL::text AS message, NULL::jsonb AS errors
    FROM unnest($2::text[], $3::timestamptz[]) AS m (command_id, decided_at)
)
{_DECIDE}
"""
# A command of somebody else is kept only where it came to nothing: else its events tell of it.
SAVE_DECIDED = f"""
WITH decided AS (
    SELECT * FROM json_populate_recordset(NULL::commands, (SELECT $2::text::json))
), ours AS ({_DECIDE})
INSERT INTO commands (command_id, type, subject, state, created_at, decided_at, outcome, code,
                      message, errors, visible_at)
SELECT command_id, type, subject, 'decided', decided_at, decided_at, outcome, code, message,
       errors, $1
FROM decided ORDER BY command_id
ON CONFLICT DO NOTHING
"""


async def save_decided(conn: Connection, decided: Iterable[Decided], now: datetime) -> None:
    """Note what became of commands."""
    found = list(decided)
    if accepted := [one for one in found if one.event is None]:
        ids, moments = [one.command_id for one in accepted], [one.at for one in accepted]
        await conn.execute(SAVE_ACCEPTED, now, ids, moments)
    if others := [one.columns for one in found if one.event is not None]:
        await conn.execute(SAVE_DECIDED, now, to_json(others).decode())


# A number is given once: what is released is never parked again, whatever comes late.
SAVE_PARKED = """
INSERT INTO parked AS p (service, number, reason, message_id, type, package_id, error, error_kind,
                         attempts, parked_at, body, body_bytes)
SELECT service, number, reason, message_id, type, package_id, error, error_kind, attempts,
       parked_at, body, body_bytes
FROM json_populate_recordset(NULL::parked, (SELECT $1::text::json)) ORDER BY service, number
ON CONFLICT (service, number) DO UPDATE SET
    reason = excluded.reason, message_id = excluded.message_id, type = excluded.type,
    package_id = excluded.package_id, error = excluded.error, error_kind = excluded.error_kind,
    attempts = excluded.attempts, parked_at = excluded.parked_at, body = excluded.body,
    body_bytes = excluded.body_bytes
WHERE excluded.attempts > p.attempts
"""
SAVE_RELEASED = """
INSERT INTO parked AS p (service, number, released_at, how, comment)
SELECT service, number, released_at, how, comment
FROM json_populate_recordset(NULL::parked, (SELECT $1::text::json)) ORDER BY service, number
ON CONFLICT (service, number) DO UPDATE SET
    released_at = excluded.released_at, how = excluded.how, comment = excluded.comment
WHERE p.released_at IS NULL
"""


_KEPT_TEXT = 200


async def save_parked(
    conn: Connection,
    parked: Sequence[tuple[MessageParked, datetime]],
    released: Sequence[tuple[MessageReleased, datetime]],
) -> None:
    """Note which messages services keep, and which they keep no more."""
    # An earlier version gave no number: nothing can be asked for by it.
    numbered = [one for one in parked if one[0].number is not None]
    in_order = sorted(numbered, key=lambda one: one[0].attempts)
    latest = {(event.service, event.number): (event, at) for event, at in in_order}
    found = [
        {
            **event.__dict__,
            "parked_at": event.parked_at or at,
            # They are parts of a key, which has no room for what a stranger may have written.
            "reason": event.reason[:_KEPT_TEXT],
            "type": event.type[:_KEPT_TEXT] if event.type else None,
            "error_kind": history.error_kind(event.error),
        }
        for event, at in latest.values()
    ]
    if found:
        await conn.execute(SAVE_PARKED, to_json(found).decode())
    gone = {(e.service, e.number): {**e.__dict__, "released_at": at} for e, at in released}
    if gone:
        await conn.execute(SAVE_RELEASED, to_json(list(gone.values())).decode())


SAVE_WORKERS = """
INSERT INTO workers AS w (service, instance, seen_at, state)
SELECT service, instance, seen_at, state
FROM json_populate_recordset(NULL::workers, (SELECT $1::text::json)) ORDER BY service, instance
ON CONFLICT (service, instance) DO UPDATE
SET seen_at = excluded.seen_at, state = excluded.state, handled_at = excluded.handled_at
WHERE excluded.seen_at > w.seen_at
"""


async def save_workers(conn: Connection, workers: Sequence[tuple[WorkerSeen, datetime]]) -> None:
    """Note how workers are."""
    latest = {(e.service, e.instance): (e, at) for e, at in sorted(workers, key=lambda w: w[1])}
    found = [
        {"service": e.service, "instance": e.instance, "seen_at": at, "state": e.__dict__}
        for e, at in latest.values()
    ]
    if found:
        await conn.execute(SAVE_WORKERS, to_json(found).decode())


SAVE_SNAPSHOTS = """
INSERT INTO snapshots AS s (request_id, service, thing, shard, n)
SELECT $1, service, thing, pg_backend_pid() % 16, n
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS m (service, thing, n)
ORDER BY service, thing
ON CONFLICT (request_id, service, thing, shard) DO UPDATE SET n = s.n + excluded.n
"""


async def save_snapshots(
    conn: Connection, request_id: str, counts: Mapping[tuple[str, str], int]
) -> None:
    """Count the snapshots of a rebuild that have come, by source and type."""
    found = [
        (source.rpartition("/")[2], type_.split(".")[1], n) for (source, type_), n in counts.items()
    ]
    if found:
        await conn.execute(SAVE_SNAPSHOTS, request_id, *map(list, zip(*found, strict=True)))


SAVE_COMPLETED = """
INSERT INTO snapshots_completed (request_id, service, counts)
SELECT request_id, service, counts
FROM json_populate_recordset(NULL::snapshots_completed, (SELECT $1::text::json))
ORDER BY request_id, service
ON CONFLICT DO NOTHING
"""


async def save_completed(conn: Connection, completed: Sequence[SnapshotCompleted]) -> None:
    """Note which services have emitted all of a snapshot."""
    if completed:
        await conn.execute(SAVE_COMPLETED, to_json([e.__dict__ for e in completed]).decode())
