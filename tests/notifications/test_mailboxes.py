"""Mailboxes are made when the first entity that reads them is registered."""

import pytest

from contracts import names
from contracts.cancellation import PackageEntitiesNotified
from contracts.orders import OrderApproved
from services.notifications import sweeps, wakes
from tests.notifications.given import canceled, order, orders_report
from tests.notifications.harness import BrokerHarness, NotificationsHarness

pytestmark = pytest.mark.servers


class TestNewMailbox:
    """What is to be sent waits for its mailbox, and goes when it is there."""

    async def test_holds_its_notices_until_it_is_declared(
        self, broker_harness: BrokerHarness
    ) -> None:
        """The wait costs no try, and the declaration ends it."""
        await NotificationsHarness.register(broker_harness, "OU1", mailbox="north")
        await broker_harness.send(order(OrderApproved))
        await broker_harness.sweep(wakes.SEND)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"], row["error"]) == (
            "pending",
            0,
            "mailbox_not_declared",
        )
        await broker_harness.open_mailboxes()
        await broker_harness.sweep(wakes.SEND)
        assert len(await broker_harness.read("north")) == 1

    async def test_is_declared_in_pieces(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Some at a time, until all are there; again is harmless."""
        monkeypatch.setattr(sweeps, "MAILBOXES", 2)
        await NotificationsHarness.register(broker_harness, "OU1", "OU2", "OU3")
        await broker_harness.open_mailboxes()
        await broker_harness.pool.execute(
            "UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'"
        )
        await broker_harness.sweep(wakes.MAILBOXES)
        assert await broker_harness.pool.fetchval(
            "SELECT bool_and(declared_at IS NOT NULL) FROM mailboxes"
        )

    async def test_that_the_broker_refuses_harms_no_other(
        self, broker_harness: BrokerHarness
    ) -> None:
        """It is left alone for a while, with the reason kept; the others are made."""
        await NotificationsHarness.register(broker_harness, "OU1", mailbox="north")
        await NotificationsHarness.register(broker_harness, "OU2", mailbox="south")
        await broker_harness.fill("north")
        await broker_harness.open_mailboxes()
        rows = await broker_harness.pool.fetch(
            "SELECT name, declared_at IS NOT NULL AS declared, error FROM mailboxes"
            " WHERE name <> 'central' ORDER BY name"
        )
        north, south = rows
        assert (north["declared"], south["declared"]) == (False, True)
        assert "PRECONDITION_FAILED" in north["error"]
        assert names.mailbox(broker_harness.mailbox("north")) in north["error"]

    async def test_does_not_hold_a_cancel_open_for_ever(
        self, broker_harness: BrokerHarness
    ) -> None:
        """After half a minute its notices count as tried, and still go when it is there."""
        await NotificationsHarness.register(broker_harness, "OU1", mailbox="north")
        await broker_harness.send(canceled(audience=["OU1"]), orders_report())
        await broker_harness.deliver()
        assert await broker_harness.reports() == []
        await broker_harness.age(31)
        await broker_harness.deliver()
        (report,) = await broker_harness.inner.events(PackageEntitiesNotified)
        assert (report.notified, report.failed) == (0, 1)
        await broker_harness.open_mailboxes()
        await broker_harness.deliver()
        assert [notice.kind for _, notice in await broker_harness.read("north")] == [
            "package_canceled"
        ]
        assert await broker_harness.reports() == []
