"""The rules of commands about campaigns. Pure: time and everything else comes in as a value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from contracts import names
from contracts.campaigns import (
    CampaignCommand,
    CampaignCreated,
    CampaignEvent,
    CampaignState,
    CampaignStatus,
    CancelCampaign,
    CreateCampaign,
    ProcessEvent,
    ProcessFailed,
    ProcessFinished,
    ProcessPaused,
    ProcessSpec,
    ProcessStarted,
    ProcessState,
    ProcessStatus,
    ReinitializeCampaign,
    ReportProcess,
    StartCampaign,
)
from contracts.outcomes import RefusalCode
from contracts.sentences import last_change, printable
from services.campaigns import transitions
from services.campaigns.transitions import ENDED, OPEN, Campaign
from services.runtime.decision import Refused, Unchanged, Unknown

Status = CampaignStatus

LifeCommand = StartCampaign | CancelCampaign | ReinitializeCampaign
"""Commands that move a campaign with all its processes."""

ALLOWED: dict[type[CampaignCommand], tuple[Status, ...]] = {
    StartCampaign: (Status.BEING_EDITED,),
    CancelCampaign: (Status.BEING_EDITED, Status.STARTED),
    ReinitializeCampaign: (Status.CANCELED,),
}
TARGET: dict[type[CampaignCommand], Status] = {
    StartCampaign: Status.STARTED,
    CancelCampaign: Status.CANCELED,
    ReinitializeCampaign: Status.BEING_EDITED,
}
REPORTED: dict[ProcessStatus, type[ProcessEvent]] = {
    ProcessStatus.RUNNING: ProcessStarted,
    ProcessStatus.PAUSED: ProcessPaused,
    ProcessStatus.FINISHED: ProcessFinished,
    ProcessStatus.FAILED: ProcessFailed,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What an accepted command does: what it says, and the rows as it leaves them.

    campaign is None where it stays as it is; processes are those that changed, also where no
    event tells of it.  version is that of what the command is about.
    """

    events: tuple[CampaignEvent | ProcessEvent, ...]
    campaign: Campaign | None
    processes: tuple[ProcessState, ...]
    version: int


Outcome = Change | Unchanged | Refused


def create(
    known: Campaign | None, command: CreateCampaign, *, now: datetime, actor: str | None
) -> Outcome:
    """Make a campaign of an unused id, with its processes."""
    if known is not None:
        return Refused(
            RefusalCode.ALREADY_EXISTS,
            f"campaign {command.campaign_id} exists already, with the label "
            f"'{printable(known.state.label)}'; use another id",
            known.state.version,
        )
    given = dict(command)
    specs: list[ProcessSpec] = given.pop("processes") or []
    state = CampaignState.model_construct(
        **given,
        process_ids=[spec.process_id for spec in specs] or None,
        status=Status.BEING_EDITED,
        version=1,
        changed_at=now,
        changed_by=actor,
    )
    processes = tuple(_pending(spec, command.campaign_id, now) for spec in specs)
    return Change((CampaignCreated.of(state),), Campaign(state), processes, 1)


def _pending(spec: ProcessSpec, campaign_id: str, now: datetime) -> ProcessState:
    return ProcessState.model_construct(
        **dict(spec),
        campaign_id=campaign_id,
        status=ProcessStatus.PENDING,
        version=1,
        changed_at=now,
    )


def decide(
    campaign: Campaign,
    processes: Sequence[ProcessState],
    command: LifeCommand,
    *,
    now: datetime,
    actor: str | None,
) -> Outcome:
    """Move a campaign through its life, with its processes, all of which are given."""
    state = campaign.state
    if state.status == TARGET[type(command)]:
        text = f"campaign {state.campaign_id} is {state.status} already, {_changed(campaign)}"
        return Unchanged(text, state.version)
    if state.status not in ALLOWED[type(command)]:
        return _wrong_status(campaign, command)
    match command:
        case StartCampaign():
            return _start(campaign, processes, now, actor)
        case CancelCampaign():
            canceled = transitions.cancel(campaign, None, now=now, actor=actor)
            stopped = [transitions.stop(p, now=now) for p in processes if p.status in OPEN]
            return _change(campaign, [canceled], stopped)
        case ReinitializeCampaign():
            return _reinitialize(campaign, processes, now, actor)
    assert_never(command)


