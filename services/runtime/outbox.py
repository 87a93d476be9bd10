"""Events leave through the outbox: committed with their cause, published after it, never lost.

A row is one AMQP message, already packed.  Whoever inserted it holds it for a few seconds and
publishes it; rows nobody holds any more are published by the sweep.
"""

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from contracts import envelope, names
from contracts.message import Event
from services.runtime import metrics
from services.runtime.broker import Publisher, PublishFailed
from services.runtime.channel import Outgoing, Published
from services.runtime.database import Connection, Pool, Row, is_transient, persist
from services.runtime.plain import plain
from services.runtime.received import Cause

log = structlog.get_logger()

LEASE = timedelta(seconds=5)
SWEPT = 500


@plain(frozen=True, slots=True)
class Emitted:
    """An event to say, why, and the key that its order is kept by."""

    event: Event
    cause: Cause
    key: str


@plain(frozen=True, slots=True)
class OutboxRow:
    """A stored AMQP message."""

    id: int
    message: Outgoing


class _Pack:
    """Events of one type and key that travel together."""

    __slots__ = ("events", "key", "type")

    def __init__(self, first: Emitted) -> None:
        self.type = first.event.TYPE
        self.key = first.key
        self.events = [first]


class Outbox:
    """What one transaction says."""

    def __init__(self, service: str) -> None:
        """Nothing said yet."""
        self._source = names.source(service)
        self._emitted: list[Emitted] = []
        self._replies: list[Outgoing] = []
        self.rows: list[OutboxRow] = []

    def add(self, emitted: Emitted) -> None:
        """Say this, after what was said before."""
        self._emitted.append(emitted)

    def add_reply(self, reply: Outgoing) -> None:
        """Answer a sender whose command is no longer held by the broker."""
        self._replies.append(reply)

    async def store(self, conn: Connection, now: datetime) -> None:
        """Pack what was said and write it; one statement, whatever the number of events."""
        runs: defaultdict[str, str] = defaultdict(partial(secrets.token_hex, 10))
        counts: Counter[str] = Counter()
        messages: list[Outgoing] = []
        for pack in _packs(self._emitted):
            messages += self._messages(pack, runs[pack.type], now, counts[pack.type])
            counts[pack.type] += len(pack.events)
        messages += self._replies
        if messages:
            ids = await _insert(conn, messages, runs, counts, now)
            self.rows = [OutboxRow(id, m) for id, m in zip(ids, messages, strict=True)]

    def _messages(self, pack: _Pack, run: str, now: datetime, first: int = 0) -> list[Outgoing]:
        """The messages of a pack; first is the number of its first event in the run."""
        written = [self._write(e, f"{run}-{n}", now) for n, e in enumerate(pack.events, first)]
        messages, at = [], 0
        for count, body in envelope.pack(written):
            messages.append(
                Outgoing(
                    exchange=names.EVENTS,
                    routing_key=pack.type,
                    body=body,
                    type=pack.type,
                    message_id=f"{run}-{first + at}",
                    correlation_id=names.short(pack.events[at].cause.correlationid) or "",
                    content_type=names.CLOUDEVENT if count == 1 else names.CLOUDEVENTS_BATCH,
                    app_id=self._source,
                    partitionkey=pack.key,
                )
            )
            at += count
        return messages

    def _write(self, emitted: Emitted, id: str, now: datetime) -> bytes:
        cause = emitted.cause
        return envelope.write(
            id=id,
            source=self._source,
            type=emitted.event.TYPE,
            subject=emitted.event.subject,
            data_json=emitted.event.data_json(),
            time=now,
            partitionkey=emitted.key,
            correlationid=cause.correlationid,
            causationid=cause.causationid,
            actor=cause.actor,
            traceparent=cause.traceparent,
        )


def _packs(emitted: Sequence[Emitted]) -> list[_Pack]:
    """Group by type and key; an event never travels before an earlier one about its subject."""
    packs: list[_Pack] = []
    latest: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    for item in emitted:
        kind, subject = (item.event.TYPE, item.key), (item.key, item.event.subject)
        at = latest.get(kind)
        if at is None or last.get(subject, -1) > at:
            at = latest[kind] = len(packs)
            packs.append(_Pack(item))
        else:
            packs[at].events.append(item)
        last[subject] = at
    return packs


INSERT = """
WITH said AS (
    INSERT INTO emitted (run, type, count, at)
    SELECT run, type, count, $12 FROM unnest($9::text[], $10::text[], $11::int[])
        AS r (run, type, count)
)
INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                    content_type, mandatory, body, taken_until)
SELECT m.exchange, m.routing_key, m.type, m.message_id, m.correlation_id, m.partitionkey,
       m.content_type, m.exchange <> '', m.body, now() + $13::interval
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::text[], $8::bytea[])
    WITH ORDINALITY AS m (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                          content_type, body, n)
ORDER BY m.n
RETURNING id
"""


async def _insert(
    conn: Connection,
    messages: Sequence[Outgoing],
    runs: Mapping[str, str],
    counts: Mapping[str, int],
    now: datetime,
) -> list[int]:
    rows = await conn.fetch(
        INSERT,
        [m.exchange for m in messages],
        [m.routing_key for m in messages],
        [m.type for m in messages],
        [m.message_id for m in messages],
        [m.correlation_id for m in messages],
        [m.partitionkey for m in messages],
        [m.content_type for m in messages],
        [m.body for m in messages],
        [runs[type_] for type_ in counts],
        list(counts),
        list(counts.values()),
        now,
        LEASE,
    )
    return sorted(row["id"] for row in rows)


