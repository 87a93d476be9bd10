"""The campaigns service on a database of its own for each test."""

from collections.abc import Awaitable, Callable

import pytest

from tests.campaigns.stage import Stage
from tests.desk import Desk


@pytest.fixture
async def stage(desk: Callable[[str], Awaitable[Desk]]) -> Stage:
    """Handlers and sweeps of campaigns on an empty database."""
    return Stage(await desk("campaigns"))
