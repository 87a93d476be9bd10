"""What the tracking service does with the messages of one batch: every event becomes rows."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from contracts import catalogue
from contracts.campaigns import CampaignEvent, ProcessEvent
from contracts.directory import EntityEvent
from contracts.message import Event
from contracts.notifications import NotificationEvent
from contracts.operations import SnapshotCompleted, WorkerSeen
from contracts.orders import OrderEvent, OrdersEvent
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, MessageReleased
from contracts.packages import PackageEdition, PackageEvent
from services.runtime.decision import Decision, Received, accepted
from services.runtime.service import Connection, Transaction, routes
from services.tracking import hints, history, journal, rows, store
from services.tracking.history import Key, Line
from services.tracking.journal import Decided
from services.tracking.rows import Origin, Row
from services.tracking.store import Model, Table

ROUTES = routes(*catalogue.EVENTS.values())


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
    parked: list[MessageParked] = field(default_factory=list)
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
    for received in batch:
        for table, key in _named(received.body):
            named.setdefault(table, set()).add(key)
    rebuild = await store.find_rebuild(conn)
    schemas = (store.MODEL, store.NEXT) if rebuild else (store.MODEL,)
    models = [await store.lock(conn, schema, named) for schema in schemas]
    return World(models, rebuild)


def _named(body: Any) -> list[tuple[Table, Any]]:
    match body:
        case PackageEvent():
            return [(store.PACKAGES, body.package_id)]
        case OrderEvent():
            return [(store.ORDERS, body.order_id)]
        case OrdersEvent():
            return [(store.ORDERS, ref.order_id) for ref in body.orders]
        case CampaignEvent():
            return [(store.CAMPAIGNS, body.campaign_id)]
        case ProcessEvent():
            return [(store.PROCESSES, (body.campaign_id, body.process_id))]
        case EntityEvent():
            return [(store.ENTITIES, body.entity_id)]
        case NotificationEvent():
            return [(store.NOTIFICATIONS, body.notification_id)]
        case _:
            return []


def handle(world: World, received: Received) -> Decision:
    """Put one event into the rows as the events before it left them."""
    envelope, event = received.envelope, received.body
    assert isinstance(event, Event)
    at = envelope.time or received.now
    _change_rows(world, event, Origin(envelope.id, envelope.causationid, at, envelope.actor))
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
    _note(world, event, at)
    world.hints.update(hints.topics(event, envelope.causationid))
    return accepted()


def _change_rows(world: World, event: Event, origin: Origin) -> None:
    match event:
        case PackageEvent(package_id=key):
            world.change(store.PACKAGES, key, lambda row: rows.package(row, event, origin))
            for model in world.models:
                if model.rows["packages"][key].columns["version"] == event.version:
                    model.terms[key] = event
        case OrderEvent(order_id=key):
            world.change(store.ORDERS, key, lambda row: rows.order(row, event, origin))
        case OrdersEvent():
            for ref in event.orders:
                apply = partial(rows.packed_order, event=event, ref=ref, origin=origin)
                world.change(store.ORDERS, ref.order_id, apply)
        case CampaignEvent(campaign_id=key):
            world.change(store.CAMPAIGNS, key, lambda row: rows.campaign(row, event, origin))
        case ProcessEvent():
            pair = event.campaign_id, event.process_id
            world.change(store.PROCESSES, pair, lambda row: rows.process(row, event, origin))
        case EntityEvent(entity_id=key):
            world.change(store.ENTITIES, key, lambda row: rows.entity(row, event, origin))
        case NotificationEvent(notification_id=key):
            world.change(
                store.NOTIFICATIONS, key, lambda row: rows.notification(row, event, origin)
            )
        case _:
            pass


def _decide(world: World, command_id: str, event: Event, at: datetime) -> None:
    """What became of a command, as the first of its events says."""
    match event:
        case CommandRefused():
            world.decided[command_id] = Decided(
                command_id, "refused", at, event.about, event.command_type, event
            )
        case CommandUnchanged():
            world.decided[command_id] = Decided(
                command_id, "unchanged", at, event.about, event.command_type, event
            )
        case MessageParked():
            pass
        case _:
            world.decided.setdefault(command_id, Decided(command_id, "accepted", at))


def _note(world: World, event: Event, at: datetime) -> None:
    match event:
        case MessageParked():
            world.parked.append(event)
        case MessageReleased():
            world.released.append((event, at))
        case WorkerSeen():
            world.workers.append((event, at))
        case SnapshotCompleted():
            world.completed.append(event)
        case _:
            pass


async def save(tx: Transaction, world: World) -> None:
    """Store each changed row once, count what changed, and hint at it once this has committed."""
    for model in world.models:
        await store.save(tx.conn, model)
    await journal.save_lines(tx.conn, world.lines.values())
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
