"""What the notifications service does with the messages of one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.directory import (
    EntityActivated,
    EntityDeactivated,
    EntityEvent,
    EntityRegistered,
    EntityUpdated,
)
from contracts.notifications import RecipientType, RetryNotifications
from contracts.orders import (
    OrderApproved,
    OrderCanceled,
    OrderDecided,
    OrderRejected,
    OrdersCanceled,
)
from contracts.packages import (
    PackageApproved,
    PackageCanceled,
    PackageCreated,
    PackageDecided,
    PackageEdited,
    PackageEvent,
    PackagePublished,
    PackageReinitialized,
    PackageRejected,
    PackageSubmitted,
)
from services.notifications import cancels, domain, store, wakes
from services.notifications.domain import Key
from services.notifications.jobs import fan_out_job
from services.notifications.retries import Retries
from services.notifications.store import Recipient
from services.notifications.world import Entity, World
from services.runtime.decision import Decision, Loaded, Received, Unchanged, accepted
from services.runtime.service import Connection, Jobs, Transaction, jobs, routes

ROUTES = routes(
    EntityRegistered,
    EntityUpdated,
    EntityDeactivated,
    EntityActivated,
    PackageCreated,
    PackageEdited,
    PackageSubmitted,
    PackageApproved,
    PackageRejected,
    PackagePublished,
    PackageCanceled,
    PackageReinitialized,
    OrderApproved,
    OrderRejected,
    OrderCanceled,
    OrdersCanceled,
    PackageOrdersCanceled,
    RetryNotifications,
)


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the package copies that these messages name, and look up which are canceled."""
    events = [
        body for received in batch if isinstance(body := received.body, PackageEvent | OrderDecided)
    ]
    commands = [body for r in batch if isinstance(body := r.body, RetryNotifications)]
    named = {body.package_id for body in (*events, *commands)}
    packages = await store.lock_packages(conn, named)
    canceled = await store.find_canceled(conn, {(e.package_id, e.edition) for e in events})
    world = World(Loaded(packages), canceled, batch[0].now)
    if commands:
        world.retries = await Retries.load(conn, commands, packages)
    return world


def handle(world: World, received: Received) -> Decision:
    """Decide one message against the world as the messages before it left it."""
    match received.body:
        case EntityEvent() as event:
            return _copy_entity(world, event)
        case PackageDecided() as event:
            return _hear_package(world, received, event)
        case OrderDecided() as event:
            return _hear_order(world, received, event)
        case OrdersCanceled() as event:
            return _hear_orders_canceled(world, received, event)
        case PackageOrdersCanceled() as event:
            life = (event.package_id, event.edition)
            seen = world.seen_of(life, received)
            world.seen[life] = replace(seen, orders_canceled=event.canceled)
            return accepted()
        case RetryNotifications() as command:
            package = world.packages.get(command.package_id)
            return world.retries.handle(command, package, received.cause)
        case other:
            raise TypeError(f"notifications does not read {other!r}")


def _copy_entity(world: World, event: EntityEvent) -> Decision:
    known = world.entities.get(event.entity_id)
    if known is not None and known.event.version >= event.version:
        return Unchanged("a newer state is known")
    world.entities[event.entity_id] = Entity(event, world.moment())
    return accepted()


def _hear_package(world: World, received: Received, event: PackageDecided) -> Decision:
    """Keep the copy; whoever must hear of it is told whether the copy is newer or not."""
    known = world.packages.get(event.package_id)
    is_news = known is None or event.version > known.version
    if is_news:
        world.packages.put(event.package_id, domain.copy_of(event))
    life = (event.package_id, event.edition)
    over = domain.is_over(known, life, life in world.canceled)
    match event:
        case PackageCanceled():
            return _cancel(world, received, event)
        case PackagePublished() if not over:
            return _offer(world, received, event)
        case PackageEdited() if is_news and not over and domain.is_widened(known, event):
            return _offer(world, received, event)
        case PackageRejected():
            return _reject(world, received, event)
        case PackageReinitialized():
            world.supersede((event.package_id, event.edition - 1))
            return accepted()
        case _:
            return accepted() if is_news else Unchanged("a newer state is known")


def _offer(world: World, received: Received, event: PackageDecided) -> Decision:
    happening = domain.of_package(event, _actor(received, event))
    world.tell(happening, received)
    world.fan_out(happening, event.audience)
    return accepted()


