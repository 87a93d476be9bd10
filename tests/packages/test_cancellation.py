"""The cancel of a package as its ledger goes through the database, and the life after it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from contracts.cancellation import CancellationCompleted, CancellationStalled
from contracts.packages import PackageCanceled, PackageReinitialized
from services.packages.ledger import Report
from tests.harness import Harness
from tests.packages.given import campaign_canceled, campaign_created, creation, life, reports

pytestmark = pytest.mark.servers

ALL = reports(canceled=5, already_final=2, campaigns=1, processes_stopped=3, notified=7, failed=1)

LEDGER = "SELECT * FROM cancellations WHERE package_id = 'CAT86' AND edition = 1"
OVERDUE = "UPDATE cancellations SET due_at = started_at WHERE package_id = $1"


async def publish(packages: Harness, package_id: str = "CAT86") -> None:
    """Make a package and bring it to its audience."""
    names = ("submit", "approve", "publish")
    await packages.send(
        creation(package_id=package_id), *(life(name, package_id=package_id) for name in names)
    )


async def complete(packages: Harness, edition: int = 1) -> None:
    """Let every service report on the cancel of an edition."""
    await packages.send(*reports(edition=edition))


class TestACancel:
    """From the command to the announcement that it is complete."""

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    async def test_completes_with_the_third_report(
        self, packages: Harness, order: tuple[int, ...]
    ) -> None:
        """Whichever it is, and though each comes twice under ids of its own."""
        await publish(packages)
        await packages.ask(life("cancel"))
        for place in order[:2]:
            await packages.send(ALL[place])
            await packages.send(ALL[place])
        assert not await packages.events(CancellationCompleted)
        await packages.send(ALL[order[2]])
        await packages.send(*ALL)
        (completed,) = await packages.events(CancellationCompleted)
        assert completed.orders.model_dump() == {"canceled": 5, "already_final": 2}
        assert completed.notifications.notified == 7
        assert 0 <= completed.seconds < 60

    async def test_completes_within_one_batch(self, packages: Harness) -> None:
        """Cancel, reports and repeats may all be there at once."""
        await publish(packages)
        await packages.send(life("cancel"), *ALL, *ALL, life("reinitialize"))
        assert len(await packages.events(CancellationCompleted)) == 1
        state = await packages.pool.fetchrow("SELECT status, edition FROM packages")
        assert state
        assert tuple(state) == ("being_edited", 2)

    async def test_completes_once_when_reports_meet(
        self, make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]]
    ) -> None:
        """Two workers hear different reports at the same moment."""
        one, two = await make_harnesses("packages")
        await one.send(campaign_created())
        for at in range(12):
            package_id = f"P{at}"
            await one.send(creation(package_id=package_id), life("cancel", package_id=package_id))
            orders, campaigns, notifications = reports(package_id)
            await asyncio.gather(
                one.send(orders),
                two.send(campaigns),
                one.send(notifications),
                two.send(orders, notifications),
            )
        completed = await one.events(CancellationCompleted)
        assert sorted(event.package_id for event in completed) == sorted(
            f"P{at}" for at in range(12)
        )

    @pytest.mark.parametrize("names", [(), ("submit",), ("submit", "reject")])
    async def test_of_what_was_never_published_runs_the_same_ledger(
        self, packages: Harness, names: tuple[str, ...]
    ) -> None:
        """Every service is asked, and has nothing to do."""
        await packages.send(creation(), *map(life, names), life("cancel"))
        (canceled,) = await packages.events(PackageCanceled)
        assert canceled.published_at is None
        await complete(packages)
        assert len(await packages.events(CancellationCompleted)) == 1

    async def test_of_a_local_package_runs_the_same_ledger(self, packages: Harness) -> None:
        """Its orders stay, and everybody says so."""
        local = creation(distribution_level="local", campaign_id="OP7")
        await packages.send(local, life("cancel"))
        await complete(packages)
        assert len(await packages.events(CancellationCompleted)) == 1

    async def test_twice_opens_one_ledger(self, packages: Harness) -> None:
        """The second is unchanged and says nothing to the other services."""
        await publish(packages)
        first, second = await packages.send(life("cancel"), life("cancel"))
        assert [a and a.outcome for a in (first, second)] == ["accepted", "unchanged"]
        assert (await packages.ask(life("cancel"))).outcome == "unchanged"
        assert len(await packages.events(PackageCanceled)) == 1

    async def test_keeps_what_caused_it(self, packages: Harness) -> None:
        """Completion belongs to the report that brought it."""
        await packages.send(creation())
        await packages.ask(life("cancel"), id="the-cancel", actor="m.durand")
        await packages.send(*ALL[:2])
        await packages.emitted()
        await packages.send(ALL[2], id="the-last")
        (emitted,) = await packages.emitted()
        assert (emitted.envelope.causationid, emitted.envelope.partitionkey) == (
            "the-last",
            "CAT86",
        )


class TestReportsOfNothing:
    """About cancels that packages does not wait for."""

    @pytest.mark.parametrize("heard", [reports("CAT1"), reports(edition=2)])
    async def test_change_nothing(self, packages: Harness, heard: tuple[Report, ...]) -> None:
        """They are taken and forgotten."""
        await packages.send(creation(), life("cancel"))
        await packages.emitted()
        answers = await packages.send(*heard)
        assert [a and a.outcome for a in answers] == ["unchanged"] * 3
        assert not await packages.emitted()
        row = await packages.pool.fetchrow(LEDGER)
        assert row
        assert (row["orders"], row["campaigns"], row["notifications"]) == (None, None, None)


class TestAStalledCancel:
    """One that is not complete when its time is over."""

    async def test_is_due_after_a_minute(self, packages: Harness) -> None:
        """The setting's default."""
        await packages.send(creation(), life("cancel"))
        row = await packages.pool.fetchrow(LEDGER)
        assert row
        assert row["due_at"] - row["started_at"] == timedelta(seconds=60)
        await packages.sweep("stalled")
        assert not await packages.events(CancellationStalled)

    async def test_is_announced_once(self, packages: Harness) -> None:
        """It says whom it waits for, and what the others reported."""
        await packages.send(creation())
        await packages.ask(life("cancel"), id="the-cancel", actor="m.durand")
        await packages.send(ALL[1])
        await packages.pool.execute(OVERDUE, "CAT86")
        await packages.emitted()
        await packages.sweep("stalled")
        await packages.sweep("stalled")
        (emitted,) = await packages.emitted()
        assert isinstance(emitted.body, CancellationStalled)
        assert emitted.body.waiting_for == ["orders", "notifications"]
        assert emitted.body.campaigns
        assert emitted.body.campaigns.processes_stopped == 3
        assert (emitted.envelope.causationid, emitted.envelope.actor) == ("the-cancel", "m.durand")

    async def test_is_announced_once_by_two_workers(
        self, make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]]
    ) -> None:
        """However many packages are overdue."""
        one, two = await make_harnesses("packages")
        await one.send(campaign_created())
        ids = [f"P{at}" for at in range(130)]
        await one.send(*(creation(package_id=package_id) for package_id in ids))
        await one.send(*(life("cancel", package_id=package_id) for package_id in ids))
        await one.pool.execute("UPDATE cancellations SET due_at = started_at")
        await asyncio.gather(one.sweep("stalled"), two.sweep("stalled"))
        await one.sweep("stalled")
        stalled = await one.events(CancellationStalled)
        assert sorted(event.package_id for event in stalled) == sorted(ids)

    async def test_is_completed_by_a_late_report(self, packages: Harness) -> None:
        """And not announced again."""
        await packages.send(creation(), life("cancel"))
        await packages.pool.execute(OVERDUE, "CAT86")
        await packages.sweep("stalled")
        await complete(packages)
        await packages.sweep("stalled")
        stalled, completed = [one.body for one in await packages.emitted()][-2:]
        assert isinstance(stalled, CancellationStalled)
        assert isinstance(completed, CancellationCompleted)
        stalled_at = await packages.pool.fetchval("SELECT stalled_at FROM cancellations")
        assert isinstance(stalled_at, datetime)

    async def test_is_not_announced_once_complete(self, packages: Harness) -> None:
        """Also when the announcement would be due."""
        await packages.send(creation(), life("cancel"), *ALL)
        await packages.pool.execute(OVERDUE, "CAT86")
        await packages.sweep("stalled")
        assert not await packages.events(CancellationStalled)


