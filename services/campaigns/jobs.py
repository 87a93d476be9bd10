"""The long work of the campaigns service: what cancels and reinitializations of packages do.

The line of a job is the package.  Its place puts the jobs of a package into the order of its
editions: each begins with the return of the campaign, and may end with its cancel.
"""

from collections.abc import Iterable, Sequence

from contracts.campaigns import (
    CampaignEvent,
    CampaignReinitialized,
    CampaignStatus,
    CanceledBy,
    ProcessEvent,
    ProcessState,
    ProcessStatus,
)
from contracts.cancellation import CancellationProgressed, PackageCampaignsCanceled
from services.campaigns import store, transitions
from services.campaigns.transitions import ENDED, OPEN, Campaign
from services.runtime.decision import Cause
from services.runtime.service import Job, JobKind, Transaction, jobs

CAMPAIGNS = 500
"""Campaigns that one piece visits at most."""


def cancel_place(edition: int) -> int:
    """The place of the cancel of an edition."""
    return 2 * edition + 1


def reinitialize_place(edition: int) -> int:
    """The place of the reinitialization that an edition begins with."""
    return 2 * edition


async def cancel(tx: Transaction, job: Job, size: int) -> Job:
    """Visit the next campaigns of a cancel, and at most so many of their processes, by key.

    The cursor is the last campaign, and the last process of it where more of them follow.
    """
    at, process = job.cursor or ("", None)
    following = await store.lock_concerned(tx.conn, job, (at, process), min(size, CAMPAIGNS))
    campaigns = _that_fit(following, size)
    first_visits = campaigns if process is None else campaigns[1:]
    canceled = await _cancel_campaigns(tx, job, first_visits)
    # What was canceled before, by whomever, is looked at too: nothing of it may run on.
    stoppable = canceled | {c.id for c in campaigns if c.state.status == CampaignStatus.CANCELED}
    ids = [campaign.id for campaign in campaigns]
    processes = await store.next_processes(tx.conn, ids, (at, process or ""), size)
    stopped = await _stop_processes(tx, job, [p for p in processes if p.campaign_id in stoppable])
    unfinished = len(campaigns) == 1 and len(processes) == size
    done = len(following) < min(size, CAMPAIGNS) and len(campaigns) == len(following)
    done = done and not unfinished
    visited = len(first_visits) + len(processes)
    expected = 0
    if job.cursor is None:
        expected = visited if done else await store.count_concerned(tx.conn, job)
    if done and job.arguments["is_late"]:
        # What it canceled was to return with an edition that has begun already.
        await jobs.reopen(tx, REINITIALIZE, job.line, after=job.place)
    last = campaigns[-1].id if campaigns else at
    return job.moved(
        [last, processes[-1].process_id if unfinished else None],
        done=done,
        expected=expected,
        visited=visited,
        campaigns=len(canceled),
        processes_stopped=stopped,
        too_late=sum(process.status in ENDED for process in processes),
    )


def _that_fit(following: Sequence[Campaign], size: int) -> list[Campaign]:
    """As many campaigns as one piece visits; one that is larger than that comes alone."""
    fitting: list[Campaign] = []
    processes = 0
    for campaign in following:
        processes += len(campaign.state.process_ids or ())
        if fitting and processes > size:
            break
        fitting.append(campaign)
    return fitting


async def _cancel_campaigns(tx: Transaction, job: Job, campaigns: Iterable[Campaign]) -> set[str]:
    """Cancel those that it is not too late for; returns their ids."""
    by = CanceledBy(package_id=job.line, edition=job.arguments["edition"])
    changed: list[Campaign] = []
    emitted: list[CampaignEvent] = []
    for campaign in campaigns:
        events = transitions.cancel_for(campaign, by, now=tx.now, actor=job.cause.actor)
        if events:
            emitted += events
            changed.append(campaign.after(events[-1]))
    await store.save_campaigns(tx.conn, changed, locked=[c.id for c in changed])
    await _revive(tx, [e.campaign_id for e in emitted if isinstance(e, CampaignReinitialized)])
    _emit(tx, job, emitted)
    return {campaign.id for campaign in changed}


async def _stop_processes(tx: Transaction, job: Job, processes: Iterable[ProcessState]) -> int:
    """Stop those that have not ended; returns their number."""
    events = [transitions.stop(p, now=tx.now) for p in processes if p.status in OPEN]
    await store.save_processes(tx.conn, [event.state for event in events])
    _emit(tx, job, events)
    return len(events)


async def reinitialize(tx: Transaction, job: Job, size: int) -> Job:
    """Let the next campaigns return that a cancel of an earlier edition canceled.

    There is no cursor: those that have returned are no longer found.
    """
    edition = job.arguments["edition"]
    canceled = await store.lock_canceled_by(tx.conn, job.line, before=edition)
    campaigns = _that_fit(canceled, size)
    actor = job.cause.actor
    events = [transitions.reinitialize(c, now=tx.now, actor=actor) for c in campaigns]
    after = [c.after(event) for c, event in zip(campaigns, events, strict=True)]
    ids = [campaign.id for campaign in campaigns]
    await store.save_campaigns(tx.conn, after, locked=ids)
    await _revive(tx, ids)
    _emit(tx, job, events)
    return job.moved(job.cursor, done=len(campaigns) == len(canceled))


async def _revive(tx: Transaction, campaign_ids: Sequence[str]) -> None:
    """Let the stopped processes of these campaigns wait to be started again."""
    processes = await store.load_processes(tx.conn, campaign_ids)
    stopped = [p for p in processes.values() if p.status == ProcessStatus.STOPPED]
    await store.save_processes(tx.conn, [transitions.revive(p, now=tx.now) for p in stopped])


def _emit(tx: Transaction, job: Job, events: Iterable[CampaignEvent | ProcessEvent]) -> None:
    """Emit what the package caused; its key keeps the order of all that one package causes."""
    for event in events:
        tx.emit(event, job.cause, key=job.line)


def progress(job: Job) -> CancellationProgressed:
    """How far a cancel is."""
    return CancellationProgressed(
        package_id=job.line,
        edition=job.arguments["edition"],
        service="campaigns",
        done=job.count("visited"),
        expected=max(job.count("expected"), job.count("visited")),
    )


def report(job: Job) -> PackageCampaignsCanceled:
    """What a cancel came to."""
    return PackageCampaignsCanceled(
        package_id=job.line,
        edition=job.arguments["edition"],
        campaigns=job.count("campaigns"),
        processes_stopped=job.count("processes_stopped"),
        too_late=job.count("too_late"),
    )


CANCEL = JobKind("cancel", cancel, progress, report)
REINITIALIZE = JobKind("reinitialize", reinitialize)
JOBS = (CANCEL, REINITIALIZE)


def cancel_job(
    package_id: str, edition: int, campaign_id: str, cause: Cause, *, is_local: bool, is_late: bool
) -> Job:
    """The cancel of an edition; that of a local package leaves campaigns as they are, and is done.

    is_late is whether a later edition has begun before this cancel is known.
    """
    return CANCEL.job(
        package_id,
        cancel_place(edition),
        cause,
        done=is_local,
        edition=edition,
        campaign_id=campaign_id,
        is_late=is_late,
    )


def reinitialize_job(package_id: str, edition: int, cause: Cause) -> Job:
    """The reinitialization that an edition begins with."""
    return REINITIALIZE.job(package_id, reinitialize_place(edition), cause, edition=edition)
