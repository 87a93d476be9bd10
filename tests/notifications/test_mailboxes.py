"""Mailboxes are made when the first entity that reads them is registered."""

import pytest

from contracts import names
from contracts.cancellation import PackageEntitiesNotified
from contracts.orders import OrderApproved
from services.notifications import sweeps, wakes
from tests.notifications.given import canceled, order, orders_report
from tests.notifications.stage import Post, Stage

pytestmark = pytest.mark.servers


class TestNewMailbox:
    """What is to be sent waits for its mailbox, and goes when it is there."""

    async def test_holds_its_notices_until_it_is_declared(self, post: Post) -> None:
        """The wait costs no try, and the declaration ends it."""
        await Stage.register(post, "OU1", mailbox="north")
        await post.send(order(OrderApproved))
        await post.sweep(wakes.SEND)
        (row,) = await post.rows()
        assert (row["status"], row["attempts"], row["error"]) == (
            "pending",
            0,
            "mailbox_not_declared",
        )
        await post.open_mailboxes()
        await post.sweep(wakes.SEND)
        assert len(await post.read("north")) == 1

    async def test_is_declared_in_pieces(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some at a time, until all are there; again is harmless."""
        monkeypatch.setattr(sweeps, "MAILBOXES", 2)
        await Stage.register(post, "OU1", "OU2", "OU3")
        await post.open_mailboxes()
        await post.pool.execute("UPDATE mailboxes SET declared_at = NULL WHERE name <> 'central'")
        await post.sweep(wakes.MAILBOXES)
        assert await post.pool.fetchval("SELECT bool_and(declared_at IS NOT NULL) FROM mailboxes")

    async def test_that_the_broker_refuses_harms_no_other(self, post: Post) -> None:
        """It is left alone for a while, with the reason kept; the others are made."""
        await Stage.register(post, "OU1", mailbox="north")
        await Stage.register(post, "OU2", mailbox="south")
        await post.fill("north")
        await post.open_mailboxes()
        rows = await post.pool.fetch(
            "SELECT name, declared_at IS NOT NULL AS declared, error FROM mailboxes"
            " WHERE name <> 'central' ORDER BY name"
        )
        north, south = rows
        assert (north["declared"], south["declared"]) == (False, True)
        assert "PRECONDITION_FAILED" in north["error"]
        assert names.mailbox(post.mailbox("north")) in north["error"]

    async def test_does_not_hold_a_cancel_open_for_ever(self, post: Post) -> None:
        """After half a minute its notices count as tried, and still go when it is there."""
        await Stage.register(post, "OU1", mailbox="north")
        await post.send(canceled(audience=["OU1"]), orders_report())
        await post.deliver()
        assert await post.reports() == []
        await post.age(31)
        await post.deliver()
        (report,) = await post.desk.events(PackageEntitiesNotified)
        assert (report.notified, report.failed) == (0, 1)
        await post.open_mailboxes()
        await post.deliver()
        assert [notice.kind for _, notice in await post.read("north")] == ["package_canceled"]
        assert await post.reports() == []
