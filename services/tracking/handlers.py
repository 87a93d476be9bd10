"""What the tracking service does with the messages of one batch: every event becomes rows."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from contracts import catalogue
from contracts.campaigns import CampaignEvent, ProcessEvent
from contracts.directory import EntityEvent
from contracts.message import Event
from contracts.notifications import NotificationEvent
from contracts.operations import SnapshotCompleted, WorkerSeen
from contracts.orders import OrderEvent, OrdersEvent
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, MessageReleased
from contracts.packages import PackageEdition, PackageEvent
from services.runtime.decision import Decision, Received, TooMuch, accepted
from services.runtime.service import Connection, Transaction, routes
from services.tracking import domain, hints, history, journal, packed, store
from services.tracking.domain import Origin, Row
from services.tracking.families import Families
from services.tracking.history import Key, Line
from services.tracking.journal import Decided
from services.tracking.packed import Pack
from services.tracking.store import Model, Table

ROUTES = routes(*catalogue.EVENTS.values())

MOST_ROWS = 8_000
"""Rows that one transaction changes, unless a single event is about more.

A batch may have dozens of packs of a thousand orders, and nobody is to wait for all of them.
"""


@dataclass(slots=True)
class World:
    """What a batch changes: the rows of each model, and what stays when a model is made again.

    There are two models while one is being rebuilt.
    """

    models: list[Model]
    rebuild: str | None
    lines: dict[Key, Line] = field(default_factory=dict)
    ledgers: dict[PackageEdition, dict[str, Any]] = field(default_factory=dict)
    decided: dict[str, Decided] = field(default_factory=dict)
    parked: list[tuple[MessageParked, datetime]] = field(default_factory=list)
    released: list[tuple[MessageReleased, datetime]] = field(default_factory=list)
    workers: list[tuple[WorkerSeen, datetime]] = field(default_factory=list)
    snapshots: Counter[tuple[str, str]] = field(default_factory=Counter)
    completed: list[SnapshotCompleted] = field(default_factory=list)
    hints: set[str] = field(default_factory=set)

    def change(self, table: Table, key: Any, apply: Callable[[Row | None], Row]) -> None:
        """Change a row in each model."""
        for model in self.models:
            found = model.rows[table.name]
            found[key] = apply(found.get(key))


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the rows that these events are about, table by table, in the order of their ids."""
    named: dict[Table, set[Any]] = {}
    rows = 0
    for received in batch:
        body = received.body
        if packed.is_large(body):
            rows += len(cast(OrdersEvent, body).orders)
            continue
        for table, key in _NAMED[type(body)](body):
            named.setdefault(table, set()).add(key)
    if len(batch) > 1 and rows + sum(map(len, named.values())) > MOST_ROWS:
        raise TooMuch(f"these events are about more than {MOST_ROWS:,} rows")
    rebuild = await store.find_rebuild(conn)
    schemas = (store.MODEL, store.NEXT) if rebuild else (store.MODEL,)
    models = [await store.lock(conn, schema, named) for schema in schemas]
    return World(models, rebuild)


Named = Callable[[Any], Iterable[tuple[Table, Any]]]

_NAMED: Families[Named] = Families(
    {
        PackageEvent: lambda e: ((store.PACKAGES, e.package_id),),
        OrderEvent: lambda e: ((store.ORDERS, e.order_id),),
        OrdersEvent: lambda e: ((store.ORDERS, ref.order_id) for ref in e.orders),
        CampaignEvent: lambda e: ((store.CAMPAIGNS, e.campaign_id),),
        ProcessEvent: lambda e: ((store.PROCESSES, (e.campaign_id, e.process_id)),),
        EntityEvent: lambda e: ((store.ENTITIES, e.entity_id),),
        NotificationEvent: lambda e: ((store.NOTIFICATIONS, e.notification_id),),
        object: lambda _: (),
    }
)
"""The rows that an event is about."""


def handle(world: World, received: Received) -> Decision:
    """Put one event into the rows as the events before it left them."""
    envelope = received.envelope
    event = cast(Event, received.body)
    at = envelope.time or received.now
    _CHANGE[type(event)](
        world, event, Origin(envelope.id, envelope.causationid, at, envelope.actor)
    )
    if (line := history.line(event, envelope, at)) is not None:
        key = line.event_id, line.source
        world.lines[key] = history.merge(world.lines.get(key), line)
    if (part := history.ledger(event, envelope, at)) is not None:
        life = event.package_id, event.edition  # type: ignore[attr-defined]
        world.ledgers[life] = history.merge_ledger(world.ledgers.get(life, {}), part)
    if envelope.type.endswith(history.SNAPSHOT):
        if world.rebuild is not None and envelope.causationid == world.rebuild:
            world.snapshots[envelope.source, envelope.type] += 1
    elif envelope.causationid and not history.is_event_id(envelope.causationid):
        _decide(world, envelope.causationid, event, at)
    _NOTE[type(event)](world, event, at)
    if len(world.hints) <= hints.MOST:
        world.hints.update(hints.topics(event, envelope.causationid))
    return accepted()


