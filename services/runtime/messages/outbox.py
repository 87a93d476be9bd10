"""What a transaction leaves for others: what it handled and what it emits, in one statement.

An outbox row is one AMQP message, already packed.  Whoever inserted it holds it for a few seconds
and publishes it; see relay.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from contracts import envelope, names
from services.runtime.amqp.frames import Outgoing
from services.runtime.decision import Room
from services.runtime.postgres.database import Conflict
from services.runtime.tables.transaction import Emitted, OutboxRow, Transaction

LEASE = timedelta(seconds=5)


def messages(
    source: str, emitted: Sequence[Emitted], now: datetime, room: Room
) -> tuple[list[Outgoing], list[tuple[str, str, int]]]:
    """The AMQP messages of these events, and the runs of their ids: run, type and count."""
    runs: defaultdict[str, str] = defaultdict(lambda: secrets.token_hex(10))
    counts: Counter[str] = Counter()
    packed: list[Outgoing] = []
    for pack in _packs(emitted):
        type_ = pack[0].event.TYPE
        packed += _messages(source, pack, runs[type_], now, room, counts[type_])
        counts[type_] += len(pack)
    return packed, [(runs[type_], type_, count) for type_, count in counts.items()]


def _messages(
    source: str, pack: Sequence[Emitted], run: str, now: datetime, room: Room, first: int = 0
) -> list[Outgoing]:
    """The messages of events that travel together; first is the number of the first in the run."""
    type_, key = pack[0].event.TYPE, pack[0].key
    written = []
    for n, (event, cause, _) in enumerate(pack, first):
        body = envelope.write(
            id=f"{run}-{n}",
            source=source,
            type=type_,
            subject=event.subject,
            data_json=event.data_json(),
            time=now,
            partitionkey=key,
            correlationid=cause.correlationid,
            causationid=cause.causationid,
            actor=cause.actor,
            traceparent=cause.traceparent,
        )
        room.take(len(body))
        written.append(body)
    messages, at = [], 0
    for count, body in envelope.pack(written):
        messages.append(
            Outgoing(
                exchange=names.EVENTS,
                routing_key=type_,
                body=body,
                type=type_,
                message_id=f"{run}-{first + at}",
                correlation_id=names.short(pack[at].cause.correlationid) or "",
                content_type=names.CLOUDEVENT if count == 1 else names.CLOUDEVENTS_BATCH,
                app_id=source,
                partitionkey=key,
            )
        )
        at += count
    return messages


def _packs(emitted: Sequence[Emitted]) -> list[list[Emitted]]:
    """Group by type and key; nothing travels before an earlier event about its subject."""
    packs: list[list[Emitted]] = []
    latest: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    for item in emitted:
        kind, subject = (item.event.TYPE, item.key), (item.key, item.event.subject)
        at = latest.get(kind)
        if at is None or last.get(subject, -1) > at:
            at = latest[kind] = len(packs)
            packs.append([item])
        else:
            packs[at].append(item)
        last[subject] = at
        # What its key names is what it is about, too: progress never travels before what it counts.
        owner = item.key, item.key
        last[owner] = max(last.get(owner, -1), at)
    return packs


def _column(values: Sequence[object]) -> Sequence[object] | None:
    """An array for unnest, which takes none for one of nulls; the driver looks long at each."""
    return values if any(value is not None for value in values) else None


# A row of the inbox that says parked gives way to whatever becomes of that message later; for any
# other one another worker was first.
STORE = """
WITH handled AS (
    INSERT INTO inbox (source, id, type, received_at, outcome, code, message, version, errors,
                       subject, digest)
    SELECT source, id, type, $9, outcome, code, message, version, errors::jsonb, subject, digest
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                $8::text[], $22::text[], $23::bytea[])
        AS m (source, id, type, outcome, code, message, version, errors, subject, digest)
    ORDER BY source, id
    ON CONFLICT (source, id) DO UPDATE
    SET received_at = excluded.received_at, outcome = excluded.outcome, code = excluded.code,
        message = excluded.message, version = excluded.version, errors = excluded.errors
    WHERE inbox.outcome = 'parked' AND coalesce(inbox.digest = excluded.digest, true)
    RETURNING 1
), runs AS (
    INSERT INTO emitted (run, type, count, at)
    SELECT run, type, count, $9 FROM unnest($10::text[], $11::text[], $12::int[])
        AS r (run, type, count)
), messages AS (
    INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                        content_type, mandatory, body, taken_until, reply_to)
    SELECT m.exchange, m.routing_key, m.type, m.message_id, m.correlation_id, m.partitionkey,
           m.content_type, m.exchange <> '', m.body, clock_timestamp() + $21::interval, m.reply_to
    FROM unnest($13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[],
                $19::text[], $20::bytea[], $24::text[])
        WITH ORDINALITY AS m (exchange, routing_key, type, message_id, correlation_id,
                              partitionkey, content_type, body, reply_to, n)
    ORDER BY m.n
    RETURNING id
)
SELECT (SELECT count(*) FROM handled) AS handled,
       ARRAY(SELECT id FROM messages ORDER BY id) AS ids
"""


async def store(source: str, tx: Transaction) -> Sequence[OutboxRow]:
    """Write what a transaction handled and emits; nothing to write asks for nothing.

    Raises Conflict when another worker handled one of its messages first.
    """
    packed, runs = messages(source, tx.emitted, tx.now, tx.room)
    packed += tx.messages
    if not packed and not tx.handled:
        return ()
    answers = [use.answer for use in tx.handled if use.answer]
    [(handled, ids)] = await tx.conn.fetch(
        STORE,
        [use.identity[0] for use in tx.handled],
        [use.identity[1] for use in tx.handled],
        [use.type for use in tx.handled],
        [answer.outcome for answer in answers],
        _column([answer.code for answer in answers]),
        _column([answer.message for answer in answers]),
        _column([answer.version for answer in answers]),
        # As text: of an array of lists the driver would make a matrix.
        _column([orjson.dumps(a.errors).decode() if a.errors else None for a in answers]),
        tx.now,
        [run for run, _, _ in runs],
        [type_ for _, type_, _ in runs],
        [count for _, _, count in runs],
        [m.exchange for m in packed],
        [m.routing_key for m in packed],
        [m.type for m in packed],
        [m.message_id for m in packed],
        [m.correlation_id for m in packed],
        [m.partitionkey for m in packed],
        [m.content_type for m in packed],
        [m.body for m in packed],
        LEASE,
        [use.subject for use in tx.handled],
        [use.content for use in tx.handled],
        _column([m.reply_to for m in packed]),
    )
    if handled != len(tx.handled):
        raise Conflict("another worker handled one of these messages first")
    return [OutboxRow(id, message) for id, message in zip(ids, packed, strict=True)]
