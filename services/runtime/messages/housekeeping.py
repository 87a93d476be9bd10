"""The sweeps every service has: what was left behind, what waits or is retried, cleaning."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.runtime import metrics
from services.runtime.amqp.frames import Outgoing
from services.runtime.messages import inbox, item, kept
from services.runtime.messages.decider import Decider
from services.runtime.messages.intake import MAX_BYTES
from services.runtime.messages.item import Item
from services.runtime.postgres.database import Row
from services.runtime.service import Service, Sweep
from services.runtime.settings import Settings
from services.runtime.tables.transaction import Work

CHUNK = 500
BECOME_DECIDER = "SELECT pg_try_advisory_lock(hashtext('relais.waiting'))"
RETIRE_DECIDER = "SELECT pg_advisory_unlock(hashtext('relais.waiting'))"


def sweeps(service: Service, decider: Decider, settings: Settings) -> Sequence[Sweep]:
    """The runtime's own sweeps."""
    messages = Kept(service, decider)

    async def outbox(work: Work) -> bool:
        return await work.relay.sweep()

    async def clean(work: Work) -> bool:
        horizon = inbox.horizon(datetime.now(UTC), settings.inbox_days)
        return await inbox.clean(work.pool, horizon)

    async def measure(work: Work) -> bool:
        row = await work.pool.fetchrow(kept.COUNTS)
        if row is not None:
            metrics.PARKED.set(row["parked"])
            metrics.WAITING.set(row["waiting"])
        return False

    return (
        Sweep("outbox", outbox),
        Sweep("waiting", messages.decide_waiting),
        Sweep("retries", messages.retry),
        Sweep("clean", clean, every=600),
        Sweep("measure", measure, every=10),
    )


class Kept:
    """Decides what the broker no longer holds."""

    def __init__(self, service: Service, decider: Decider) -> None:
        """The decider is the consumer's: one way for a message to go."""
        self._service = service
        self._decider = decider

    async def decide_waiting(self, work: Work) -> bool:
        """Decide every waiting command again, in order of arrival; one worker at a time."""
        async with work.pool.acquire() as guard:
            # A lock of the session, not of a transaction: none is open while we publish.
            if not await guard.fetchval(BECOME_DECIDER):
                return False
            try:
                await self._decide_all(work)
            finally:
                await guard.fetchval(RETIRE_DECIDER)
        return False

    async def _decide_all(self, work: Work) -> None:
        after = seen = 0
        while rows := await work.pool.fetch(kept.WAITING, after, CHUNK, MAX_BYTES):
            after = rows[-1]["number"]
            seen += len(rows)
            await self._decide(work, [i for row in rows for i in self._waiting(row)])
        # What few wait look again after every batch; a crowd looks once a second.
        self._decider.wakes_waiting = 0 < seen <= CHUNK

    def _waiting(self, row: Row) -> list[Item]:
        return item.read(
            kept.origin_of(row),
            row["body"],
            self._service.routes,
            row["received_at"],
            kept=("waiting", row["number"]),
        )

    async def retry(self, work: Work) -> bool:
        """Handle one parked message that an operator asked to retry."""
        row = await work.pool.fetchrow(kept.TAKE_RETRY)
        if row is None:
            return False
        if row["reason"] == "unknown_type":
            await self._send_again(work, row)
        else:
            await self._decide(work, self._parked(row))
        return True

    def _parked(self, row: Row) -> list[Item]:
        return item.read(
            kept.origin_of(row),
            row["body"],
            self._service.routes,
            row["parked_at"],
            kept=("parked", row["number"]),
        )

    async def _send_again(self, work: Work, row: Row) -> None:
        """Another service may read this type by now: only the broker can tell which."""
        async with work.publishing() as tx:
            tx.outbox.add_reply(
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
                )
            )
            await kept.forget(tx.conn, [("parked", row["number"])])

    async def _decide(self, work: Work, items: Sequence[Item]) -> None:
        decided = await self._decider.decide(items)
        await work.relay.publish(decided.rows)
