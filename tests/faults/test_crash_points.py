"""A worker may die anywhere: what it had begun is done by another, once."""

import asyncio

import pytest

from tests.faults.scenario import new_scenario
from tests.faults.workers import Workers, died

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

ALL = ("packages", "orders", "campaigns", "notifications")
SWEEPING = ("orders", "campaigns", "notifications")

Deaths = dict[str, tuple[str, ...]]
"""Per service where its worker dies, and then where the one that took over dies in turn."""

CRASHES: dict[str, Deaths] = {
    "before a commit": {
        **dict.fromkeys(ALL, ("in_decision", "before_outbox")),
        # It emits nothing.
        "tracking": ("in_decision", "in_decision:3"),
    },
    "between commit and confirm": dict.fromkeys(ALL, ("after_commit", "mid_publish")),
    "between confirm and delete": dict.fromkeys(ALL, ("after_publish",)),
    "between delete and ack": dict.fromkeys((*ALL, "tracking"), ("before_ack",)),
    "in a piece of a sweep": dict.fromkeys(SWEEPING, ("in_piece", "in_piece:2")),
    "between two pieces": {
        **dict.fromkeys(SWEEPING, ("between_pieces", "between_pieces:2")),
        # Its second piece is its last.
        "campaigns": ("between_pieces", "between_pieces"),
    },
    "between notice and mark": {"notifications": ("before_mark", "before_mark:2")},
    "at the completion": {"packages": ("before_commit:2", "after_commit", "after_publish")},
}


class TestACancel:
    """One cancel, with workers that die at their points of it."""

    async def test_without_a_crash_proves_right(self, workers: Workers) -> None:
        """What is proven after crashes holds without any, and then nothing is repeated."""
        async with new_scenario(workers.stack) as scenario:
            await scenario.placed()
            await scenario.cancel()
            await scenario.verify()
            assert (scenario.recorded.repeats, scenario.notices.repeats) == (0, 0)

    @pytest.mark.parametrize("where", CRASHES)
    async def test_survives_deaths(self, workers: Workers, where: str) -> None:
        """Whatever had been done of it is neither lost nor done again by those who take over."""
        async with new_scenario(workers.stack) as scenario:
            await scenario.placed()
            for service, points in CRASHES[where].items():
                await workers.replace(service, "--kill-at", points[0])
            await workers.ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scenario.cancel())
                for service, points in CRASHES[where].items():
                    tasks.create_task(relieve(workers, service, points[1:]))
            await scenario.verify()


class TestOrders:
    """Orders that come in while their package is canceled."""

    async def test_are_canceled_or_refused_while_workers_die(self, workers: Workers) -> None:
        """Whoever is told that an order was placed finds it canceled; none slips between."""
        deaths = ("in_decision", "between_pieces:2", "between_pieces")
        async with new_scenario(workers.stack, entities=100, packages=2, late=80) as scenario:
            await scenario.placed()
            await workers.replace("orders", "--kill-at", deaths[0])
            await workers.ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scenario.race())
                tasks.create_task(relieve(workers, "orders", deaths[1:]))
            await scenario.verify()


async def relieve(workers: Workers, service: str, points: tuple[str, ...]) -> None:
    """Let one worker after the other take over from the dead; the last one is healthy."""
    for point in points:
        await died(workers.process(service))
        workers.start(service, "--kill-at", point)
    await died(workers.process(service))
    workers.start(service)
