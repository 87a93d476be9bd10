"""Notices are sent in portions that a worker can hold, whatever they say."""

import pytest

from contracts.orders import OrderApproved
from services.notifications import outbound
from tests.notifications.given import order, published
from tests.notifications.harness import NotificationsHarness

pytestmark = pytest.mark.servers


async def taken(harness: NotificationsHarness) -> outbound.Held:
    """Hold the next notifications, as the sweep that sends does."""
    async with harness.inner.work.begin() as tx:
        return await outbound.take(tx.conn, 100, tx.now)


class TestWhatIsSentAtOnce:
    """Bounded by the bytes of its notices."""

    async def test_is_a_part_of_a_fan_out(
        self, harness: NotificationsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The others are due right after it."""
        await harness.register(*(f"OU{n}" for n in range(20)))
        await harness.send(published(audience=None))
        await harness.fan_out()
        notice = await harness.pool.fetchval("SELECT octet_length(notice) FROM happenings")
        monkeypatch.setattr(outbound, "HELD_BYTES", 3 * notice)

        held = await taken(harness)

        assert len(held.due) == 3
        assert held.has_more

    async def test_is_a_part_of_many_happenings_in_their_order(
        self, harness: NotificationsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing about later ones is read."""
        ids = [f"ORD{n}" for n in range(20)]
        await harness.register("OU1")
        orders = [order(OrderApproved, order_id=id, package_id=f"P-{id}") for id in ids]
        await harness.send(*orders)
        most = "SELECT max(octet_length(notice)) FROM happenings"
        monkeypatch.setattr(outbound, "HELD_BYTES", 5 * await harness.pool.fetchval(most))

        held = await taken(harness)

        assert [due.told.order_id for due in held.due] == ids[: len(held.due)]
        assert 5 <= len(held.due) < 8
        assert held.has_more

    async def test_is_at_least_one(
        self, harness: NotificationsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However large it is."""
        monkeypatch.setattr(outbound, "HELD_BYTES", 1)
        await harness.register("OU1", "OU2")
        await harness.send(published(audience=None))
        await harness.fan_out()

        assert len((await taken(harness)).due) == 1
