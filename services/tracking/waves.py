"""Parked messages tried again wave by wave, until too many of one fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from contracts.message import to_json
from contracts.operations import RetryParked
from services.runtime.service import Connection, Pool, Row, Sweep, Work
from services.tracking import commands, planned
from services.tracking.commands import Asked

NAME = "waves"
LOOK_EVERY = timedelta(seconds=1)
PATIENCE = timedelta(minutes=5)
"""How long a wave may stay without an answer about some of its messages before all stops."""

COLUMNS = (
    "wave_id, service, reason, type, error_kind, until, size, pause_seconds, stop_at_percent, "
    "comment, sender, state, remark, created_at, finished_at, next_at, total, number, last_tried, "
    "current, asked_at, released, parked_again"
)
_MATCH = """
    service = $1 AND released_at IS NULL AND parked_at <= $2
    AND ($3::text IS NULL OR reason = $3) AND ($4::text IS NULL OR type = $4)
    AND ($5::text IS NULL OR error_kind = $5)
"""
COUNT = f"SELECT count(*) FROM parked WHERE {_MATCH}"
ADD = f"""
INSERT INTO waves (wave_id, service, reason, type, error_kind, until, size, pause_seconds,
                   stop_at_percent, comment, sender, state, created_at, next_at, total)
VALUES ($1, $2, $3, $4, $5, least($6::timestamptz, now()), $7, $8, $9, $10, $11, 'running', now(),
        now(), $12)
ON CONFLICT DO NOTHING RETURNING {COLUMNS}
"""
FIND = f"SELECT {COLUMNS} FROM waves WHERE wave_id = $1"


@dataclass(frozen=True, slots=True)
class Which:
    """Which parked messages of a service: those of one cause, until a moment."""

    service: str
    reason: str | None
    type: str | None
    error_kind: str | None
    until: Any

    def arguments(self) -> tuple[Any, ...]:
        """In the order of the statements."""
        return self.service, self.until, self.reason, self.type, self.error_kind


@dataclass(frozen=True, slots=True)
class Pace:
    """How many at a time, with how long a pause, and when to stop."""

    size: int
    pause_seconds: float
    stop_at_percent: float


async def add(
    pool: Pool, id: str, which: Which, pace: Pace, *, sender: str, comment: str | None
) -> Row | None:
    """Begin; None where the id is in use."""
    total = await pool.fetchval(COUNT, *which.arguments())
    return await pool.fetchrow(
        ADD,
        id,
        which.service,
        which.reason,
        which.type,
        which.error_kind,
        which.until,
        pace.size,
        pace.pause_seconds,
        pace.stop_at_percent,
        comment,
        sender,
        total,
    )


async def find(pool: Pool, id: str) -> Row | None:
    """The waves of this id."""
    return await pool.fetchrow(FIND, id)


STOP = """
UPDATE waves SET state = 'stopped', remark = $2, finished_at = now()
WHERE wave_id = $1 AND state = 'running' RETURNING wave_id
"""


async def stop(conn: Pool | Connection, id: str, remark: str) -> bool:
    """Begin no further wave; False where there is none to come anyway."""
    return await conn.fetchval(STOP, id, remark) is not None


NEXT = f"""
SELECT {COLUMNS}, now() AS now FROM waves WHERE state = 'running' AND next_at <= now()
ORDER BY next_at, wave_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
CHOOSE = f"""
SELECT number, attempts FROM parked WHERE {_MATCH} AND number > $6 ORDER BY number LIMIT $7
"""
ASKED = """
UPDATE waves SET number = number + 1, current = $2::text::jsonb, last_tried = $3,
    asked_at = now(), next_at = now() + $4::interval
WHERE wave_id = $1
"""
DONE = "UPDATE waves SET state = 'done', finished_at = now() WHERE wave_id = $1"
LOOK = """
SELECT number, attempts, released_at IS NOT NULL AS released FROM parked
WHERE service = $1 AND number = ANY ($2::bigint[])
"""
LOOK_AGAIN = "UPDATE waves SET next_at = now() + $2::interval WHERE wave_id = $1"
ENDED = """
UPDATE waves SET current = NULL, released = released + $2, parked_again = parked_again + $3,
    next_at = now() + make_interval(secs => pause_seconds)
WHERE wave_id = $1
"""


async def _piece(work: Work) -> bool:
    """One step of one that is due: begin a wave, or look what became of it."""
    async with work.begin() as tx:
        wave = await tx.conn.fetchrow(NEXT)
        if wave is None:
            return False
        if wave["current"] is None:
            await _begin(tx.conn, wave)
            tx.wake(planned.NAME)
        else:
            await _look(tx.conn, wave)
    return True


async def _begin(conn: Connection, wave: Row) -> None:
    """Ask for the next messages; the command is sent by whoever sends what is due."""
    which = Which(*(wave[n] for n in ("service", "reason", "type", "error_kind", "until")))
    rows = await conn.fetch(CHOOSE, *which.arguments(), wave["last_tried"], wave["size"])
    if not rows:
        await conn.execute(DONE, wave["wave_id"])
        return
    numbers = [row["number"] for row in rows]
    command = RetryParked(
        service=which.service, numbers=numbers, **_comment(wave["comment"], wave["wave_id"])
    )
    id = f"{wave['wave_id']}.{wave['number'] + 1}"
    await commands.add(
        conn,
        [
            Asked(
                id,
                command,
                wave["sender"],
                wave["wave_id"],
                batch_id=wave["wave_id"],
                due_at=wave["now"],
            )
        ],
    )
    tried = to_json({str(row["number"]): row["attempts"] for row in rows}).decode()
    await conn.execute(ASKED, wave["wave_id"], tried, numbers[-1], LOOK_EVERY)


def _comment(comment: str | None, id: str) -> dict[str, str]:
    return {"comment": comment or f"wave {id}"}


async def _look(conn: Connection, wave: Row) -> None:
    """Count what became of a wave; go on, wait, or stop."""
    tried = {int(number): attempts for number, attempts in wave["current"].items()}
    rows = await conn.fetch(LOOK, wave["service"], list(tried))
    result = counted(tried, rows)
    if result.waiting:
        if wave["now"] - wave["asked_at"] > PATIENCE:
            text = f"wave {wave['number']}: {result.waiting} messages without an answer for "
            await _end(conn, wave, result)
            await stop(conn, wave["wave_id"], f"{text}{PATIENCE.total_seconds():.0f} s")
            return
        await conn.execute(LOOK_AGAIN, wave["wave_id"], LOOK_EVERY)
        return
    await _end(conn, wave, result)
    if result.percent > wave["stop_at_percent"]:
        text = f"wave {wave['number']}: {result.parked_again} of {len(tried)} were parked again, "
        limit = f"more than {wave['stop_at_percent']:g} %"
        await stop(conn, wave["wave_id"], text + limit)


async def _end(conn: Connection, wave: Row, result: "Result") -> None:
    await conn.execute(ENDED, wave["wave_id"], result.released, result.parked_again)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a wave so far."""

    released: int
    parked_again: int
    waiting: int

    @property
    def percent(self) -> float:
        """How many of those answered were parked again."""
        answered = self.released + self.parked_again
        return 100 * self.parked_again / answered if answered else 0.0


def counted(tried: Mapping[int, int], rows: Sequence[Row]) -> Result:
    """Released, or parked with more attempts than before the wave; the others wait."""
    released = sum(row["released"] for row in rows)
    again = sum(not row["released"] and row["attempts"] > tried[row["number"]] for row in rows)
    return Result(released, again, len(tried) - released - again)


SWEEP = Sweep(NAME, _piece)
