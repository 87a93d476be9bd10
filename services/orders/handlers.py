"""What the orders service does with the messages of one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.campaigns import CampaignCreated
from contracts.directory import (
    EntityActivated,
    EntityDeactivated,
    EntityEvent,
    EntityRegistered,
    EntityUpdated,
)
from contracts.orders import (
    ApproveOrder,
    CancelOrder,
    EditOrder,
    OrderCommand,
    OrderEvent,
    OrderState,
    PlaceOrder,
    RejectOrder,
)
from contracts.packages import (
    DistributionLevel,
    PackageApproved,
    PackageCanceled,
    PackageCreated,
    PackageEdited,
    PackageEvent,
    PackagePublished,
    PackageReinitialized,
    PackageRejected,
    PackageSubmitted,
    audience_digest,
)
from services.orders import domain, store
from services.orders.domain import Applicant, Offer
from services.orders.jobs import CANCEL, progress, report
from services.orders.store import Pair, Place
from services.runtime.decision import Accepted, Decision, Loaded, Received, Unchanged, accepted
from services.runtime.service import Connection, Jobs, Transaction, jobs, routes

ROUTES = routes(
    PlaceOrder,
    EditOrder,
    ApproveOrder,
    RejectOrder,
    CancelOrder,
    PackageCreated,
    PackageEdited,
    PackageSubmitted,
    PackageApproved,
    PackageRejected,
    PackagePublished,
    PackageCanceled,
    PackageReinitialized,
    EntityRegistered,
    EntityUpdated,
    EntityDeactivated,
    EntityActivated,
    CampaignCreated,
)


@dataclass(slots=True)
class World:
    """What the messages of a batch are decided against.

    loaded are the packages of which there is a copy in the tables, stored the orders as they
    stand there; audiences holds those that
    changed in this batch; in_audience and has_order are the pairs of package and entity, the
    latter with an edition, for which the tables say so.
    """

    offers: Loaded[str, Offer]
    loaded: frozenset[str]
    orders: Loaded[str, OrderState]
    entities: Loaded[str, tuple[int, bool]]
    limits: Loaded[str, int | None]
    in_audience: set[Pair]
    has_order: set[Place]
    jobs: Jobs
    stored: Mapping[str, OrderState] = field(default_factory=dict)
    audiences: dict[str, frozenset[str] | None] = field(default_factory=dict)
    news: dict[str, tuple[int, bool]] = field(default_factory=dict)
    limit_news: dict[str, int | None] = field(default_factory=dict)


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the package copies and orders that these messages name, and look up the rest."""
    bodies = [received.body for received in batch]
    places = [b for b in bodies if type(b) is PlaceOrder]
    others = [b for b in bodies if type(b) is not PlaceOrder]
    commands = places + [b for b in others if isinstance(b, OrderCommand)]
    packages = {c.package_id for c in commands}
    news = [b for b in others if isinstance(b, PackageEvent)]
    packages |= {b.package_id for b in news}
    offers = await store.lock_offers(conn, packages)
    orders = await store.lock_orders(conn, {c.order_id for c in commands})
    entities = {c.entity_id for c in places}
    entities |= {b.entity_id for b in others if isinstance(b, EntityEvent)}
    wanted = {
        (o.package_id, o.edition, c.entity_id) for c in places if (o := offers.get(c.package_id))
    }
    applicants = await store.find_applicants(conn, wanted, entities)
    with_documents = any(c.documents for c in commands if isinstance(c, PlaceOrder | EditOrder))
    named = {o.campaign_id for o in offers.values()} | {b.campaign_id for b in news}
    campaigns = named if with_documents else ()
    canceled = {b.package_id for b in news if isinstance(b, PackageCanceled)}
    return World(
        offers=Loaded(offers),
        loaded=frozenset(offers),
        orders=Loaded(orders),
        entities=Loaded(applicants.entities),
        limits=Loaded(await store.find_limits(conn, campaigns)),
        in_audience=applicants.in_audience,
        has_order=applicants.has_order,
        jobs=await jobs.find(conn, canceled),
        stored=orders,
    )


def handle(world: World, received: Received) -> Decision:
    """Decide one message against the world as the messages before it left it."""
    match received.body:
        case PlaceOrder() as command:
            return _keep(world, _place(world, received, command))
        case OrderCommand() as command:
            return _keep(world, _change(world, received, command))
        case PackageEvent() as event:
            return _copy_package(world, received, event)
        case EntityEvent() as event:
            return _copy_entity(world, event)
        case CampaignCreated(campaign_id=campaign_id, max_documents=limit):
            world.limits.put(campaign_id, limit)
            world.limit_news[campaign_id] = limit
            return accepted()
        case other:
            raise TypeError(f"orders does not read {other!r}")


