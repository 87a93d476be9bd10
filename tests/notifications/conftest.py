"""The notifications service on a database of its own for each test, with and without a broker."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.harness import Harness
from tests.notifications.harness import (
    BrokerHarness,
    NotificationsHarness,
    fan_out_by_sweep,
    with_broker,
)

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


@pytest.fixture
async def pair(
    make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]],
) -> tuple[NotificationsHarness, NotificationsHarness]:
    """Two workers on one empty database."""
    one, two = await make_harnesses("notifications")
    return NotificationsHarness(one), NotificationsHarness(two)


@pytest.fixture
def by_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep adds all recipients, whole audiences at a time."""
    fan_out_by_sweep(monkeypatch)


@pytest.fixture(params=["at_once", "by_sweep"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction of the event adds the recipients; and again: the sweep does."""
    if request.param == "by_sweep":
        fan_out_by_sweep(monkeypatch)
