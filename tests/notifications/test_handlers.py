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
from tests.notifications.stage import Stage, recipients

pytestmark = pytest.mark.servers


class TestPublication:
    """A published package is told to its audience."""

    async def test_tells_the_audience(self, stage: Stage) -> None:
        """Each of the audience, and nobody else, waits for a package_available."""
        await stage.register("OU1", "OU2", "OU3")
        await stage.send(published())
        await stage.fan_out()
        assert await stage.told() == [
            ("package_available", "OU1", "pending"),
            ("package_available", "OU2", "pending"),
        ]

    async def test_without_audience_tells_who_is_active_then(self, stage: Stage) -> None:
        """Whoever becomes active, inactive or known after the publication changes nothing."""
        await stage.register("OU1", "OU2", "OU3", "OU4")
        await stage.send(
            entity(EntityDeactivated, "OU3", version=2, active=False),
            entity(EntityDeactivated, "OU4", version=2, active=False),
        )
        await stage.send(published(audience=None))
        await stage.register("OU5")
        await stage.send(
            entity(EntityDeactivated, "OU2", version=2, active=False),
            entity(EntityActivated, "OU3", version=3),
        )
        await stage.send(entity(EntityActivated, "OU2", version=3))
        await stage.fan_out()
        assert recipients(await stage.rows()) == ["OU1", "OU2"]

    async def test_tells_apart_who_was_active_within_a_batch(self, stage: Stage) -> None:
        """Messages of one batch count in their order."""
        await stage.register("OU1", "OU2")
        await stage.send(
            entity(EntityDeactivated, "OU1", version=2, active=False),
            entity(EntityRegistered, "OU3"),
            published(audience=None),
            entity(EntityDeactivated, "OU2", version=2, active=False),
            entity(EntityRegistered, "OU4"),
        )
        await stage.fan_out()
        assert recipients(await stage.rows()) == ["OU2", "OU3"]

    async def test_tells_a_local_package_too(self, stage: Stage) -> None:
        """A local package is offered like any other."""
        await stage.send(published(distribution_level="local", audience=["OU1"]))
        await stage.fan_out()
        assert recipients(await stage.rows(kind="package_available")) == ["OU1"]

    async def test_comes_again_without_effect(self, stage: Stage) -> None:
        """The same event as another message tells nobody twice."""
        for _ in range(2):
            await stage.send(published())
            await stage.fan_out()
        assert recipients(await stage.rows()) == ["OU1", "OU2"]

    async def test_of_the_next_edition_is_told_again(self, stage: Stage) -> None:
        """An edition is a life of its own."""
        await stage.send(published(), published(9, edition=2))
        await stage.fan_out()
        assert [row["edition"] for row in await stage.rows(recipient_id="OU1")] == [1, 2]

    async def test_of_an_old_edition_is_no_news(self, stage: Stage) -> None:
        """A publication that comes after its package was reinitialized tells nobody."""
        await stage.send(
            package(PackageReinitialized, 6, edition=2, status=PackageStatus.BEING_EDITED)
        )
        assert await stage.outcomes(published(4)) == ["unchanged"]
        await stage.fan_out()
        assert await stage.rows() == []

    async def test_of_a_canceled_edition_is_no_news(self, stage: Stage) -> None:
        """A publication that comes after the cancel of its edition tells nobody."""
        await stage.send(canceled(5))
        assert await stage.outcomes(published(4)) == ["unchanged"]
        await stage.fan_out()
        assert await stage.rows(kind="package_available") == []


class TestEdit:
    """A published package whose audience grows is told to those who were added."""

    async def test_tells_those_added(self, stage: Stage) -> None:
        """Nobody of the audience before is told again."""
        await stage.send(published(audience=["OU1", "OU2"]))
        await stage.fan_out()
        await stage.send(package(PackageEdited, 5, audience=["OU1", "OU2", "OU3"]))
        await stage.fan_out()
        assert recipients(await stage.rows()) == ["OU1", "OU2", "OU3"]

    async def test_of_something_else_tells_nobody(self, stage: Stage) -> None:
        """The same audience leaves nothing to be told."""
        await stage.send(published(), package(PackageEdited, 5, label="Summer windows"))
        await stage.fan_out()
        assert len(await stage.rows()) == 2
        assert await stage.pool.fetchval("SELECT count(*) FROM happenings") == 1

    async def test_before_the_publication_is_heard_of(self, stage: Stage) -> None:
        """An edit that overtakes the publication tells everybody, and nobody is told twice."""
        await stage.send(package(PackageEdited, 5, audience=["OU1", "OU2", "OU3"]))
        await stage.send(published(4, audience=["OU1", "OU2"]))
        await stage.fan_out()
        assert recipients(await stage.rows()) == ["OU1", "OU2", "OU3"]

    async def test_of_a_package_not_published_tells_nobody(self, stage: Stage) -> None:
        """What is not offered is not told of."""
        changes = {"status": PackageStatus.BEING_EDITED, "published_at": None}
        await stage.send(
            package(PackageCreated, 1, audience=["OU1"], **changes),
            package(PackageEdited, 2, **changes),
        )
        await stage.fan_out()
        assert await stage.rows() == []


