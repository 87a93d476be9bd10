"""What holds of campaigns and processes whatever is asked of them."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.campaigns import (
    CampaignCommand,
    CampaignEvent,
    CampaignState,
    ProcessEvent,
    ProcessState,
    ProcessStatus,
)
from services.campaigns import handlers
from services.campaigns.transitions import ENDED, OPEN
from services.campaigns.world import World
from services.runtime.decision import Accepted, Refused, Unchanged
from tests.campaigns.given import (
    cancel,
    creation,
    received,
    reinitialize,
    report,
    start,
    world,
)

IDS = st.sampled_from(["OP1", "OP2"])
PROCESS_IDS = ["WKF1", "WKF2", "DM1"]
COMMANDS: st.SearchStrategy[CampaignCommand] = st.one_of(
    st.builds(creation, IDS, st.lists(st.sampled_from(PROCESS_IDS), unique=True)),
    st.builds(start, IDS),
    st.builds(cancel, IDS),
    st.builds(reinitialize, IDS),
    st.builds(
        report,
        st.sampled_from(PROCESS_IDS),
        st.sampled_from(["running", "paused", "finished", "failed"]),
        IDS,
    ),
)
SEQUENCES = st.lists(COMMANDS, max_size=40).map(lambda some: [creation("OP1", PROCESS_IDS), *some])


def check(known: World) -> None:
    """What is true of every campaign after every command."""
    for campaign in known.campaigns.values():
        state = campaign.state
        processes = known.processes_of(campaign)
        statuses = {process.status for process in processes}
        assert len(processes) == len(state.process_ids or ())
        assert (ProcessStatus.STOPPED in statuses) <= (state.status == "canceled")
        assert (state.canceled_at is not None) == (state.status == "canceled")
        match state.status:
            case "canceled":
                assert not statuses & OPEN
            case "finished":
                assert statuses
                assert statuses <= ENDED
            case "started":
                assert not statuses or statuses & OPEN
            case _:
                assert state.status == "being_edited"


@given(SEQUENCES)
@settings(max_examples=200, deadline=None)
def test_any_sequence_leaves_sound_campaigns(commands: list[CampaignCommand]) -> None:
    """A canceled campaign runs nothing, a finished one has ended, a started one has work left."""
    known = world()
    for command in commands:
        handlers.handle(known, received(command))
        check(known)


@given(SEQUENCES)
@settings(max_examples=200, deadline=None)
def test_versions_count_the_changes_of_each_thing(commands: list[CampaignCommand]) -> None:
    """A campaign tells of every version; a process of each but its creation and its returns."""
    known = world()
    campaigns: Counter[str] = Counter()
    processes: Counter[tuple[str, str]] = Counter()
    for command in commands:
        decision = handlers.handle(known, received(command))
        for event in decision.events if isinstance(decision, Accepted) else ():
            if isinstance(event, CampaignEvent):
                campaigns[event.campaign_id] += 1
                assert event.version == campaigns[event.campaign_id]
            elif isinstance(event, ProcessEvent):
                key = (event.campaign_id, event.process_id)
                assert event.version > max(processes[key], 1)
                processes[key] = event.version


@given(SEQUENCES)
@settings(max_examples=200, deadline=None)
def test_a_repeat_changes_nothing(commands: list[CampaignCommand]) -> None:
    """A command decided again right after itself is unchanged, or refused for what it did."""
    known = world()
    for command in commands:
        first = handlers.handle(known, received(command))
        before = states(known)
        again = handlers.handle(known, received(command))
        assert states(known) == before
        match first, again:
            case Accepted(), Unchanged() | Refused(code="already_exists" | "wrong_status"):
                pass
            case _:
                assert again == first


@given(SEQUENCES)
@settings(max_examples=200, deadline=None)
def test_what_is_said_is_what_is_kept(commands: list[CampaignCommand]) -> None:
    """The last event of a campaign is its state: who listens knows as much as the table."""
    known = world()
    told: dict[str, CampaignState] = {}
    for command in commands:
        decision = handlers.handle(known, received(command))
        for event in decision.events if isinstance(decision, Accepted) else ():
            if isinstance(event, CampaignEvent):
                told[event.campaign_id] = event.state
    assert told == {campaign.id: campaign.state for campaign in known.campaigns.values()}


def states(known: World) -> list[CampaignState | ProcessState]:
    """Everything there is."""
    return [campaign.state for campaign in known.campaigns.values()] + [*known.processes.values()]
