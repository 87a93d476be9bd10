"""How orders cancels the orders of a package: in pieces, once, with the right counts."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrderRef, OrdersCanceled
from services.orders import store, sweeps
from services.orders.store import Cancel
from services.runtime.database import Connection
from tests import locks
from tests.desk import Desk
from tests.eventually import eventually
from tests.orders.given import NOW, canceled, life, place, published, registered, reinitialized

pytestmark = pytest.mark.servers

FILL = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, status, version, placed_at,
                    changed_at)
SELECT $1 || '-' || n, $1, $2, 'OU' || n % 7, 'Windows', $3, 4, $5, $5
FROM generate_series(1, $4) AS n
"""


async def fill(
    orders: Desk,
    count: int,
    status: str = "ordered",
    *,
    package_id: str = "CAT86",
    edition: int = 1,
    prefix: str = "",
) -> None:
    """Put so many orders of a package into the table, without a word."""
    statement = FILL.replace("SELECT $1 ||", f"SELECT '{prefix}' || $1 ||")
    await orders.pool.execute(statement, package_id, edition, status, count, NOW)


async def statuses(orders: Desk, package_id: str = "CAT86") -> Counter[tuple[int, str, int]]:
    """How many orders of a package have which edition, status and version."""
    rows = await orders.pool.fetch(
        "SELECT edition, status, version FROM orders WHERE package_id = $1", package_id
    )
    return Counter((row["edition"], row["status"], row["version"]) for row in rows)


class Heard:
    """What a cancel said of one package."""

    def __init__(self, said: list[Any], package_id: str = "CAT86") -> None:
        """Said: what a desk said."""
        bodies = [one.body for one in said if one.body.subject == package_id]
        self.progress = [b for b in bodies if isinstance(b, CancellationProgressed)]
        self.packs = [b for b in bodies if isinstance(b, OrdersCanceled)]
        self.reports = [b for b in bodies if isinstance(b, PackageOrdersCanceled)]

    @property
    def orders(self) -> list[OrderRef]:
        """Every order that was said to be canceled."""
        return [order for pack in self.packs for order in pack.orders]

    @property
    def counts(self) -> tuple[int, int]:
        """Those of the one report."""
        (report,) = self.reports
        return report.canceled, report.already_final


class TestACancel:
    """Of a package with orders."""

    async def test_cancels_the_open_ones_and_counts_the_others(self, orders: Desk) -> None:
        """Each once, with the version after it."""
        for at, status in enumerate(("ordered", "approved", "available", "rejected", "canceled")):
            await fill(orders, at + 1, status, prefix=status)
        await orders.send(canceled(), actor="m.durand", id="the-cancel")
        await orders.sweep("cancels")
        assert await statuses(orders) == {
            (1, "canceled", 5): 6,
            (1, "rejected", 4): 4,
            (1, "canceled", 4): 5,
        }
        heard = Heard(await orders.said())
        assert heard.counts == (6, 9)
        assert {ref.version for ref in heard.orders} == {5}
        assert len({ref.order_id for ref in heard.orders}) == 6

    async def test_says_who_did_it_and_why(self, orders: Desk) -> None:
        """Each event has the cancel as its cause, and the package as its key."""
        await orders.send(place())
        await orders.send(canceled(), actor="m.durand", id="the-cancel")
        await orders.said()
        await orders.sweep("cancels")
        said = await orders.said()
        assert len(said) == 4
        for one in said:
            envelope = one.envelope
            assert (envelope.causationid, envelope.actor) == ("the-cancel", "m.durand")
            assert (envelope.correlationid, envelope.partitionkey) == ("the-cancel", "CAT86")
        row = await orders.pool.fetchrow("SELECT changed_by, canceled_at, changed_at FROM orders")
        assert row
        assert row["changed_by"] == "m.durand"
        assert row["canceled_at"] == row["changed_at"]

    async def test_of_a_package_nobody_ordered_reports_zeros(self, orders: Desk) -> None:
        """Also of one that orders has never heard of."""
        await orders.send(canceled(), canceled(package_id="P9"))
        await orders.sweep("cancels")
        said = await orders.said()
        for package_id in ("CAT86", "P9"):
            heard = Heard(said, package_id)
            assert heard.counts == (0, 0)
            assert heard.packs == []
            assert [(p.done, p.expected) for p in heard.progress] == [(0, 0), (0, 0)]

    async def test_of_a_local_package_cancels_nothing(self, orders: Desk) -> None:
        """It has reported before any sweep."""
        await orders.send(published(package_id="P1", distribution_level="local"))
        await fill(orders, 3, package_id="P1")
        await orders.said()
        await orders.send(canceled(package_id="P1", distribution_level="local"))
        await orders.sweep("cancels")
        heard = Heard(await orders.said(), "P1")
        assert heard.counts == (0, 0)
        assert [(p.done, p.expected) for p in heard.progress] == [(0, 0)]
        assert await statuses(orders, "P1") == {(1, "ordered", 4): 3}

    async def test_tells_of_a_thousand_orders_at_a_time(self, orders: Desk) -> None:
        """A pack is never larger, and none is empty."""
        await fill(orders, 3000)
        await orders.send(canceled())
        await orders.sweep("cancels")
        heard = Heard(await orders.said())
        assert [len(pack.orders) for pack in heard.packs] == [1000, 1000, 1000]
        assert len({ref.order_id for ref in heard.orders}) == 3000
        assert heard.counts == (3000, 0)

    async def test_concerns_one_edition(self, orders: Desk) -> None:
        """Orders of a life before stay as they are."""
        await fill(orders, 3, "approved", prefix="old")
        await fill(orders, 2, edition=2)
        await orders.send(published(version=7, edition=2))
        await orders.send(canceled(version=8, edition=2))
        await orders.sweep("cancels")
        assert await statuses(orders) == {(1, "approved", 4): 3, (2, "canceled", 5): 2}
        assert Heard(await orders.said()).counts == (2, 0)


