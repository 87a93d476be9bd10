"""The relay publishes outbox rows and deletes them once they are confirmed; none is lost.

Each worker publishes what it has stored; rows that nobody holds any more are published by the
sweep.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog

from contracts import names
from services.runtime import telemetry
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.isolation import PublishFailed
from services.runtime.amqp.publisher import Publisher
from services.runtime.messages import outbox
from services.runtime.postgres.database import Pool, attempt, persist
from services.runtime.tables.transaction import OutboxRow, Transaction, Wakes

log = structlog.get_logger()

SWEPT = 500
SWEPT_BYTES = 4 * 1024 * 1024

# A lost delete only means that a message is published again with the same id.
DELETE = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
DELETE FROM outbox USING quick WHERE id = ANY ($1::bigint[])
"""
RELEASE = "UPDATE outbox SET taken_until = now() WHERE id = ANY ($1::bigint[])"
LEFT = "SELECT count(*) FROM outbox WHERE id = ANY ($1::bigint[]) AND NOT unroutable"
RENEW = "UPDATE outbox SET taken_until = now() + $2::interval WHERE id = ANY ($1::bigint[])"
MARK_UNROUTABLE = "UPDATE outbox SET unroutable = true WHERE id = ANY ($1::bigint[])"
# At least one, and no more than the bytes of a batch.
TAKE = """
UPDATE outbox SET taken_until = now() + $1::interval
WHERE id = ANY (ARRAY(
    SELECT id FROM (
        SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before
        FROM (SELECT id, body FROM outbox WHERE taken_until <= now()
              ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED) AS free) AS chunk
    WHERE before < $3))
RETURNING id, exchange, routing_key, body, type, message_id, content_type, $4::text AS app_id,
          correlation_id, partitionkey, mandatory, reply_to
"""
PENDING = """
SELECT count(*) AS pending, count(*) FILTER (WHERE unroutable) AS unroutable,
       count(*) FILTER (WHERE taken_until <= now()) AS free,
       min(id) FILTER (WHERE NOT unroutable) AS oldest
FROM outbox
"""


class Relay:
    """Stores what transactions emit, publishes it, and deletes it."""

    def __init__(
        self,
        service: str,
        pool: Pool,
        publisher: Publisher,
        heard: frozenset[str],
        wakes: Wakes,
    ) -> None:
        """heard: the event types that some service reads; wakes: of the sweep of this worker."""
        self._source = names.source(service)
        self._pool = pool
        self._publisher = publisher
        self._heard = heard
        self._wakes = wakes
        self.unroutable = 0
        self._oldest = (0, 0.0)

    async def store(self, tx: Transaction) -> Sequence[OutboxRow]:
        """Write what a transaction handled and emits; see outbox."""
        return await outbox.store(self._source, tx)

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Publish rows that this worker holds; returns when they are confirmed and deleted.

        If the broker fails, the sweep gets them, and this waits until it has published them.
        """
        if not rows:
            return
        try:
            await self._publish(rows)
        except PublishFailed as error:
            ids = [row.id for row in rows]
            with telemetry.Wait("RabbitMQ", "outbox_wait") as wait:
                wait.failed(error)
                self._wakes.call(["outbox"])
                while await persist("outbox_wait", lambda: self._pool.fetchval(LEFT, ids)):
                    await asyncio.sleep(0.1)

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        """Publish rows that this worker holds; where that fails, any sweep may take them."""
        try:
            await self._publish_held(rows)
        except PublishFailed as error:
            log.warning("publish_failed", rows=len(rows), error=str(error))
            ids = [row.id for row in rows]
            # Nobody has to wait until the lease runs out.
            await persist("outbox_release", lambda: self._pool.execute(RELEASE, ids))
            raise

    async def _publish_held(self, rows: Sequence[OutboxRow]) -> None:
        messages = [row.message for row in rows]
        # An answer's queue may be silent; the readers of an event are waited for.
        queues = [None if m.exchange else m.routing_key for m in messages]
        ids = [row.id for row in rows]

        async def renew() -> None:
            # Where this fails, another worker may publish them as well, under the same ids.
            await attempt("outbox_renew", lambda: self._pool.execute(RENEW, ids, outbox.LEASE))

        published = await self._publisher.publish_leased(messages, queues, outbox.LEASE, renew)
        unread = {i for i in published.returned if messages[i].type in self._heard}
        # Whoever asked for an answer has to make room for it, on a queue that answers.
        refused = {i for i in published.nacked | unread if messages[i].exchange}
        telemetry.EVENTS_UNHEARD.inc(len(published.returned - refused))
        taken = [id for i, id in enumerate(ids) if i not in refused]
        await persist("outbox_delete", lambda: self._pool.execute(DELETE, taken))
        if refused:
            types = sorted({messages[i].type for i in refused})
            log.error("events_unroutable", count=len(refused), types=types)
            left = [ids[i] for i in sorted(refused)]
            await persist("outbox_retain", lambda: self._pool.execute(MARK_UNROUTABLE, left))

    async def sweep(self) -> bool:
        """Publish what nobody holds any more; returns whether it has found any."""
        if not await self.measure():
            return False
        rows = await self._pool.fetch(TAKE, outbox.LEASE, SWEPT, SWEPT_BYTES, self._source)
        if rows:
            # They come as the fields of Outgoing, in any order.
            stored = [OutboxRow(id, Outgoing(*message)) for id, *message in rows]
            await self._publish(sorted(stored, key=lambda row: row.id))
        return bool(rows)

    async def measure(self) -> int:
        """Measure what is committed but not yet with the broker; how many rows nobody holds."""
        [row] = await self._pool.fetch(PENDING)
        self.unroutable = row["unroutable"]
        if self._oldest[0] != (oldest := row["oldest"] or 0):
            self._oldest = oldest, time.monotonic()
        telemetry.OUTBOX_PENDING.set(row["pending"])
        telemetry.OUTBOX_OLDEST.set(self.oldest)
        return int(row["free"])

    @property
    def oldest(self) -> float:
        """Seconds for which the oldest row has been there, as far as this worker has seen it."""
        id, seen = self._oldest
        return time.monotonic() - seen if id else 0.0
