"""What a transaction leaves for others: what it handled and what it emits, in one statement.

An outbox row is one AMQP message, already packed.  Whoever inserted it holds it for a few seconds
and publishes it; see relay.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import orjson

from contracts import envelope, names
from services.runtime.amqp.frames import Outgoing
from services.runtime.postgres.database import Conflict
from services.runtime.tables.transaction import Emitted, OutboxRow, Transaction

T = TypeVar("T")

LEASE = timedelta(seconds=5)


class _Pack:
    """Events of one type and key that travel together."""

    __slots__ = ("events", "key", "type")

    def __init__(self, first: Emitted) -> None:
        self.type = first.event.TYPE
        self.key = first.key
        self.events = [first]


def messages(
    source: str, emitted: Sequence[Emitted], now: datetime
) -> tuple[list[Outgoing], list[tuple[str, str, int]]]:
    """The AMQP messages of these events, and the runs of their ids: run, type and count."""
    runs: defaultdict[str, str] = defaultdict(partial(secrets.token_hex, 10))
    counts: Counter[str] = Counter()
    packed: list[Outgoing] = []
    for pack in _packs(emitted):
        packed += _messages(source, pack, runs[pack.type], now, counts[pack.type])
        counts[pack.type] += len(pack.events)
    return packed, [(runs[type_], type_, count) for type_, count in counts.items()]


def _messages(source: str, pack: _Pack, run: str, now: datetime, first: int = 0) -> list[Outgoing]:
    """The messages of a pack; first is the number of its first event in the run."""
    written = [_write(source, e, f"{run}-{n}", now) for n, e in enumerate(pack.events, first)]
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
                app_id=source,
                partitionkey=pack.key,
            )
        )
        at += count
    return messages


def _write(source: str, emitted: Emitted, id: str, now: datetime) -> bytes:
    cause = emitted.cause
    return envelope.write(
        id=id,
        source=source,
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
    """Group by type and key; nothing travels before an earlier event about its subject."""
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
        # What its key names is what it is about, too: progress never travels before what it counts.
        owner = item.key, item.key
        last[owner] = max(last.get(owner, -1), at)
    return packs


def _column(values: list[T]) -> list[T] | None:
    """An array for unnest, which takes none for one of nulls; the driver looks long at each."""
    return values if any(value is not None for value in values) else None


# A row of the inbox that says parked gives way to whatever becomes of the message later; for any
# other one another worker was first.
STORE = """
WITH handled AS (
    INSERT INTO inbox (source, id, type, received_at, outcome, code, message, version, errors)
    SELECT source, id, type, $9, outcome, code, message, version, errors::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                $8::text[]) AS m (source, id, type, outcome, code, message, version, errors)
    ORDER BY source, id
    ON CONFLICT (source, id) DO UPDATE
    SET received_at = excluded.received_at, outcome = excluded.outcome, code = excluded.code,
        message = excluded.message, version = excluded.version, errors = excluded.errors
    WHERE inbox.outcome = 'parked'
    RETURNING 1
), runs AS (
    INSERT INTO emitted (run, type, count, at)
    SELECT run, type, count, $9 FROM unnest($10::text[], $11::text[], $12::int[])
        AS r (run, type, count)
), messages AS (
    INSERT INTO outbox (exchange, routing_key, type, message_id, correlation_id, partitionkey,
                        content_type, mandatory, body, taken_until)
    SELECT m.exchange, m.routing_key, m.type, m.message_id, m.correlation_id, m.partitionkey,
           m.content_type, m.exchange <> '', m.body, clock_timestamp() + $21::interval
    FROM unnest($13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[],
                $19::text[], $20::bytea[])
        WITH ORDINALITY AS m (exchange, routing_key, type, message_id, correlation_id,
                              partitionkey, content_type, body, n)
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
    packed, runs = messages(source, tx.emitted, tx.now)
    packed += tx.messages
    if not packed and not tx.handled:
        return ()
    answers = [answer for _, _, answer in tx.handled]
    row = await tx.conn.fetchrow(
        STORE,
        [source for (source, _), _, _ in tx.handled],
        [id for (_, id), _, _ in tx.handled],
        [type_ for _, type_, _ in tx.handled],
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
    )
    assert row is not None
    if row["handled"] != len(tx.handled):
        raise Conflict("another worker handled one of these messages first")
    return [OutboxRow(id, message) for id, message in zip(row["ids"], packed, strict=True)]
