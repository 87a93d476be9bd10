"""A whole Relais on given servers: databases, set-up, and workers that are started again."""

import http.client
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.databases import create_databases
from infra.local.errors import Unavailable
from infra.local.keeping import QUIET, Ended, Kept, keeping, tail
from infra.local.ports import free_ports
from infra.local.servers import Servers, unwinding
from infra.local.workers import Worker, how_it_ended

RELAIS = (str(Path(sys.executable).with_name("relais")),)
READY_SECONDS = 60.0
DRAIN_SECONDS = 20.0
WEB = "web"
"""The name of the places of `relais serve`."""
# A worker that dies so many times in a row right after its start is given up.
QUICK_DEATHS = 20

Report = Callable[[str], None]


@dataclass
class Stack:
    """A running stack. Workers are numbered from 1."""

    amqp_url: str
    postgres: dict[str, str]
    http_url: str | None
    environment: dict[str, str] = field(repr=False)
    command: Sequence[str] = field(repr=False)
    workers: list[Worker] = field(repr=False)
    kept: Kept = field(repr=False)
    report: Report = field(repr=False)
    restart_count: int = 0
    failure: Exception | None = None
    deaths: queue.SimpleQueue[Worker | None] = field(default_factory=queue.SimpleQueue, repr=False)
    failed: threading.Event = field(default_factory=threading.Event, repr=False)

    def pids(self) -> dict[str, list[int]]:
        """Return the ids of the worker processes that run now, per service."""
        running: dict[str, list[int]] = {worker.service: [] for worker in self.workers}
        for worker in self.workers:
            if worker.process and worker.process.alive():
                running[worker.service].append(worker.process.pid)
        return running

    def kill(self, service: str, number: int, what: signal.Signals = signal.SIGKILL) -> bool:
        """Signal one worker's process; false when it does not run at this moment."""
        worker = self.worker(service, number)
        # Not the worker's own fault: it does not count as one that cannot stay up.
        worker.killed = True
        return worker.process is not None and worker.process.signal(what)

    def worker(self, service: str, number: int) -> Worker:
        """Return one worker's place."""
        for worker in self.workers:
            if (worker.service, worker.number) == (service, number):
                return worker
        there = ", ".join(worker.name for worker in self.workers)
        raise KeyError(f"no worker {service}-{number}; there are {there}")

    @property
    def log_paths(self) -> dict[str, list[Path]]:
        """The log of each worker, per service."""
        paths: dict[str, list[Path]] = {worker.service: [] for worker in self.workers}
        for worker in self.workers:
            paths[worker.service].append(worker.log)
        return paths

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the stack gives up on a worker, then raise why; or just so many seconds."""
        if self.failed.wait(seconds) and self.failure:
            raise self.failure

    def start(self, worker: Worker) -> None:
        """Fill a worker's place with a process."""
        worker.started = time.monotonic()
        worker.process = self.kept.start(
            worker.name,
            [*self.command, *worker.arguments],
            env=self.environment | {"RELAIS_HTTP_PORT": str(worker.port)},
            log=worker.log,
            grace=DRAIN_SECONDS,
            ended=lambda process: self.deaths.put(worker),
        )

    def supervise(self) -> None:
        """Start workers that died again, until the stack ends."""
        while worker := self.deaths.get():
            delay = worker.count_death()
            if worker.quick_deaths >= QUICK_DEATHS:
                self.give_up(worker)
                return
            self.report(f"{worker.name} {how_it_ended(worker)}; starting it again.")
            self.restart_count += 1
            later = threading.Timer(delay, self.start_again, [worker])
            later.daemon = True
            later.start()

    def start_again(self, worker: Worker) -> None:
        """Start a worker unless the stack is ending."""
        try:
            self.start(worker)
        except Ended:
            return
        except Unavailable as error:
            self.fail(error)

    def give_up(self, worker: Worker) -> None:
        """Stop starting a worker that does not stay up."""
        self.fail(
            Unavailable(
                f"{worker.name} died {QUICK_DEATHS} times in a row; its log {worker.log} ends:\n"
                f"{tail(worker.log)}"
            )
        )

    def fail(self, error: Exception) -> None:
        """Report that the stack does not work any more, and end the wait for it."""
        self.failure = error
        self.report(str(error))
        self.failed.set()


