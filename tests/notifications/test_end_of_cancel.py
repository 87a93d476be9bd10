"""The end of a cancel: reported at once, in the transaction of whatever it waited for last."""

import pytest

from services.notifications import sending, sweeps, wakes
from tests.notifications.given import canceled, orders_report, pack, published
from tests.notifications.harness import (
    BrokerHarness,
    NotificationsHarness,
    fan_out_by_sweep,
    only_report,
)

pytestmark = pytest.mark.servers

LAST_NOTICE_ENDED_IT = """
SELECT xmin::text IN (SELECT xmin::text FROM notifications) FROM cancels
WHERE completed_at IS NOT NULL
"""

TRIED_CANCELS = """
INSERT INTO cancels (package_id, edition, started_at, orders_canceled, cause)
SELECT 'P' || n, 1, now(), 0, '{}' FROM generate_series(1, $1) AS n
"""


class TestEnd:
    """A cancel ends in the transaction of whatever it waited for last."""

    async def test_with_its_last_notice(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of ten orders: no sweep but the one that sends is needed, and no other transaction."""
        monkeypatch.setattr(sending, "TAKEN", 4)
        ids = [f"OU{number}" for number in range(10)]
        await broker_harness.register(*ids, mailbox="north")
        await broker_harness.send(canceled(published_at=None), pack(ids), orders_report(10))
        await broker_harness.sweep(wakes.SEND)
        assert await only_report(broker_harness) == (10, 0, 0)
        assert set(await broker_harness.statuses()) == {
            ("package_canceled", id, "sent") for id in ids
        }
        assert await broker_harness.pool.fetchval(LAST_NOTICE_ENDED_IT)

    async def test_with_the_report_of_orders(self, broker_harness: BrokerHarness) -> None:
        """Where everybody has been told before it comes, no sweep is needed."""
        await broker_harness.register("OU1", "OU2", "OU3", mailbox="north")
        await broker_harness.send(canceled(), pack(["OU1", "OU3"]))
        await broker_harness.sweep(wakes.SEND)
        assert await broker_harness.reports() == []
        await broker_harness.send(orders_report(2))
        assert await only_report(broker_harness) == (3, 0, 0)

    async def test_with_the_last_pack_of_orders(self, broker_harness: BrokerHarness) -> None:
        """The report has overtaken it, and its entities have been told with the audience."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.send(canceled(), pack(["OU1"]), orders_report(2))
        await broker_harness.sweep(wakes.SEND)
        assert await broker_harness.reports() == []
        await broker_harness.send(pack(["OU2"], first=2))
        assert await only_report(broker_harness) == (2, 0, 0)

    async def test_with_the_cancel_itself(self, harness: NotificationsHarness) -> None:
        """Nobody is concerned of a local package; orders need not be heard."""
        await harness.send(canceled(distribution_level="local"))
        assert await only_report(harness) == (0, 0, 0)

    async def test_is_reported_once(self, broker_harness: BrokerHarness) -> None:
        """Neither repeats nor the sweep report it again."""
        await broker_harness.register("OU1", "OU2", mailbox="north")
        for _ in range(2):
            await broker_harness.send(canceled(), pack(["OU1"]), orders_report(1), source="/again")
            await broker_harness.deliver()
        assert await only_report(broker_harness) == (2, 0, 0)

    async def test_while_the_offer_is_being_fanned_out(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who was told is told of the cancel after it, who is waiting is not, the rest never."""
        fan_out_by_sweep(monkeypatch, piece=2)
        ids = [f"OU{number}" for number in range(1, 8)]
        await broker_harness.register(*ids, mailbox="north")
        await broker_harness.send(published(audience=ids))
        await broker_harness.add_piece()
        await broker_harness.sweep(wakes.SEND)
        await broker_harness.add_piece()
        await broker_harness.send(canceled(audience=ids), orders_report())
        await broker_harness.sweep(wakes.SEND, wakes.CANCELS)
        assert await broker_harness.reports() == []
        await broker_harness.deliver()
        told = [
            (notice.kind, notice.recipient.id) for _, notice in await broker_harness.read("north")
        ]
        offers = [("package_available", "OU1"), ("package_available", "OU2")]
        assert sorted(told[:2]) == offers
        assert sorted(told[2:]) == [("package_canceled", id) for id in ids]
        assert await only_report(broker_harness) == (7, 2, 0)


class TestEndByTheSweep:
    """Whatever nobody else has reported, the sweep does."""

    async def test_goes_on_while_more_can_be_reported(self, harness: NotificationsHarness) -> None:
        """A hundred in a piece, and the next piece at once."""
        await harness.pool.execute(TRIED_CANCELS, 250)
        assert await harness.inner.sweep(wakes.CANCELS) == 3
        assert len({report.package_id for report in await harness.reports()}) == 250

    async def test_is_not_held_up_by_long_fan_outs(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Older cancels that cannot end yet take no place of one that can."""
        fan_out_by_sweep(monkeypatch)
        monkeypatch.setattr(sweeps, "CANCELS", 2)
        await broker_harness.register("OU1", mailbox="north")
        await broker_harness.send(canceled(audience=["OU1"]), pack(["OU1"]), orders_report(1))
        await broker_harness.sweep(wakes.SEND)
        await broker_harness.add_piece()
        for package_id in ("CAT1", "CAT2"):
            await broker_harness.send(
                canceled(package_id=package_id), orders_report(package_id=package_id)
            )
        await broker_harness.pool.execute(
            "UPDATE cancels SET started_at = now() - interval '1 h' WHERE package_id <> 'CAT86'"
        )
        await sweeps.end_cancels(broker_harness.inner.work)
        assert await only_report(broker_harness) == (1, 0, 0)
