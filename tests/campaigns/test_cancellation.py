"""The part of campaigns in the cancel of a package, on a real database."""

import pytest

from contracts.campaigns import CampaignCanceled, CampaignEvent, ProcessEvent, ProcessStopped
from contracts.cancellation import CancellationProgressed, PackageCampaignsCanceled
from contracts.packages import DistributionLevel
from services.campaigns import jobs as kinds
from services.runtime.service import jobs
from tests.campaigns.given import (
    ACTOR,
    cancel,
    creation,
    package_canceled,
    reinitialize,
    report,
    start,
)
from tests.campaigns.harness import CampaignsHarness
from tests.conftest import PieceSizes

pytestmark = pytest.mark.servers

IDS = ["WKF1", "WKF2", "WKF3", "WKF4", "WKF5"]
BY = {"package_id": "CAT86", "edition": 1}


async def a_running_campaign(harness: CampaignsHarness) -> None:
    """OP13 with one process finished, one failed, one paused and two running."""
    await harness.send(
        creation(processes=IDS),
        start(),
        report("WKF1", "finished"),
        report("WKF2", "failed"),
        report("WKF3", "paused"),
    )
    await harness.inner.emitted()


def counts(of: PackageCampaignsCanceled) -> tuple[int, int, int]:
    """Campaigns canceled, processes stopped, and those it was too late for."""
    return of.campaigns, of.processes_stopped, of.too_late


