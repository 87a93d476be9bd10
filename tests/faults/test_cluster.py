"""A node of a RabbitMQ cluster goes in the middle of a cancel; the others do the work."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from infra.local.servers import Servers
from infra.local.stack import Stack, is_ready, stack
from services.runtime.service import installed
from tests.eventually import eventually
from tests.faults import private, sid
from tests.faults.cluster import SIZE, Cluster, clustered
from tests.faults.long import LONG
from tests.faults.scenario import new_scenario
from tests.faults.test_outages import has_begun
from tests.faults.workers import prefix, surroundings

pytestmark = [
    LONG,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(sid.lacking()), reason=f"needs RabbitMQ 4: {sid.lacking()}"),
]

SIZES = {"packages": 10, "entities": 102}
"""20,000 orders, two thirds of them open."""
PATIENCE = 300.0
STOPPED_FOR = 60.0
LOST_FOR = 40.0
WITHIN = 10.0
"""Seconds from the kill, or from the return of quorum, to the end of the cancel."""


@dataclass
class Site:
    """A stack on a cluster; the test itself speaks to the last node, which never goes."""

    cluster: Cluster
    stack: Stack

    def is_ready(self) -> bool:
        """Whether every worker says that it is ready."""
        return all(is_ready(worker.port) for worker in self.stack.workers)


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
                yield Site(cluster, running)
            finally:
                await asyncio.to_thread(opened.__exit__, None, None, None)
    finally:
        await database.stop()


async def nothing(cluster: Cluster) -> float:
    """No trouble at all: what the cancel takes by itself."""
    return time.monotonic()


async def kill_a_node(cluster: Cluster) -> float:
    """The node that the workers are connected to dies."""
    victim = await asyncio.to_thread(cluster.busiest)
    await asyncio.to_thread(cluster.kill, victim)
    return time.monotonic()


async def stop_a_node(cluster: Cluster) -> float:
    """It no longer runs, and its connections stay."""
    victim = await asyncio.to_thread(cluster.busiest)
    victim.signal(signal.SIGSTOP)
    stopped.append(victim)
    return time.monotonic()


async def lose_quorum(cluster: Cluster) -> float:
    """Two of three nodes die, and come back later."""
    for victim in cluster.members[:-1]:
        await asyncio.to_thread(cluster.kill, victim)
    await asyncio.sleep(LOST_FOR)
    await asyncio.to_thread(cluster.start)
    return time.monotonic()

stopped = []

Trouble = Callable[[Cluster], Awaitable[float]]


class TestANode:
    @pytest.mark.parametrize("trouble", [nothing, kill_a_node, stop_a_node, lose_quorum])
    async def test_is_outlived(self, site: Site, trouble: Trouble) -> None:
        t0 = time.monotonic()
        async with new_scenario(site.stack, patience=PATIENCE, **SIZES) as scenario:
            await scenario.placed()
            print(f"placed {time.monotonic() - t0:.1f}", flush=True)
            cancel = asyncio.create_task(scenario.cancel())
            await eventually(lambda: has_begun(scenario))
            log = []
            began = time.monotonic()
            async def watch():
                while True:
                    ready = await asyncio.to_thread(lambda: "".join("+" if is_ready(w.port) else "-" for w in site.stack.workers))
                    if not log or log[-1][1] != ready:
                        log.append((round(time.monotonic() - began, 1), ready))
                    await asyncio.sleep(0.25)
            w = asyncio.create_task(watch())
            returned = await trouble(site.cluster)
            await cancel
            took = time.monotonic() - returned
            print(f"{trouble.__name__}: {took:.1f} s of {time.monotonic()-began:.1f}", log, flush=True)
            w.cancel()
            for s in stopped: s.signal(signal.SIGCONT)
            stopped.clear()
            await asyncio.to_thread(site.cluster.start)
            await eventually(site.is_ready, timeout=PATIENCE)
            print(f"restored {time.monotonic() - began:.1f}", site.stack.restart_count, flush=True)
            import os
            if os.environ.get('QUICK'): return
            await scenario.verify()
            print(f"verified {time.monotonic() - began:.1f}", flush=True)
