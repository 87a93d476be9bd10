"""Run peers in an environment of their own, and time them on the same servers."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from services.runtime.amqp import broker
from tests.bench import drain, place
from tests.bench.place import FOLDER, PROJECT, Place

ENVIRONMENT = FOLDER / "peers"
GIVE_UP_SECONDS = 300.0


class Uninstallable(Exception):
    """The peers cannot be installed here; the message says why."""


@dataclass(frozen=True)
class Peer:
    """Another way to do the work: how it is started, how often, and the queues it reads or makes.

    The first word of work is a program of the peers' environment.
    """

    name: str
    module: str
    work: tuple[str, ...]
    queues: tuple[str, ...]
    processes: int = 1


PEERS = "tests.bench.peers"
NAIVE = Peer(
    "naive", f"{PEERS}.naive", ("python", "-m", f"{PEERS}.naive"), ("bench.naive",), processes=2
)
OTHERS = (
    Peer(
        "faststream",
        f"{PEERS}.with_faststream",
        ("python", "-m", f"{PEERS}.with_faststream"),
        ("bench.faststream",),
        processes=2,
    ),
    Peer(
        "taskiq",
        f"{PEERS}.with_taskiq",
        ("taskiq", "worker", "-w", "2", "--max-async-tasks", "32", f"{PEERS}.with_taskiq:broker"),
        ("bench.taskiq", "taskiq.dead_letter"),
    ),
    Peer(
        "dramatiq",
        f"{PEERS}.with_dramatiq",
        ("dramatiq", "-p", "2", "-t", "16", f"{PEERS}.with_dramatiq"),
        ("bench.dramatiq", "bench.dramatiq.DQ", "bench.dramatiq.XQ"),
    ),
    Peer(
        "celery",
        f"{PEERS}.with_celery",
        ("celery", "-A", f"{PEERS}.with_celery", "worker", "-c", "4", "-l", "error"),
        ("bench.celery",),
    ),
)


def install() -> Path:
    """Bring the peers' environment to what the lock says; the folder of its programs.

    Raises Uninstallable.
    """
    uv = os.environ.get("RELAIS_UV") or str(PROJECT / ".local/boot/bin/uv")
    sync = [uv, "sync", "--frozen", "-q", "--no-default-groups", "--group", "bench"]
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT), "UV_PYTHON": sys.executable}
    failure = ""
    # Without the network while that will do, as ./run does.
    for more in (["--offline"], []):
        try:
            subprocess.run(
                [*sync, *more], cwd=PROJECT, env=env, check=True, capture_output=True, text=True
            )
        except subprocess.CalledProcessError as error:
            failure = error.stderr.strip()
        except OSError as error:
            raise Uninstallable(f"no uv to install them with: {error}") from error
        else:
            return ENVIRONMENT / "bin"
    raise Uninstallable(failure)


async def rate(here: Place, peer: Peer, programs: Path, count: int) -> float:
    """The messages a second of a peer that finds so many in its queue.

    From the first to the last inbox row; its start-up and its last acknowledgement are a present.
    """
    async with place.database(here, "orders") as url, queues(here, peer):
        environment = variables(here, url)
        here.run(
            f"{peer.name}-fill",
            [programs / "python", "-m", peer.module, str(count)],
            environment,
        )
        await drain.checkpoint(here)
        async with working(here, peer, programs, environment):
            return await _time(url, peer, count)


def variables(here: Place, url: str) -> dict[str, str]:
    """What a peer finds in its environment."""
    return {"BENCH_AMQP_URL": here.amqp_url, "BENCH_POSTGRES_URL": url}


@asynccontextmanager
async def working(
    here: Place, peer: Peer, programs: Path, environment: dict[str, str]
) -> AsyncIterator[None]:
    """Its processes, while the block lasts."""
    program, *arguments = peer.work
    processes = [
        here.start(f"{peer.name}-{number}", [programs / program, *arguments], environment)
        for number in range(1, peer.processes + 1)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.signal(signal.SIGTERM)
        for process in processes:
            if not process.over.wait(5):
                process.signal(signal.SIGKILL)


@asynccontextmanager
async def queues(here: Place, peer: Peer) -> AsyncIterator[None]:
    """Its queues are new, and go at the end."""
    await _delete(here, peer.queues)
    try:
        yield
    finally:
        await _delete(here, peer.queues)


async def _delete(here: Place, names: Sequence[str]) -> None:
    async with broker.connected(here.amqp_url, "bench") as connection:
        for name in names:
            await drain.delete_queue(connection, name)


async def _time(url: str, peer: Peer, count: int) -> float:
    conn = await asyncpg.connect(url)
    try:
        await _handled(conn, peer, count)
        return count / float(await conn.fetchval(SECONDS))
    finally:
        await conn.close()


SECONDS = "SELECT extract(epoch FROM max(received_at) - min(received_at))::float8 FROM inbox"


async def _handled(conn: asyncpg.Connection, peer: Peer, count: int) -> None:
    until = time.monotonic() + GIVE_UP_SECONDS
    while (done := await conn.fetchval("SELECT count(*) FROM inbox")) < count:
        if time.monotonic() > until:
            raise RuntimeError(f"it handled {done:,} of {count:,} in {GIVE_UP_SECONDS:.0f} s")
        await asyncio.sleep(0.25)
