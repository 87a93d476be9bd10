"""What the service makes of events, on a real database: who is to be told, once."""

import pytest

from contracts.cancellation import CancellationProgressed
from contracts.directory import (
    EntityActivated,
    EntityDeactivated,
    EntityRegistered,
    EntityUpdated,
)
from contracts.orders import OrderApproved, OrderCanceled, OrderRejected
from contracts.packages import (
    PackageCreated,
    PackageEdited,
    PackageReinitialized,
    PackageRejected,
    PackageStatus,
)
from tests.notifications.given import (
    OPERATOR,
    canceled,
    entity,
    order,
    orders_report,
    pack,
    package,
    published,
)
from tests.notifications.harness import NotificationsHarness, recipients

pytestmark = pytest.mark.servers


@pytest.mark.usefixtures("both_ways")
class TestPublication:
    """A published package is told to its audience."""

    async def test_tells_the_audience(self, harness: NotificationsHarness) -> None:
        """Each of the audience, and nobody else, waits for a package_available."""
        await harness.register("OU1", "OU2", "OU3")
        await harness.send(published())
        await harness.fan_out()
        assert await harness.statuses() == [
            ("package_available", "OU1", "pending"),
            ("package_available", "OU2", "pending"),
        ]

    async def test_without_audience_tells_who_is_active_then(
        self, harness: NotificationsHarness
    ) -> None:
        """Whoever becomes active, inactive or known after the publication changes nothing."""
        await harness.register("OU1", "OU2", "OU3", "OU4")
        await harness.send(
            entity(EntityDeactivated, "OU3", version=2, active=False),
            entity(EntityDeactivated, "OU4", version=2, active=False),
        )
        await harness.send(published(audience=None))
        await harness.register("OU5")
        await harness.send(
            entity(EntityDeactivated, "OU2", version=2, active=False),
            entity(EntityActivated, "OU3", version=3),
        )
        await harness.send(entity(EntityActivated, "OU2", version=3))
        await harness.fan_out()
        assert recipients(await harness.rows()) == ["OU1", "OU2"]

    async def test_tells_apart_who_was_active_within_a_batch(
        self, harness: NotificationsHarness
    ) -> None:
        """Messages of one batch count in their order."""
        await harness.register("OU1", "OU2")
        await harness.send(
            entity(EntityDeactivated, "OU1", version=2, active=False),
            entity(EntityRegistered, "OU3"),
            published(audience=None),
            entity(EntityDeactivated, "OU2", version=2, active=False),
            entity(EntityRegistered, "OU4"),
        )
        await harness.fan_out()
        assert recipients(await harness.rows()) == ["OU2", "OU3"]

    async def test_tells_a_local_package_too(self, harness: NotificationsHarness) -> None:
        """A local package is offered like any other."""
        await harness.send(published(distribution_level="local", audience=["OU1"]))
        await harness.fan_out()
        assert recipients(await harness.rows(kind="package_available")) == ["OU1"]

    async def test_comes_again_without_effect(self, harness: NotificationsHarness) -> None:
        """The same event as another message tells nobody twice."""
        for _ in range(2):
            await harness.send(published())
            await harness.fan_out()
        assert recipients(await harness.rows()) == ["OU1", "OU2"]

    async def test_of_the_next_edition_is_told_again(self, harness: NotificationsHarness) -> None:
        """An edition is a life of its own."""
        await harness.send(published(), published(9, edition=2))
        await harness.fan_out()
        assert [row["edition"] for row in await harness.rows(recipient_id="OU1")] == [1, 2]

    async def test_of_an_old_edition_is_no_news(self, harness: NotificationsHarness) -> None:
        """A publication that comes after its package was reinitialized tells nobody."""
        await harness.send(
            package(PackageReinitialized, 6, edition=2, status=PackageStatus.BEING_EDITED)
        )
        assert await harness.outcomes(published(4)) == ["unchanged"]
        await harness.fan_out()
        assert await harness.rows() == []

    async def test_of_a_canceled_edition_is_no_news(self, harness: NotificationsHarness) -> None:
        """A publication that comes after the cancel of its edition tells nobody."""
        await harness.send(canceled(5))
        assert await harness.outcomes(published(4)) == ["unchanged"]
        await harness.fan_out()
        assert await harness.rows(kind="package_available") == []