class TestPieces:
    """A cancel of many orders, some at a time."""

    @pytest.mark.parametrize(("count", "pieces"), [(6, 1), (7, 2), (20, 3), (21, 4)])
    async def test_say_how_far_it_has_got(
        self, orders: Desk, monkeypatch: pytest.MonkeyPatch, count: int, pieces: int
    ) -> None:
        """At the start and after each; the one that finds less than it may is the last."""
        monkeypatch.setattr(sweeps, "CHUNK", 7)
        await fill(orders, count)
        await fill(orders, 1, "rejected", package_id="P1")
        await orders.send(canceled())
        assert await orders.sweep("cancels") == pieces + 1
        heard = Heard(await orders.said())
        done = [min(7 * at, count) for at in range(pieces + 1)]
        assert [(p.done, p.expected) for p in heard.progress] == [(n, count) for n in done]
        assert heard.counts == (count, 0)
        assert {p.service for p in heard.progress} == {"orders"}

    async def test_walk_over_what_is_final(
        self, orders: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A piece may find nothing to cancel and not be the last."""
        monkeypatch.setattr(sweeps, "CHUNK", 5)
        await fill(orders, 30, "rejected", prefix="a")
        await fill(orders, 4, prefix="b")
        await orders.send(canceled())
        await orders.sweep("cancels")
        heard = Heard(await orders.said())
        assert heard.counts == (4, 30)
        assert len(heard.orders) == 4

    async def test_leave_nothing_half_done_when_one_fails(
        self, orders: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next worker goes on where the last piece ended."""
        monkeypatch.setattr(sweeps, "CHUNK", 7)
        await fill(orders, 20)
        await orders.send(canceled())
        save, calls = store.save_cancel, 0

        async def fail_once(conn: Connection, cancel: Cancel, *rest: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise RuntimeError("the worker ends in the middle of a piece")
            await save(conn, cancel, *rest)

        monkeypatch.setattr(store, "save_cancel", fail_once)
        with pytest.raises(RuntimeError, match="in the middle"):
            await orders.sweep("cancels")
        assert (await statuses(orders))[1, "canceled", 5] == 7
        before = await orders.said()
        assert len(Heard(before).orders) == 7
        await orders.sweep("cancels")
        heard = Heard(before + await orders.said())
        assert [p.done for p in heard.progress] == [0, 7, 14, 20]
        assert len({ref.order_id for ref in heard.orders}) == len(heard.orders) == 20
        assert heard.counts == (20, 0)

    async def test_of_two_workers_do_each_order_once(
        self, pair: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One job is worked by one at a time, different jobs by both."""
        monkeypatch.setattr(sweeps, "CHUNK", 7)
        one, two = pair
        packages = [f"P{at}" for at in range(6)]
        for package_id in packages:
            await fill(one, 40, package_id=package_id)
            await fill(one, 3, "rejected", package_id=package_id, prefix="r")
            await one.send(canceled(package_id=package_id))
        await asyncio.gather(*(desk.sweep("cancels") for desk in (one, two, one, two)))
        # A worker that found every job taken looks again a second later.
        await one.sweep("cancels")
        said = await one.said()
        for package_id in packages:
            heard = Heard(said, package_id)
            assert heard.counts == (40, 3)
            assert len({ref.order_id for ref in heard.orders}) == len(heard.orders) == 40
            done = [p.done for p in heard.progress]
            assert done == sorted(done)
            found = await statuses(one, package_id)
            assert found == {(1, "canceled", 5): 40, (1, "rejected", 4): 3}

    async def test_of_a_huge_cancel_do_not_keep_a_small_one_waiting(
        self, orders: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Jobs take turns."""
        monkeypatch.setattr(sweeps, "CHUNK", 5)
        await fill(orders, 60)
        await fill(orders, 1, package_id="P1")
        await orders.send(canceled())
        await orders.send(canceled(package_id="P1"))
        for _ in range(3):
            await sweeps.cancel_orders(orders.work)
        said = await orders.said()
        assert Heard(said, "P1").counts == (1, 0)
        assert Heard(said).reports == []


class TestAnOrderThatRacesTheCancel:
    """Placed while the package is being canceled."""

    async def test_never_slips_between(self, pair: tuple[Desk, Desk]) -> None:
        """It is refused, or canceled with the rest and counted."""
        one, two = pair

        async def cancel(package_id: str) -> None:
            await two.send(canceled(package_id=package_id))
            await two.sweep("cancels")

        await one.send(*(registered(f"E{at}") for at in range(4)))
        placed = 0
        for at in range(40):
            package_id = f"P{at}"
            await one.send(published(package_id=package_id))
            places = [
                place(order_id=f"{package_id}-{n}", package_id=package_id, entity_id=f"E{n}")
                for n in range(4)
            ]
            sending = [(one if n % 2 else two).ask(p) for n, p in enumerate(places)]
            # Begun at another moment each time.
            racing: list[Awaitable[Any]] = [*sending[: at % 5], cancel(package_id)]
            answers = [a for a in await asyncio.gather(*racing, *sending[at % 5 :]) if a]
            assert {answer.code for answer in answers} <= {None, "not_offered"}
            accepted = sum(answer.outcome == "accepted" for answer in answers)
            placed += accepted
            found = await statuses(one, package_id)
            assert found == ({(1, "canceled", 2): accepted} if accepted else {})
            assert Heard(await one.said(), package_id).counts == (accepted, 0)
        assert 0 < placed < 160, "the race was never won by both sides"

    async def test_never_slips_between_the_pieces(
        self, pair: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Orders pour in, and are decided, while the sweep walks."""
        monkeypatch.setattr(sweeps, "CHUNK", 3)
        one, two = pair
        entities = [f"E{at}" for at in range(60)]
        await one.send(*(registered(entity_id) for entity_id in entities))

        async def pour(desk: Desk, some: list[str]) -> None:
            for entity_id in some:
                await desk.send(
                    place(order_id=f"O-{entity_id}", entity_id=entity_id),
                    life("approve", order_id=f"O-{entity_id}"),
                )

        async def cancel() -> None:
            await two.send(canceled())
            await two.sweep("cancels")

        await asyncio.gather(pour(one, entities[:30]), pour(two, entities[30:]), cancel())
        await one.sweep("cancels")
        found = await statuses(one)
        assert {status for _, status, _ in found} <= {"canceled"}
        heard = Heard(await one.said())
        assert heard.counts == (found.total(), 0)
        assert len({ref.order_id for ref in heard.orders}) == found.total()

    async def test_lets_the_cancel_wait_while_it_is_placed(self, pair: tuple[Desk, Desk]) -> None:
        """They take turns at the copy of the package."""
        one, two = pair
        async with one.pool.acquire() as guard, guard.transaction():
            # The order has been decided and cannot be written yet.
            await locks.hold_writers(guard, "orders")
            placing = asyncio.create_task(one.ask(place()))
            await eventually(lambda: locks.is_one_waiting(guard))
            canceling = asyncio.create_task(two.send(canceled()))
            await eventually(lambda: locks.are_two_waiting(guard))
        assert (await placing).outcome == "accepted"
        await canceling
        await two.sweep("cancels")
        assert await statuses(one) == {(1, "canceled", 2): 1}

    async def test_is_looked_at_again_when_somebody_held_it(self, pair: tuple[Desk, Desk]) -> None:
        """The sweep waits for the row and sees what became of it."""
        one, two = pair
        await fill(one, 3)
        await one.send(canceled())
        async with two.pool.acquire() as other, other.transaction():
            await other.execute(
                "UPDATE orders SET status = 'rejected', version = 5 WHERE order_id = 'CAT86-2'"
            )
            sweeping = asyncio.create_task(one.sweep("cancels"))
            await eventually(lambda: locks.is_one_waiting(other))
        await sweeping
        assert await statuses(one) == {(1, "canceled", 5): 2, (1, "rejected", 5): 1}
        assert Heard(await one.said()).counts == (2, 1)

    async def test_is_locked_in_the_order_of_the_walk(self, pair: tuple[Desk, Desk]) -> None:
        """Else sweep and commands could each hold what the other waits for."""
        one, two = pair
        ids = {"A": "OU2", "B": "OU1"}
        await one.send(*(place(order_id=id, entity_id=entity) for id, entity in ids.items()))
        async with two.pool.acquire() as walk, walk.transaction():
            # The walk goes by entity: OU1 is behind it, OU2 is what it has come to.
            await walk.execute("SELECT FROM orders WHERE entity_id = 'OU2' FOR UPDATE")
            deciding = asyncio.create_task(
                one.send(life("approve", order_id="A"), life("approve", order_id="B"))
            )
            await eventually(lambda: locks.is_one_waiting(walk))
            free = await walk.fetch(
                "SELECT order_id FROM orders ORDER BY order_id FOR UPDATE SKIP LOCKED"
            )
        await deciding
        assert [row["order_id"] for row in free] == ["A"]


class TestASecondLife:
    """Of a package whose first one was canceled, or was not."""

    async def test_has_orders_of_its_own(self, orders: Desk) -> None:
        """Cancel, reinitialize, publish, order, cancel."""
        await orders.send(place(), life("approve"))
        await orders.send(canceled())
        await orders.sweep("cancels")
        assert Heard(await orders.said()).counts == (1, 0)
        await orders.send(reinitialized(), published(version=7, edition=2))
        assert (await orders.ask(place(order_id="ORD2"))).outcome == "accepted"
        assert (await orders.ask(life("approve"))).code == "wrong_status"
        assert (await orders.ask(life("approve", order_id="ORD2"))).outcome == "accepted"
        await orders.send(canceled(version=8, edition=2))
        await orders.sweep("cancels")
        assert Heard(await orders.said()).counts == (1, 0)
        assert await statuses(orders) == {(1, "canceled", 3): 1, (2, "canceled", 3): 1}

    async def test_leaves_those_of_a_life_that_was_not_canceled(self, orders: Desk) -> None:
        """They are decided one by one, also after the cancel of the second."""
        await orders.send(place(), place(order_id="ORD2", entity_id="OU2"))
        await orders.send(reinitialized(version=5), published(version=6, edition=2))
        await orders.send(place(order_id="ORD3"))
        await orders.send(canceled(version=7, edition=2))
        await orders.sweep("cancels")
        assert (await orders.ask(life("approve"))).outcome == "accepted"
        assert (await orders.ask(life("reject", order_id="ORD2"))).outcome == "accepted"
        assert (await orders.ask(life("approve", order_id="ORD3"))).code == "wrong_status"

    async def test_is_not_touched_by_a_cancel_that_comes_late(self, orders: Desk) -> None:
        """The cancel of the first edition is worked, and only that one's orders go."""
        await orders.send(place())
        await orders.send(reinitialized(), published(version=7, edition=2))
        # In the middle of where the walk goes.
        await orders.send(place(order_id="ORD0"))
        await orders.send(canceled(version=5))
        assert (await orders.ask(life("approve"))).code == "wrong_status"
        await orders.sweep("cancels")
        assert await statuses(orders) == {(1, "canceled", 2): 1, (2, "ordered", 1): 1}
        assert (await orders.ask(life("approve", order_id="ORD0"))).outcome == "accepted"
