"""The campaigns service on a database of its own for each test."""

from collections.abc import Awaitable, Callable

import pytest

from tests.campaigns.harness import CampaignsHarness
from tests.harness import Harness


@pytest.fixture
async def harness(make_harness: Callable[[str], Awaitable[Harness]]) -> CampaignsHarness:
    """Handlers and sweeps of campaigns on an empty database."""
    return CampaignsHarness(await make_harness("campaigns"))