class TestASecondLife:
    """Cancel, reinitialize, publish, cancel."""

    async def test_has_a_ledger_of_its_own(self, packages: Harness) -> None:
        """Reports on the first life do not fill it."""
        await publish(packages)
        await packages.send(life("cancel"), *reports())
        await packages.send(life("reinitialize"), *map(life, ("submit", "approve", "publish")))
        assert (await packages.ask(life("cancel"))).outcome == "accepted"
        await packages.events(PackageReinitialized)
        await packages.send(*reports(edition=1))
        assert not await packages.events(CancellationCompleted)
        assert (await packages.ask(life("reinitialize"))).code == "cancellation_running"
        await packages.send(*reports(edition=2))
        (completed,) = await packages.events(CancellationCompleted)
        assert completed.edition == 2
        assert (await packages.ask(life("reinitialize"))).outcome == "accepted"

    async def test_begins_only_after_the_first_ended(self, packages: Harness) -> None:
        """Two of three reports are not enough."""
        await publish(packages)
        await packages.ask(life("cancel"))
        for report in ALL:
            assert (await packages.ask(life("reinitialize"))).code == "cancellation_running"
            await packages.send(report)
        assert (await packages.ask(life("reinitialize"))).outcome == "accepted"

    async def test_does_not_wait_for_its_campaign(self, packages: Harness) -> None:
        """That the first life canceled it is looked past; that somebody did since is not."""
        await publish(packages)
        await packages.send(life("cancel"), campaign_canceled(by=("CAT86", 1)), *ALL)
        answers = await packages.send(*map(life, ("reinitialize", "submit", "approve")))
        assert [a and a.outcome for a in answers] == ["accepted"] * 3
        await packages.send(campaign_canceled(version=4))
        assert (await packages.ask(life("publish"))).code == "campaign_canceled"
