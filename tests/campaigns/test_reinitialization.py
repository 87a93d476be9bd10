"""A package's next edition lets its campaign return, whatever order the news comes in."""

import asyncio
from itertools import permutations

import pytest

from contracts.campaigns import CampaignCanceled, CampaignEvent, CampaignReinitialized
from contracts.cancellation import PackageCampaignsCanceled
from contracts.packages import PackageEvent
from tests.campaigns.given import (
    ACTOR,
    cancel,
    creation,
    package_canceled,
    package_reinitialized,
    reinitialize,
    report,
    start,
)
from tests.campaigns.harness import CampaignsHarness
from tests.conftest import PieceSizes

pytestmark = pytest.mark.servers

IDS = ["WKF1", "WKF2", "WKF3"]


async def a_running_campaign(harness: CampaignsHarness) -> None:
    """OP13 with one process finished and two running."""
    await harness.send(creation(processes=IDS), start(), report("WKF1", "finished"))
    await harness.inner.emitted()


class TestTheReinitializationOfAPackage:
    """package.reinitialized lets the campaign return that the package's cancel canceled."""

    async def test_lets_the_campaign_return(self, harness: CampaignsHarness) -> None:
        """It is being edited again, its stopped processes wait, and ended ones stay ended."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        await harness.inner.emitted()
        await harness.send(package_reinitialized(), id="again-1", actor=ACTOR)
        await harness.run_jobs()
        (emitted,) = await harness.inner.emitted()
        assert isinstance(emitted.body, CampaignReinitialized)
        assert (emitted.envelope.partitionkey, emitted.envelope.causationid) == ("CAT86", "again-1")
        kept = await harness.campaign()
        assert (kept.state, kept.canceled_by) == (emitted.body.state, None)
        assert (kept.state.status, kept.state.changed_by) == ("being_edited", ACTOR)
        assert await harness.statuses() == {
            "WKF1": "finished",
            "WKF2": "pending",
            "WKF3": "pending",
        }

    async def test_happens_once_however_often_it_is_told(self, harness: CampaignsHarness) -> None:
        """Neither the same message again nor another about the same edition does anything."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        for id in ("a", "a", "b"):
            await harness.send(package_reinitialized(), id=id)
            await harness.run_jobs()
        assert len(await harness.events(CampaignReinitialized)) == 1
        assert (await harness.processes())["WKF2"].version == 4

    async def test_of_a_published_package_leaves_the_campaign_as_it_is(
        self, harness: CampaignsHarness
    ) -> None:
        """Nothing was canceled, so nothing returns."""
        await a_running_campaign(harness)
        await harness.send(package_reinitialized())
        await harness.run_jobs()
        assert await harness.events(CampaignEvent) == []
        assert await harness.status() == "started"

    async def test_leaves_alone_what_another_package_canceled(
        self, harness: CampaignsHarness
    ) -> None:
        """Only the package whose cancel came first takes the campaign back."""
        await a_running_campaign(harness)
        await harness.send(package_canceled("CAT87"))
        await harness.run_jobs()
        await harness.send(package_canceled("CAT86"))
        await harness.run_jobs()
        await harness.send(package_reinitialized("CAT86"))
        await harness.run_jobs()
        assert await harness.status() == "canceled"
        await harness.send(package_reinitialized("CAT87"))
        await harness.run_jobs()
        assert await harness.status() == "being_edited"

    async def test_leaves_alone_what_a_command_canceled(self, harness: CampaignsHarness) -> None:
        """Who canceled a campaign directly reinitializes it directly."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        await harness.send(reinitialize(), cancel())
        await harness.send(package_reinitialized())
        await harness.run_jobs()
        assert await harness.status() == "canceled"

    async def test_finds_nothing_to_do_after_a_command_did_it(
        self, harness: CampaignsHarness
    ) -> None:
        """A campaign that has returned and runs again is not touched."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        await harness.send(reinitialize(), start())
        await harness.send(package_reinitialized())
        await harness.run_jobs()
        assert await harness.status() == "started"

    async def test_finds_the_campaign_that_the_package_had_then(
        self, harness: CampaignsHarness
    ) -> None:
        """What returns is what the cancel canceled, not what the package points to now."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        moved = package_reinitialized().model_copy(update={"campaign_id": "OP14"})
        await harness.send(moved)
        await harness.run_jobs()
        assert await harness.status() == "being_edited"

    async def test_leaves_campaigns_of_the_old_editions_orders_canceled(
        self, harness: CampaignsHarness
    ) -> None:
        """They belong to orders that stay canceled."""
        await harness.send(creation(processes=IDS), start())
        await harness.add_children(["OU1_OP1"])
        await harness.send(package_canceled())
        await harness.run_jobs()
        await harness.send(package_reinitialized())
        await harness.run_jobs()
        assert await harness.status() == "being_edited"
        assert await harness.status("OU1_OP1") == "canceled"

    async def test_lets_the_next_life_end_like_the_first(self, harness: CampaignsHarness) -> None:
        """Cancel, reinitialize, start, cancel: the second report counts the second life."""
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.run_jobs()
        await harness.send(package_reinitialized())
        await harness.run_jobs()
        await harness.send(start())
        await harness.send(package_canceled(edition=2))
        await harness.run_jobs()
        reports = await harness.events(PackageCampaignsCanceled)
        assert [(r.edition, r.campaigns, r.processes_stopped, r.too_late) for r in reports] == [
            (1, 1, 2, 1),
            (2, 1, 2, 1),
        ]
        canceled_by = (await harness.campaign()).canceled_by
        assert canceled_by is not None
        assert canceled_by.edition == 2


LIFE: list[PackageEvent] = [
    package_canceled(edition=1),
    package_reinitialized(edition=2),
    package_canceled(edition=2),
    package_reinitialized(edition=3),
]


class TestReorderedNews:
    """After a crash events may come in any order, and end where the right one ends."""

    async def test_of_a_cancel_during_its_job_waits_for_it(
        self, harness: CampaignsHarness, piece_sizes: PieceSizes
    ) -> None:
        """The campaign returns when all of it is canceled, not in the middle."""
        piece_sizes(1)
        await a_running_campaign(harness)
        await harness.send(package_canceled())
        await harness.piece()
        await harness.send(package_reinitialized())
        await harness.run_jobs()
        assert await harness.status() == "being_edited"
        assert (await harness.statuses())["WKF3"] == "pending"
        (report_,) = await harness.events(PackageCampaignsCanceled)
        assert (report_.campaigns, report_.processes_stopped) == (1, 2)

    @pytest.mark.parametrize("together", [True, False], ids=["one_batch", "one_by_one"])
    @pytest.mark.parametrize("length", [2, 3, 4])
    async def test_ends_where_news_in_order_ends(
        self, harness: CampaignsHarness, length: int, together: bool
    ) -> None:
        """Cancel and return of two editions, in every order, give one and the same end."""
        orders = list(permutations(LIFE[:length]))
        ends = []
        for n, order in enumerate(orders):
            package, campaign = f"CAT{n}", f"OP{n}"
            await harness.send(
                creation(campaign, IDS), start(campaign), report("WKF1", "failed", campaign)
            )
            named = [
                e.model_copy(update={"package_id": package, "campaign_id": campaign}) for e in order
            ]
            for batch in [named] if together else [[event] for event in named]:
                await harness.send(*batch)
                await harness.run_jobs()
            ends.append(await self.end(harness, campaign))
        assert ends[0][0] == ("canceled" if length == 3 else "being_edited")
        assert ends == [ends[0]] * len(orders)

    async def end(self, harness: CampaignsHarness, campaign_id: str) -> tuple[object, ...]:
        """What is left of a campaign: status, who canceled it, and its processes."""
        kept = await harness.campaign(campaign_id)
        by = kept.canceled_by and kept.canceled_by.edition
        return kept.state.status, by, await harness.statuses(campaign_id)

    async def test_of_a_second_cancel_counts_what_the_right_order_counts(
        self, harness: CampaignsHarness
    ) -> None:
        """The cancel of edition 2 before the news of edition 2: the campaign returns and goes."""
        await a_running_campaign(harness)
        await harness.send(package_canceled(edition=1))
        await harness.run_jobs()
        await harness.send(package_canceled(edition=2))
        await harness.run_jobs()
        await harness.send(package_reinitialized(edition=2))
        await harness.run_jobs()
        emitted = [s.body for s in await harness.inner.emitted()]
        assert [type(e) for e in emitted if isinstance(e, CampaignEvent)] == [
            CampaignCanceled,
            CampaignReinitialized,
            CampaignCanceled,
        ]
        assert [e.version for e in emitted if isinstance(e, CampaignEvent)] == [3, 4, 5]
        second = [e for e in emitted if isinstance(e, PackageCampaignsCanceled)][1]
        assert (second.campaigns, second.processes_stopped, second.too_late) == (1, 2, 1)
        assert (await harness.processes())["WKF2"].version == 5


class TestSeveralWorkers:
    """Jobs are shared out by their rows' locks."""

    async def test_do_every_job_once(
        self, harness: CampaignsHarness, piece_sizes: PieceSizes
    ) -> None:
        """Four workers, shared campaigns and small chunks: each process is stopped once."""
        piece_sizes(2)
        for n in range(4):
            await harness.send(creation(f"OP{n}", IDS), start(f"OP{n}"))
        await harness.send(
            *(package_canceled(f"CAT{n}", campaign_id=f"OP{n % 4}") for n in range(12))
        )
        await asyncio.gather(*(harness.run_jobs() for _ in range(4)))
        await harness.run_jobs()
        reports = await harness.events(PackageCampaignsCanceled)
        assert len(reports) == 12
        assert sum(r.campaigns for r in reports) == 4
        assert sum(r.processes_stopped for r in reports) == 12
        for n in range(4):
            assert {p.version for p in (await harness.processes(f"OP{n}")).values()} == {3}
