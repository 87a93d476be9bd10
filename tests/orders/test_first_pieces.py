"""The first piece of a cancel: done in the transaction of the message, as far as it is small."""

import asyncio

import pytest

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrderPlaced, OrdersCanceled
from services.runtime.service import Job, Transaction, jobs
from tests import locks
from tests.conftest import PieceSizes
from tests.eventually import eventually
from tests.harness import Harness
from tests.orders.given import canceled, place
from tests.orders.table import CancelEvents, fill, statuses

pytestmark = pytest.mark.servers

TRANSACTIONS = """
SELECT xmin::text AS transaction FROM orders WHERE status = 'canceled'
UNION SELECT xmin::text FROM jobs
UNION SELECT xmin::text FROM outbox WHERE type LIKE '%cancel%'
UNION SELECT xmin::text FROM inbox WHERE id = $1
"""
RUNNING = "SELECT count(*) FROM jobs WHERE state = 'running'"


async def running(orders: Harness) -> int:
    """How many jobs are not done."""
    return int(await orders.pool.fetchval(RUNNING))


class TestASmallCancel:
    """Of fewer orders than a first piece may touch."""

    async def test_is_one_transaction(self, orders: Harness) -> None:
        """The message, the orders, the job and all events are committed together."""
        await fill(orders, 6)
        await fill(orders, 2, "rejected", prefix="r")
        await orders.send(canceled(), id="the-cancel")
        assert len(await orders.pool.fetch(TRANSACTIONS, "the-cancel")) == 1
        assert await statuses(orders) == {(1, "canceled", 5): 6, (1, "rejected", 4): 2}
        assert await running(orders) == 0

    async def test_reports_at_once(self, orders: Harness) -> None:
        """Its start, the orders, how far it is, and the report; the sweep finds nothing to do."""
        await fill(orders, 6)
        await fill(orders, 2, "rejected", prefix="r")
        await orders.send(canceled())
        start, pack, progress, report = [one.body for one in await orders.emitted()]
        assert isinstance(start, CancellationProgressed)
        assert (start.done, start.expected) == (0, 6)
        assert isinstance(pack, OrdersCanceled)
        assert len(pack.orders) == 6
        assert isinstance(progress, CancellationProgressed)
        assert (progress.done, progress.expected) == (6, 6)
        assert isinstance(report, PackageOrdersCanceled)
        assert (report.canceled, report.already_final) == (6, 2)
        assert await orders.sweep("jobs") == 1
        assert await orders.emitted() == []

    async def test_comes_after_the_commands_of_its_batch(self, orders: Harness) -> None:
        """It cancels what was placed in the same transaction, and says so behind it."""
        await orders.send(place(), canceled(), place(order_id="ORD2", entity_id="OU2"))
        kinds = [type(one.body) for one in await orders.emitted() if one.body.subject != "ORD2"]
        assert kinds == [
            OrderPlaced,
            CancellationProgressed,
            OrdersCanceled,
            CancellationProgressed,
            PackageOrdersCanceled,
        ]
        assert await statuses(orders) == {(1, "canceled", 2): 1}

    async def test_is_done_again_with_its_transaction(
        self, orders: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A commit that fails leaves neither orders nor events of it."""
        await fill(orders, 6)
        insert, failures = jobs._insert, [ConnectionResetError("gone")]

        async def fail_once(tx: Transaction, new: list[Job]) -> None:
            if failures:
                raise failures.pop()
            await insert(tx, new)

        monkeypatch.setattr(jobs, "_insert", fail_once)
        await orders.send(canceled())
        assert failures == []
        assert await statuses(orders) == {(1, "canceled", 5): 6}
        events = CancelEvents(await orders.emitted())
        assert (len(events.orders), events.counts) == (6, (6, 0))


class TestALargerCancel:
    """The sweep goes on where the first piece ended."""

    async def test_goes_on_from_its_cursor(self, orders: Harness, piece_sizes: PieceSizes) -> None:
        """Each order once; what is expected is known from the first piece on."""
        piece_sizes(7, first=5)
        await fill(orders, 20)
        await orders.send(canceled())
        assert await statuses(orders) == {(1, "canceled", 5): 5, (1, "ordered", 4): 15}
        row = await orders.pool.fetchrow("SELECT state, cursor FROM jobs")
        last = await orders.pool.fetchrow(
            "SELECT entity_id, order_id FROM orders WHERE status = 'canceled' "
            "ORDER BY entity_id DESC, order_id DESC LIMIT 1"
        )
        assert row
        assert last
        assert (row["state"], row["cursor"]) == ("running", list(last))
        before = await orders.emitted()
        assert CancelEvents(before).reports == []
        # Pieces of 7, 7 and 1, and the look that finds no job.
        assert await orders.sweep("jobs") == 4
        events = CancelEvents(before + await orders.emitted())
        assert [(p.done, p.expected) for p in events.progress] == [
            (0, 20),
            (5, 20),
            (12, 20),
            (19, 20),
            (20, 20),
        ]
        assert len({ref.order_id for ref in events.orders}) == len(events.orders) == 20
        assert events.counts == (20, 0)

    async def test_of_just_a_first_piece_ends_in_the_sweep(
        self, orders: Harness, piece_sizes: PieceSizes
    ) -> None:
        """A piece that finds all that it may does not know that nothing follows."""
        piece_sizes(7, first=5)
        await fill(orders, 5)
        await orders.send(canceled())
        before = await orders.emitted()
        assert CancelEvents(before).reports == []
        await orders.sweep("jobs")
        events = CancelEvents(before + await orders.emitted())
        assert [(p.done, p.expected) for p in events.progress] == [(0, 5), (5, 5), (5, 5)]
        assert events.counts == (5, 0)


class TestManyCancels:
    """In one batch."""

    MOST = jobs.FIRST_PIECES // jobs.SMALLEST_PIECE

    async def test_share_what_first_pieces_may_touch(self, orders: Harness) -> None:
        """Two of them get half of it each."""
        half = jobs.FIRST_PIECES // 2
        for package_id in ("P1", "P2"):
            await fill(orders, half + 50, package_id=package_id)
        await orders.send(canceled(package_id="P1"), canceled(package_id="P2"))
        for package_id in ("P1", "P2"):
            found = await statuses(orders, package_id)
            assert found == {(1, "canceled", 5): half, (1, "ordered", 4): 50}
        await orders.sweep("jobs")
        emitted = await orders.emitted()
        for package_id in ("P1", "P2"):
            assert CancelEvents(emitted, package_id).counts == (half + 50, 0)

    @pytest.mark.parametrize(
        ("count", "left"), [(MOST, 0), (MOST + 1, MOST + 1)], ids=["few_enough", "too_many"]
    )
    async def test_have_first_pieces_only_where_each_is_worth_it(
        self, orders: Harness, count: int, left: int
    ) -> None:
        """Where there are more, all of them are the sweep's."""
        packages = [f"P{at}" for at in range(count)]
        for package_id in packages:
            await fill(orders, 3, package_id=package_id)
        await orders.send(*(canceled(package_id=package_id) for package_id in packages))
        assert await running(orders) == left
        before = await orders.emitted()
        # Of each its start, the orders, how far it is, and the report.
        assert len(before) == (0 if left else 4 * count)
        assert await orders.sweep("jobs") == left + 1
        emitted = before + await orders.emitted()
        for package_id in packages:
            assert CancelEvents(emitted, package_id).counts == (3, 0)


class TestTwoWorkers:
    """That hear of one cancel at once, of a package that neither knows."""

    async def test_cancel_its_orders_once(self, pair: tuple[Harness, Harness]) -> None:
        """The first piece of the second is undone, and its message decided again."""
        one, two = pair
        await fill(one, 6, package_id="P1")
        async with one.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "jobs")
            canceling = asyncio.gather(
                one.send(canceled(package_id="P1")), two.send(canceled(package_id="P1"))
            )
            await eventually(lambda: locks.are_two_waiting(guard))
        answers = await canceling
        assert sorted(a.outcome for (a,) in answers if a) == ["accepted", "unchanged"]
        assert await statuses(one, "P1") == {(1, "canceled", 5): 6}
        events = CancelEvents(await one.emitted(), "P1")
        assert (len(events.orders), events.counts) == (6, (6, 0))
        assert await one.pool.fetchval("SELECT count(*) FROM jobs") == 1
