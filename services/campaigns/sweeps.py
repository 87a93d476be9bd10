"""The table work of the campaigns service: what cancels and reinitializations of packages do."""

from collections.abc import Iterable, Sequence

from contracts.campaigns import (
    CampaignEvent,
    CampaignReinitialized,
    CampaignStatus,
    ProcessEvent,
    ProcessState,
    ProcessStatus,
)
from services.campaigns import jobs, store, transitions
from services.campaigns.jobs import Job, JobKind
from services.campaigns.transitions import ENDED, OPEN, Campaign
from services.runtime.service import Sweep
from services.runtime.tables.transaction import Transaction, Work

PACKAGE_JOBS = "package_jobs"

PROCESSES = 5_000
"""Processes that one transaction visits at most."""

CAMPAIGNS = 500
"""Campaigns that one transaction visits at most."""


async def work_package_jobs(work: Work) -> bool:
    """Do the next piece of the job whose turn it is."""
    async with work.publishing() as tx:
        job = await store.claim_job(tx.conn)
        if job is None:
            return False
        if job.kind == JobKind.CANCEL:
            await _cancel(tx, job)
        else:
            await _reinitialize(tx, job)
    return True


async def _cancel(tx: Transaction, job: Job) -> None:
    """Visit the next campaigns of a cancel; when none follow the cursor, it is done."""
    following = await store.lock_concerned(tx.conn, job, CAMPAIGNS)
    if not following:
        await _complete(tx, job)
        return
    campaigns = _that_fit(following)
    first_visits = campaigns if job.after_process is None else campaigns[1:]
    canceled = await _cancel_campaigns(tx, job, first_visits)
    # What was canceled before, by whomever, is looked at too: nothing of it may run on.
    stoppable = canceled | {c.id for c in campaigns if c.state.status == CampaignStatus.CANCELED}
    processes = await store.next_processes(tx.conn, campaigns, job, PROCESSES)
    stopped = await _stop_processes(tx, job, [p for p in processes if p.campaign_id in stoppable])
    unfinished = len(campaigns) == 1 and len(processes) == PROCESSES
    job = job.moved(
        campaigns[-1].id,
        processes[-1].process_id if unfinished else None,
        visited=len(first_visits) + len(processes),
        campaigns=len(canceled),
        processes_stopped=stopped,
        too_late=sum(process.status in ENDED for process in processes),
    )
    await store.save_job(tx.conn, job)
    tx.emit(jobs.progress(job), job.cause)


def _that_fit(following: Sequence[Campaign]) -> list[Campaign]:
    """As many campaigns as one transaction visits; one that is larger than that comes alone."""
    fitting: list[Campaign] = []
    processes = 0
    for campaign in following:
        processes += len(campaign.state.process_ids or ())
        if fitting and processes > PROCESSES:
            break
        fitting.append(campaign)
    return fitting


async def _cancel_campaigns(tx: Transaction, job: Job, campaigns: Iterable[Campaign]) -> set[str]:
    """Cancel those that it is not too late for; returns their ids."""
    changed: list[Campaign] = []
    told: list[CampaignEvent] = []
    for campaign in campaigns:
        events = transitions.cancel_for(
            campaign, job.canceled_by, now=tx.now, actor=job.cause.actor
        )
        if events:
            told += events
            changed.append(campaign.after(events[-1]))
    await store.save_campaigns(tx.conn, changed, locked=[c.id for c in changed])
    await _revive(tx, [e.campaign_id for e in told if isinstance(e, CampaignReinitialized)])
    _tell(tx, job, told)
    return {campaign.id for campaign in changed}


async def _stop_processes(tx: Transaction, job: Job, processes: Iterable[ProcessState]) -> int:
    """Stop those that have not ended; returns their number."""
    events = [transitions.stop(p, now=tx.now) for p in processes if p.status in OPEN]
    await store.save_processes(tx.conn, [event.state for event in events])
    _tell(tx, job, events)
    return len(events)


async def _complete(tx: Transaction, job: Job) -> None:
    await store.save_job(tx.conn, job.finished())
    await store.redo_reinitializations(tx.conn, job)
    tx.emit(jobs.report(job), job.cause)


async def _reinitialize(tx: Transaction, job: Job) -> None:
    """Let the campaigns return that a cancel of an earlier edition canceled, in one piece."""
    campaigns = await store.lock_canceled_by(tx.conn, job.package_id, before=job.edition)
    actor = job.cause.actor
    events = [transitions.reinitialize(c, now=tx.now, actor=actor) for c in campaigns]
    after = [c.after(event) for c, event in zip(campaigns, events, strict=True)]
    ids = [campaign.id for campaign in campaigns]
    await store.save_campaigns(tx.conn, after, locked=ids)
    await _revive(tx, ids)
    await store.save_job(tx.conn, job.finished())
    _tell(tx, job, events)


async def _revive(tx: Transaction, campaign_ids: Sequence[str]) -> None:
    """Let the stopped processes of these campaigns wait to be started again."""
    processes = await store.load_processes(tx.conn, campaign_ids)
    stopped = [p for p in processes.values() if p.status == ProcessStatus.STOPPED]
    await store.save_processes(tx.conn, [transitions.revive(p, now=tx.now) for p in stopped])


def _tell(tx: Transaction, job: Job, events: Iterable[CampaignEvent | ProcessEvent]) -> None:
    """Say what the package caused; its key keeps the order of all that one package causes."""
    for event in events:
        tx.emit(event, job.cause, key=job.package_id)


SWEEPS = (Sweep(PACKAGE_JOBS, work_package_jobs),)
