"""A server that goes and comes back is waited for: nobody has to do anything about it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from infra.local.servers import Servers
from tests.eventually import eventually
from tests.faults import private
from tests.faults.long import LONG
from tests.faults.private import Broker, Server
from tests.faults.proxy import Proxy, proxied
from tests.faults.scenario import PATIENCE, Scenario, new_scenario
from tests.faults.workers import Workers, worker_stack

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

BLOCKED_FOR = 5.0
STILL_FOR = 8.0
"""Seconds; less than it takes either side to give a silent line up."""
DEAD_FOR = 40.0
"""Seconds; more than that."""
SLOW_BY = 0.005
"""Seconds each way."""


@dataclass
class PrivateStack:
    """A stack on servers of its own, which it reaches by these ways."""

    workers: Workers
    broker: Broker
    database: Server
    ways: Sequence[Proxy]

    @property
    def servers(self) -> dict[str, Server]:
        """Both, by name."""
        return {"broker": self.broker, "database": self.database}


@pytest.fixture(scope="module")
async def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PrivateStack]:
    """Servers, and databases and queues on them."""
    folder = tmp_path_factory.mktemp("site")
    broker, database = private.broker(folder / "broker"), private.database(folder / "database")
    try:
        await asyncio.gather(broker.start(), database.start())
        async with proxied(broker.url) as one, proxied(database.url) as other:
            opened = worker_stack(Servers(one.url, other.url, ()), folder)
            # In a thread: what it does goes by way of the proxies, which run here.
            workers = await asyncio.to_thread(opened.__enter__)
            try:
                yield PrivateStack(workers, broker, database, (one, other))
            finally:
                await asyncio.to_thread(opened.__exit__, None, None, None)
    finally:
        await asyncio.gather(broker.stop(), database.stop())


@pytest.fixture
async def private_stack(shared_stack: PrivateStack) -> PrivateStack:
    """The same with everything running, whatever a test has left."""
    await asyncio.gather(shared_stack.broker.start(), shared_stack.database.start())
    await shared_stack.workers.restore()
    return shared_stack


class TestAnOutage:
    """In the middle of a cancel a server goes, and comes back with what it has stored."""

    @pytest.mark.parametrize(
        ("how", "gone"),
        [
            ("stopped", "database"),
            ("killed", "broker"),
            ("killed", "broker and database"),
            pytest.param("killed", "database", marks=LONG),
            pytest.param("stopped", "broker", marks=LONG),
            pytest.param("stopped", "broker and database", marks=LONG),
        ],
    )
    async def test_is_outlived(self, private_stack: PrivateStack, how: str, gone: str) -> None:
        """Every worker waits, goes on by itself, and the cancel proves right; nothing is parked."""
        going = [private_stack.servers[name] for name in gone.split(" and ")]
        async with new_scenario(private_stack.workers.stack, packages=4, entities=62) as scenario:
            await scenario.placed()
            await eventually(lambda: are_kept(scenario))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scenario.cancel())
                await eventually(lambda: has_begun(scenario))
                for server in going:
                    await (server.kill() if how == "killed" else server.stop())
                await eventually(lambda: all_are_unready(private_stack.workers), timeout=PATIENCE)
                await asyncio.gather(*(server.start() for server in going))
            assert private_stack.workers.are_alive()
            await private_stack.workers.ready()
            await scenario.verify()

    async def test_of_room_on_the_brokers_disk_is_outlived(
        self, private_stack: PrivateStack
    ) -> None:
        """Publishers are blocked and consumers are not; nothing is lost once there is room."""
        async with new_scenario(private_stack.workers.stack, packages=4, entities=62) as scenario:
            await scenario.placed()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scenario.cancel())
                await eventually(lambda: has_begun(scenario))
                await private_stack.broker.alarm()
                try:
                    await asyncio.sleep(BLOCKED_FOR)
                finally:
                    await private_stack.broker.calm()
            assert private_stack.workers.are_alive()
            await scenario.verify()


async def break_often(ways: Sequence[Proxy]) -> None:
    """All connections at once, again and again."""
    for _ in range(5):
        for way in ways:
            way.cut()
        await asyncio.sleep(0.3)


async def stand_still(ways: Sequence[Proxy]) -> None:
    """Nothing comes through for a while, and then all of it does."""
    for way in ways:
        way.hold()
    await asyncio.sleep(STILL_FOR)
    for way in ways:
        way.release()


async def die_silently(ways: Sequence[Proxy]) -> None:
    """Nothing comes through any more, and nobody says that the other side has gone."""
    for way in ways:
        way.hold()
    await asyncio.sleep(DEAD_FOR)
    for way in ways:
        way.cut()
        way.release()


Trouble = Callable[[Sequence[Proxy]], Awaitable[None]]


class TestABadLine:
    """In the middle of a cancel, between every worker and both servers."""

    @pytest.mark.parametrize(
        "trouble", [break_often, stand_still, pytest.param(die_silently, marks=LONG)]
    )
    async def test_is_outlived(self, private_stack: PrivateStack, trouble: Trouble) -> None:
        """Every worker goes on by itself; nothing is lost or parked."""
        async with new_scenario(private_stack.workers.stack, packages=4, entities=62) as scenario:
            await scenario.placed()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scenario.cancel())
                await eventually(lambda: has_begun(scenario))
                await trouble(private_stack.ways)
            assert private_stack.workers.are_alive()
            await scenario.verify()

    async def test_that_is_slow_only_takes_longer(self, private_stack: PrivateStack) -> None:
        """Every word between workers, broker and database takes its time."""
        for way in private_stack.ways:
            way.delay(SLOW_BY)
        try:
            async with new_scenario(
                private_stack.workers.stack, packages=2, entities=20
            ) as scenario:
                await scenario.placed()
                await scenario.cancel()
                await scenario.verify()
        finally:
            for way in private_stack.ways:
                way.delay(0)


async def are_kept(scenario: Scenario) -> bool:
    """Whether the broker has written down that it has the mailboxes.

    RabbitMQ 3.10 does so half a second later; killed before, it has a queue that elects no leader.
    """
    return await scenario.count("notifications", YOUNG) == 0


YOUNG = """
SELECT count(*) FROM mailboxes WHERE declared_at IS NULL OR declared_at > now() - interval '3 s'
"""


async def has_begun(scenario: Scenario) -> bool:
    """Whether some order has been canceled with its package."""
    canceled = "SELECT count(*) FROM orders WHERE package_id = ANY ($1) AND status = 'canceled'"
    withdrawn = sum(order.fate == "withdrawn" for order in scenario.orders)
    return await scenario.count("orders", canceled, scenario.dataset.package_ids) > withdrawn


async def all_are_unready(workers: Workers) -> bool:
    """Whether every worker says that it cannot work."""
    return not any([await worker.is_ready() for worker in workers.processes.values()])