@contextmanager
def stack(
    servers: Servers,
    state: Path,
    *,
    workers: Mapping[str, int],
    web: int = 0,
    environment: Mapping[str, str] | None = None,
    databases: str = "relais",
    command: Sequence[str] = RELAIS,
    report: Report = QUIET,
) -> Iterator[Stack]:
    """Run a stack for as long as the block lasts; it is ready when the block begins.

    `workers` names every service, with the number of its workers; each has a database.
    `web` is the number of processes of `relais serve`; the first of them answers at http_url.
    `environment` is added to every process's.
    `databases` starts the names of the databases, so that several stacks can share a server.
    Logs are state/logs/<service>-<n>.log, new at each start.
    """
    places = place_workers(state.absolute(), workers, web)
    http_url = next((f"http://127.0.0.1:{one.port}" for one in places if one.service == WEB), None)
    with unwinding(), keeping(state.absolute() / "workers", report=report) as kept:
        postgres = create_databases(servers.postgres_url, databases, workers)
        settings = environment_for(servers.amqp_url, postgres, environment or {})
        set_up(kept, command, settings)
        running = Stack(
            servers.amqp_url, postgres, http_url, settings, command, places, kept, report
        )
        supervisor = threading.Thread(target=running.supervise, daemon=True)
        try:
            start_all(running)
            supervisor.start()
            yield running
        finally:
            kept.end()
            running.deaths.put(None)


def place_workers(state: Path, counts: Mapping[str, int], web: int) -> list[Worker]:
    """Return a place for each worker, with a port and an empty log of its own."""
    wanted = [
        (service, number, ("serve",) if service == WEB else ("run", service))
        for service, count in {**counts, WEB: web}.items()
        for number in range(1, count + 1)
    ]
    logs = state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for old in logs.glob("*.log"):
        old.unlink()
    return [
        Worker(service, number, port, logs / f"{service}-{number}.log", arguments)
        for (service, number, arguments), port in zip(wanted, free_ports(len(wanted)), strict=True)
    ]


def environment_for(
    amqp_url: str, postgres: Mapping[str, str], more: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of set-up and workers."""
    urls = {f"RELAIS_{service.upper()}_POSTGRES_URL": url for service, url in postgres.items()}
    given = {"RELAIS_AMQP_URL": amqp_url, "RELAIS_HTTP_HOST": "127.0.0.1"}
    told = {**given, **urls, **more}
    # A setting of ours beside a secret file of the caller's would be one too many.
    files = {f"{name}_FILE" for name in told}
    return {name: text for name, text in os.environ.items() if name not in files} | told


def set_up(kept: Kept, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Have `relais setup` make queues and tables."""
    try:
        kept.run("setup", [*command, "setup"], env=environment)
    except Unavailable as error:
        raise Unavailable(f"Setting up failed: {error}") from error


def start_all(running: Stack) -> None:
    """Start every worker, then wait until each is ready."""
    for worker in running.workers:
        running.start(worker)
    until = time.monotonic() + READY_SECONDS
    for worker in running.workers:
        wait_until_ready(running.kept, worker, until)


def wait_until_ready(kept: Kept, worker: Worker, until: float) -> None:
    """Wait until a worker is ready; one that dies first is a failure."""
    while not is_ready(worker.port):
        if worker.process and not worker.process.alive():
            raise Unavailable(
                f"{worker.name} {how_it_ended(worker)} before it was ready; its log ends:\n"
                f"{tail(worker.log)}"
            )
        if time.monotonic() > until:
            raise Unavailable(
                f"{worker.name} was not ready within {READY_SECONDS:.0f} s;"
                f" its log {worker.log} ends:\n{tail(worker.log)}"
            )
        kept.pause(0.05)


def is_ready(port: int) -> bool:
    """Whether the worker behind a health port answers that it is ready."""
    status, _ = readiness(port)
    return status == http.client.OK


def remarks(running: Stack) -> list[str]:
    """What workers that are ready remark on, each with the names of those that do."""
    found: dict[str, list[str]] = {}
    for worker in running.workers:
        _, answer = readiness(worker.port)
        for remark in json.loads(answer or "{}").get("remarks", ()):
            found.setdefault(remark, []).append(worker.name)
    return [f"{', '.join(who)}: {remark}" for remark, who in found.items()]


def readiness(port: int) -> tuple[int, bytes]:
    """The status and the text of /readyz behind a health port; 0 where nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
