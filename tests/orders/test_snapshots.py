"""The present state of orders, emitted again."""

import pytest

from contracts.operations import SnapshotCompleted
from contracts.orders import OrderEvent, OrderSnapshot
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.orders.given import life, place, published

pytestmark = pytest.mark.servers


async def test_a_snapshot_is_each_order_as_its_last_event_left_it(
    orders: Harness, piece_sizes: PieceSizes
) -> None:
    """Every field of it, with the same version, each once, in pieces, package by package."""
    await orders.send(published(package_id="CAT9"))
    await orders.send(place(order_id="ORD1", parameters={"copies": 3}, comment="soon"))
    await orders.send(place(order_id="ORD2", package_id="CAT9"))
    await orders.send(place(order_id="ORD3", entity_id="OU2"), life("approve"))
    last = {e.subject: e.state for e in await orders.events(OrderEvent)}
    assert len(last) == 3
    piece_sizes(1)

    *told, end = await orders.snapshot()

    states = [one.body.state for one in told if isinstance(one.body, OrderSnapshot)]
    assert {state.order_id: state for state in states} == last
    assert [one.envelope.partitionkey for one in told] == ["CAT86", "CAT86", "CAT9"]
    assert isinstance(end.body, SnapshotCompleted)
    assert end.body.counts == {"order": 3}


async def test_a_snapshot_is_packed(orders: Harness) -> None:
    """Orders of one package travel in one message."""
    many = [place(order_id=f"ORD{n}", entity_id=f"OU{n % 2 + 1}") for n in range(2)]
    await orders.send(*many)
    await orders.snapshot()
    rows = await orders.pool.fetch("SELECT * FROM outbox WHERE type LIKE '%order.snapshot%'")
    assert len(rows) == 1