class TestTheCancelOfAPackage:
    """package.canceled reaches its reference campaign and every process of it."""

    async def test_stops_what_has_not_ended(self, harness: CampaignsHarness) -> None:
        """Pending, running and paused processes are stopped; finished and failed ones stay."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        assert await harness.status() == "canceled"
        assert await harness.statuses() == {
            "WKF1": "finished",
            "WKF2": "failed",
            "WKF3": "stopped",
            "WKF4": "stopped",
            "WKF5": "stopped",
        }

    async def test_reports_what_it_did(self, harness: CampaignsHarness) -> None:
        """Campaigns canceled, processes stopped, and finished or failed ones as too late."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (1, 3, 2)
        assert (report_.package_id, report_.edition) == ("CAT86", 1)

    async def test_is_told_under_the_packages_key(self, harness: CampaignsHarness) -> None:
        """All that one cancel causes is in order, its start first, report last, with its cause."""
        await a_running_campaign(harness)
        await harness.send(package_canceled(), id="cancel-1", actor=ACTOR)
        await harness.run_jobs()
        emitted = await harness.inner.emitted()
        assert [s.envelope.type.removeprefix("relais.") for s in emitted] == [
            "package.cancellation_progressed.v1",
            "campaign.canceled.v1",
            *["process.stopped.v1"] * 3,
            "package.cancellation_progressed.v1",
            "package.campaigns_canceled.v1",
        ]
        assert {
            (s.envelope.partitionkey, s.envelope.causationid, s.envelope.actor) for s in emitted
        } == {("CAT86", "cancel-1", ACTOR)}

    async def test_is_kept_as_it_is_told(self, harness: CampaignsHarness) -> None:
        """Events and rows agree: who canceled it, when, and every version."""
        await a_running_campaign(harness)
        await harness.send(package_canceled(), actor=ACTOR)
        await harness.run_jobs()
        events = [emitted.body for emitted in await harness.inner.emitted()]
        (canceled,) = [e for e in events if isinstance(e, CampaignCanceled)]
        kept = await harness.campaign()
        assert kept.state == canceled.state
        assert kept.canceled_by == canceled.canceled_by
        assert canceled.canceled_by is not None
        assert canceled.canceled_by.model_dump() == BY
        assert (canceled.changed_by, canceled.canceled_at) == (ACTOR, canceled.changed_at)
        processes = await harness.processes()
        for stopped in (e for e in events if isinstance(e, ProcessEvent)):
            assert processes[stopped.process_id] == stopped.state

    async def test_says_how_far_it_has_got(self, harness: CampaignsHarness) -> None:
        """At the start nothing of all there is, at the end all of it: campaigns and processes."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        progress = await harness.events(CancellationProgressed)
        assert [(p.service, p.done, p.expected) for p in progress] == [
            ("campaigns", 0, 6),
            ("campaigns", 6, 6),
        ]

    async def test_happens_once_however_often_it_is_told(self, harness: CampaignsHarness) -> None:
        """Neither the same message again nor another about the same edition does anything."""
        await a_running_campaign(harness)
        for id in ("a", "a", "b"):
            await harness.send(package_canceled(), id=id)
            await harness.run_jobs()
        emitted = [s.body for s in await harness.inner.emitted()]
        assert len([e for e in emitted if isinstance(e, PackageCampaignsCanceled)]) == 1
        assert len([e for e in emitted if isinstance(e, CampaignCanceled)]) == 1
        assert len([e for e in emitted if isinstance(e, ProcessStopped)]) == 3

    @pytest.mark.parametrize("status", ["being_edited", "started"])
    async def test_cancels_whether_it_was_started_or_not(
        self, harness: CampaignsHarness, status: str
    ) -> None:
        """Pending processes are stopped like running ones."""
        await harness.send(creation(processes=IDS), *([start()] if status == "started" else []))
        await harness.send(package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (1, 5, 0)
        assert set((await harness.statuses()).values()) == {"stopped"}

    async def test_comes_too_late_for_a_finished_campaign(self, harness: CampaignsHarness) -> None:
        """It stays finished, and its processes are those that could not be stopped."""
        await harness.send(creation(processes=["WKF1"]), start(), report("WKF1", "finished"))
        await harness.send(package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 1)
        assert await harness.status() == "finished"

    async def test_of_a_campaign_without_processes_cancels_it(
        self, harness: CampaignsHarness
    ) -> None:
        """There is nothing to stop, but there is a campaign."""
        await harness.send(creation())
        await harness.send(package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (1, 0, 0)
        assert await harness.status() == "canceled"

    async def test_reports_zeros_where_there_is_no_campaign(
        self, harness: CampaignsHarness
    ) -> None:
        """Nobody may wait for a report for ever."""
        await harness.send(package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 0)

    async def test_leaves_other_campaigns_alone(self, harness: CampaignsHarness) -> None:
        """Neither the campaign of another package nor its processes are touched."""
        await harness.send(creation("OP14", IDS), start("OP14"), creation(processes=IDS))
        await harness.send(package_canceled())
        await harness.run_jobs()
        assert await harness.status("OP14") == "started"
        assert set((await harness.statuses("OP14")).values()) == {"running"}


class TestTheCancelOfALocalPackage:
    """A local package leaves the campaigns made from it as they are."""

    async def test_reports_zeros_at_once(self, harness: CampaignsHarness) -> None:
        """There is no job to do, and the ledger does not wait."""
        await harness.send(creation(processes=IDS, kind="template"), start())
        await harness.inner.emitted()
        await harness.send(package_canceled(distribution_level=DistributionLevel.LOCAL))
        emitted = [s.body for s in await harness.inner.emitted()]
        progress, report_ = emitted
        assert isinstance(progress, CancellationProgressed)
        assert (progress.done, progress.expected) == (0, 0)
        assert isinstance(report_, PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 0)

    async def test_touches_no_campaign(self, harness: CampaignsHarness) -> None:
        """Neither the template nor its processes, then or later."""
        await harness.send(creation(processes=IDS, kind="template"), start())
        await harness.send(package_canceled(distribution_level=DistributionLevel.LOCAL))
        await harness.run_jobs()
        assert await harness.status() == "started"
        assert set((await harness.statuses()).values()) == {"running"}

    async def test_happens_once(self, harness: CampaignsHarness) -> None:
        """A repeat reports nothing again."""
        for _ in range(2):
            await harness.send(package_canceled(distribution_level=DistributionLevel.LOCAL))
        await harness.run_jobs()
        assert len(await harness.events(PackageCampaignsCanceled)) == 1


class TestPackagesThatShareACampaign:
    """The cancel of one cancels it for all."""

    async def test_count_it_once(self, harness: CampaignsHarness) -> None:
        """The second finds it canceled: it cancels and stops nothing, and still reports."""
        await a_running_campaign(harness)
        await harness.send(package_canceled("CAT86"), package_canceled("CAT87"))
        await harness.run_jobs()
        reports = await harness.events(PackageCampaignsCanceled)
        assert sorted(counts(r) for r in reports) == [(0, 0, 2), (1, 3, 2)]

    async def test_leave_it_to_the_first(self, harness: CampaignsHarness) -> None:
        """canceled_by tells which cancel came first."""
        await a_running_campaign(harness)
        for package_id in ("CAT87", "CAT86"):
            await harness.send(package_canceled(package_id))
            await harness.run_jobs()
        canceled_by = (await harness.campaign()).canceled_by
        assert canceled_by is not None
        assert canceled_by.package_id == "CAT87"

    async def test_leave_it_to_a_command_that_came_first(self, harness: CampaignsHarness) -> None:
        """A campaign canceled directly is nobody's to reinitialize but a command's."""
        await a_running_campaign(harness)
        await harness.send(cancel())
        await harness.send(package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (0, 0, 2)
        assert (await harness.campaign()).canceled_by is None


class TestCampaignsMadeForOrders:
    """Child campaigns of a package's edition go with it."""

    async def test_are_canceled_with_it(self, harness: CampaignsHarness) -> None:
        """They and their processes count like the reference campaign's."""
        await a_running_campaign(harness)
        await harness.add_children(["OU1_OP1", "OU2_OP2"])
        await harness.send(package_canceled())
        await harness.run_jobs()
        emitted = [s.body for s in await harness.inner.emitted()]
        (report_,) = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (3, 5, 2)
        assert [p.expected for p in emitted if isinstance(p, CancellationProgressed)] == [10, 10]
        assert await harness.status("OU1_OP1") == await harness.status("OU2_OP2") == "canceled"

    async def test_of_another_edition_are_left_alone(self, harness: CampaignsHarness) -> None:
        """Nothing of an old edition touches a newer one."""
        await harness.add_children(["OU1_OP1"], edition=1)
        await harness.add_children(["OU2_OP2"], edition=2)
        await harness.send(package_canceled(edition=1))
        await harness.run_jobs()
        assert await harness.status("OU1_OP1") == "canceled"
        assert await harness.status("OU2_OP2") == "started"


