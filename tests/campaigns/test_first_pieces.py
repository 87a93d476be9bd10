"""The first pieces of jobs: done in the transaction of the event, as far as they are small."""

import asyncio

import pytest

from contracts.campaigns import (
    CampaignCanceled,
    CampaignCreated,
    CampaignEvent,
    CampaignReinitialized,
    CampaignStarted,
    ProcessStopped,
)
from contracts.cancellation import CancellationProgressed, PackageCampaignsCanceled
from contracts.packages import PackageEvent
from tests import locks
from tests.campaigns.given import (
    creation,
    package_canceled,
    package_reinitialized,
    report,
    start,
)
from tests.campaigns.harness import CampaignsHarness
from tests.conftest import PieceSizes
from tests.eventually import eventually

pytestmark = pytest.mark.servers

IDS = ["WKF1", "WKF2", "WKF3"]
TRANSACTIONS = """
SELECT xmin::text AS transaction FROM campaigns
UNION SELECT xmin::text FROM processes
UNION SELECT xmin::text FROM jobs
UNION SELECT xmin::text FROM outbox WHERE type LIKE '%cancel%' OR type LIKE '%stopped%'
UNION SELECT xmin::text FROM inbox WHERE id = $1
"""
RUNNING = "SELECT count(*) FROM jobs WHERE state = 'running'"


async def running(harness: CampaignsHarness) -> int:
    """How many jobs are not done."""
    return int(await harness.pool.fetchval(RUNNING))


class TestASmallCancel:
    """Of fewer campaigns and processes than a first piece may touch."""

    async def test_is_one_transaction(self, harness: CampaignsHarness) -> None:
        """The event, the campaign, its processes, the job and all events are committed together."""
        await harness.send(creation(processes=IDS), start())
        await harness.send(package_canceled(), id="the-cancel")
        assert len(await harness.pool.fetch(TRANSACTIONS, "the-cancel")) == 1
        assert await harness.status() == "canceled"
        assert set((await harness.statuses()).values()) == {"stopped"}
        assert await running(harness) == 0

    async def test_reports_at_once(self, harness: CampaignsHarness) -> None:
        """Start, campaign, processes, progress, and the report; the sweep finds nothing to do."""
        await harness.send(creation(processes=IDS), start(), report("WKF1", "finished"))
        await harness.inner.emitted()
        await harness.send(package_canceled())
        emitted = [s.body for s in await harness.inner.emitted()]
        assert [type(event) for event in emitted] == [
            CancellationProgressed,
            CampaignCanceled,
            ProcessStopped,
            ProcessStopped,
            CancellationProgressed,
            PackageCampaignsCanceled,
        ]
        begun, *_, progress, report_ = emitted
        assert isinstance(begun, CancellationProgressed)
        assert (begun.done, begun.expected) == (0, 4)
        assert isinstance(progress, CancellationProgressed)
        assert (progress.done, progress.expected) == (4, 4)
        assert isinstance(report_, PackageCampaignsCanceled)
        assert (report_.campaigns, report_.processes_stopped, report_.too_late) == (1, 2, 1)
        assert await harness.run_jobs() == 1
        assert await harness.inner.emitted() == []

    async def test_comes_after_the_commands_of_its_batch(self, harness: CampaignsHarness) -> None:
        """Also after those behind it: they are decided before any job is worked on."""
        assert (
            await harness.outcomes(
                creation(processes=IDS), package_canceled(), start(), report("WKF1", "finished")
            )
            == ["accepted"] * 4
        )
        events = await harness.events(CampaignEvent)
        assert [type(e) for e in events] == [CampaignCreated, CampaignStarted, CampaignCanceled]
        assert [e.version for e in events] == [1, 2, 3]
        assert (await harness.campaign()).state == events[-1].state
        processes = await harness.processes()
        assert {id: (p.status, p.version) for id, p in processes.items()} == {
            "WKF1": ("finished", 3),
            "WKF2": ("stopped", 3),
            "WKF3": ("stopped", 3),
        }
        assert await harness.outcomes(start(), report("WKF2", "running")) == [
            "wrong_status",
            "process_stopped",
        ]

    async def test_goes_before_the_next_edition_of_its_batch(
        self, harness: CampaignsHarness
    ) -> None:
        """Both jobs are done at once, in their order."""
        await harness.send(creation(processes=IDS), start())
        await harness.inner.emitted()
        await harness.send(package_canceled(), package_reinitialized())
        assert await running(harness) == 0
        events = await harness.events(CampaignEvent)
        assert [type(e) for e in events] == [CampaignCanceled, CampaignReinitialized]
        assert await harness.status() == "being_edited"
        assert set((await harness.statuses()).values()) == {"pending"}


