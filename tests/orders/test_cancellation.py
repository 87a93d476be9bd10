"""How orders cancels the orders of a package: in pieces, once, with the right counts."""

import asyncio

import pytest

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrdersCanceled
from services.runtime.service import Job, Transaction, jobs
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.orders.given import canceled, life, place, published, reinitialized
from tests.orders.table import CancelEvents, fill, statuses

pytestmark = pytest.mark.servers


class TestACancel:
    """Of a package with orders."""

    async def test_cancels_the_open_ones_and_counts_the_others(self, orders: Harness) -> None:
        """Each once, with the version after it."""
        for at, status in enumerate(("ordered", "approved", "available", "rejected", "canceled")):
            await fill(orders, at + 1, status, prefix=status)
        await orders.send(canceled(), actor="m.durand", id="the-cancel")
        await orders.sweep("jobs")
        assert await statuses(orders) == {
            (1, "canceled", 5): 6,
            (1, "rejected", 4): 4,
            (1, "canceled", 4): 5,
        }
        events = CancelEvents(await orders.emitted())
        assert events.counts == (6, 9)
        assert {ref.version for ref in events.orders} == {5}
        assert len({ref.order_id for ref in events.orders}) == 6

    async def test_says_who_did_it_and_why(self, orders: Harness) -> None:
        """Each event has the cancel as its cause, and the package as its key."""
        await orders.send(place())
        await orders.emitted()
        await orders.send(canceled(), actor="m.durand", id="the-cancel")
        await orders.sweep("jobs")
        emitted = await orders.emitted()
        assert [type(one.body) for one in emitted] == [
            CancellationProgressed,
            OrdersCanceled,
            CancellationProgressed,
            PackageOrdersCanceled,
        ]
        for one in emitted:
            envelope = one.envelope
            assert (envelope.causationid, envelope.actor) == ("the-cancel", "m.durand")
            assert (envelope.correlationid, envelope.partitionkey) == ("the-cancel", "CAT86")
        row = await orders.pool.fetchrow("SELECT changed_by, canceled_at, changed_at FROM orders")
        assert row
        assert row["changed_by"] == "m.durand"
        assert row["canceled_at"] == row["changed_at"]

    async def test_of_a_package_nobody_ordered_reports_zeros(self, orders: Harness) -> None:
        """Also of one that orders has never heard of."""
        await orders.send(canceled(), canceled(package_id="P9"))
        await orders.sweep("jobs")
        emitted = await orders.emitted()
        for package_id in ("CAT86", "P9"):
            events = CancelEvents(emitted, package_id)
            assert events.counts == (0, 0)
            assert events.packs == []
            assert [(p.done, p.expected) for p in events.progress] == [(0, 0)]

    async def test_of_a_local_package_cancels_nothing(self, orders: Harness) -> None:
        """It has reported before any sweep."""
        await orders.send(published(package_id="P1", distribution_level="local"))
        await fill(orders, 3, package_id="P1")
        await orders.emitted()
        await orders.send(canceled(package_id="P1", distribution_level="local"))
        await orders.sweep("jobs")
        events = CancelEvents(await orders.emitted(), "P1")
        assert events.counts == (0, 0)
        assert [(p.done, p.expected) for p in events.progress] == [(0, 0)]
        assert await statuses(orders, "P1") == {(1, "ordered", 4): 3}

    async def test_tells_of_a_thousand_orders_at_a_time(
        self, orders: Harness, piece_sizes: PieceSizes
    ) -> None:
        """A pack is never larger, and none is empty."""
        piece_sizes(5000)
        await fill(orders, 3000)
        await orders.send(canceled())
        await orders.sweep("jobs")
        events = CancelEvents(await orders.emitted())
        assert [len(pack.orders) for pack in events.packs] == [1000, 1000, 1000]
        assert len({ref.order_id for ref in events.orders}) == 3000
        assert events.counts == (3000, 0)

    async def test_concerns_one_edition(self, orders: Harness) -> None:
        """Orders of a life before stay as they are."""
        await fill(orders, 3, "approved", prefix="old")
        await fill(orders, 2, edition=2)
        await orders.send(published(version=7, edition=2))
        await orders.send(canceled(version=8, edition=2))
        await orders.sweep("jobs")
        assert await statuses(orders) == {(1, "approved", 4): 3, (2, "canceled", 5): 2}
        assert CancelEvents(await orders.emitted()).counts == (2, 0)