@pytest.mark.usefixtures("both_ways")
class TestEdit:
    """A published package whose audience grows is told to those who were added."""

    async def test_tells_those_added(self, harness: NotificationsHarness) -> None:
        """Nobody of the audience before is told again."""
        await harness.send(published(audience=["OU1", "OU2"]))
        await harness.fan_out()
        await harness.send(package(PackageEdited, 5, audience=["OU1", "OU2", "OU3"]))
        await harness.fan_out()
        assert recipients(await harness.rows()) == ["OU1", "OU2", "OU3"]

    async def test_of_something_else_tells_nobody(self, harness: NotificationsHarness) -> None:
        """The same audience leaves nothing to be told."""
        await harness.send(published(), package(PackageEdited, 5, label="Summer windows"))
        await harness.fan_out()
        assert len(await harness.rows()) == 2
        assert await harness.pool.fetchval("SELECT count(*) FROM happenings") == 1

    async def test_before_the_publication_is_heard_of(self, harness: NotificationsHarness) -> None:
        """An edit that overtakes the publication tells everybody, and nobody is told twice."""
        await harness.send(package(PackageEdited, 5, audience=["OU1", "OU2", "OU3"]))
        await harness.send(published(4, audience=["OU1", "OU2"]))
        await harness.fan_out()
        assert recipients(await harness.rows()) == ["OU1", "OU2", "OU3"]

    async def test_of_a_package_not_published_tells_nobody(
        self, harness: NotificationsHarness
    ) -> None:
        """What is not offered is not told of."""
        changes = {"status": PackageStatus.BEING_EDITED, "published_at": None}
        await harness.send(
            package(PackageCreated, 1, audience=["OU1"], **changes),
            package(PackageEdited, 2, **changes),
        )
        await harness.fan_out()
        assert await harness.rows() == []


class TestRejection:
    """A rejected package is told to the operator it is assigned to."""

    async def test_tells_the_assigned_operator(self, harness: NotificationsHarness) -> None:
        """The operator is told at once, each time."""
        await harness.send(package(PackageRejected, 3, assigned_to=OPERATOR, status="rejected"))
        await harness.send(package(PackageRejected, 5, assigned_to=OPERATOR, status="rejected"))
        rows = await harness.rows()
        assert [(row["recipient_type"], row["recipient_id"]) for row in rows] == [
            ("operator", "p-martin")
        ] * 2
        assert [row["happening"] for row in rows] == ["3", "5"]

    async def test_of_a_package_assigned_to_nobody(self, harness: NotificationsHarness) -> None:
        """There is nobody to tell."""
        assert await harness.outcomes(package(PackageRejected, 3, status="rejected")) == [
            "accepted"
        ]
        assert await harness.rows() == []


class TestOrders:
    """The decision about an order is told to its entity."""

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            (OrderApproved, "order_approved"),
            (OrderRejected, "order_rejected"),
            (OrderCanceled, "order_canceled"),
        ],
    )
    async def test_tells_the_entity(
        self,
        harness: NotificationsHarness,
        kind: type[OrderApproved | OrderRejected | OrderCanceled],
        told: str,
    ) -> None:
        """One notification, named after the decision."""
        await harness.send(order(kind))
        (row,) = await harness.rows()
        assert (row["kind"], row["recipient_id"], row["subject"]) == (told, "OU1", "ORD29")

    async def test_canceled_with_their_package_are_told_as_that(
        self, harness: NotificationsHarness
    ) -> None:
        """A pack of canceled orders makes package_canceled, once an entity, and no other kind."""
        await harness.send(pack(["OU1", "OU2", "OU1"]), pack(["OU2", "OU3"], first=4))
        assert await harness.statuses() == [
            ("package_canceled", "OU1", "pending"),
            ("package_canceled", "OU2", "pending"),
            ("package_canceled", "OU3", "pending"),
        ]

    async def test_approved_too_late_is_no_news(self, harness: NotificationsHarness) -> None:
        """An approval heard of after the cancel of the package is not told any more."""
        await harness.send(published(), canceled())
        assert await harness.outcomes(order(OrderApproved)) == ["unchanged"]
        assert await harness.rows(kind="order_approved") == []

    async def test_approved_after_the_cancel_of_a_local_package_is_told(
        self, harness: NotificationsHarness
    ) -> None:
        """Orders of a local package live on."""
        await harness.send(
            published(distribution_level="local"), canceled(distribution_level="local")
        )
        await harness.send(order(OrderApproved))
        assert recipients(await harness.rows(kind="order_approved")) == ["OU1"]


