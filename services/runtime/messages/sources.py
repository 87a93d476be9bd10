"""Where items come from that the broker no longer holds: commands that wait, retried messages.

They are read from their rows, and decided by the decider like those from lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.outcomes import Release
from services.runtime import telemetry
from services.runtime.amqp.frames import Outgoing
from services.runtime.decision import Cause
from services.runtime.messages import inbox, kept
from services.runtime.messages.decider import Decider
from services.runtime.messages.intake import MAX_BYTES
from services.runtime.postgres.database import Row
from services.runtime.service import Service
from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Work

CHUNK = 500
LOCK_WAITING = "SELECT pg_try_advisory_lock(hashtext('relais.waiting'))"
UNLOCK_WAITING = "SELECT pg_advisory_unlock(hashtext('relais.waiting'))"


def sweeps(service: Service, decider: Decider) -> Sequence[Sweep]:
    """The sweeps that decide what is kept, and count it."""
    sources = Sources(service, decider)
    return (
        Sweep("waiting", sources.decide_waiting),
        Sweep("retries", sources.retry),
        Sweep("measure", measure, every=10),
    )


async def measure(work: Work) -> bool:
    """Count what is kept."""
    [row] = await work.pool.fetch(kept.COUNTS)
    telemetry.PARKED.set(row["parked"])
    telemetry.WAITING.set(row["waiting"])
    return False


@dataclass(frozen=True, slots=True)
class Sources:
    """Reads what is kept, and has it decided by the consumer's decider: one way in for all."""

    service: Service
    decider: Decider

    async def decide_waiting(self, work: Work) -> bool:
        """Decide every waiting command again, in order of arrival; one worker at a time."""
        if not await work.pool.fetchval(kept.ANY_WAITING):
            self.decider.wakes_waiting = False
            return False
        async with work.pool.acquire() as guard:
            # A lock of the session, not of a transaction: none is open while we publish.
            if not await guard.fetchval(LOCK_WAITING):
                return False
            try:
                await self._decide_all(work)
            finally:
                await guard.fetchval(UNLOCK_WAITING)
        return False

    async def _decide_all(self, work: Work) -> None:
        after = seen = 0
        while rows := await work.pool.fetch(kept.WAITING, after, CHUNK, MAX_BYTES):
            after = rows[-1]["number"]
            seen += len(rows)
            items = [i for row in rows for i in kept.read(row, "waiting", self.service.routes)]
            await work.outbox.publish((await self.decider.decide(items)).rows)
        # What few wait look again after every batch; a crowd looks once a second.
        self.decider.wakes_waiting = 0 < seen <= CHUNK

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
            await work.outbox.publish((await self.decider.decide_suspects(items)).rows)
        return True

    async def _send_again(self, work: Work, row: Row) -> None:
        """Another service may read this type by now: only the broker knows which."""
        async with work.publishing() as tx:
            await tx.conn.execute(inbox.FORGET_UNKNOWN, row["number"])
            await kept.forget(tx.conn, [row["number"]])
            how: Release = "replaced" if row["replaced"] else "handled"
            released = kept.released(work.service, row["number"], how, row["comment"])
            tx.emit(released, Cause(correlationid=row["id"], causationid=row["id"]))
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