class TestALargerCancel:
    """The sweep goes on where the first piece ended."""

    async def test_goes_on_from_its_cursor(
        self, harness: CampaignsHarness, piece_sizes: PieceSizes
    ) -> None:
        """The campaign is canceled at once, and its processes piece by piece."""
        piece_sizes(4, first=3)
        ids = [f"WKF{n:02}" for n in range(10)]
        await harness.send(creation(processes=ids), start())
        await harness.inner.emitted()
        await harness.send(package_canceled())
        assert await harness.status() == "canceled"
        assert list((await harness.statuses()).values()) == ["stopped"] * 3 + ["running"] * 7
        assert await harness.outcomes(report("WKF09", "finished")) == ["process_stopped"]
        # Pieces of 4 and 3, and the look that finds no job.
        assert await harness.run_jobs() == 3
        emitted = [s.body for s in await harness.inner.emitted()]
        assert [e.process_id for e in emitted if isinstance(e, ProcessStopped)] == ids
        progress = [e for e in emitted if isinstance(e, CancellationProgressed)]
        assert [(p.done, p.expected) for p in progress] == [(0, 11), (4, 11), (8, 11), (11, 11)]
        (report_,) = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)]
        assert (report_.campaigns, report_.processes_stopped, report_.too_late) == (1, 10, 0)

    async def test_keeps_the_next_edition_waiting(
        self, harness: CampaignsHarness, piece_sizes: PieceSizes
    ) -> None:
        """The reinitialization has no first piece while the cancel before it is not done."""
        piece_sizes(2, first=4)
        await harness.send(creation(processes=IDS), start())
        await harness.send(package_canceled(), package_reinitialized())
        assert await running(harness) == 2
        assert await harness.status() == "canceled"
        await harness.run_jobs()
        assert await harness.status() == "being_edited"
        assert set((await harness.statuses()).values()) == {"pending"}


class TestAReinitialization:
    """Of a package whose campaigns were canceled."""

    async def test_is_done_at_once(self, harness: CampaignsHarness) -> None:
        """With the event that causes it."""
        await harness.send(creation(processes=IDS), start(), package_canceled())
        await harness.inner.emitted()
        await harness.send(package_reinitialized())
        assert await harness.status() == "being_edited"
        assert await running(harness) == 0
        assert [type(s.body) for s in await harness.inner.emitted()] == [CampaignReinitialized]

    async def test_of_several_campaigns_goes_in_pieces(
        self, harness: CampaignsHarness, piece_sizes: PieceSizes
    ) -> None:
        """Each visits as many as fit, at least one."""
        piece_sizes(5, first=5)
        names = ["OP1", "OP2", "OP3"]
        for edition, name in enumerate(names, start=1):
            await harness.send(creation(name, IDS), start(name))
            await harness.send(package_canceled(edition=edition, campaign_id=name))
            await harness.run_jobs()
        await harness.send(package_reinitialized(edition=4))
        found = [await harness.status(name) for name in names]
        assert found == ["being_edited", "canceled", "canceled"]
        # Two more pieces, and the look that finds no job.
        assert await harness.run_jobs() == 3
        for name in names:
            assert await harness.status(name) == "being_edited"
            assert set((await harness.statuses(name)).values()) == {"pending"}


class TestTwoWorkers:
    """They hear of one package for a moment when lanes move."""

    async def test_cancel_once(self, harness: CampaignsHarness) -> None:
        """Of an unknown campaign there is no row to wait at: the second job is a conflict."""
        await harness.add_children(["OU1_OP1"])
        async with harness.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "jobs")
            canceling = asyncio.gather(*(harness.outcomes(package_canceled()) for _ in range(2)))
            await eventually(lambda: locks.are_two_waiting(guard))
        assert sorted(await canceling) == [["accepted"], ["unchanged"]]
        emitted = [s.body for s in await harness.inner.emitted()]
        (report_,) = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)]
        assert (report_.campaigns, report_.processes_stopped) == (1, 1)
        assert len([e for e in emitted if isinstance(e, CampaignCanceled)]) == 1

    @pytest.mark.parametrize("first", [0, 1], ids=["cancel_first", "reinitialization_first"])
    async def test_end_with_the_later_edition(self, harness: CampaignsHarness, first: int) -> None:
        """The second waits for the first, and finds its job."""
        events: list[PackageEvent] = [package_canceled(), package_reinitialized()]
        await harness.send(creation(processes=IDS), start())
        async with harness.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "jobs")
            one = asyncio.create_task(harness.send(events[first]))
            await eventually(lambda: locks.is_one_waiting(guard))
            two = asyncio.create_task(harness.send(events[1 - first]))
            await eventually(lambda: locks.are_two_waiting(guard))
        await asyncio.gather(one, two)
        await harness.run_jobs()
        assert await harness.status() == "being_edited"
        assert set((await harness.statuses()).values()) == {"pending"}
