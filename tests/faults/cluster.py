"""Three RabbitMQ nodes on this machine that are one cluster, and what can happen to each."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.local import rabbitmq
from infra.local.keeping import Kept, Process, keeping
from infra.local.ports import answers, free_port
from infra.local.rabbitmq import Files, Node
from tests.faults import sid

SIZE = 3
APART = 20
"""Ports from one node to the next."""
STARTING = 120.0
OFFSETS = [n * APART + offset for n in range(SIZE) for offset in rabbitmq.OFFSETS]
TOGETHER = f"""\
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.target_cluster_size_hint = {SIZE}
"""


@dataclass
class Member:
    """One node of a cluster, and its process while it runs."""

    name: str
    node: Node
    process: Process | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        assert self.process
        assert self.process.signal(number), f"{self.name} does not run"


class Cluster:
    """Nodes with one name server, one cookie and one user."""

    def __init__(self, kept: Kept, folder: Path, files: Files) -> None:
        """Nothing runs before start."""
        self._kept = kept
        self._files = files
        port, password = free_port(offsets=OFFSETS), rabbitmq.password_of(folder)
        self._cookie = folder / "cookie"
        rabbitmq.write_cookie(self._cookie)
        self._names = str(port + rabbitmq.EPMD)
        self.members = [
            Member(f"relais{n}@localhost", Node(folder / str(n), files, port + n * APART, password))
            for n in range(SIZE)
        ]

    @property
    def url(self) -> str:
        """The address of the cluster: every node, to be tried in order."""
        hosts = ",".join(f"127.0.0.1:{member.node.port}" for member in self.members)
        return f"amqp://relais:{self.members[0].node.password}@{hosts}/"

    def start(self) -> None:
        """Start the nodes that do not run, and wait until each sees the others."""
        if not answers("127.0.0.1", int(self._names)):
            self._run("epmd", ["epmd", "-port", self._names, "-address", "127.0.0.1"], {})
        for member in self.members:
            if member.process is None:
                self._start(member)
        for member in self.members:
            assert member.process
            member.process.wait_until(partial(self._sees_all, member), STARTING)

    def busiest(self) -> Member:
        """The running node with the most connections, but for the last one."""
        return max(self.members[:-1], key=self._connections)

    def _connections(self, member: Member) -> int:
        answer = self.evaluate(member, "length(rabbit_networking:local_connections())")
        return int(answer.removeprefix("{ok, ").removesuffix("}"))

    def kill(self, member: Member) -> None:
        """Let a node die."""
        process, member.process = member.process, None
        assert process
        process.signal(signal.SIGKILL)
        process.over.wait()

    def _start(self, member: Member) -> None:
        here = member.node.folder
        if not here.exists():
            (here / "home").mkdir(parents=True)
            shutil.copy(self._cookie, here / "home/.erlang.cookie")
        rabbitmq.write_files(member.node)
        with (here / "rabbitmq.conf").open("a") as configuration:
            configuration.write(TOGETHER)
            for n, other in enumerate(self.members, 1):
                line = f"cluster_formation.classic_config.nodes.{n} = {other.name}\n"
                configuration.write(line)
        environment = member.node.environment() | {"RABBITMQ_NODENAME": member.name}
        member.process = self._run(
            member.name, ["/usr/lib/rabbitmq/bin/rabbitmq-server"], environment
        )

    def _run(self, name: str, argv: list[str], environment: dict[str, str]) -> Process:
        return self._kept.start(
            name,
            sid.command(self._files, argv),
            env=environment | {"ERL_EPMD_PORT": self._names} | sid.ENVIRONMENT,
            stop=signal.SIGKILL,
        )

    def _sees_all(self, member: Member) -> bool:
        if not answers("127.0.0.1", member.node.port, greeting=rabbitmq.PROTOCOL_HEADER):
            return False
        expression = "length(rabbit_nodes:list_running())"
        return self.evaluate(member, expression) == f"{{ok, {SIZE}}}"

    def evaluate(self, member: Member, expression: str) -> str:
        """What a node answers to an Erlang expression; nothing where it does not."""
        port = member.node.port + rabbitmq.DISTRIBUTION
        program = "erl_call -address localhost:{} -c {} -e"
        call = program.format(port, self._cookie.read_text()).split()
        with suppress(subprocess.TimeoutExpired):
            return subprocess.run(
                sid.command(self._files, call),
                input=f"{expression}.\n",
                env=sid.ENVIRONMENT,
                capture_output=True,
                text=True,
                timeout=5,
                check=False,
            ).stdout
        return ""


@asynccontextmanager
async def clustered(folder: Path) -> AsyncIterator[Cluster]:
    """A cluster that runs, while the block lasts."""
    with keeping(folder) as kept:
        files = await asyncio.to_thread(sid.fetch, kept)
        cluster = Cluster(kept, folder / "nodes", files)
        await asyncio.to_thread(cluster.start)
        yield cluster
