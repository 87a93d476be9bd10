"""The part of campaigns in the cancel of a package, on a real database."""

import pytest

from contracts.campaigns import CampaignCanceled, CampaignEvent, ProcessEvent, ProcessStopped
from contracts.cancellation import CancellationProgressed, PackageCampaignsCanceled
from contracts.packages import DistributionLevel
from services.campaigns import store, sweeps
from tests.campaigns.given import (
    ACTOR,
    cancel,
    creation,
    package_canceled,
    reinitialize,
    report,
    start,
)
from tests.campaigns.stage import Stage

pytestmark = pytest.mark.servers

IDS = ["WKF1", "WKF2", "WKF3", "WKF4", "WKF5"]
BY = {"package_id": "CAT86", "edition": 1}


async def a_running_campaign(stage: Stage) -> None:
    """OP13 with one process finished, one failed, one paused and two running."""
    await stage.send(
        creation(processes=IDS),
        start(),
        report("WKF1", "finished"),
        report("WKF2", "failed"),
        report("WKF3", "paused"),
    )
    await stage.desk.said()


def counts(of: PackageCampaignsCanceled) -> tuple[int, int, int]:
    """Campaigns canceled, processes stopped, and those it was too late for."""
    return of.campaigns, of.processes_stopped, of.too_late


