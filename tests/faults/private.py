"""A broker and a database of a test's own, which can go and come back with what they hold."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.local import debian, postgres, rabbitmq
from infra.local.keeping import QUIET, Kept, keeping
from infra.local.servers import lacking_for_broker

Begin = Callable[[Kept, Path, int | None], str]


class Server:
    """One private server; its URL stays the same."""

    def __init__(self, folder: Path, begin: Begin, crash: tuple[str, signal.Signals]) -> None:
        """Nothing runs before start; crash is the process to kill, and the signal that does it."""
        self.url = ""
        self._folder = folder
        self._begin = begin
        self._crash = crash
        self._running: ExitStack | None = None

    async def start(self) -> None:
        """Start on what is stored, at the same port as before, unless it runs."""
        if self._running is None:
            await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Let it end in order."""
        running, self._running = self._running, None
        if running is not None:
            await asyncio.to_thread(running.close)

    async def kill(self) -> None:
        """Let it die, and take what is left of it away."""
        name, number = self._crash
        record = json.loads((self._folder / "keeper.json").read_text())
        [pid] = [process["pid"] for process in record["processes"] if process["name"] == name]
        os.kill(pid, number)
        await self.stop()

    def _start(self) -> None:
        port = urlsplit(self.url).port if self.url else None
        with ExitStack() as opened:
            self.url = self._begin(opened.enter_context(keeping(self._folder)), self._folder, port)
            self._running = opened.pop_all()


class Broker(Server):
    """A private RabbitMQ, in which queues can be made to fall silent."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs before start."""
        super().__init__(folder, self._begin_node, ("rabbitmq", signal.SIGKILL))
        self._files = rabbitmq.Files(Path("/"), "")

    def _begin_node(self, kept: Kept, folder: Path, port: int | None) -> str:
        self._files = rabbitmq.installed() or rabbitmq.Files(debian.fetch(kept, QUIET), "")
        return rabbitmq.start(kept, folder / "data", self._files, durable=True, port=port)

    async def silence(self, queue: str) -> None:
        """Let a quorum queue answer nobody, as one without a leader does."""
        await asyncio.to_thread(self._evaluate, f"sys:suspend('%2F_{queue}').")

    async def wake(self, queue: str) -> None:
        """Let it answer again."""
        await asyncio.to_thread(self._evaluate, f"sys:resume('%2F_{queue}').")

    async def alarm(self) -> None:
        """Let it take nothing, as where the disk is full."""
        alarm = "{{resource_limit, disk, node()}, []}"
        await asyncio.to_thread(self._evaluate, f"rabbit_alarm:set_alarm({alarm}).")

    async def calm(self) -> None:
        """Let it take messages again."""
        alarm = "{resource_limit, disk, node()}"
        await asyncio.to_thread(self._evaluate, f"rabbit_alarm:clear_alarm({alarm}).")

    async def set_policy(self, **definition: int | str) -> None:
        """Let an operator's policy be on all queues."""
        terms = {key.replace("_", "-"): value for key, value in definition.items()}
        quoted = json.dumps(json.dumps(terms))
        ours = f'<<"/">>, <<"ours">>, <<".*">>, <<{quoted}>>, <<"0">>, <<"queues">>, <<"test">>'
        await asyncio.to_thread(self._evaluate, f"ok = rabbit_policy:parse_set({ours}).")

    async def clear_policy(self) -> None:
        """Take it away again."""
        ours = '<<"/">>, <<"ours">>, <<"test">>'
        await asyncio.to_thread(self._evaluate, f"ok = rabbit_policy:delete({ours}).")

    def _evaluate(self, expression: str) -> None:
        port = int(urlsplit(self.url).port or 0) + rabbitmq.DISTRIBUTION
        cookie = (self._folder / "data/home/.erlang.cookie").read_text()
        [program] = self._files.erlang.parent.glob("erts-*/bin/erl_call")
        done = subprocess.run(
            [program, "-address", f"localhost:{port}", "-c", cookie, "-e"],
            input=expression + "\n",
            env=self._files.environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert done.stdout.startswith("{ok"), done.stdout


def broker(folder: Path) -> Broker:
    """A private RabbitMQ; skips the test where none can run."""
    if lacking := lacking_for_broker():
        pytest.skip(f"needs a private RabbitMQ: {lacking[0]}")
    return Broker(folder)


@asynccontextmanager
async def brokered(folder: Path) -> AsyncIterator[Broker]:
    """A private RabbitMQ that runs, while the block lasts."""
    server = broker(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


def database(folder: Path) -> Server:
    """A private Postgres; skips the test where none can run."""
    if not postgres.find_binaries():
        pytest.skip("needs a private Postgres, and there are no binaries of one")

    def begin(kept: Kept, folder: Path, port: int | None) -> str:
        return postgres.start(kept, folder / "data", durable=True, port=port)

    # SIGKILL would leave its children behind for a moment, and with them its shared memory.
    return Server(folder, begin, ("postgres", signal.SIGQUIT))