class TestPieces:
    """A cancel of many orders, some at a time."""

    @pytest.mark.parametrize(("count", "pieces"), [(6, 1), (7, 2), (20, 3), (21, 4)])
    async def test_say_how_far_it_has_got(
        self, orders: Harness, piece_sizes: PieceSizes, count: int, pieces: int
    ) -> None:
        """At the start and after each; the one that finds less than it may is the last."""
        piece_sizes(7)
        await fill(orders, count)
        await fill(orders, 1, "rejected", package_id="P1")
        await orders.send(canceled())
        assert await orders.sweep("jobs") == pieces + 1
        events = CancelEvents(await orders.emitted())
        done = [min(7 * at, count) for at in range(pieces + 1)]
        assert [(p.done, p.expected) for p in events.progress] == [(n, count) for n in done]
        assert events.counts == (count, 0)
        assert {p.service for p in events.progress} == {"orders"}

    async def test_walk_over_what_is_final(self, orders: Harness, piece_sizes: PieceSizes) -> None:
        """A piece may find nothing to cancel and not be the last."""
        piece_sizes(5)
        await fill(orders, 30, "rejected", prefix="a")
        await fill(orders, 4, prefix="b")
        await orders.send(canceled())
        await orders.sweep("jobs")
        events = CancelEvents(await orders.emitted())
        assert events.counts == (4, 30)
        assert len(events.orders) == 4

    async def test_leave_nothing_half_done_when_one_fails(
        self, orders: Harness, monkeypatch: pytest.MonkeyPatch, piece_sizes: PieceSizes
    ) -> None:
        """The next worker goes on where the last piece ended."""
        piece_sizes(7)
        await fill(orders, 20)
        await orders.send(canceled())
        save, calls = jobs._save, 0

        async def fail_once(tx: Transaction, job: Job) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise RuntimeError("the worker ends in the middle of a piece")
            await save(tx, job)

        monkeypatch.setattr(jobs, "_save", fail_once)
        with pytest.raises(RuntimeError, match="in the middle"):
            await orders.sweep("jobs")
        assert (await statuses(orders))[1, "canceled", 5] == 7
        before = await orders.emitted()
        assert len(CancelEvents(before).orders) == 7
        await orders.sweep("jobs")
        events = CancelEvents(before + await orders.emitted())
        assert [p.done for p in events.progress] == [0, 7, 14, 20]
        assert len({ref.order_id for ref in events.orders}) == len(events.orders) == 20
        assert events.counts == (20, 0)

    async def test_of_two_workers_do_each_order_once(
        self, pair: tuple[Harness, Harness], piece_sizes: PieceSizes
    ) -> None:
        """One job is worked by one at a time, different jobs by both."""
        piece_sizes(7)
        one, two = pair
        packages = [f"P{at}" for at in range(6)]
        for package_id in packages:
            await fill(one, 40, package_id=package_id)
            await fill(one, 3, "rejected", package_id=package_id, prefix="r")
            await one.send(canceled(package_id=package_id))
        assert await one.events(PackageOrdersCanceled) == []
        await asyncio.gather(*(harness.sweep("jobs") for harness in (one, two, one, two)))
        # A worker that found every job taken looks again a second later.
        await one.sweep("jobs")
        emitted = await one.emitted()
        for package_id in packages:
            events = CancelEvents(emitted, package_id)
            assert events.counts == (40, 3)
            assert len({ref.order_id for ref in events.orders}) == len(events.orders) == 40
            done = [p.done for p in events.progress]
            assert done == sorted(done)
            found = await statuses(one, package_id)
            assert found == {(1, "canceled", 5): 40, (1, "rejected", 4): 3}

    async def test_of_a_huge_cancel_do_not_keep_a_small_one_waiting(
        self, orders: Harness, piece_sizes: PieceSizes
    ) -> None:
        """Jobs take turns."""
        piece_sizes(5)
        await fill(orders, 60)
        await fill(orders, 1, package_id="P1")
        await orders.send(canceled())
        await orders.send(canceled(package_id="P1"))
        for _ in range(3):
            await orders.piece("jobs")
        emitted = await orders.emitted()
        assert CancelEvents(emitted, "P1").counts == (1, 0)
        assert CancelEvents(emitted).reports == []


class TestASecondLife:
    """Of a package whose first one was canceled, or was not."""

    async def test_has_orders_of_its_own(self, orders: Harness) -> None:
        """Cancel, reinitialize, publish, order, cancel."""
        await orders.send(place(), life("approve"))
        await orders.send(canceled())
        await orders.sweep("jobs")
        assert CancelEvents(await orders.emitted()).counts == (1, 0)
        await orders.send(reinitialized(), published(version=7, edition=2))
        assert (await orders.ask(place(order_id="ORD2"))).outcome == "accepted"
        assert (await orders.ask(life("approve"))).code == "wrong_status"
        assert (await orders.ask(life("approve", order_id="ORD2"))).outcome == "accepted"
        await orders.send(canceled(version=8, edition=2))
        await orders.sweep("jobs")
        assert CancelEvents(await orders.emitted()).counts == (1, 0)
        assert await statuses(orders) == {(1, "canceled", 3): 1, (2, "canceled", 3): 1}

    async def test_leaves_those_of_a_life_that_was_not_canceled(self, orders: Harness) -> None:
        """They are decided one by one, also after the cancel of the second."""
        await orders.send(place(), place(order_id="ORD2", entity_id="OU2"))
        await orders.send(reinitialized(version=5), published(version=6, edition=2))
        await orders.send(place(order_id="ORD3"))
        await orders.send(canceled(version=7, edition=2))
        await orders.sweep("jobs")
        assert (await orders.ask(life("approve"))).outcome == "accepted"
        assert (await orders.ask(life("reject", order_id="ORD2"))).outcome == "accepted"
        assert (await orders.ask(life("approve", order_id="ORD3"))).code == "wrong_status"

    async def test_is_not_touched_by_a_cancel_that_comes_late(
        self, orders: Harness, piece_sizes: PieceSizes
    ) -> None:
        """The cancel of the first edition is worked, and only that one's orders go."""
        piece_sizes(5)
        await orders.send(place())
        await orders.send(reinitialized(), published(version=7, edition=2))
        # In the middle of where the walk goes.
        await orders.send(place(order_id="ORD0"))
        await orders.send(canceled(version=5))
        assert (await orders.ask(life("approve"))).code == "wrong_status"
        await orders.sweep("jobs")
        assert await statuses(orders) == {(1, "canceled", 2): 1, (2, "ordered", 1): 1}
        assert (await orders.ask(life("approve", order_id="ORD0"))).outcome == "accepted"
