"""The API on a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.harness import Harness
from tests.tracking.api import Api, api


@pytest.fixture
async def web(make_harness: Callable[[str], Awaitable[Harness]]) -> AsyncIterator[Api]:
    """The API, whose read model has nothing yet."""
    async with api(await make_harness("tracking")) as made:
        yield made
