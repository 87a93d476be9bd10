"""projection: how fast the read model follows what services emit, and how far it is behind."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from contracts import envelope, names
from contracts.message import Event
from contracts.notifications import NotificationSent
from contracts.orders import (
    OrderApproved,
    OrderPlaced,
    OrderRef,
    OrdersCanceled,
    OrdersPlaced,
    OrderState,
)
from services.runtime.amqp.frames import Outgoing
from tests.bench import canceling, drain, installation, rush, workers
from tests.bench.drain import Load
from tests.bench.fanout import prepared, warm_up
from tests.bench.figures import Report
from tests.bench.installation import Installation
from tests.bench.place import Place

ENTITIES = 500
PACK = 1_000
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Full:
    """What is in the lanes of tracking, and how many rows it changes."""

    load: Load
    rows: int


async def projection(
    here: Place, report: Report, *, runs: int, rows: int, orders: int, messages: int
) -> None:
    """Full lanes of three kinds, then the lag beside a rush, then a cancel of many orders."""
    async with installation.databases(here) as one:
        for _ in range(runs):
            for name, full in loads(rows).items():
                await _drain(report, name, full, one)
            if messages:
                await _beside_rush(report, one, messages)
    if orders:
        async with canceling.harness(here, entities=ENTITIES, mailboxes=2) as harness:
            await warm_up(harness, PACK)
            for _ in range(runs):
                await _behind_cancel(report, harness, orders)
    report.note("The goals are 10,000 rows a second for one worker, and at most 1 s behind.")


def loads(rows: int) -> dict[str, Full]:
    """Single events, packed ones, and a mix of both as a day has it."""
    parts: list[Sequence[Event]]
    single = [_order_placed(n, 100) for n in range(rows)]
    packed = list(_packs(OrdersPlaced, 1, rows)) + list(_packs(OrdersCanceled, 2, rows))
    third = rows // 3
    some = [_order_placed(n, 20) for n in range(third)]
    approved, sent = [_approved(n, 20) for n in range(third)], [_sent(n) for n in range(third)]
    canceled = [[pack] for pack in _packs(OrdersCanceled, 3, third, "CAT")]
    parts = [*_chunks(some, 50, 20), *_chunks(approved, 50, 20), *canceled, *_chunks(sent, 500, 1)]
    mix = [_message(part) for part in parts]
    return {
        "single events": Full(_load([_message([event]) for event in single], rows), rows),
        "packs of orders": Full(_load([_message([p]) for p in packed], len(packed)), 2 * rows),
        "mix": Full(_load(mix, sum(map(len, parts))), 4 * third),
    }


def _load(messages: Sequence[Outgoing], elements: int) -> Load:
    async def seed(conn: asyncpg.Connection) -> None:
        """The model is empty, and asks for nothing."""
        await conn.execute("DELETE FROM rebuilds")

    return Load("tracking", messages, elements, seed)


def _chunks(events: Sequence[Event], size: int, keys: int) -> Iterator[Sequence[Event]]:
    """Events of one key each, so many together."""
    for key in range(keys):
        own = events[key::keys]
        yield from (own[at : at + size] for at in range(0, len(own), size))


def _message(events: Sequence[Event]) -> Outgoing:
    """Events of one type and key as a service packs them."""
    first, run, cause = events[0], uuid.uuid4().hex[:20], uuid.uuid4().hex
    source = names.source("notifications" if isinstance(first, NotificationSent) else "orders")
    bodies = [
        envelope.write(
            id=f"{run}-{n}",
            source=source,
            type=event.wire_type,
            subject=event.subject,
            data_json=event.data_json(),
            time=datetime.now(UTC),
            partitionkey=event.key,
            correlationid=cause,
            # A fan-out has one cause, each command is its own.
            causationid=f"{run}-0" if len(events) > 100 else f"{cause}-{n}",
            actor="m.durand",
        )
        for n, event in enumerate(events)
    ]
    ((_, body),) = envelope.pack(bodies)
    return Outgoing(
        exchange=names.EVENTS,
        routing_key=first.wire_type,
        body=body,
        type=first.wire_type,
        message_id=f"{run}-0",
        content_type=names.CLOUDEVENTS_BATCH if len(events) > 1 else names.CLOUDEVENT,
        app_id=source,
        partitionkey=first.key,
    )


def _order(n: int, packages: int, version: int, status: str) -> OrderState:
    now = datetime.now(UTC)
    return OrderState(
        order_id=f"ORD{n}",
        package_id=f"CAT{n % packages}",
        edition=1,
        entity_id=f"OU{n % ENTITIES}",
        label=f"Order {n} of the spring campaign",
        comment="Please deliver the posters to the back entrance before the shop opens.",
        parameters={"copies": 250, "format": "A2", "paper": "matt"},
        status=status,
        version=version,
        approval_deadline=now,
        placed_at=now,
        approved_at=now if status == "approved" else None,
        changed_at=now,
        changed_by="m.durand",
    )


def _order_placed(n: int, packages: int) -> Event:
    return OrderPlaced.of(_order(n, packages, 1, "ordered"))


def _approved(n: int, packages: int) -> Event:
    return OrderApproved.of(_order(n, packages, 2, "approved"))


def _sent(n: int) -> Event:
    return NotificationSent(
        notification_id=uuid.uuid4().hex,
        kind="package_canceled",
        recipient_type="entity",
        recipient_id=f"OU{n % ENTITIES}",
        channel="mailbox",
        package_id="CAT1",
        edition=1,
        status="sent",
        attempts=1,
        sent_at=datetime.now(UTC),
    )


def _packs(
    kind: type[OrdersPlaced | OrdersCanceled], version: int, rows: int, prefix: str = "PACKED"
) -> Iterator[Event]:
    """Packed events of so many orders: of one package, or of twenty."""
    packages = 20 if prefix == "CAT" else 1
    for package in range(packages):
        ids = range(package, rows, packages)
        for at in range(0, len(ids), PACK):
            refs = [
                OrderRef(order_id=f"ORD{n}", entity_id=f"OU{n % ENTITIES}", version=version)
                for n in ids[at : at + PACK]
            ]
            yield kind(package_id=f"{prefix}{package}", edition=1, orders=refs)


async def _drain(report: Report, name: str, full: Full, one: Installation) -> None:
    drained = await drain.drain(one, full.load)
    report.add(name, drained.rate * full.rows / full.load.elements, "rows/s")
    spent, share = drained.processor, full.load.elements / full.rows
    report.add(f"{name} processor of worker", spent.worker * share * 1e6, "µs/row")
    if spent.postgres is not None:
        report.add(f"{name} processor of Postgres", spent.postgres * share * 1e6, "µs/row")
    report.add(f"{name} memory", drained.peak_mb, "MB")


TRACKED = "SELECT coalesce(sum(n), 0) FROM model.counts WHERE list = 'orders' AND scope = ''"
PLACED = "SELECT count(*) FROM orders"


async def _beside_rush(report: Report, one: Installation, messages: int) -> None:
    """How long an order that is in the table of orders is not in the model."""
    load = rush.load(messages, 100)
    async with (
        installation.set_up(one, "orders", "tracking"),
        installation.copied(one, "orders") as with_orders,
        installation.copied(with_orders, "tracking") as fresh,
    ):
        await drain.seed(fresh.postgres["orders"], load)
        await drain.fill(one.here.amqp_url, load.messages)
        await drain.checkpoint(one.here)
        running = [workers.start(fresh, service) for service in ("tracking", "orders")]
        try:
            lags = await _lags(fresh, messages)
        finally:
            for worker in running:
                worker.stop()
    lags.sort()
    report.add("lag beside a rush p50", lags[len(lags) // 2] * 1_000, "ms")
    report.add("lag beside a rush p99", lags[len(lags) * 99 // 100] * 1_000, "ms")


async def _lags(one: Installation, messages: int) -> list[float]:
    """The lag at each look: how long ago orders had as many rows as the model has now."""
    placed, tracked = [
        await asyncpg.connect(one.postgres[service]) for service in ("orders", "tracking")
    ]
    seen: list[tuple[float, int]] = []
    lags: list[float] = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                known = int(await tracked.fetchval(TRACKED))
                now = time.monotonic()
                seen.append((now, await placed.fetchval(PLACED)))
                if known and known < seen[-1][1]:
                    lags.append(now - max((at for at, n in seen if n <= known), default=now))
                elif known:
                    lags.append(0.0)
                if known == messages:
                    return lags
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await placed.close()
        await tracked.close()


SEEN = """
SELECT coalesce((SELECT sum(n) FROM model.counts WHERE list = 'orders' AND scope = $1
                 AND status = 'canceled'), 0) = $2
   AND EXISTS (SELECT FROM cancellations WHERE package_id = $3 AND completed_at IS NOT NULL)
