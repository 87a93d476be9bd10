"""The notifications service on a database of its own for each test, with and without a broker."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.harness import Harness
from tests.notifications.harness import BrokerHarness, NotificationsHarness, with_broker

MakeHarness = Callable[[str], Awaitable[Harness]]


@pytest.fixture
async def harness(make_harness: MakeHarness) -> NotificationsHarness:
    """Handlers and jobs on an empty database; nothing can be sent."""
    return NotificationsHarness(await make_harness("notifications"))


@pytest.fixture
async def broker_harness(make_harness: MakeHarness, amqp_url: str) -> AsyncIterator[BrokerHarness]:
    """Handlers, jobs and sending."""
    async with with_broker(await make_harness("notifications"), amqp_url) as broker_harness:
        yield broker_harness
