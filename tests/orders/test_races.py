"""Orders and cancels of two workers that meet."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from contracts.orders import OrderPlaced
from tests import locks
from tests.conftest import PieceSizes
from tests.eventually import eventually
from tests.harness import Harness
from tests.orders.given import (
    canceled,
    edit,
    life,
    place,
    published,
    registered,
)
from tests.orders.table import CancelEvents, fill, statuses, stored

pytestmark = pytest.mark.servers


class TestAnOrderThatRacesTheCancel:
    """Placed while the package is being canceled."""

    @pytest.mark.parametrize("first", [0, 50], ids=["by_the_sweep", "at_once"])
    async def test_never_slips_between(
        self, pair: tuple[Harness, Harness], piece_sizes: PieceSizes, first: int
    ) -> None:
        """It is refused, or canceled with the rest and counted."""
        piece_sizes(50, first=first)
        one, two = pair

        async def cancel(package_id: str) -> None:
            await two.send(canceled(package_id=package_id))
            await two.sweep("jobs")

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
            assert CancelEvents(await one.emitted(), package_id).counts == (accepted, 0)
        assert 0 < placed < 160, "the race was never won by both sides"

    async def test_never_slips_between_the_pieces(
        self, pair: tuple[Harness, Harness], piece_sizes: PieceSizes
    ) -> None:
        """Orders pour in, and are decided, while the sweep walks."""
        piece_sizes(3)
        one, two = pair
        entities = [f"E{at}" for at in range(60)]
        await one.send(*(registered(entity_id) for entity_id in entities))

        async def pour(harness: Harness, some: list[str]) -> None:
            for entity_id in some:
                await harness.send(
                    place(order_id=f"O-{entity_id}", entity_id=entity_id),
                    life("approve", order_id=f"O-{entity_id}"),
                )

        async def cancel() -> None:
            await two.send(canceled())
            await two.sweep("jobs")

        await asyncio.gather(pour(one, entities[:30]), pour(two, entities[30:]), cancel())
        await one.sweep("jobs")
        found = await statuses(one)
        assert {status for _, status, _ in found} <= {"canceled"}
        events = CancelEvents(await one.emitted())
        assert events.counts == (found.total(), 0)
        assert len({ref.order_id for ref in events.orders}) == found.total()

    async def test_lets_the_cancel_wait_while_it_is_placed(
        self, pair: tuple[Harness, Harness]
    ) -> None:
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
        await two.sweep("jobs")
        assert await statuses(one) == {(1, "canceled", 2): 1}

    @pytest.mark.parametrize("first", [0, 50], ids=["by_the_sweep", "at_once"])
    async def test_is_looked_at_again_when_somebody_held_it(
        self, pair: tuple[Harness, Harness], piece_sizes: PieceSizes, first: int
    ) -> None:
        """The cancel waits for the row and sees what became of it."""
        piece_sizes(50, first=first)
        one, two = pair
        await fill(one, 3)

        async def cancel() -> None:
            await one.send(canceled())
            await one.sweep("jobs")

        async with two.pool.acquire() as other, other.transaction():
            await other.execute(
                "UPDATE orders SET status = 'rejected', version = 5 WHERE order_id = 'CAT86-2'"
            )
            canceling = asyncio.create_task(cancel())
            await eventually(lambda: locks.is_one_waiting(other))
        await canceling
        assert await statuses(one) == {(1, "canceled", 5): 2, (1, "rejected", 5): 1}
        assert CancelEvents(await one.emitted()).counts == (2, 1)

    async def test_is_locked_in_the_order_of_the_walk(self, pair: tuple[Harness, Harness]) -> None:
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


class TestTwoWorkersAtOnce:
    """They hold one package for a moment when lanes move."""

    async def test_do_not_place_the_same_order_on_two_packages(
        self, pair: tuple[Harness, Harness]
    ) -> None:
        """The second finds it there, though neither saw it when it began."""
        one, two = pair
        await one.send(published(package_id="P1"))
        async with one.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "orders")
            placing = asyncio.gather(
                one.send(place(label="one"), edit(comment="x")),
                two.send(place(label="two", package_id="P1"), edit(comment="y", package_id="P1")),
            )
            await eventually(lambda: locks.are_two_waiting(guard))
        answers = await placing
        assert sorted(a.code or "" for (a, _) in answers if a) == ["", "already_exists"]
        assert len(await one.events(OrderPlaced)) == 1
        state = await stored(one)
        assert (state.label, state.package_id) in {("one", "CAT86"), ("two", "P1")}

    async def test_do_not_forget_the_cancel_of_a_package_neither_knew(
        self, pair: tuple[Harness, Harness]
    ) -> None:
        """The first copy of each would undo that of the other."""
        one, two = pair
        async with one.pool.acquire() as guard, guard.transaction():
            await locks.hold_writers(guard, "offers")
            copying = asyncio.gather(
                one.send(canceled(package_id="P1", version=5)),
                two.send(published(package_id="P1", version=4)),
            )
            await eventually(lambda: locks.are_two_waiting(guard))
        await copying
        row = await one.pool.fetchrow(
            "SELECT status, version, canceled_editions FROM offers WHERE package_id = 'P1'"
        )
        assert row
        assert tuple(row) == ("canceled", 5, [1])
