"""Messages come twice, late and in any order: the end is the same."""

import random

import pytest

from tests.faults import redelivery
from tests.faults.scenario import new_scenario
from tests.faults.workers import Workers

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


class TestMessages:
    """Commands of upstream and events of services."""

    async def test_that_come_twice_count_once(self, workers: Workers) -> None:
        """Every command is sent twice and every event said twice; recipients see no repeat."""
        async with new_scenario(workers.stack, times=2) as scenario:
            async with redelivery.duplicating(scenario.stack.amqp_url):
                await scenario.placed()
                await scenario.cancel()
                await scenario.proof()
            await scenario.verify()
            assert scenario.recorded.repeats
            assert scenario.notices.repeats == 0

    async def test_that_come_in_any_order_end_alike(self, workers: Workers) -> None:
        """Each service hears events in an order of its own, through two lives of a package."""
        seed = random.randrange(10**6)
        print(f"seed {seed}")  # noqa: T201 - shown when it fails
        async with new_scenario(workers.stack) as scenario:
            async with redelivery.reordering(scenario.stack.amqp_url, random.Random(seed)):
                await scenario.placed()
                await scenario.cancel()
                await scenario.verify()
                await scenario.begin_again()
                await scenario.cancel()
                await scenario.proof()
            await scenario.verify()
            assert scenario.notices.repeats == 0
