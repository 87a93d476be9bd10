"""Several workers of a service share a cancel, and some of them leave in the middle."""

import pytest

from tests.faults.scenario import new_scenario
from tests.faults.workers import Workers, died, ended

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

KILLED, STOPPED = "--kill-at", "--stop-at"
MIDDLE = "between_pieces:3"


class TestSeveralWorkers:
    """Two or three workers of each service that sweeps."""

    @pytest.mark.parametrize(
        ("orders", "campaigns", "notifications"),
        [(KILLED, STOPPED, KILLED), (STOPPED, KILLED, STOPPED)],
        ids=["a kill of orders", "a stop of orders"],
    )
    async def test_end_what_another_began(
        self, workers: Workers, orders: str, campaigns: str, notifications: str
    ) -> None:
        """A worker that is killed or stopped in the middle of a fan-out leaves it to the others."""
        leaving = {"orders": orders, "campaigns": campaigns, "notifications": notifications}
        async with new_scenario(workers.stack, packages=4, entities=20) as scenario:
            await scenario.placed()
            for service, how in leaving.items():
                await workers.replace(service, how, MIDDLE)
            await workers.ready()
            # Those that come later take no lane from it, where lanes do not spread.
            for service, count in {"orders": 3, "campaigns": 2, "notifications": 3}.items():
                for number in range(2, count + 1):
                    workers.start(service, number=number)
            await workers.ready()
            await scenario.cancel()
            await scenario.verify()
            for service, how in leaving.items():
                process = workers.process(service)
                if how == KILLED:
                    await died(process)
                else:
                    assert await ended(process) == 0
