"""A server that goes and comes back is waited for: nobody has to do anything about it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from infra.local.servers import Servers
from tests.eventually import eventually
from tests.faults import crew as crews
from tests.faults import private
from tests.faults.crew import Crew
from tests.faults.long import LONG
from tests.faults.private import Server
from tests.faults.world import PATIENCE, World, world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


@dataclass
class Site:
    """A stack on servers of its own."""

    crew: Crew
    servers: dict[str, Server]


@pytest.fixture(scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Servers, and databases and queues on them."""
    folder = tmp_path_factory.mktemp("site")
    servers = {
        "broker": private.broker(folder / "broker"),
        "database": private.database(folder / "database"),
    }
    try:
        await asyncio.gather(*(server.start() for server in servers.values()))
        pair = Servers(servers["broker"].url, servers["database"].url, ())
        with crews.crew(pair, folder) as crew:
            yield Site(crew, servers)
    finally:
        await asyncio.gather(*(server.stop() for server in servers.values()))


@pytest.fixture
async def site(built: Site) -> Site:
    """The same with everything running, whatever a test has left."""
    await asyncio.gather(*(server.start() for server in built.servers.values()))
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


async def are_kept(w: World) -> bool:
    """Whether the broker has written down that it has the mailboxes.

    RabbitMQ 3.10 does so half a second later; killed before, it has a queue that elects no leader.
    """
    return await w.count("notifications", YOUNG) == 0


YOUNG = "SELECT count(*) FROM mailboxes WHERE declared_at > now() - interval '3 s'"


async def has_begun(w: World) -> bool:
    """Whether some order has been canceled with its package."""
    canceled = "SELECT count(*) FROM orders WHERE package_id = ANY ($1) AND status = 'canceled'"
    withdrawn = sum(order.fate == "withdrawn" for order in w.orders)
    return await w.count("orders", canceled, w.plan.package_ids) > withdrawn


def all_are_unready(crew: Crew) -> bool:
    """Whether every worker says that it cannot work."""
    return not any(post.is_ready() for post in crew.posts.values())
