"""The workers of a test: started one by one, killed at a given point, replaced."""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import asyncpg

from infra.local.keeping import Process
from infra.local.ports import free_port
from infra.local.servers import Servers
from infra.local.stack import Stack, is_ready, stack
from services.cli import removal
from services.runtime.amqp import broker
from services.runtime.service import installed
from tests.eventually import eventually

COMMAND = (sys.executable, "-m", "tests.faults.worker")
PROJECT = Path(__file__).parents[2]
STARTING = 60.0
DYING = 30.0
LANES = 2


@dataclass
class WorkerProcess:
    """A worker process, its options, and the port of its readiness page."""

    process: Process
    port: int
    options: tuple[str, ...]

    async def is_ready(self) -> bool:
        """Whether its readiness page answers 200."""
        # In a thread: what it looks at may be reached by way of proxies that run in this loop.
        return await asyncio.to_thread(is_ready, self.port)


@dataclass
class Workers:
    """The workers of one stack, by service and number; none is started again by itself."""

    stack: Stack
    processes: dict[tuple[str, int], WorkerProcess] = field(default_factory=dict)
    starts: Iterator[int] = field(default_factory=itertools.count)

    def start(self, service: str, *options: str, number: int = 1) -> Process:
        """Start a worker; options are those of tests.faults.worker."""
        port = free_port()
        process = self.stack.kept.start(
            f"{service}-{number}-{next(self.starts)}",
            [*COMMAND, "run", service, *options],
            env=self.stack.environment | {"RELAIS_HTTP_PORT": str(port)},
        )
        self.processes[service, number] = WorkerProcess(process, port, options)
        return process

    async def restore(self) -> None:
        """Let there be one plain worker of each service, whatever a test has left."""
        for key, worker in list(self.processes.items()):
            if key[1] > 1 or worker.options or not worker.process.alive():
                worker.process.signal(signal.SIGKILL)
                await ended(worker.process)
                del self.processes[key]
        for service in installed():
            if (service, 1) not in self.processes:
                self.start(service)
        await self.ready()

    def process(self, service: str, number: int = 1) -> Process:
        """The process of a worker."""
        return self.processes[service, number].process

    async def ready(self) -> None:
        """Wait until every worker is ready."""
        for worker in self.processes.values():
            await eventually(worker.is_ready, timeout=STARTING)

    async def stop(self, service: str, number: int = 1) -> None:
        """Stop a worker in order."""
        process = self.processes.pop((service, number)).process
        process.signal(signal.SIGTERM)
        assert await ended(process) == 0, f"{process.name} did not drain; see {process.log}"

    async def replace(self, service: str, *options: str, number: int = 1) -> Process:
        """Stop a worker and start another with these options in its place."""
        await self.stop(service, number)
        return self.start(service, *options, number=number)

    def are_alive(self) -> bool:
        """Whether every worker still runs that was started and not stopped."""
        return all(worker.process.alive() for worker in self.processes.values())


async def ended(process: Process) -> int | None:
    """Wait until a process has ended; its exit code, or minus the signal that killed it."""

    def is_over() -> bool:
        assert process.over.is_set(), f"{process.name} runs on; see {process.log}"
        return True

    await eventually(is_over, timeout=DYING)
    return process.returncode


async def died(process: Process) -> None:
    """Wait until a process was killed at its point."""
    code = await ended(process)
    assert code == -signal.SIGKILL, f"{process.name} ended with {code}; see {process.log}"


async def clear_broker(amqp_url: str) -> None:
    """Take what other stacks of this test run have left off the broker."""
    async with broker.connected(amqp_url, "faults") as connection:
        readers = [service.reader(LANES) for service in installed().values()]
        await removal.remove(connection, readers)


async def drop_databases(postgres_url: str, databases: Mapping[str, str]) -> None:
    """Remove the databases and roles of a stack, by their URLs."""
    conn = await asyncpg.connect(postgres_url)
    try:
        for url in databases.values():
            name = urlsplit(url).path.lstrip("/")
            await conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await conn.execute(f"DROP ROLE IF EXISTS {name}")
    finally:
        await conn.close()


@contextmanager
def worker_stack(servers: Servers, state: Path, **environment: str) -> Iterator[Workers]:
    """Databases and topology of a stack without workers, while the block lasts."""
    none = dict.fromkeys(installed(), 0)
    with stack(
        servers,
        state,
        workers=none,
        environment=surroundings(**environment),
        databases=prefix(),
        command=COMMAND,
    ) as running:
        yield Workers(running)


def surroundings(**more: str) -> dict[str, str]:
    """The environment of workers that run from another folder than the project's."""
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "RELAIS_LANES": str(LANES), **more}


def prefix() -> str:
    """What the names of the databases of one stack start with."""
    return f"f{token_hex(4)}"
