"""Messages come twice, late and in any order: the end is the same."""

import random

import pytest

from tests.faults import relays
from tests.faults.crew import Crew
from tests.faults.world import world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


class TestMessages:
    """Commands of upstream and events of services."""

    async def test_that_come_twice_count_once(self, crew: Crew) -> None:
        """Every command is sent twice and every event said twice; recipients see no repeat."""
        async with world(crew.stack, times=2) as w:
            async with relays.repeating(w.stack.amqp_url):
                await w.placed()
                await w.cancel()
                await w.settled()
            await w.proven()
            assert w.heard.repeats
            assert w.notices.repeats == 0

    async def test_that_come_in_any_order_end_alike(self, crew: Crew) -> None:
        """Each service hears events in an order of its own, through two lives of a package."""
        seed = random.randrange(10**6)
        print(f"seed {seed}")  # noqa: T201 - shown when it fails
        async with world(crew.stack) as w:
            async with relays.shuffling(w.stack.amqp_url, random.Random(seed)):
                await w.placed()
                await w.cancel()
                await w.proven()
                await w.begin_again()
                await w.cancel()
                await w.settled()
            await w.proven()
            assert w.notices.repeats == 0
