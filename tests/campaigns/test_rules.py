"""The rules of campaigns: what each command leaves behind and says, and its refusals."""

import pytest

from contracts.campaigns import (
    CampaignCanceled,
    CampaignCreated,
    CampaignEvent,
    CampaignFinished,
    CampaignReinitialized,
    CampaignStarted,
    CanceledBy,
    ProcessEvent,
    ProcessFinished,
    ProcessPaused,
    ProcessStarted,
    ProcessState,
    ProcessStatus,
    ProcessStopped,
)
from contracts.sentences import last_change
from services.campaigns import handlers, transitions
from services.runtime.decision import Accepted, Unchanged, Unknown
from tests.campaigns.given import (
    ACTOR,
    EARLIER,
    NOW,
    campaign,
    cancel,
    creation,
    decide,
    process,
    received,
    reinitialize,
    report,
    start,
    world,
)
from tests.campaigns.then import events_of, only, refused


class TestACreation:
    """campaign.create makes a campaign and its processes."""

    def test_keeps_what_it_is_given(self) -> None:
        """The state has every field of the command, and process ids in the order given."""
        command = creation(
            processes=["WKF7", "DM6"],
            kind="template",
            program="PR1",
            starts_at="2026-12-01T00:00:00Z",
            ends_at="2026-12-24T00:00:00Z",
            max_documents=3,
        )
        (event,) = only(CampaignCreated, decide(command))
        assert event.process_ids == ["WKF7", "DM6"]
        for name in ("label", "kind", "program", "starts_at", "ends_at", "max_documents"):
            assert getattr(event, name) == getattr(command, name)
        assert (event.version, event.changed_at, event.changed_by) == (1, NOW, ACTOR)

    def test_lets_its_processes_wait(self) -> None:
        """Each is pending, in its first version; nothing is said of them yet."""
        known = world()
        decision = handlers.handle(known, received(creation(processes=["WKF7"])))
        assert [event.TYPE for event in events_of(decision)] == [CampaignCreated.TYPE]
        made = known.processes.get(("OP13", "WKF7"))
        assert made is not None
        assert (made.status, made.version, made.changed_at) == ("pending", 1, NOW)

    def test_may_have_no_processes(self) -> None:
        """A campaign without processes has null for their ids."""
        (event,) = only(CampaignCreated, decide(creation()))
        assert event.process_ids is None

    def test_of_a_known_campaign_names_it(self) -> None:
        """The refusal tells which campaign has the id already."""
        refusal = refused(decide(creation(), campaign(label="Spring windows")))
        assert refusal.version == 4
        assert "OP13" in refusal.message
        assert "Spring windows" in refusal.message


class TestSayingWhoWasFirst:
    """A command that comes too late is told when and by whom the campaign was changed."""

    def test_of_a_campaign_names_the_package_whose_cancel_it_was(self) -> None:
        """It is the package that has to be reinitialized."""
        decision = decide(cancel(), campaign("canceled", by=("CAT86", 2), changed_by="m.durand"))
        assert isinstance(decision, Unchanged)
        assert decision.message == (
            f"campaign OP13 is canceled already, {last_change(EARLIER, 'm.durand')} "
            "with the cancel of package CAT86, edition 2"
        )

    def test_is_told_the_same_where_it_is_refused(self) -> None:
        """Two operators may want different things."""
        assert last_change(EARLIER, None) in refused(decide(start(), campaign("finished"))).message


class TestAStart:
    """campaign.start lets the pending processes of a campaign run."""

    def test_tells_of_the_campaign_and_then_of_each_process(self) -> None:
        """An engine that reads in order knows the campaign before its processes."""
        ids = ["WKF1", "WKF2"]
        decision = decide(start(), campaign(processes=ids), map(process, ids))
        first, *others = events_of(decision)
        assert isinstance(first, CampaignStarted)
        assert [(e.process_id, e.version) for e in others if isinstance(e, ProcessStarted)] == [
            ("WKF1", 3),
            ("WKF2", 3),
        ]
        assert isinstance(decision, Accepted)
        assert decision.version == first.version == 5

    def test_of_a_campaign_whose_processes_have_all_ended_finishes_it(self) -> None:
        """Those of an earlier life do not run again, and nobody is left to report an end."""
        processes = [process("WKF1", "finished"), process("WKF2", "failed")]
        decision = decide(start(), campaign(processes=["WKF1", "WKF2"]), processes)
        assert [e.version for e in only(CampaignEvent, decision)] == [5, 6]
        assert isinstance(events_of(decision)[-1], CampaignFinished)
        assert isinstance(decision, Accepted)
        assert decision.version == 6

    def test_of_a_campaign_without_processes_leaves_it_started(self) -> None:
        """It has no last process, so it is never finished by one."""
        assert [type(e) for e in events_of(decide(start(), campaign()))] == [CampaignStarted]


