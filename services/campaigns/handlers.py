"""What the campaigns service does with the messages of one batch."""

from collections.abc import Sequence

from contracts.campaigns import (
    CampaignCommand,
    CancelCampaign,
    CreateCampaign,
    ReinitializeCampaign,
    ReportProcess,
    StartCampaign,
)
from contracts.packages import DistributionLevel, PackageCanceled, PackageReinitialized
from services.campaigns import domain, store
from services.campaigns import jobs as kinds
from services.campaigns.domain import Change, LifeCommand, Outcome
from services.campaigns.transitions import Campaign
from services.campaigns.world import World
from services.runtime.decision import Decision, Loaded, Received, TooMuch, Unchanged, accepted
from services.runtime.service import Connection, Transaction, jobs, routes

ROUTES = routes(
    CreateCampaign,
    StartCampaign,
    CancelCampaign,
    ReinitializeCampaign,
    ReportProcess,
    PackageCanceled,
    PackageReinitialized,
)


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the campaigns these messages name, and read as many of their processes as they need."""
    bodies = [received.body for received in batch]
    named = {b.campaign_id for b in bodies if isinstance(b, CampaignCommand)}
    events = [b for b in bodies if isinstance(b, PackageCanceled | PackageReinitialized)]
    # All that this batch changes is locked by one statement, in one order.  Of two workers with
    # events of one package the second waits here, and finds the jobs of the first.
    named |= {b.campaign_id for b in events}
    campaigns = await store.lock_campaigns(conn, named)
    lives = [b.campaign_id for b in bodies if isinstance(b, LifeCommand)]
    _bound([campaigns[id] for id in lives if id in campaigns])
    whole = set(lives)
    reports = [b for b in bodies if isinstance(b, ReportProcess)]
    reported = {(b.campaign_id, b.process_id) for b in reports if b.campaign_id not in whole}
    processes = await store.load_processes(conn, whole)
    processes |= await store.find_processes(conn, reported)
    return World(
        locked=frozenset(campaigns),
        campaigns=Loaded(campaigns),
        processes=Loaded(processes),
        busy=await store.find_busy(conn, reported),
        jobs=await jobs.find(conn, {b.package_id for b in events}),
    )


def _bound(moved: Sequence[Campaign]) -> None:
    """Each command about a campaign moves all its processes, in memory and in what it says."""
    processes = sum(len(campaign.state.process_ids or ()) for campaign in moved)
    if len(moved) > 1 and processes > jobs.PIECE:
        raise TooMuch(f"{len(moved)} commands move {processes} processes")


def handle(world: World, received: Received) -> Decision:
    """Decide one message against the world as the messages before it left it."""
    match received.body:
        case CampaignCommand() as command:
            return _keep(world, _decide(world, received, command))
        case PackageCanceled() as event:
            return _package_canceled(world, received, event)
        case PackageReinitialized() as event:
            return _package_reinitialized(world, received, event)
        case other:
            raise TypeError(f"campaigns does not read {other!r}")


def _decide(world: World, received: Received, command: CampaignCommand) -> Outcome:
    now, actor = received.now, received.envelope.actor
    campaign = world.campaigns.get(command.campaign_id)
    match command:
        case CreateCampaign():
            return domain.create(campaign, command, now=now, actor=actor)
        case _ if campaign is None:
            return domain.unknown(command)
        case StartCampaign() | CancelCampaign() | ReinitializeCampaign():
            processes = world.processes_of(campaign)
            return domain.decide(campaign, processes, command, now=now, actor=actor)
        case ReportProcess(campaign_id=campaign_id, process_id=process_id):
            return domain.report(
                campaign,
                world.processes.get((campaign_id, process_id)),
                command,
                is_last=world.is_last(campaign_id, process_id),
                now=now,
                actor=actor,
            )
        case _:
            raise TypeError(f"no rule for {command!r}")


def _keep(world: World, outcome: Outcome) -> Decision:
    if not isinstance(outcome, Change):
        return outcome
    world.apply(outcome)
    return accepted(*outcome.events, version=outcome.version)


def _package_canceled(world: World, received: Received, event: PackageCanceled) -> Decision:
    """Begin the cancel of an edition, once; that of a local package ends here."""
    package_id, edition = event.package_id, event.edition
    place = kinds.cancel_place(edition)
    if world.jobs.has(kinds.CANCEL, package_id, place):
        return Unchanged(f"edition {edition} of package {package_id} is canceled")
    is_local = event.distribution_level == DistributionLevel.LOCAL
    is_late = world.jobs.has_behind(package_id, place)
    job = kinds.cancel_job(
        package_id,
        edition,
        event.campaign_id,
        received.cause,
        is_local=is_local,
        is_late=is_late,
    )
    world.jobs.add(job)
    return accepted(kinds.progress(job), kinds.report(job)) if is_local else accepted()


def _package_reinitialized(
    world: World, received: Received, event: PackageReinitialized
) -> Decision:
    """Let the campaign return that a cancel of an earlier edition canceled, if one did."""
    job = kinds.reinitialize_job(event.package_id, event.edition, received.cause)
    if world.jobs.has(job.kind, job.line, job.place):
        return Unchanged(f"edition {event.edition} of package {event.package_id} has begun")
    world.jobs.add(job)
    return accepted()


async def save(tx: Transaction, world: World) -> None:
    """Store each changed row once, in its last state, and begin the jobs."""
    await store.save_campaigns(tx.conn, world.campaigns.changed(), world.locked)
    await store.save_processes(tx.conn, world.processes.changed())
    await world.jobs.store(tx)