"""
SEED_MODEL = """
WITH made AS (
    INSERT INTO model.orders (order_id, package_id, edition, entity_id, status, status_version,
                              changed_at, placed_at, terms_version, label)
    SELECT $1 || '-ORD' || n, $1, 1, 'OU' || n % $3, 'ordered', 1, now(), now(), 1, 'Order ' || n
    FROM generate_series(0, $2 - 1) AS n RETURNING entity_id
), scopes AS (
    SELECT '' AS scope, count(*) AS n FROM made
    UNION ALL SELECT 'package:' || $1 || ':1', count(*) FROM made
    UNION ALL SELECT 'entity:' || entity_id, count(*) FROM made GROUP BY entity_id
)
INSERT INTO model.counts AS c (list, scope, status, shard, n)
SELECT 'orders', scope, 'ordered', 0, n FROM scopes
ON CONFLICT (list, scope, status, shard) DO UPDATE SET n = c.n + excluded.n
"""


async def _behind_cancel(report: Report, harness: canceling.Harness, orders: int) -> None:
    """Seconds from the completion of a cancel until the model has all of it."""
    package_id = await prepared(harness, orders)
    conn = await asyncpg.connect(harness.stack.postgres["tracking"])
    try:
        await conn.execute(SEED_MODEL, package_id, orders, ENTITIES)
        await conn.execute("ANALYZE")
        await drain.checkpoint(harness.here)
        canceled = await harness.cancel(package_id)
        scope = f"package:{package_id}:1"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await conn.fetchval(SEEN, scope, orders, package_id):
                await asyncio.sleep(0.01)
        behind = time.perf_counter() - canceled.began - canceled.seconds
    finally:
        await conn.close()
    await harness.empty()
    report.add(f"cancel of {orders:,}", canceled.seconds, "s")
    report.add(f"behind a cancel of {orders:,}", behind, "s")
