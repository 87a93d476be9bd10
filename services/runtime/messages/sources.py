"""Where items come from that the broker no longer holds: messages that wait or are retried.

They are read from their rows, and decided by the decider like those from lanes.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from contracts.outcomes import Release
from services.runtime import telemetry
from services.runtime.amqp.frames import Outgoing
from services.runtime.decision import Cause
from services.runtime.messages import inbox, kept
from services.runtime.messages.decider import Decider, Result
from services.runtime.messages.intake import MAX_BYTES
from services.runtime.messages.kept import Line
from services.runtime.messages.passes import UNREAD_PATIENCE
from services.runtime.postgres.database import Row
from services.runtime.service import Service
from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Work

CHUNK = 500
LOCK = "SELECT pg_try_advisory_lock(hashtext('relais.' || $1))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('relais.' || $1))"


def sweeps(service: Service, decider: Decider) -> Sequence[Sweep]:
    """The sweeps that decide what is kept, and count it."""
    sources = Sources(service, decider)
    return (
        Sweep("waiting", sources.decide_waiting),
        Sweep("lines", sources.decide_lines),
        Sweep("retries", sources.retry),
        Sweep("measure", sources.measure, every=10),
    )


async def _publish(work: Work, decided: Result) -> None:
    await work.outbox.publish(decided.rows)


@dataclass(frozen=True, slots=True)
class Sources:
    """Reads what is kept, and has it decided by the consumer's decider: one way in for all."""

    service: Service
    decider: Decider

    async def measure(self, work: Work) -> bool:
        """Count what is kept, and take up what an older worker has parked because of its type."""
        types = list(self.service.routes)
        [row] = await work.pool.fetch(kept.COUNTS, types)
        telemetry.PARKED.set(row["parked"])
        telemetry.WAITING.set(row["waiting"])
        self.decider.unread = row["unread"] or ()
        await work.pool.execute(kept.RETRY_UNREAD, types)
        return False

    async def decide_waiting(self, work: Work) -> bool:
        """Decide every waiting command again, in order of arrival; one worker at a time."""
        read = list(self.service.routes), UNREAD_PATIENCE
        if not await work.pool.fetchval(kept.ANY_WAITING, *read):
            self.decider.wakes_waiting = False
            return False
        async with _alone(work, "waiting") as is_alone:
            if is_alone:
                await self._decide_all(work)
        return False

    async def _decide_all(self, work: Work) -> None:
        after = seen = 0
        read = list(self.service.routes), UNREAD_PATIENCE
        while rows := await work.pool.fetch(kept.WAITING, after, CHUNK, MAX_BYTES, *read):
            after = rows[-1]["number"]
            seen += len(rows)
            items = [i for row in rows for i in kept.read(row, "waiting", self.service.routes)]
            decided = await self.decider.decide(items, partial(_publish, work))
            await _publish(work, decided)
        # What few wait look again after every batch; a crowd looks once a second.
        self.decider.wakes_waiting = 0 < seen <= CHUNK

    async def decide_lines(self, work: Work) -> bool:
        """Decide what waits for a lock, line by line, each in order; one worker at a time."""
        self.decider.lines = [Line(*row) for row in await work.pool.fetch(kept.LINES)]
        if self.decider.lines:
            async with _alone(work, "lines") as is_alone:
                for line in self.decider.lines if is_alone else ():
                    await self._decide_line(work, line.key)
        return False

    async def _decide_line(self, work: Work, key: str) -> None:
        async def forget(part: Result) -> None:
            await _publish(work, part)
            done = [item.source.number for item, _ in part.answers]
            await work.pool.execute(kept.FORGET, done)

        went = True
        while went and (rows := await work.pool.fetch(kept.IN_LINE, key, CHUNK, MAX_BYTES)):
            items = [i for row in rows for i in kept.read(row, "line", self.service.routes)]
            result, went = await self.decider.decide_line(items, forget)
            await forget(result)

    async def retry(self, work: Work) -> bool:
        """Handle one parked message that somebody asked to retry."""
        row = await work.pool.fetchrow(kept.CLAIM_RETRY)
        if row is None:
            return False
        if row["reason"] == "unknown_type":
            await self._send_again(work, row)
        else:
            # It may be what ended the worker before.
            items = kept.read(row, "retry", self.service.routes)
            await _publish(work, await self.decider.decide_suspects(items))
        return True

    async def _send_again(self, work: Work, row: Row) -> None:
        """Another service may read this type by now: only the broker knows which."""
        async with work.publishing() as tx:
            await tx.conn.execute(inbox.FORGET_UNKNOWN, row["number"])
            await kept.forget(tx.conn, [row["number"]])
            how = Release.REPLACED if row["replaced"] else Release.HANDLED
            released = kept.released(work.service, row["number"], how, row["comment"])
            of_itself = Cause(correlationid=row["id"], causationid=row["id"])
            tx.emit(released, kept.asked_by(row) or of_itself)
            tx.send(
                Outgoing(
                    exchange=row["exchange"],
                    routing_key=row["routing_key"],
                    body=row["body"],
                    type=row["routing_key"],
                    message_id=row["message_id"] or "",
                    correlation_id=row["correlation_id"] or "",
                    content_type="application/cloudevents+json",
                    app_id=work.service,
                    partitionkey=row["partitionkey"],
                    mandatory=False,
                    reply_to=row["reply_to"],
                )
            )


@asynccontextmanager
async def _alone(work: Work, what: str) -> AsyncIterator[bool]:
    """Whether this worker alone does it, while the block lasts."""
    async with work.pool.acquire() as guard:
        # A lock of the session, not of a transaction: none is open while we publish.
        if not await guard.fetchval(LOCK, what):
            yield False
            return
        try:
            yield True
        finally:
            await guard.fetchval(UNLOCK, what)