class TestALargeCancel:
    """It goes in chunks, by key, each a transaction of its own."""

    @pytest.fixture(autouse=True)
    def _small_chunks(self, piece_sizes: PieceSizes, monkeypatch: pytest.MonkeyPatch) -> None:
        piece_sizes(4)
        monkeypatch.setattr(kinds, "CAMPAIGNS", 3)

    async def test_of_one_campaign_is_chunked(self, harness: CampaignsHarness) -> None:
        """A campaign with more processes than a chunk holds is canceled first, then emptied."""
        ids = [f"WKF{n:02}" for n in range(10)]
        await harness.send(creation(processes=ids), start())
        await harness.send(package_canceled())
        # Chunks of 4, 4 and 2, and the look that finds no job.
        assert await harness.run_jobs() == 4
        emitted = [s.body for s in await harness.inner.emitted()]
        assert [p.done for p in emitted if isinstance(p, CancellationProgressed)] == [0, 5, 9, 11]
        assert [e.process_id for e in emitted if isinstance(e, ProcessStopped)] == ids
        assert len([e for e in emitted if isinstance(e, CampaignEvent)]) == 3
        (report_,) = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (1, 10, 0)

    async def test_of_one_campaign_that_fills_its_chunks_ends(
        self, harness: CampaignsHarness
    ) -> None:
        """The end is found by a look after the cursor, also where it falls on a chunk's edge."""
        ids = [f"WKF{n}" for n in range(8)]
        await harness.send(creation(processes=ids), start(), package_canceled())
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (1, 8, 0)

    async def test_of_many_campaigns_is_chunked(self, harness: CampaignsHarness) -> None:
        """Campaigns go in the order of their ids, the reference campaign among them."""
        children = [f"OU{n}_OP{n}" for n in range(7)] + ["A_OP8", "OP12"]
        await harness.add_children(children)
        await harness.send(creation(processes=["WKF1", "WKF2", "WKF3"]), start())
        await harness.inner.emitted()
        await harness.send(package_canceled())
        await harness.run_jobs()
        emitted = [s.body for s in await harness.inner.emitted()]
        canceled = [e.campaign_id for e in emitted if isinstance(e, CampaignCanceled)]
        assert canceled == sorted([*children, "OP13"])
        (report_,) = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (10, 12, 0)
        progress = [e.done for e in emitted if isinstance(e, CancellationProgressed)]
        assert progress == sorted(progress)
        assert progress[-1] == 22

    async def test_refuses_reports_before_it_has_come_to_the_process(
        self, harness: CampaignsHarness
    ) -> None:
        """From the first chunk on the whole campaign is canceled: nothing slips between."""
        await harness.send(creation(processes=[f"WKF{n}" for n in range(8)]), start())
        await harness.send(package_canceled())
        await harness.piece()
        assert (await harness.statuses())["WKF7"] == "running"
        assert await harness.outcomes(report("WKF7", "finished")) == ["process_stopped"]
        assert await harness.outcomes(reinitialize()) == ["cancellation_running"]
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (1, 8, 0)
        assert await harness.outcomes(reinitialize()) == ["accepted"]

    async def test_does_not_hold_up_a_small_one(self, harness: CampaignsHarness) -> None:
        """The job least recently worked on goes first."""
        await harness.send(creation(processes=[f"WKF{n:02}" for n in range(20)]), start())
        await harness.send(creation("OP14", ["WKF1"]), start("OP14"))
        await harness.send(package_canceled())
        await harness.piece()
        await harness.send(package_canceled("CAT87", campaign_id="OP14"))
        await harness.run_jobs()
        reports = await harness.events(PackageCampaignsCanceled)
        assert [r.package_id for r in reports] == ["CAT87", "CAT86"]

    async def test_goes_on_after_a_crash_where_it_was(
        self, harness: CampaignsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A chunk that was not committed is done again, whole, and nothing is told twice."""
        ids = [f"WKF{n:02}" for n in range(10)]
        await harness.send(creation(processes=ids), start(), package_canceled())
        await harness.piece()
        with monkeypatch.context() as crashing:
            crashing.setattr(jobs, "_save", fail)
            with pytest.raises(RuntimeError):
                await harness.piece()
        assert (await harness.statuses())["WKF04"] == "running"
        await harness.run_jobs()
        emitted = [s.body for s in await harness.inner.emitted()]
        assert [e.process_id for e in emitted if isinstance(e, ProcessStopped)] == ids
        assert len([e for e in emitted if isinstance(e, CampaignCanceled)]) == 1
        (report_,) = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)]
        assert counts(report_) == (1, 10, 0)
        assert {p.version for p in (await harness.processes()).values()} == {3}

    async def test_goes_on_after_a_crash_before_the_report(
        self, harness: CampaignsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The report and the end of the job are one: neither is without the other."""
        await harness.send(creation(processes=IDS), start(), package_canceled())
        await harness.piece()
        with monkeypatch.context() as crashing:
            crashing.setattr(jobs, "_save", fail)
            with pytest.raises(RuntimeError):
                await harness.piece()
        assert await harness.events(PackageCampaignsCanceled) == []
        await harness.run_jobs()
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert counts(report_) == (1, 5, 0)


async def fail(*_: object) -> None:
    """The worker dies here."""
    raise RuntimeError("killed")
