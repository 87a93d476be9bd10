"""The packages service on a database of its own."""

from collections.abc import Awaitable, Callable

import pytest

from tests.harness import Harness
from tests.packages.given import campaign_created


@pytest.fixture
async def packages(make_harness: Callable[[str], Awaitable[Harness]]) -> Harness:
    """The packages service; it knows a reference campaign, OP13, and a template, OP7."""
    opened = await make_harness("packages")
    await opened.send(campaign_created("OP13"), campaign_created("OP7", kind="template"))
    await opened.emitted()
    return opened
