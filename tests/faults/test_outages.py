"""A server that goes and comes back is waited for: nobody has to do anything about it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from infra.local.servers import Servers
from tests.eventually import eventually
from tests.faults import crew as crews
from tests.faults import private
from tests.faults.crew import Crew
from tests.faults.long import LONG
from tests.faults.private import Broker, Server
from tests.faults.proxy import Proxy, proxied
from tests.faults.world import PATIENCE, World, world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

BLOCKED_FOR = 5.0
STILL_FOR = 8.0
"""Seconds; less than it takes either side to give a silent line up."""
DEAD_FOR = 40.0
"""Seconds; more than that."""
SLOW_BY = 0.005
"""Seconds each way."""


@dataclass
class Site:
    """A stack on servers of its own, which it reaches by these ways."""

    crew: Crew
    broker: Broker
    database: Server
    ways: Sequence[Proxy]

    @property
    def servers(self) -> dict[str, Server]:
        """Both, by name."""
        return {"broker": self.broker, "database": self.database}


@pytest.fixture(scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Servers, and databases and queues on them."""
    folder = tmp_path_factory.mktemp("site")
    broker, database = private.broker(folder / "broker"), private.database(folder / "database")
    try:
        await asyncio.gather(broker.start(), database.start())
        async with proxied(broker.url) as one, proxied(database.url) as other:
            crew = crews.crew(Servers(one.url, other.url, ()), folder)
            # In a thread: what it does goes by way of the proxies, which run here.
            hired = await asyncio.to_thread(crew.__enter__)
            try:
                yield Site(hired, broker, database, (one, other))
            finally:
                await asyncio.to_thread(crew.__exit__, None, None, None)
    finally:
        await asyncio.gather(broker.stop(), database.stop())


@pytest.fixture
async def site(built: Site) -> Site:
    """The same with everything running, whatever a test has left."""
    await asyncio.gather(built.broker.start(), built.database.start())
    await built.crew.restore()
    return built


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
    async def test_is_outlived(self, site: Site, how: str, gone: str) -> None:
        """Every worker waits, goes on by itself, and the cancel proves right; nothing is parked."""
        going = [site.servers[name] for name in gone.split(" and ")]
        async with world(site.crew.stack, packages=4, entities=62) as w:
            await w.placed()
            await eventually(lambda: are_kept(w))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(w.cancel())
                await eventually(lambda: has_begun(w))
                for server in going:
                    await (server.kill() if how == "killed" else server.stop())
                await eventually(lambda: all_are_unready(site.crew), timeout=PATIENCE)
                await asyncio.gather(*(server.start() for server in going))
            assert site.crew.are_alive()
            await site.crew.ready()
            await w.proven()

    async def test_of_room_on_the_brokers_disk_is_outlived(self, site: Site) -> None:
        """Publishers are blocked and consumers are not; nothing is lost once there is room."""
        async with world(site.crew.stack, packages=4, entities=62) as w:
            await w.placed()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(w.cancel())
                await eventually(lambda: has_begun(w))
                await site.broker.alarm()
                try:
                    await asyncio.sleep(BLOCKED_FOR)
                finally:
                    await site.broker.calm()
            assert site.crew.are_alive()
            await w.proven()


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
    async def test_is_outlived(self, site: Site, trouble: Trouble) -> None:
        """Every worker goes on by itself; nothing is lost or parked."""
        async with world(site.crew.stack, packages=4, entities=62) as w:
            await w.placed()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(w.cancel())
                await eventually(lambda: has_begun(w))
                await trouble(site.ways)
            assert site.crew.are_alive()
            await w.proven()

    async def test_that_is_slow_only_takes_longer(self, site: Site) -> None:
        """Every word between workers, broker and database takes its time."""
        for way in site.ways:
            way.delay(SLOW_BY)
        try:
            async with world(site.crew.stack, packages=2, entities=20) as w:
                await w.placed()
                await w.cancel()
                await w.proven()
        finally:
            for way in site.ways:
                way.delay(0)


async def are_kept(w: World) -> bool:
    """Whether the broker has written down that it has the mailboxes.

    RabbitMQ 3.10 does so half a second later; killed before, it has a queue that elects no leader.
    """
    return await w.count("notifications", YOUNG) == 0


YOUNG = """
SELECT count(*) FROM mailboxes WHERE declared_at IS NULL OR declared_at > now() - interval '3 s'
"""


async def has_begun(w: World) -> bool:
    """Whether some order has been canceled with its package."""
    canceled = "SELECT count(*) FROM orders WHERE package_id = ANY ($1) AND status = 'canceled'"
    withdrawn = sum(order.fate == "withdrawn" for order in w.orders)
    return await w.count("orders", canceled, w.plan.package_ids) > withdrawn


def all_are_unready(crew: Crew) -> bool:
    """Whether every worker says that it cannot work."""
    return not any(post.is_ready() for post in crew.posts.values())
