"""The read model held against the services' own tables."""

from collections.abc import Awaitable, Callable

import pytest

from services.cli import comparison
from services.runtime.service import installed
from tests.harness import Harness
from tests.orders.given import campaign_created, place, published, registered
from tests.tracking.then import feed_emitted

pytestmark = pytest.mark.servers

Make = Callable[[str], Awaitable[Harness]]


class TestAComparison:
    """Of one service here; the tests of faults have all of them."""

    async def test_finds_nothing_where_nothing_differs_and_else_names_it(
        self, make_harness: Make
    ) -> None:
        """By id and by column; rows that are missing, and rows that nobody knows."""
        orders, tracking = await make_harness("orders"), await make_harness("tracking")
        await orders.send(campaign_created(), *(registered(f"OU{n}") for n in range(4)))
        await orders.send(published())
        await orders.emitted()
        await orders.send(*(place(order_id=f"ORD{n}", entity_id=f"OU{n}") for n in range(4)))
        await feed_emitted(orders, tracking)
        services = {"orders": installed()["orders"]}
        pools = {"orders": orders.pool}

        found = await comparison.compare(services, pools, tracking.pool)
        assert found.ok, found.listed
        assert found.compared == {"orders": 4}

        await tracking.pool.execute(
            "UPDATE model.orders SET status = 'canceled' WHERE order_id = 'ORD1'"
        )
        await tracking.pool.execute("DELETE FROM model.orders WHERE order_id = 'ORD2'")
        await tracking.pool.execute(
            "UPDATE model.orders SET order_id = 'ORD9', label = 'x' WHERE order_id = 'ORD3'"
        )
        found = await comparison.compare(services, pools, tracking.pool)
        assert found.listed[:4] == [
            'orders ORD1: status is "canceled" and should be "ordered"',
            "orders ORD2: not in the model; it is ordered",
            "orders ORD3: not in the model; it is ordered",
            "orders: 1 rows of which no service knows",
        ]
        assert any(one.startswith("count: orders") for one in found.listed)
