"""Orders with large parameters: few of them are in hand at once."""

import pytest

from contracts.orders import OrderApproved
from services.runtime.messages.decider import PARTS
from services.runtime.tables import transaction
from tests.harness import Harness
from tests.orders.given import life
from tests.orders.table import fill, stored

pytestmark = pytest.mark.servers

GROW = "UPDATE orders SET parameters = jsonb_build_object('pad', repeat('x', 100000))"


class TestHeavyOrders:
    """A command of two hundred bytes brings an order of a megabyte into memory."""

    async def test_are_decided_a_few_at_a_time(
        self, orders: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In order, each once, in transactions that load no more than fits."""
        monkeypatch.setattr(transaction, "HELD_BYTES", 1_000_000)
        await fill(orders, 3 * PARTS)
        await orders.pool.execute(GROW)
        ids = [f"CAT86-{n}" for n in range(1, 3 * PARTS + 1)]

        answers = await orders.send(*(life("approve", order_id=id) for id in ids))

        assert [answer and answer.outcome for answer in answers] == ["accepted"] * len(ids)
        assert [event.order_id for event in await orders.events(OrderApproved)] == ids
        assert (await stored(orders, ids[0])).parameters == {"pad": "x" * 100_000}
        count = "SELECT count(DISTINCT approved_at) FROM orders"
        assert await orders.pool.fetchval(count) == PARTS