def _reject(world: World, received: Received, event: PackageRejected) -> Decision:
    if event.assigned_to is None:
        return accepted()
    happening = domain.of_package(event, _actor(received, event))
    world.tell(happening, received)
    world.operators[happening.key, event.assigned_to.id] = event.assigned_to.label
    return accepted()


def _cancel(world: World, received: Received, event: PackageCanceled) -> Decision:
    """Open the job whatever the copy says; its fan-out and its orders are counted from here on."""
    life = (event.package_id, event.edition)
    if life in world.canceled:
        return Unchanged("this cancel is known")
    world.canceled.add(life)
    world.supersede(life)
    happening = domain.of_package(event, _actor(received, event))
    audience = domain.told_of_cancel(event)
    world.tell(happening, received)
    world.fan_out(happening, audience)
    seen = replace(
        world.seen_of(life, received),
        cause=received.cause,
        started_at=received.now,
        foreseen=len(audience or ()),
    )
    # The orders of a local package stay as they are: there is no report to wait for.
    world.seen[life] = replace(seen, orders_canceled=0) if domain.is_local(event) else seen
    progress = CancellationProgressed(
        package_id=event.package_id,
        edition=event.edition,
        service="notifications",
        done=0,
        expected=seen.foreseen,
    )
    return accepted(progress)


def _hear_order(world: World, received: Received, event: OrderDecided) -> Decision:
    package = world.packages.get(event.package_id)
    if domain.is_void(event, package, (event.package_id, event.edition) in world.canceled):
        return Unchanged("the order was canceled with its package, and that is what is told")
    happening = domain.of_order(event, package, _actor(received, event))
    world.tell(happening, received, [event.entity_id])
    return accepted()


def _hear_orders_canceled(world: World, received: Received, event: OrdersCanceled) -> Decision:
    """Each entity that had an order is told of the cancel of the package, once."""
    life = (event.package_id, event.edition)
    happening = domain.awaited(life, received.now)
    world.tell(happening, received, {order.entity_id for order in event.orders})
    seen = world.seen_of(life, received)
    world.seen[life] = replace(seen, orders_seen=seen.orders_seen + len(event.orders))
    return accepted()


def _actor(received: Received, event: PackageDecided | OrderDecided) -> str | None:
    return received.envelope.actor or event.changed_by


async def save(tx: Transaction, world: World) -> None:
    """Store each changed thing once, begin the fan-outs, and wake the sweeps with new work."""
    await store.save_packages(tx.conn, world.packages.changed())
    if await store.save_entities(tx.conn, world.entities, world.now):
        tx.wake(wakes.MAILBOXES)
    ids = await store.add_news(tx.conn, world.news)
    await store.supersede(tx.conn, world.superseded)
    # The cancel before its rows: whoever adds to it or sends of it takes turns here.
    await store.see_cancels(tx.conn, world.seen)
    recipients = _recipients(world, ids)
    await store.add_recipients(tx.conn, recipients, world.now)
    if recipients:
        tx.wake(wakes.SEND)
    await (await _fan_outs(tx.conn, world, ids)).store(tx)
    await world.retries.save(tx)
    # What came last may leave a cancel nothing to wait for.
    if world.seen:
        await cancels.end_these(tx, list(world.seen))


async def _fan_outs(conn: Connection, world: World, ids: Mapping[Key, int]) -> Jobs:
    """Those to be begun: an event that comes again while its fan-out runs begins no other.

    The package copies are locked, so no other worker adds one meanwhile.
    """
    found = await jobs.find(conn, {one.happening.package_id for one in world.fan_outs})
    for one in world.fan_outs:
        key = one.happening.key
        job = fan_out_job(one, ids[key], world.news[key].cause)
        if not found.has(job.kind, job.line, job.place):
            found.add(job)
    return found


def _recipients(world: World, ids: Mapping[Key, int]) -> list[Recipient]:
    entities = [
        Recipient(ids[key], world.news[key].happening.package_id, RecipientType.ENTITY, entity_id)
        for key, told in world.told.items()
        for entity_id in told
    ]
    operators = [
        Recipient(ids[key], world.news[key].happening.package_id, RecipientType.OPERATOR, id, label)
        for (key, id), label in world.operators.items()
    ]
    return entities + operators