def _place(world: World, received: Received, command: PlaceOrder) -> Decision:
    offer = world.offers.get(command.package_id)
    entity = world.entities.get(command.entity_id)
    return domain.place(
        world.orders.get(command.order_id),
        command,
        offer,
        Applicant(
            active=entity[1] if entity else None,
            in_audience=_in_audience(world, offer, command),
            has_order=offer is not None
            and (command.package_id, offer.edition, command.entity_id) in world.has_order,
        ),
        campaign_limit=world.limits.get(offer.campaign_id) if offer else None,
        now=received.now,
        actor=received.envelope.actor,
    )


def _in_audience(world: World, offer: Offer | None, command: PlaceOrder) -> bool:
    if offer is None or offer.audience_digest is None:
        return True
    changed = world.audiences.get(offer.package_id)
    if changed is not None:
        return command.entity_id in changed
    return (command.package_id, command.entity_id) in world.in_audience


def _change(world: World, received: Received, command: OrderCommand) -> Decision:
    order = world.orders.get(command.order_id)
    if order is None:
        return domain.unknown_order(command.order_id)
    if order.package_id != command.package_id:
        return domain.of_another_package(order, command)
    offer = world.offers.get(order.package_id)
    order = domain.present(order, offer)
    now, actor = received.now, received.envelope.actor
    match command:
        case EditOrder():
            limit = offer.max_documents if offer else None
            if limit is None and offer is not None:
                limit = world.limits.get(offer.campaign_id)
            return domain.edit(order, command, limit=limit, now=now, actor=actor)
        case ApproveOrder() | RejectOrder() | CancelOrder():
            return domain.decide(order, command, now=now, actor=actor)
        case other:
            raise TypeError(f"orders does not read {other!r}")


def _keep(world: World, decision: Decision) -> Decision:
    """Put what an accepted command made into the world."""
    if isinstance(decision, Accepted):
        for event in decision.events:
            assert isinstance(event, OrderEvent)
            world.orders.put(event.order_id, event)
            place = (event.package_id, event.edition, event.entity_id)
            if event.status in domain.OPEN:
                world.has_order.add(place)
            else:
                world.has_order.discard(place)
    return decision


def _copy_package(world: World, received: Received, event: PackageEvent) -> Decision:
    """Keep what orders must know of a package; a cancel counts whatever the copy says."""
    known = world.offers.get(event.package_id)
    is_news = known is None or event.version > known.version
    if is_news:
        _take(world, known, event)
    if isinstance(event, PackageCanceled):
        return _cancel(world, received, event)
    return accepted() if is_news else Unchanged("a newer state is known")


def _take(world: World, known: Offer | None, event: PackageEvent) -> None:
    digest = audience_digest(event.audience)
    if known is None or known.audience_digest != digest:
        world.audiences[event.package_id] = (
            None if event.audience is None else frozenset(event.audience)
        )
    offer = Offer(
        package_id=event.package_id,
        version=event.version,
        edition=event.edition,
        status=event.status,
        distribution_level=event.distribution_level,
        campaign_id=event.campaign_id,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        registration_deadline=event.registration_deadline,
        several_orders=bool(event.several_orders),
        max_documents=event.max_documents,
        audience_digest=digest,
        canceled_editions=known.canceled_editions if known else (),
    )
    world.offers.put(event.package_id, offer)


def _cancel(world: World, received: Received, event: PackageCanceled) -> Decision:
    if world.jobs.has(CANCEL, event.package_id, event.edition):
        return Unchanged("this cancel is known")
    # Orders of a local package stay as they are.
    is_local = event.distribution_level == DistributionLevel.LOCAL
    job = CANCEL.job(event.package_id, event.edition, received.cause, done=is_local)
    world.jobs.add(job)
    if is_local:
        return accepted(progress(job), report(job))
    # The copy may be of a later edition by now, and of another level.
    offer = world.offers.get(event.package_id)
    assert offer is not None
    world.offers.put(event.package_id, domain.canceled(offer, event.edition))
    return accepted()


def _copy_entity(world: World, event: EntityEvent) -> Decision:
    known = world.entities.get(event.entity_id)
    if known is not None and known[0] >= event.version:
        return Unchanged("a newer state is known")
    copy = (event.version, event.active)
    world.entities.put(event.entity_id, copy)
    world.news[event.entity_id] = copy
    return accepted()


async def save(tx: Transaction, world: World) -> None:
    """Store each changed thing once, in its last state, and begin the jobs."""
    await store.save_offers(tx.conn, world.offers.changed(), world.loaded)
    await store.save_audiences(tx.conn, world.audiences)
    await store.save_orders(tx.conn, world.orders.changed(), world.stored)
    await store.save_entities(tx.conn, world.news)
    await store.save_limits(tx.conn, world.limit_news)
    await world.jobs.store(tx)