class TestChannels:
    """An entity is told on each of its channels."""

    async def test_makes_one_row_a_channel(self, harness: NotificationsHarness) -> None:
        """Each channel is a notification of its own."""
        await harness.register("OU1", channels=["mailbox", "email", "webhook"])
        await harness.send(order(OrderApproved))
        assert {row["channel"] for row in await harness.rows()} == {"mailbox", "email", "webhook"}

    async def test_unknown_entity_waits_for_its_mailbox(
        self, harness: NotificationsHarness
    ) -> None:
        """What is told of an entity nobody knows is kept for the mailbox it may have."""
        await harness.send(order(OrderApproved, entity_id="OU9"))
        (row,) = await harness.rows()
        assert (row["recipient_id"], row["channel"], row["status"]) == ("OU9", "mailbox", "pending")


class TestEntities:
    """The copy of an entity is its newest state."""

    async def test_takes_the_newer_state(self, harness: NotificationsHarness) -> None:
        """A state that comes late is not taken, within a batch or after it."""
        await harness.send(
            entity(EntityUpdated, "OU1", version=3, label="New"),
            entity(EntityRegistered, "OU1", label="Old"),
        )
        await harness.send(entity(EntityUpdated, "OU1", version=2, label="Older"))
        assert await harness.pool.fetchval("SELECT label FROM entities") == "New"

    async def test_new_mailboxes_are_to_be_declared(self, harness: NotificationsHarness) -> None:
        """Each mailbox that an entity reads is noted once; one without the channel needs none."""
        await harness.register("OU1", "OU2", mailbox="north")
        await harness.register("OU3", channels=["email"])
        rows = await harness.pool.fetch("SELECT name FROM mailboxes WHERE declared_at IS NULL")
        assert [row["name"] for row in rows] == [harness.mailbox("north")]


@pytest.mark.usefixtures("both_ways")
class TestCancel:
    """What is kept of a cancel before anything is sent."""

    async def test_announces_its_part(self, harness: NotificationsHarness) -> None:
        """Progress begins with nobody told, and as many expected as are foreseen."""
        await harness.send(canceled(audience=["OU1", "OU2", "OU3"]))
        (progress,) = await harness.inner.events(CancellationProgressed)
        assert (progress.service, progress.done, progress.expected) == ("notifications", 0, 3)

    async def test_comes_again_without_effect(self, harness: NotificationsHarness) -> None:
        """A second message about the same cancel announces nothing."""
        await harness.send(canceled())
        await harness.inner.emitted()
        assert await harness.outcomes(canceled()) == ["unchanged"]
        assert await harness.inner.emitted() == []

    async def test_counts_whoever_is_added(self, harness: NotificationsHarness) -> None:
        """Entities of the audience and of orders are expected once, also over many messages."""
        await harness.send(pack(["OU2", "OU3"]))
        await harness.send(canceled(audience=["OU1", "OU2"]))
        await harness.fan_out()
        await harness.send(pack(["OU1", "OU4"], first=3), orders_report(4))
        row = await harness.pool.fetchrow("SELECT * FROM cancels")
        assert row is not None
        assert (row["expected"], row["orders_seen"], row["orders_canceled"]) == (4, 4, 4)
        assert recipients(await harness.rows()) == ["OU1", "OU2", "OU3", "OU4"]

    async def test_of_a_copy_that_is_newer_still_counts(
        self, harness: NotificationsHarness
    ) -> None:
        """A cancel that comes after the next edition began is done all the same."""
        await harness.send(published(9, edition=2), canceled(5, audience=["OU1"]))
        await harness.fan_out()
        rows = await harness.rows(kind="package_canceled")
        assert [(row["recipient_id"], row["edition"]) for row in rows] == [("OU1", 1)]