# A lost delete only means that a message is said again with the same id.
DELETE = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
DELETE FROM outbox USING quick WHERE id = ANY ($1::bigint[])
"""
HAND_OVER = "UPDATE outbox SET taken_until = now() WHERE id = ANY ($1::bigint[])"
LEFT = "SELECT count(*) FROM outbox WHERE id = ANY ($1::bigint[]) AND NOT unroutable"
RENEW = "UPDATE outbox SET taken_until = now() + $2::interval WHERE id = ANY ($1::bigint[])"
MARK_UNROUTABLE = "UPDATE outbox SET unroutable = true WHERE id = ANY ($1::bigint[])"
TAKE = """
UPDATE outbox SET taken_until = now() + $1::interval
WHERE id IN (SELECT id FROM outbox WHERE taken_until <= now()
             ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING *
"""
PENDING = """
SELECT count(*) AS pending, count(*) FILTER (WHERE unroutable) AS unroutable,
       extract(epoch FROM now() - min(taken_until) + $1::interval)::float8 AS oldest
FROM outbox
"""


def _reply_queue(message: Outgoing) -> str | None:
    """Where an answer goes; None for an event, whose readers are waited for."""
    return None if message.exchange else message.routing_key


class Relay:
    """Brings outbox rows to the broker and deletes them."""

    def __init__(self, service: str, pool: Pool, publisher: Publisher, heard: frozenset[str]):
        """heard: the event types that some service reads."""
        self._source = names.source(service)
        self._pool = pool
        self._publisher = publisher
        self._heard = heard
        self.unroutable = 0

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Publish rows that this worker holds; returns when they are confirmed and deleted.

        If the broker fails, they are handed to the sweep, and this waits for it to bring them.
        """
        if not rows:
            return
        try:
            await self._bring(rows)
        except PublishFailed as error:
            log.warning("publish_failed", rows=len(rows), error=str(error))
            await self._hand_over([row.id for row in rows])

    async def _bring(self, rows: Sequence[OutboxRow]) -> None:
        published = await self._publish_held(rows)
        refused = published.nacked | {
            i for i in published.returned if rows[i].message.type in self._heard
        }
        # Whoever asked for an answer has to make room for it, on a queue that answers.
        refused -= {i for i in refused if not rows[i].message.exchange}
        unheard = published.returned - refused
        metrics.EVENTS_UNHEARD.inc(len(unheard))
        taken = [row.id for i, row in enumerate(rows) if i not in refused]
        await persist("outbox_delete", lambda: self._pool.execute(DELETE, taken))
        if refused:
            await self._keep([rows[i] for i in sorted(refused)])

    async def _publish_held(self, rows: Sequence[OutboxRow]) -> Published:
        """Publish, and hold on to the rows while a slow broker takes its time."""
        messages = [row.message for row in rows]
        publish = self._publisher.publish(messages, [_reply_queue(message) for message in messages])
        publishing = asyncio.create_task(publish)
        try:
            while not (await asyncio.wait({publishing}, timeout=LEASE.total_seconds() / 2))[0]:
                await self._renew([row.id for row in rows])
            return publishing.result()
        finally:
            publishing.cancel()

    async def _renew(self, ids: list[int]) -> None:
        try:
            await self._pool.execute(RENEW, ids, LEASE)
        except Exception as error:
            if not is_transient(error):
                raise
            # Then another worker may publish them as well, under the same ids.
            log.warning("transient_fault", what="outbox_renew", error=repr(error))

    async def _keep(self, rows: Sequence[OutboxRow]) -> None:
        ids = [row.id for row in rows]
        log.error("events_unroutable", count=len(ids), types=sorted({r.message.type for r in rows}))
        await persist("outbox_keep", lambda: self._pool.execute(MARK_UNROUTABLE, ids))

    async def _hand_over(self, ids: list[int]) -> None:
        await persist("outbox_hand_over", lambda: self._pool.execute(HAND_OVER, ids))
        while await persist("outbox_wait", lambda: self._pool.fetchval(LEFT, ids)):
            await asyncio.sleep(0.1)

    async def sweep(self) -> bool:
        """Publish what nobody holds any more; says whether there may be more."""
        rows = await self._pool.fetch(TAKE, LEASE, SWEPT)
        if rows:
            kept = sorted((self._row(row) for row in rows), key=lambda row: row.id)
            await self._bring(kept)
        await self.measure()
        return len(rows) == SWEPT

    async def measure(self) -> None:
        """Tell how much is committed but not yet with the broker."""
        row = await self._pool.fetchrow(PENDING, LEASE)
        if row is not None:
            self.unroutable = row["unroutable"]
            metrics.OUTBOX_PENDING.set(row["pending"])
            metrics.OUTBOX_OLDEST.set(max(row["oldest"] or 0.0, 0.0))

    def _row(self, row: Row) -> OutboxRow:
        message = Outgoing(
            exchange=row["exchange"],
            routing_key=row["routing_key"],
            body=row["body"],
            type=row["type"],
            message_id=row["message_id"],
            content_type=row["content_type"],
            app_id=self._source,
            correlation_id=row["correlation_id"],
            partitionkey=row["partitionkey"],
            mandatory=row["mandatory"],
        )
        return OutboxRow(row["id"], message)
