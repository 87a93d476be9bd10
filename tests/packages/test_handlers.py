"""What the packages service does with batches of messages, on a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from contracts.outcomes import CommandRefused, CommandUnchanged
from contracts.packages import (
    PackageCanceled,
    PackageCreated,
    PackageEdited,
    PackageState,
    PackageSubmitted,
)
from services.packages import store
from services.packages.app import SERVICE
from services.runtime.messages.decider import Decider
from services.runtime.messages.sources import Sources
from tests import locks
from tests.eventually import eventually
from tests.harness import Harness
from tests.packages.given import (
    EVERYTHING,
    campaign,
    campaign_canceled,
    campaign_created,
    campaign_reinitialized,
    creation,
    edit,
    life,
)

pytestmark = pytest.mark.servers


async def stored(packages: Harness, package_id: str = "CAT86") -> PackageState:
    """A package as it stands in its table."""
    async with packages.pool.acquire() as conn, conn.transaction():
        return (await store.lock_packages(conn, [package_id]))[package_id]


async def waiting(packages: Harness) -> int:
    """How many commands wait."""
    return int(await packages.pool.fetchval("SELECT count(*) FROM kept WHERE kind = 'waiting'"))


async def decide_waiting(packages: Harness, patience: timedelta) -> None:
    """Decide waiting commands again."""
    await Sources(SERVICE, Decider(SERVICE, packages.work, patience)).decide_waiting(packages.work)


class TestABatch:
    """Messages that are handled in one transaction."""

    async def test_lets_each_message_see_those_before(self, packages: Harness) -> None:
        """A package may be created, edited and submitted at once."""
        answers = await packages.send(creation(), edit(label="x"), life("submit"))
        assert [(a.outcome, a.version) for a in answers if a] == [
            ("accepted", 1),
            ("accepted", 2),
            ("accepted", 3),
        ]
        emitted = [one.body for one in await packages.emitted()]
        assert [type(event) for event in emitted] == [
            PackageCreated,
            PackageEdited,
            PackageSubmitted,
        ]
        state = await stored(packages)
        assert (state.label, state.status, state.version) == ("x", "pending_approval", 3)

    async def test_may_bring_the_campaign_and_its_package(self, packages: Harness) -> None:
        """The copy counts from the message that brings it."""
        both = await packages.send(campaign_created("OP20"), creation(campaign_id="OP20"))
        assert [a and a.outcome for a in both] == ["accepted", "accepted"]

    async def test_may_hold_a_whole_first_life(self, packages: Harness) -> None:
        """The ledger that a cancel opens is there for the next message."""
        names = ("submit", "approve", "publish", "cancel", "reinitialize")
        answers = await packages.send(creation(), *map(life, names))
        assert [(a.outcome, a.code) for a in answers if a] == [
            *[("accepted", None)] * 5,
            ("refused", "cancellation_running"),
        ]
        assert await packages.pool.fetchval("SELECT count(*) FROM cancellations") == 1

    async def test_may_be_about_several_packages(self, packages: Harness) -> None:
        """A refusal of one is none of the others."""
        await packages.send(creation(package_id="P1"), creation(package_id="P2"))
        answers = await packages.send(
            life("cancel", package_id="P2"),
            life("publish", package_id="P1"),
            life("submit", package_id="P1"),
        )
        assert [a and a.outcome for a in answers] == ["accepted", "refused", "accepted"]
        assert (await stored(packages, "P1")).status == "pending_approval"
        assert (await stored(packages, "P2")).status == "canceled"


class TestAStoredPackage:
    """A row of the table."""

    async def test_has_every_field(self, packages: Harness) -> None:
        """What is read back is what was said."""
        await packages.send(creation(), edit(**EVERYTHING), life("submit"), actor="m.durand")
        (submitted,) = await packages.events(PackageSubmitted)
        assert await stored(packages) == submitted.state

    async def test_has_the_moments_of_its_life(self, packages: Harness) -> None:
        """Each is stored when it comes and cleared by a new edition."""
        await packages.send(creation(), life("submit"), life("approve"), life("publish"))
        state = await stored(packages)
        assert state.submitted_at
        assert state.approved_at
        assert state.published_at
        await packages.send(life("reinitialize"))
        state = await stored(packages)
        assert (state.edition, state.version) == (2, 5)
        assert (state.submitted_at, state.approved_at, state.published_at) == (None, None, None)


class TestARepeatedMessage:
    """The same source and id again."""

    async def test_has_no_second_effect_in_the_same_batch(self, packages: Harness) -> None:
        """And gets the same answer."""
        first, second = await packages.send(creation(), creation(), id="same")
        assert first == second
        assert first
        assert first.outcome == "accepted"
        assert len(await packages.events(PackageCreated)) == 1

    async def test_has_no_second_effect_in_another_batch(self, packages: Harness) -> None:
        """Also when the package has moved on."""
        await packages.send(creation())
        first = await packages.ask(life("cancel"), id="same")
        second = await packages.ask(life("cancel"), id="same")
        assert first == second
        assert len(await packages.events(PackageCanceled)) == 1
        assert (await stored(packages)).version == 2

    async def test_of_a_refused_command_is_refused_alike(self, packages: Harness) -> None:
        """Even if it would be accepted now."""
        await packages.send(creation())
        first = await packages.ask(life("publish"), id="same")
        await packages.send(life("submit"), life("approve"))
        assert await packages.ask(life("publish"), id="same") == first
        assert first.code == "wrong_status"


class TestAnEvent:
    """What the service says of an accepted command."""

    async def test_carries_what_caused_it(self, packages: Harness) -> None:
        """Key, cause and actor are in its envelope, the actor in the state as well."""
        await packages.ask(creation(), id="c-1", actor="m.durand")
        (emitted,) = await packages.emitted()
        envelope = emitted.envelope
        assert (envelope.source, envelope.subject) == ("/relais/packages", "CAT86")
        assert (envelope.partitionkey, envelope.causationid) == ("CAT86", "c-1")
        assert (envelope.correlationid, envelope.actor) == ("c-1", "m.durand")
        assert isinstance(emitted.body, PackageCreated)
        assert emitted.body.changed_by == "m.durand"

    async def test_is_said_of_what_changed_nothing_too(self, packages: Harness) -> None:
        """Refused and unchanged commands are events of their own."""
        await packages.send(creation(), creation(), edit())
        _, refused, unchanged = [one.body for one in await packages.emitted()]
        assert isinstance(refused, CommandRefused)
        assert refused.code == "already_exists"
        assert isinstance(unchanged, CommandUnchanged)


class TestWhatIsUnknown:
    """A package or a campaign that packages has not heard of."""

    async def test_lets_a_command_wait(self, packages: Harness) -> None:
        """It is decided again once the campaign is known, in order of arrival."""
        answers = await packages.send(
            creation(campaign_id="OP20"), life("submit"), patience=timedelta(seconds=5)
        )
        assert answers == [None, None]
        assert await waiting(packages) == 2
        await packages.send(campaign_created("OP20"))
        await decide_waiting(packages, timedelta(seconds=5))
        assert await waiting(packages) == 0
        assert (await stored(packages)).status == "pending_approval"

    async def test_is_refused_when_patience_ends(self, packages: Harness) -> None:
        """And the row goes."""
        await packages.send(
            creation(campaign_id="OP20"), life("submit"), patience=timedelta(seconds=5)
        )
        await decide_waiting(packages, timedelta(0))
        codes = [refused.code for refused in await packages.events(CommandRefused)]
        assert codes == ["unknown_campaign", "unknown_package"]
        assert await waiting(packages) == 0


class TestTheCopyOfACampaign:
    """What packages keeps of the events of campaigns."""

    async def test_is_not_rolled_back_by_stale_news(self, packages: Harness) -> None:
        """Only a newer version counts."""
        await packages.send(campaign_canceled(version=5))
        stale = await packages.send(campaign_reinitialized(version=4))
        assert stale[0]
        assert stale[0].outcome == "unchanged"
        assert (await packages.ask(creation())).code == "campaign_canceled"
        # As if another worker had stored the newer one meanwhile.
        async with packages.pool.acquire() as conn:
            await store.save_campaigns(conn, [campaign(version=4)])
        assert (await packages.ask(creation())).code == "campaign_canceled"
        await packages.send(campaign_reinitialized(version=6))
        assert (await packages.ask(creation(package_id="CAT87"))).outcome == "accepted"

    async def test_is_made_of_whatever_comes_first(self, packages: Harness) -> None:
        """A state about an unknown campaign is stored."""
        await packages.send(campaign_reinitialized("OP30", version=7))
        await packages.send(campaign_created("OP30"))
        assert (await packages.ask(creation(campaign_id="OP30"))).outcome == "accepted"

    async def test_tells_who_canceled_it(self, packages: Harness) -> None:
        """An earlier edition of the same package is looked past, also from the table."""
        await packages.send(creation(), life("submit"), life("approve"), life("publish"))
        await packages.send(life("reinitialize"), life("submit"))
        await packages.send(campaign_canceled(by=("CAT1", 1), version=2))
        assert (await packages.ask(life("approve"))).code == "campaign_canceled"
        await packages.send(campaign_canceled(by=("CAT86", 1), version=3))
        assert (await packages.ask(life("approve"))).outcome == "accepted"

    async def test_changes_no_package(self, packages: Harness) -> None:
        """A direct cancel of a campaign leaves its packages where they are."""
        await packages.send(creation(), life("submit"), life("approve"), life("publish"))
        await packages.send(campaign_canceled())
        assert (await stored(packages)).status == "published"


class TestTwoWorkersAtOnce:
    """They hold one package for a moment when lanes move."""

    async def test_do_not_make_the_same_package(
        self, make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]]
    ) -> None:
        """The second finds it there, though neither saw it when it began."""
        one, two = await make_harnesses("packages")
        await one.send(campaign_created())
        async with one.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "packages")
            making = asyncio.gather(
                one.send(creation(label="one"), edit(folder="Windows")),
                two.send(creation(label="two"), edit(folder="Doors")),
            )
            await eventually(lambda: locks.are_two_waiting(guard))
        answers = await making
        assert sorted(a.code or "" for (a, _) in answers if a) == ["", "already_exists"]
        assert len(await one.events(PackageCreated)) == 1
        state = await stored(one)
        assert (state.label, state.version) in {("one", 3), ("two", 3)}
