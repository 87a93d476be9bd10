"""The orders service on a database of its own."""

from collections.abc import Awaitable, Callable

import pytest

from tests.harness import Harness
from tests.orders.given import campaign_created, published, registered


@pytest.fixture
async def orders(make_harness: Callable[[str], Awaitable[Harness]]) -> Harness:
    """The orders service; it knows CAT86, which is published to everybody, OU1 and OU2."""
    return await ready(await make_harness("orders"))


@pytest.fixture
async def pair(
    make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]],
) -> tuple[Harness, Harness]:
    """The same, as two workers would have it."""
    one, two = await make_harnesses("orders")
    return await ready(one), two


async def ready(orders: Harness) -> Harness:
    """A harness that knows what the fixtures say."""
    await orders.send(campaign_created(), registered("OU1"), registered("OU2"), published())
    await orders.emitted()
    return orders
