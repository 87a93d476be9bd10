"""Nodes of a RabbitMQ cluster go in the middle of a cancel; what is left of it does the work."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from infra.local.servers import Servers
from infra.local.stack import Stack, is_ready, stack
from services.runtime.service import installed
from tests.eventually import eventually
from tests.faults import private, sid
from tests.faults.cluster import Cluster, clustered
from tests.faults.long import LONG
from tests.faults.scenario import new_scenario
from tests.faults.test_outages import has_begun
from tests.faults.workers import prefix, surroundings

pytestmark = [
    LONG,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(sid.lacking()), reason=f"needs RabbitMQ 4: {sid.lacking()}"),
]

SIZES = {"packages": 10, "entities": 2002}
"""20,000 orders, two thirds of them open."""
PATIENCE = 600.0
STOPPED_FOR = 60.0
LOST_FOR = 40.0
LOOK_EVERY = 0.2
WITHIN = 10.0
"""Seconds after which the cancel is complete, beside those that it takes without trouble."""


@dataclass
class Site:
    """A stack on a cluster; the test itself speaks to the last node, which never goes.

    untroubled is how many seconds a cancel takes.  seen are the workers that were ready at each
    look.
    """

    cluster: Cluster
    stack: Stack
    untroubled: float = 0.0
    seen: list[int] = field(default_factory=list)

    def ready_workers(self) -> int:
        """How many workers say that they are ready."""
        return sum(is_ready(worker.port) for worker in self.stack.workers)

    def all_are_ready(self) -> bool:
        """Whether every worker says so."""
        return self.ready_workers() == len(self.stack.workers)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look at the readiness of all workers again and again while the block lasts."""
        self.seen = []
        over = asyncio.Event()

        async def look() -> None:
            while not over.is_set():
                self.seen.append(await asyncio.to_thread(self.ready_workers))
                await asyncio.sleep(LOOK_EVERY)

        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            over.set()
            await looking


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Three nodes, a database, and one worker of each service."""
    folder = tmp_path_factory.mktemp("cluster")
    database = private.database(folder / "database")
    await database.start()
    try:
        async with clustered(folder / "broker") as cluster:
            opened = stack(
                Servers(cluster.members[-1].node.url, database.url, ()),
                folder,
                workers=dict.fromkeys(installed(), 1),
                environment=surroundings(RELAIS_AMQP_URL=cluster.url, RELAIS_LANES="8"),
                databases=prefix(),
            )
            running = await asyncio.to_thread(opened.__enter__)
            try:
                site = Site(cluster, running)
                site.untroubled = await outlive(site, no_trouble)
                yield site
            finally:
                await asyncio.to_thread(opened.__exit__, None, None, None)
    finally:
        await database.stop()


Trouble = Callable[[Cluster], Awaitable[float]]
"""What happens to a cluster; gives the moment from which the rest of it is to do the work."""


async def no_trouble(cluster: Cluster) -> float:
    """Every node works."""
    return time.monotonic()


async def kill_a_node(cluster: Cluster) -> float:
    """The node that the workers are connected to dies."""
    victim = await asyncio.to_thread(cluster.busiest)
    await asyncio.to_thread(cluster.kill, victim)
    return time.monotonic()


async def stop_a_node(cluster: Cluster) -> float:
    """It does nothing for a while, and its connections stay."""
    victim = await asyncio.to_thread(cluster.busiest)
    victim.signal(signal.SIGSTOP)
    asyncio.get_running_loop().call_later(STOPPED_FOR, victim.signal, signal.SIGCONT)
    return time.monotonic()


async def lose_quorum(cluster: Cluster) -> float:
    """Two of three nodes die, and come back later."""
    for victim in cluster.members[:-1]:
        await asyncio.to_thread(cluster.kill, victim)
    await asyncio.sleep(LOST_FOR)
    await asyncio.to_thread(cluster.start)
    return time.monotonic()


async def outlive(site: Site, trouble: Trouble) -> float:
    """Cancel in the middle of trouble, prove the end right, and give the seconds it took."""
    async with new_scenario(site.stack, patience=PATIENCE, **SIZES) as scenario:
        await scenario.placed()
        cancel = asyncio.create_task(scenario.cancel())
        await eventually(lambda: has_begun(scenario))
        async with site.watched():
            since = await trouble(site.cluster)
            await cancel
            took = time.monotonic() - since
        print(f"\n{trouble.__name__}: complete after {took:.1f} s")  # noqa: T201 - shown by -s
        await asyncio.to_thread(site.cluster.start)
        await eventually(site.all_are_ready, timeout=PATIENCE)
        await scenario.verify()
    assert site.stack.restart_count == 0
    return took


class TestACluster:
    """It loses a node, or its quorum, while 20,000 orders are canceled."""

    @pytest.mark.parametrize("trouble", [kill_a_node, stop_a_node, lose_quorum])
    async def test_is_outlived(self, site: Site, trouble: Trouble) -> None:
        """Nothing is lost or done twice, it does not take long, and readiness tells meanwhile."""
        took = await outlive(site, trouble)

        assert took <= site.untroubled + WITHIN
        assert min(site.seen) < len(site.stack.workers)