class TestACancel:
    """campaign.cancel stops a campaign and what has not ended of it."""

    def test_by_command_names_no_package(self) -> None:
        """canceled_by is for the cancels of packages."""
        (event,) = only(CampaignCanceled, decide(cancel(), campaign("started")))
        assert event.canceled_by is None
        assert (event.canceled_at, event.changed_by, event.version) == (NOW, ACTOR, 5)

    def test_stops_what_has_not_ended(self) -> None:
        """Pending, running and paused processes are stopped, each told of; ended ones stay."""
        processes = [process(f"WKF-{status}", status) for status in ProcessStatus]
        decision = decide(
            cancel(), campaign("started", [p.process_id for p in processes]), processes
        )
        stopped = only(ProcessStopped, decision)
        assert [p.process_id for p in stopped] == ["WKF-pending", "WKF-running", "WKF-paused"]
        assert {(p.status, p.version, p.changed_at) for p in stopped} == {("stopped", 3, NOW)}


class TestAReinitialization:
    """campaign.reinitialize lets a canceled campaign be used again."""

    def test_forgets_the_cancel(self) -> None:
        """Neither when nor by whom it was canceled is left."""
        known = world([campaign("canceled", by=("CAT86", 1))])
        decision = handlers.handle(known, received(reinitialize()))
        (event,) = only(CampaignReinitialized, decision)
        assert (event.canceled_at, event.version, event.status) == (None, 5, "being_edited")
        left = known.campaigns.get("OP13")
        assert left is not None
        assert left.canceled_by is None

    def test_lets_stopped_processes_wait_without_a_word(self) -> None:
        """The wire has no event for it; the version moves on, and the last report is over."""
        known = world([campaign("canceled", ["WKF1"])], [process("WKF1", "stopped", detail="50 %")])
        decision = handlers.handle(known, received(reinitialize()))
        assert [e.wire_type for e in events_of(decision)] == [CampaignReinitialized.TYPE]
        assert known.processes.get(("OP13", "WKF1")) == process(
            "WKF1", "pending", version=3, changed_at=NOW
        )

    def test_waits_for_the_end_of_a_running_cancel(self) -> None:
        """While processes are still being stopped the campaign stays canceled."""
        known = campaign("canceled", ["WKF1"], by=("CAT86", 1))
        refusal = refused(decide(reinitialize(), known, [process("WKF1", "running")]))
        assert refusal.code == "cancellation_running"