class TestTheCancelOfAPackage:
    """package.canceled reaches its reference campaign and every process of it."""

    async def test_stops_what_has_not_ended(self, stage: Stage) -> None:
        """Pending, running and paused processes are stopped; finished and failed ones stay."""
        await a_running_campaign(stage)
        await stage.send(package_canceled())
        await stage.work()
        assert await stage.status() == "canceled"
        assert await stage.statuses() == {
            "WKF1": "finished",
            "WKF2": "failed",
            "WKF3": "stopped",
            "WKF4": "stopped",
            "WKF5": "stopped",
        }

    async def test_reports_what_it_did(self, stage: Stage) -> None:
        """Campaigns canceled, processes stopped, and finished or failed ones as too late."""
        await a_running_campaign(stage)
        await stage.send(package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (1, 3, 2)
        assert (report_.package_id, report_.edition) == ("CAT86", 1)

    async def test_is_told_under_the_packages_key(self, stage: Stage) -> None:
        """All that one cancel causes is in order, campaign first, report last, with its cause."""
        await a_running_campaign(stage)
        await stage.send(package_canceled(), id="cancel-1", actor=ACTOR)
        await stage.work()
        said = await stage.desk.said()
        assert [s.envelope.type.removeprefix("relais.") for s in said] == [
            "package.cancellation_progressed.v1",
            "campaign.canceled.v1",
            *["process.stopped.v1"] * 3,
            "package.cancellation_progressed.v1",
            "package.campaigns_canceled.v1",
        ]
        assert {
            (s.envelope.partitionkey, s.envelope.causationid, s.envelope.actor) for s in said
        } == {("CAT86", "cancel-1", ACTOR)}

    async def test_is_kept_as_it_is_told(self, stage: Stage) -> None:
        """Events and rows agree: who canceled it, when, and every version."""
        await a_running_campaign(stage)
        await stage.send(package_canceled(), actor=ACTOR)
        await stage.work()
        events = [said.body for said in await stage.desk.said()]
        (canceled,) = [e for e in events if isinstance(e, CampaignCanceled)]
        kept = await stage.campaign()
        assert kept.state == canceled.state
        assert kept.canceled_by == canceled.canceled_by
        assert canceled.canceled_by is not None
        assert canceled.canceled_by.model_dump() == BY
        assert (canceled.changed_by, canceled.canceled_at) == (ACTOR, canceled.changed_at)
        processes = await stage.processes()
        for stopped in (e for e in events if isinstance(e, ProcessEvent)):
            assert processes[stopped.process_id] == stopped.state

    async def test_says_how_far_it_has_got(self, stage: Stage) -> None:
        """At the start nothing of all there is, at the end all of it: campaigns and processes."""
        await a_running_campaign(stage)
        await stage.send(package_canceled())
        await stage.work()
        progress = await stage.told(CancellationProgressed)
        assert [(p.service, p.done, p.expected) for p in progress] == [
            ("campaigns", 0, 6),
            ("campaigns", 6, 6),
        ]

    async def test_happens_once_however_often_it_is_told(self, stage: Stage) -> None:
        """Neither the same message again nor another about the same edition does anything."""
        await a_running_campaign(stage)
        for id in ("a", "a", "b"):
            await stage.send(package_canceled(), id=id)
            await stage.work()
        said = [s.body for s in await stage.desk.said()]
        assert len([e for e in said if isinstance(e, PackageCampaignsCanceled)]) == 1
        assert len([e for e in said if isinstance(e, CampaignCanceled)]) == 1
        assert len([e for e in said if isinstance(e, ProcessStopped)]) == 3

    @pytest.mark.parametrize("status", ["being_edited", "started"])
    async def test_cancels_whether_it_was_started_or_not(self, stage: Stage, status: str) -> None:
        """Pending processes are stopped like running ones."""
        await stage.send(creation(processes=IDS), *([start()] if status == "started" else []))
        await stage.send(package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (1, 5, 0)
        assert set((await stage.statuses()).values()) == {"stopped"}

    async def test_comes_too_late_for_a_finished_campaign(self, stage: Stage) -> None:
        """It stays finished, and its processes are those that could not be stopped."""
        await stage.send(creation(processes=["WKF1"]), start(), report("WKF1", "finished"))
        await stage.send(package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 1)
        assert await stage.status() == "finished"

    async def test_of_a_campaign_without_processes_cancels_it(self, stage: Stage) -> None:
        """There is nothing to stop, but there is a campaign."""
        await stage.send(creation())
        await stage.send(package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (1, 0, 0)
        assert await stage.status() == "canceled"

    async def test_reports_zeros_where_there_is_no_campaign(self, stage: Stage) -> None:
        """Nobody may wait for a report for ever."""
        await stage.send(package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 0)

    async def test_leaves_other_campaigns_alone(self, stage: Stage) -> None:
        """Neither the campaign of another package nor its processes are touched."""
        await stage.send(creation("OP14", IDS), start("OP14"), creation(processes=IDS))
        await stage.send(package_canceled())
        await stage.work()
        assert await stage.status("OP14") == "started"
        assert set((await stage.statuses("OP14")).values()) == {"running"}


class TestTheCancelOfALocalPackage:
    """A local package leaves the campaigns made from it as they are."""

    async def test_reports_zeros_at_once(self, stage: Stage) -> None:
        """There is no job to do, and the ledger does not wait."""
        await stage.send(creation(processes=IDS, kind="template"), start())
        await stage.desk.said()
        await stage.send(package_canceled(distribution_level=DistributionLevel.LOCAL))
        said = [s.body for s in await stage.desk.said()]
        progress, report_ = said
        assert isinstance(progress, CancellationProgressed)
        assert (progress.done, progress.expected) == (0, 0)
        assert isinstance(report_, PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 0)

    async def test_touches_no_campaign(self, stage: Stage) -> None:
        """Neither the template nor its processes, then or later."""
        await stage.send(creation(processes=IDS, kind="template"), start())
        await stage.send(package_canceled(distribution_level=DistributionLevel.LOCAL))
        await stage.work()
        assert await stage.status() == "started"
        assert set((await stage.statuses()).values()) == {"running"}

    async def test_happens_once(self, stage: Stage) -> None:
        """A repeat reports nothing again."""
        for _ in range(2):
            await stage.send(package_canceled(distribution_level=DistributionLevel.LOCAL))
        await stage.work()
        assert len(await stage.told(PackageCampaignsCanceled)) == 1


class TestPackagesThatShareACampaign:
    """The cancel of one cancels it for all."""

    async def test_count_it_once(self, stage: Stage) -> None:
        """The second finds it canceled: it cancels and stops nothing, and still reports."""
        await a_running_campaign(stage)
        await stage.send(package_canceled("CAT86"), package_canceled("CAT87"))
        await stage.work()
        reports = await stage.told(PackageCampaignsCanceled)
        assert sorted(counts(r) for r in reports) == [(0, 0, 2), (1, 3, 2)]

    async def test_leave_it_to_the_first(self, stage: Stage) -> None:
        """canceled_by tells which cancel came first."""
        await a_running_campaign(stage)
        for package_id in ("CAT87", "CAT86"):
            await stage.send(package_canceled(package_id))
            await stage.work()
        canceled_by = (await stage.campaign()).canceled_by
        assert canceled_by is not None
        assert canceled_by.package_id == "CAT87"

    async def test_leave_it_to_a_command_that_came_first(self, stage: Stage) -> None:
        """A campaign canceled directly is nobody's to reinitialize but a command's."""
        await a_running_campaign(stage)
        await stage.send(cancel())
        await stage.send(package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 2)
        assert (await stage.campaign()).canceled_by is None


class TestCampaignsMadeForOrders:
    """Child campaigns of a package's edition go with it."""

    async def test_are_canceled_with_it(self, stage: Stage) -> None:
        """They and their processes count like the reference campaign's."""
        await a_running_campaign(stage)
        await stage.add_children(["OU1_OP1", "OU2_OP2"])
        await stage.send(package_canceled())
        await stage.work()
        said = [s.body for s in await stage.desk.said()]
        (report_,) = [e for e in said if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (3, 5, 2)
        assert [p.expected for p in said if isinstance(p, CancellationProgressed)] == [10, 10]
        assert await stage.status("OU1_OP1") == await stage.status("OU2_OP2") == "canceled"

    async def test_of_another_edition_are_left_alone(self, stage: Stage) -> None:
        """Nothing of an old edition touches a newer one."""
        await stage.add_children(["OU1_OP1"], edition=1)
        await stage.add_children(["OU2_OP2"], edition=2)
        await stage.send(package_canceled(edition=1))
        await stage.work()
        assert await stage.status("OU1_OP1") == "canceled"
        assert await stage.status("OU2_OP2") == "started"


class TestALargeCancel:
    """It goes in chunks, by key, each a transaction of its own."""

    @pytest.fixture(autouse=True)
    def _small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeps, "PROCESSES", 4)
        monkeypatch.setattr(sweeps, "CAMPAIGNS", 3)

    async def test_of_one_campaign_is_chunked(self, stage: Stage) -> None:
        """A campaign with more processes than a chunk holds is canceled first, then emptied."""
        ids = [f"WKF{n:02}" for n in range(10)]
        await stage.send(creation(processes=ids), start())
        await stage.send(package_canceled())
        # Chunks of 4, 4 and 2, the look that finds no more, and the one that finds no job.
        assert await stage.work() == 5
        said = [s.body for s in await stage.desk.said()]
        assert [p.done for p in said if isinstance(p, CancellationProgressed)] == [0, 5, 9, 11]
        assert [e.process_id for e in said if isinstance(e, ProcessStopped)] == ids
        assert len([e for e in said if isinstance(e, CampaignEvent)]) == 3
        (report_,) = [e for e in said if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (1, 10, 0)

    async def test_of_one_campaign_that_fills_its_chunks_ends(self, stage: Stage) -> None:
        """The end is found by a look after the cursor, also where it falls on a chunk's edge."""
        ids = [f"WKF{n}" for n in range(8)]
        await stage.send(creation(processes=ids), start(), package_canceled())
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (1, 8, 0)

    async def test_of_many_campaigns_is_chunked(self, stage: Stage) -> None:
        """Campaigns go in the order of their ids, the reference campaign among them."""
        children = [f"OU{n}_OP{n}" for n in range(7)] + ["A_OP8", "OP12"]
        await stage.add_children(children)
        await stage.send(creation(processes=["WKF1", "WKF2", "WKF3"]), start())
        await stage.desk.said()
        await stage.send(package_canceled())
        await stage.work()
        said = [s.body for s in await stage.desk.said()]
        canceled = [e.campaign_id for e in said if isinstance(e, CampaignCanceled)]
        assert canceled == sorted([*children, "OP13"])
        (report_,) = [e for e in said if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (10, 12, 0)
        progress = [e.done for e in said if isinstance(e, CancellationProgressed)]
        assert progress == sorted(progress)
        assert progress[-1] == 22

    async def test_refuses_reports_before_it_has_come_to_the_process(self, stage: Stage) -> None:
        """From the first chunk on the whole campaign is canceled: nothing slips between."""
        await stage.send(creation(processes=[f"WKF{n}" for n in range(8)]), start())
        await stage.send(package_canceled())
        await sweeps.work_package_jobs(stage.desk.work)
        assert (await stage.statuses())["WKF7"] == "running"
        assert await stage.outcomes(report("WKF7", "finished")) == ["process_stopped"]
        assert await stage.outcomes(reinitialize()) == ["cancellation_running"]
        await stage.work()
        (report_,) = await stage.told(PackageCampaignsCanceled)
        assert counts(report_) == (1, 8, 0)
        assert await stage.outcomes(reinitialize()) == ["accepted"]

    async def test_does_not_hold_up_a_small_one(self, stage: Stage) -> None:
        """The job least worked on goes first."""
        await stage.send(creation(processes=[f"WKF{n:02}" for n in range(20)]), start())
        await stage.send(creation("OP14", ["WKF1"]), start("OP14"))
        await stage.send(package_canceled())
        await sweeps.work_package_jobs(stage.desk.work)
        await stage.send(package_canceled("CAT87", campaign_id="OP14"))
        await stage.work()
        reports = await stage.told(PackageCampaignsCanceled)
        assert [r.package_id for r in reports] == ["CAT87", "CAT86"]

    async def test_goes_on_after_a_crash_where_it_was(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A chunk that was not committed is done again, whole, and nothing is told twice."""
        ids = [f"WKF{n:02}" for n in range(10)]
        await stage.send(creation(processes=ids), start(), package_canceled())
        await sweeps.work_package_jobs(stage.desk.work)
        with monkeypatch.context() as crashing:
            crashing.setattr(store, "save_job", fail)
            with pytest.raises(RuntimeError):
                await sweeps.work_package_jobs(stage.desk.work)
        assert (await stage.statuses())["WKF04"] == "running"
        await stage.work()
        said = [s.body for s in await stage.desk.said()]
        assert [e.process_id for e in said if isinstance(e, ProcessStopped)] == ids
        assert len([e for e in said if isinstance(e, CampaignCanceled)]) == 1
        (report_,) = [e for e in said if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (1, 10, 0)
        assert {p.version for p in (await stage.processes()).values()} == {3}

    async def test_goes_on_after_a_crash_before_the_report(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The report and the end of the job are one: neither is without the other."""
        await stage.send(creation(processes=["WKF1"]), start(), package_canceled())
        await sweeps.work_package_jobs(stage.desk.work)
        with monkeypatch.context() as crashing:
            crashing.setattr(store, "redo_reinitializations", fail)
            with pytest.raises(RuntimeError):
                await sweeps.work_package_jobs(stage.desk.work)
        await stage.work()
        assert len(await stage.told(PackageCampaignsCanceled)) == 1


async def fail(*_: object) -> None:
    """The worker dies here."""
    raise RuntimeError("killed")
