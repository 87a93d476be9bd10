"""The single steps of campaigns and processes, whoever causes them. Pure, as domain is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.campaigns import (
    CampaignCanceled,
    CampaignEvent,
    CampaignFinished,
    CampaignReinitialized,
    CampaignStarted,
    CampaignState,
    CampaignStatus,
    CanceledBy,
    ProcessStarted,
    ProcessState,
    ProcessStatus,
    ProcessStopped,
)

OPEN = frozenset({ProcessStatus.PENDING, ProcessStatus.RUNNING, ProcessStatus.PAUSED})
"""The processes that a cancel stops."""

ENDED = frozenset({ProcessStatus.FINISHED, ProcessStatus.FAILED})
"""The processes that a cancel comes too late for."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, and what only this service keeps of it.

    edition is that of the package it was made for, where there is one; canceled_by is None
    unless the cancel of a package canceled it.
    """

    state: CampaignState
    edition: int | None = None
    canceled_by: CanceledBy | None = None

    @property
    def id(self) -> str:
        """The campaign's id."""
        return self.state.campaign_id

    def after(self, event: CampaignEvent) -> "Campaign":
        """The campaign as an event of it leaves it."""
        by = event.canceled_by if isinstance(event, CampaignCanceled) else None
        return Campaign(event.state, self.edition, by)


def start(campaign: Campaign, *, now: datetime, actor: str | None) -> CampaignStarted:
    """Start a campaign that was being edited."""
    step = _step(campaign, CampaignStatus.STARTED, now, actor)
    return CampaignStarted.of(campaign.state, **step)


def finish(campaign: Campaign, *, now: datetime, actor: str | None) -> CampaignFinished:
    """End a started campaign whose last process has ended."""
    step = _step(campaign, CampaignStatus.FINISHED, now, actor)
    return CampaignFinished.of(campaign.state, **step)


def cancel(
    campaign: Campaign, by: CanceledBy | None, *, now: datetime, actor: str | None
) -> CampaignCanceled:
    """Cancel a campaign; by: the package and edition whose cancel does it, else None."""
    step = _step(campaign, CampaignStatus.CANCELED, now, actor)
    return CampaignCanceled.of(campaign.state, canceled_at=now, canceled_by=by, **step)


def reinitialize(campaign: Campaign, *, now: datetime, actor: str | None) -> CampaignReinitialized:
    """Make a canceled campaign ready to be used again."""
    step = _step(campaign, CampaignStatus.BEING_EDITED, now, actor)
    return CampaignReinitialized.of(campaign.state, canceled_at=None, **step)


def cancel_for(
    campaign: Campaign, by: CanceledBy, *, now: datetime, actor: str | None
) -> list[CampaignEvent]:
    """What the cancel of a package does to a campaign of it; nothing where it comes too late.

    A campaign that an earlier edition of the same package canceled was reinitialized with the
    package; that news is still on its way, and is anticipated here.
    """
    if campaign.state.status in (CampaignStatus.BEING_EDITED, CampaignStatus.STARTED):
        return [cancel(campaign, by, now=now, actor=actor)]
    former = campaign.canceled_by
    if former is None or former.package_id != by.package_id or former.edition >= by.edition:
        return []
    again = reinitialize(campaign, now=now, actor=actor)
    return [again, cancel(campaign.after(again), by, now=now, actor=actor)]


def run(process: ProcessState, *, now: datetime) -> ProcessStarted:
    """Let a pending process run."""
    return ProcessStarted.of(process, **_process_step(process, ProcessStatus.RUNNING, now))


def stop(process: ProcessState, *, now: datetime) -> ProcessStopped:
    """Stop a process that has not ended."""
    return ProcessStopped.of(process, **_process_step(process, ProcessStatus.STOPPED, now))


def revive(process: ProcessState, *, now: datetime) -> ProcessState:
    """A stopped process as it waits to be started again; what was last said of it is over."""
    step = _process_step(process, ProcessStatus.PENDING, now)
    return process.model_copy(update={**step, "detail": None})


def _step(
    campaign: Campaign, status: CampaignStatus, now: datetime, actor: str | None
) -> dict[str, Any]:
    version = campaign.state.version + 1
    return {"status": status, "version": version, "changed_at": now, "changed_by": actor}


def _process_step(process: ProcessState, status: ProcessStatus, now: datetime) -> dict[str, Any]:
    return {"status": status, "version": process.version + 1, "changed_at": now}