class TestRejection:
    """A rejected package is told to the operator it is assigned to."""

    async def test_tells_the_assigned_operator(self, stage: Stage) -> None:
        """The operator is told at once, each time."""
        await stage.send(package(PackageRejected, 3, assigned_to=OPERATOR, status="rejected"))
        await stage.send(package(PackageRejected, 5, assigned_to=OPERATOR, status="rejected"))
        rows = await stage.rows()
        assert [(row["recipient_type"], row["recipient_id"]) for row in rows] == [
            ("operator", "p-martin")
        ] * 2
        assert [row["happening"] for row in rows] == ["3", "5"]

    async def test_of_a_package_assigned_to_nobody(self, stage: Stage) -> None:
        """There is nobody to tell."""
        assert await stage.outcomes(package(PackageRejected, 3, status="rejected")) == ["accepted"]
        assert await stage.rows() == []


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
        stage: Stage,
        kind: type[OrderApproved | OrderRejected | OrderCanceled],
        told: str,
    ) -> None:
        """One notification, named after the decision."""
        await stage.send(order(kind))
        (row,) = await stage.rows()
        assert (row["kind"], row["recipient_id"], row["subject"]) == (told, "OU1", "ORD29")

    async def test_canceled_with_their_package_are_told_as_that(self, stage: Stage) -> None:
        """A pack of canceled orders makes package_canceled, once an entity, and no other kind."""
        await stage.send(pack(["OU1", "OU2", "OU1"]), pack(["OU2", "OU3"], first=4))
        assert await stage.told() == [
            ("package_canceled", "OU1", "pending"),
            ("package_canceled", "OU2", "pending"),
            ("package_canceled", "OU3", "pending"),
        ]

    async def test_approved_too_late_is_no_news(self, stage: Stage) -> None:
        """An approval heard of after the cancel of the package is not told any more."""
        await stage.send(published(), canceled())
        assert await stage.outcomes(order(OrderApproved)) == ["unchanged"]
        assert await stage.rows(kind="order_approved") == []

    async def test_approved_after_the_cancel_of_a_local_package_is_told(self, stage: Stage) -> None:
        """Orders of a local package live on."""
        await stage.send(
            published(distribution_level="local"), canceled(distribution_level="local")
        )
        await stage.send(order(OrderApproved))
        assert recipients(await stage.rows(kind="order_approved")) == ["OU1"]


class TestChannels:
    """An entity is told on each of its channels."""

    async def test_makes_one_row_a_channel(self, stage: Stage) -> None:
        """Each channel is a notification of its own."""
        await stage.register("OU1", channels=["mailbox", "email", "webhook"])
        await stage.send(order(OrderApproved))
        assert {row["channel"] for row in await stage.rows()} == {"mailbox", "email", "webhook"}

    async def test_unknown_entity_waits_for_its_mailbox(self, stage: Stage) -> None:
        """What is told of an entity nobody knows is kept for the mailbox it may have."""
        await stage.send(order(OrderApproved, entity_id="OU9"))
        (row,) = await stage.rows()
        assert (row["recipient_id"], row["channel"], row["status"]) == ("OU9", "mailbox", "pending")


class TestEntities:
    """The copy of an entity is its newest state."""

    async def test_takes_the_newer_state(self, stage: Stage) -> None:
        """A state that comes late is not taken, within a batch or after it."""
        await stage.send(
            entity(EntityUpdated, "OU1", version=3, label="New"),
            entity(EntityRegistered, "OU1", label="Old"),
        )
        await stage.send(entity(EntityUpdated, "OU1", version=2, label="Older"))
        assert await stage.pool.fetchval("SELECT label FROM entities") == "New"

    async def test_new_mailboxes_are_to_be_declared(self, stage: Stage) -> None:
        """Each mailbox that an entity reads is noted once; one without the channel needs none."""
        await stage.register("OU1", "OU2", mailbox="north")
        await stage.register("OU3", channels=["email"])
        rows = await stage.pool.fetch("SELECT name FROM mailboxes WHERE declared_at IS NULL")
        assert [row["name"] for row in rows] == [stage.mailbox("north")]


class TestCancel:
    """What is kept of a cancel before anything is sent."""

    async def test_announces_its_part(self, stage: Stage) -> None:
        """Progress begins with nobody told, and as many expected as are foreseen."""
        await stage.send(canceled(audience=["OU1", "OU2", "OU3"]))
        (progress,) = await stage.desk.events(CancellationProgressed)
        assert (progress.service, progress.done, progress.expected) == ("notifications", 0, 3)

    async def test_comes_again_without_effect(self, stage: Stage) -> None:
        """A second message about the same cancel announces nothing."""
        await stage.send(canceled())
        await stage.desk.said()
        assert await stage.outcomes(canceled()) == ["unchanged"]
        assert await stage.desk.said() == []

    async def test_counts_whoever_is_added(self, stage: Stage) -> None:
        """Entities of the audience and of orders are expected once, also over many messages."""
        await stage.send(pack(["OU2", "OU3"]))
        await stage.send(canceled(audience=["OU1", "OU2"]))
        await stage.fan_out()
        await stage.send(pack(["OU1", "OU4"], first=3), orders_report(4))
        row = await stage.pool.fetchrow("SELECT * FROM cancels")
        assert row is not None
        assert (row["expected"], row["orders_seen"], row["orders_canceled"]) == (4, 4, 4)
        assert recipients(await stage.rows()) == ["OU1", "OU2", "OU3", "OU4"]

    async def test_of_a_copy_that_is_newer_still_counts(self, stage: Stage) -> None:
        """A cancel that comes after the next edition began is done all the same."""
        await stage.send(published(9, edition=2), canceled(5, audience=["OU1"]))
        await stage.fan_out()
        rows = await stage.rows(kind="package_canceled")
        assert [(row["recipient_id"], row["edition"]) for row in rows] == [("OU1", 1)]