class TestAReport:
    """process.report records what an engine says."""

    def test_keeps_the_detail(self) -> None:
        """The detail of a process is that of its last report."""
        known = campaign("started", ["WKF1", "WKF2"])
        processes = [process("WKF1", "running", detail="50 %"), process("WKF2")]
        decision = decide(report("WKF1", "paused", detail="no paper"), known, processes)
        (event,) = only(ProcessPaused, decision)
        assert (event.detail, event.version, event.changed_at) == ("no paper", 3, NOW)

    def test_of_the_last_open_process_finishes_a_started_campaign(self) -> None:
        """Finished and failed alike are final."""
        known = campaign("started", ["WKF1", "WKF2"])
        processes = [process("WKF1", "running"), process("WKF2", "failed")]
        decision = decide(report("WKF1", "finished"), known, processes)
        ended, finished = events_of(decision)
        assert isinstance(ended, ProcessFinished)
        assert isinstance(finished, CampaignFinished)
        assert (finished.version, finished.changed_by) == (5, ACTOR)
        assert isinstance(decision, Accepted)
        assert decision.version == ended.version == 3

    @pytest.mark.parametrize("other", ["pending", "running", "paused"])
    def test_of_any_other_process_does_not(self, other: str) -> None:
        """While one process is open the campaign goes on."""
        known = campaign("started", ["WKF1", "WKF2"])
        processes = [process("WKF1", "running"), process("WKF2", other)]
        decision = decide(report("WKF1", "finished"), known, processes)
        assert only(CampaignFinished, decision) == []

    def test_never_finishes_a_campaign_that_is_not_started(self) -> None:
        """A campaign that is being edited stays so, also when all its processes have ended."""
        decision = decide(
            report("WKF1", "finished"), campaign(processes=["WKF1"]), [process("WKF1", "running")]
        )
        assert only(CampaignFinished, decision) == []

    def test_of_an_unknown_process_is_refused_at_once(self) -> None:
        """The campaign is known and its processes with it: there is nothing to wait for."""
        refusal = refused(decide(report("WKF9", "running"), campaign("started", ["WKF1"])))
        assert refusal.code == "unknown_process"
        assert not isinstance(refusal, Unknown)
        assert "WKF9" in refusal.message

    def test_of_a_process_of_another_campaign_is_unknown(self) -> None:
        """A process id is its campaign's own."""
        known = world(
            [campaign("started"), campaign("started", ["WKF1"], campaign_id="OP14")],
            [process("WKF1", campaign_id="OP14")],
        )
        decision = handlers.handle(known, received(report("WKF1", "running")))
        assert refused(decision).code == "unknown_process"


class TestAnUnknownCampaign:
    """A command about a campaign that may be created a moment later waits."""

    @pytest.mark.parametrize("command", [start(), cancel(), reinitialize(), report("W", "failed")])
    def test_is_waited_for(self, command: object) -> None:
        """The refusal is one that is decided again for a while."""
        assert isinstance(decide(command), Unknown)  # type: ignore[arg-type]


class TestTheCancelOfAPackage:
    """What it does to one campaign of the package."""

    BY = CanceledBy(package_id="CAT86", edition=2)

    def events_of_cancel(self, **of: object) -> list[CampaignEvent]:
        """The events when the cancel reaches this campaign."""
        known = campaign(**of)  # type: ignore[arg-type]
        return transitions.cancel_for(known, self.BY, now=NOW, actor=ACTOR)

    @pytest.mark.parametrize("status", ["being_edited", "started"])
    def test_cancels_it(self, status: str) -> None:
        """The event tells which cancel of which package did it."""
        (event,) = self.events_of_cancel(status=status)
        assert isinstance(event, CampaignCanceled)
        assert (event.canceled_by, event.canceled_at) == (self.BY, NOW)
        assert (event.version, event.changed_by) == (5, ACTOR)

    def test_comes_too_late_for_a_finished_one(self) -> None:
        """What has ended stays as it is."""
        assert self.events_of_cancel(status="finished") == []

    @pytest.mark.parametrize("by", [None, ("CAT7", 1), ("CAT86", 2), ("CAT86", 3)])
    def test_leaves_a_canceled_one_to_who_canceled_it(self, by: tuple[str, int] | None) -> None:
        """canceled_by stays with the first: a command, another package, a repeat, a later life."""
        assert self.events_of_cancel(status="canceled", by=by) == []

    def test_lets_one_return_first_that_its_own_earlier_edition_canceled(self) -> None:
        """The package was reinitialized since, and the campaign with it: that news is late."""
        returned, canceled = self.events_of_cancel(status="canceled", by=("CAT86", 1))
        assert isinstance(returned, CampaignReinitialized)
        assert isinstance(canceled, CampaignCanceled)
        assert (returned.version, canceled.version) == (5, 6)
        assert canceled.canceled_by == self.BY


def test_states_are_whole() -> None:
    """Every field of a state is on its event, also where nothing was given."""
    known = campaign("started", ["WKF1"])
    decision = decide(report("WKF1", "paused"), known, [process("WKF1", changed_at=EARLIER)])
    for event in events_of(decision):
        assert isinstance(event, ProcessEvent)
        assert set(event.model_dump()) == set(ProcessState.model_fields)
