"""The notifications service on a database of its own for each test, with and without a broker."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.desk import Desk
from tests.notifications.stage import Post, Stage, posted

OpenDesk = Callable[[str], Awaitable[Desk]]


@pytest.fixture
async def stage(desk: OpenDesk) -> Stage:
    """Handlers and jobs on an empty database; nothing can be sent."""
    return Stage(await desk("notifications"))


@pytest.fixture
async def post(desk: OpenDesk, amqp_url: str) -> AsyncIterator[Post]:
    """Handlers, jobs and sending."""
    async with posted(await desk("notifications"), amqp_url) as post:
        yield post