def _change_package(world: World, event: PackageEvent, origin: Origin) -> None:
    key = event.package_id
    world.change(store.PACKAGES, key, lambda row: domain.package(row, event, origin))
    for model in world.models:
        if model.rows["packages"][key].columns["version"] == event.version:
            model.terms[key] = event


def _change_orders(world: World, event: OrdersEvent, origin: Origin) -> None:
    if packed.is_large(event):
        for model in world.models:
            model.packs.append(Pack(event, origin))
        return
    for model in world.models:
        found = model.rows[store.ORDERS.name]
        for ref in event.orders:
            id = ref.order_id
            found[id] = domain.packed_order(found.get(id), event, ref, origin)


Change = Callable[[World, Any, Origin], None]


def _changing(table: Table, apply: Callable[[Row | None, Any, Origin], Row]) -> Change:
    """How an event about one row changes it."""

    def change(world: World, event: Any, origin: Origin) -> None:
        ((_, key),) = _NAMED[type(event)](event)
        for model in world.models:
            found = model.rows[table.name]
            found[key] = apply(found.get(key), event, origin)

    return change


_CHANGE: Families[Change] = Families(
    {
        PackageEvent: _change_package,
        OrderEvent: _changing(store.ORDERS, domain.order),
        OrdersEvent: _change_orders,
        CampaignEvent: _changing(store.CAMPAIGNS, domain.campaign),
        ProcessEvent: _changing(store.PROCESSES, domain.process),
        EntityEvent: _changing(store.ENTITIES, domain.entity),
        NotificationEvent: _changing(store.NOTIFICATIONS, domain.notification),
        object: lambda *_: None,
    }
)
"""What an event changes in the model."""


def _decide(world: World, command_id: str, event: Event, at: datetime) -> None:
    """What became of a command, as the first of its events says."""
    outcome = _OUTCOMES[type(event)]
    if outcome == "accepted":
        world.decided.setdefault(command_id, Decided(command_id, outcome, at))
    elif outcome is not None:
        assert isinstance(event, CommandRefused | CommandUnchanged)
        about, kind = event.about, event.command_type
        world.decided[command_id] = Decided(command_id, outcome, at, about, kind, event)


_OUTCOMES: Families[str | None] = Families(
    {
        CommandRefused: "refused",
        CommandUnchanged: "unchanged",
        MessageParked: None,
        object: "accepted",
    }
)


def _note_worker(world: World, event: WorkerSeen, at: datetime) -> None:
    world.workers.append((event, at))


def _note_released(world: World, event: MessageReleased, at: datetime) -> None:
    world.released.append((event, at))


_NOTE: Families[Callable[[World, Any, datetime], None]] = Families(
    {
        MessageParked: lambda world, event, at: world.parked.append((event, at)),
        MessageReleased: _note_released,
        WorkerSeen: _note_worker,
        SnapshotCompleted: lambda world, event, _: world.completed.append(event),
        object: lambda *_: None,
    }
)
"""What is kept of an event beside the model."""


async def save(tx: Transaction, world: World) -> None:
    """Store each changed row once, count what changed, and hint at it once this has committed."""
    # The database works on the history while the rows are made ready for it.
    history_saved = asyncio.create_task(journal.save_lines(tx.conn, world.lines.values()))
    try:
        await asyncio.sleep(0)
        ready = [(model, *store.writes(model)) for model in world.models]
    finally:
        await history_saved
    for model, writes, moved in ready:
        await store.save(tx.conn, model, writes, moved)
    await journal.save_ledgers(tx.conn, world.ledgers)
    await journal.save_decided(tx.conn, world.decided.values(), tx.now)
    await journal.save_parked(tx.conn, world.parked, world.released)
    await journal.save_workers(tx.conn, world.workers)
    if world.rebuild is not None:
        await journal.save_snapshots(tx.conn, world.rebuild, world.snapshots)
    await journal.save_completed(tx.conn, world.completed)
    if world.hints:
        hints.waiting.update(world.hints)
        tx.wake(hints.NAME)
