"""What the packages service does with the messages of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.campaigns import (
    CampaignCanceled,
    CampaignCreated,
    CampaignEvent,
    CampaignFinished,
    CampaignReinitialized,
    CampaignStarted,
    CampaignStatus,
)
from contracts.cancellation import (
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)
from contracts.outcomes import RefusalCode
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    CreatePackage,
    EditPackage,
    PackageCanceled,
    PackageCommand,
    PackageEdition,
    PackageEvent,
    PackageState,
    PublishPackage,
    ReinitializePackage,
    RejectPackage,
    SubmitPackage,
)
from services.packages import domain, ledger, settings, store
from services.packages.conditions import Campaign
from services.packages.ledger import Cancellation
from services.runtime.decision import (
    Accepted,
    Cause,
    Decision,
    Loaded,
    Received,
    Unchanged,
    Unknown,
    accepted,
)
from services.runtime.service import Connection, Transaction, routes

ROUTES = routes(
    CreatePackage,
    EditPackage,
    SubmitPackage,
    ApprovePackage,
    RejectPackage,
    PublishPackage,
    CancelPackage,
    ReinitializePackage,
    CampaignCreated,
    CampaignStarted,
    CampaignCanceled,
    CampaignReinitialized,
    CampaignFinished,
    PackageOrdersCanceled,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
)


@dataclass(slots=True)
class World:
    """What the messages of a batch are decided against."""

    packages: Loaded[str, PackageState]
    campaigns: Loaded[str, Campaign]
    ledgers: Loaded[PackageEdition, Cancellation]
    opened: dict[PackageEdition, tuple[Cancellation, Cause]] = field(default_factory=dict)


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the packages and ledgers these messages name, and look at their campaigns."""
    bodies = [received.body for received in batch]
    commands = [b for b in bodies if isinstance(b, PackageCommand)]
    events = [b for b in bodies if not isinstance(b, PackageCommand)]
    packages = await store.lock_packages(conn, {c.package_id for c in commands})
    named = {b.campaign_id for b in events if isinstance(b, CampaignEvent)}
    named |= {c.campaign_id for c in commands if type(c) is CreatePackage}
    named |= {c.campaign_id for c in commands if type(c) is EditPackage and c.campaign_id}
    named |= {package.campaign_id for package in packages.values()}
    campaigns = await store.find_campaigns(conn, named)
    lives = {(b.package_id, b.edition) for b in events if isinstance(b, ledger.Report)}
    if any(type(c) is ReinitializePackage or type(c) is CancelPackage for c in commands):
        lives |= {(package.package_id, package.edition) for package in packages.values()}
    ledgers = await store.lock_cancellations(conn, lives)
    return World(Loaded(packages), Loaded(campaigns), Loaded(ledgers))


def handle(world: World, received: Received) -> Decision:
    """Decide one message against the world as the messages before it left it."""
    match received.body:
        case PackageCommand() as command:
            return _keep(world, received, _decide(world, received, command))
        case CampaignEvent() as event:
            return _copy(world, event)
        case PackageOrdersCanceled() | PackageCampaignsCanceled() | PackageEntitiesNotified() as r:
            life = (r.package_id, r.edition)
            filled, decision = ledger.record(world.ledgers.get(life), r, now=received.now)
            if filled is not None and isinstance(decision, Accepted):
                world.ledgers.put(life, filled)
            return decision
        case other:
            raise TypeError(f"packages does not read {other!r}")


def _decide(world: World, received: Received, command: PackageCommand) -> Decision:
    package = world.packages.get(command.package_id)
    now, actor = received.now, received.envelope.actor
    if isinstance(command, CreatePackage):
        campaign = world.campaigns.get(command.campaign_id)
        return domain.create(package, command, campaign, now=now, actor=actor)
    if package is None:
        text = f"package {command.package_id} is not known; create it with package.create first"
        return Unknown(RefusalCode.UNKNOWN_PACKAGE, text)
    if isinstance(command, EditPackage):
        campaign = world.campaigns.get(command.campaign_id or package.campaign_id)
        return domain.edit(package, command, campaign, now=now, actor=actor)
    assert isinstance(command, domain.LifeCommand)
    cancel = world.ledgers.get((package.package_id, package.edition))
    return domain.decide(
        package,
        command,
        world.campaigns.get(package.campaign_id),
        cancel_running=cancel is not None and cancel.completed_at is None,
        now=now,
        actor=actor,
    )


def _keep(world: World, received: Received, decision: Decision) -> Decision:
    """Put what an accepted command made into the world; a cancel opens its ledger."""
    if isinstance(decision, Accepted):
        for event in decision.events:
            assert isinstance(event, PackageEvent)
            world.packages.put(event.package_id, event)
            if isinstance(event, PackageCanceled):
                life = (event.package_id, event.edition)
                cancel = Cancellation(*life, started_at=received.now)
                world.opened[life] = (cancel, received.cause)
                world.ledgers.put(life, cancel)
    return decision


def _copy(world: World, event: CampaignEvent) -> Decision:
    """Keep what packages must know of a campaign, if it is news."""
    known = world.campaigns.get(event.campaign_id)
    if known is not None and known.version >= event.version:
        return Unchanged("a newer state is known")
    by = event.canceled_by if isinstance(event, CampaignCanceled) else None
    copy = Campaign(
        event.campaign_id,
        event.version,
        event.kind,
        event.status == CampaignStatus.CANCELED,
        (by.package_id, by.edition) if by else None,
    )
    world.campaigns.put(event.campaign_id, copy)
    return accepted()


async def save(tx: Transaction, world: World) -> None:
    """Store each changed thing once, in its last state."""
    await store.save_packages(tx.conn, world.packages.changed())
    await store.save_campaigns(tx.conn, world.campaigns.changed())
    patience = timedelta(seconds=settings.load().stalled_after_seconds)
    opened = [
        (life, cancel.started_at, cancel.started_at + patience, cause)
        for life, (cancel, cause) in world.opened.items()
    ]
    await store.open_cancellations(tx.conn, opened)
    # One opened in this batch and not reported on has nothing more to store.
    fresh = {life: cancel for life, (cancel, _) in world.opened.items()}
    changed = [c for c in world.ledgers.changed() if c != fresh.get((c.package_id, c.edition))]
    await store.fill_cancellations(tx.conn, changed)