def _start(
    campaign: Campaign, processes: Sequence[ProcessState], now: datetime, actor: str | None
) -> Change:
    events: list[CampaignEvent] = [transitions.start(campaign, now=now, actor=actor)]
    if processes and all(p.status in ENDED for p in processes):
        # They ended in an earlier life: nobody is left to report an end.
        started = campaign.after(events[0])
        events.append(transitions.finish(started, now=now, actor=actor))
    running = [transitions.run(p, now=now) for p in processes if p.status == ProcessStatus.PENDING]
    return _change(campaign, events, running)


def _reinitialize(
    campaign: Campaign, processes: Sequence[ProcessState], now: datetime, actor: str | None
) -> Outcome:
    if any(p.status in OPEN for p in processes):
        return Refused(
            RefusalCode.CANCELLATION_RUNNING,
            f"processes of campaign {campaign.state.campaign_id} are still being stopped; "
            "reinitialize it when the cancel is complete",
            campaign.state.version,
        )
    event = transitions.reinitialize(campaign, now=now, actor=actor)
    stopped = [p for p in processes if p.status == ProcessStatus.STOPPED]
    revived = tuple(transitions.revive(p, now=now) for p in stopped)
    return Change((event,), campaign.after(event), revived, event.version)


def _change(
    campaign: Campaign, events: Sequence[CampaignEvent], processes: Iterable[ProcessEvent]
) -> Change:
    """A change of a campaign, all of whose process changes are told."""
    told = tuple(processes)
    last = events[-1]
    states = tuple(event.state for event in told)
    return Change((*events, *told), campaign.after(last), states, last.version)


def report(
    campaign: Campaign,
    process: ProcessState | None,
    command: ReportProcess,
    *,
    is_last: bool,
    now: datetime,
    actor: str | None,
) -> Outcome:
    """Record what an engine says; is_last: no other process of the campaign is open."""
    if process is None:
        return _unknown_process(campaign.state, command)
    if refusal := _check_report(campaign, process, command):
        return refusal
    event = REPORTED[command.status].of(
        process,
        status=ProcessStatus(command.status),
        detail=command.detail,
        version=process.version + 1,
        changed_at=now,
    )
    ends = is_last and event.status in ENDED and campaign.state.status == Status.STARTED
    if not ends:
        return Change((event,), None, (event.state,), event.version)
    finished = transitions.finish(campaign, now=now, actor=actor)
    return Change((event, finished), campaign.after(finished), (event.state,), event.version)


def _check_report(
    campaign: Campaign, process: ProcessState, command: ReportProcess
) -> Unchanged | Refused | None:
    status = process.status
    if status in OPEN and campaign.state.status == Status.CANCELED:
        # The cancel has come; its sweep is on the way to this process.
        status = ProcessStatus.STOPPED
    named = f"process {process.process_id} of campaign {process.campaign_id} is {status}"
    changed = last_change(process.changed_at, None)
    if status == command.status:
        return Unchanged(f"{named} already, {changed}", process.version)
    if status == ProcessStatus.STOPPED:
        advice = "do not run it unless process.started says so"
        return Refused(
            RefusalCode.PROCESS_STOPPED, f"{named}, {changed}; {advice}", process.version
        )
    if status in ENDED:
        accepted = f"process.report is accepted from {', '.join(sorted(OPEN))}"
        return Refused(RefusalCode.WRONG_STATUS, f"{named}, {changed}; {accepted}", process.version)
    return None


def unknown(command: CampaignCommand) -> Unknown:
    """The answer to a command about a campaign that does not exist yet."""
    text = f"campaign {command.campaign_id} is not known; create it with campaign.create first"
    return Unknown(RefusalCode.UNKNOWN_CAMPAIGN, text)


def _unknown_process(state: CampaignState, command: ReportProcess) -> Refused:
    return Refused(
        RefusalCode.UNKNOWN_PROCESS,
        f"campaign {state.campaign_id} has no process {command.process_id}; "
        f"one of its {len(state.process_ids or ())} process_ids is accepted",
    )


def _changed(campaign: Campaign) -> str:
    """When and by whom, and with which package where its cancel did it."""
    by = campaign.canceled_by
    along = f" with the cancel of package {by.package_id}, edition {by.edition}" if by else ""
    return last_change(campaign.state.changed_at, campaign.state.changed_by) + along


def _wrong_status(campaign: Campaign, command: LifeCommand) -> Refused:
    state = campaign.state
    name = names.short_type(command.wire_type)
    return Refused(
        RefusalCode.WRONG_STATUS,
        f"campaign {state.campaign_id} is {state.status}, {_changed(campaign)}; {name} is "
        f"accepted from {', '.join(ALLOWED[type(command)])}",
        state.version,
    )
