"""A private broker and database: they answer, keep to themselves, and end."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pytest

from infra.local import rabbitmq
from infra.local.errors import Misconfigured, Unavailable
from infra.local.keeping import keeping
from infra.local.servers import Servers, servers
from tests.eventually import eventually
from tests.infra.processes import is_running, python, recorded

PARENT = """
import sys, time
from pathlib import Path
from infra.local.servers import servers
with servers(Path(sys.argv[1])) as pair:
    print("ready", flush=True)
    time.sleep(600)
"""


@contextmanager
def told(**variables: str) -> Iterator[None]:
    """Have only these RELAIS_* variables in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RELAIS_")]:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pair; only its owner can enter it."""
    return tmp_path_factory.mktemp("pair")


@pytest.fixture(scope="module")
def pair(state: Path) -> Iterator[Servers]:
    """A private pair, of which nothing is left at the end."""
    with told(), servers(state, durable=False) as pair:
        pids = recorded(state)
        yield pair
    assert not any(is_running(pid) for pid in pids.values())


@pytest.mark.servers
class TestAPrivatePair:
    """Both servers, started once for all of these."""

    async def test_answers(self, pair: Servers) -> None:
        """The database takes an administrator, the broker one who may declare queues."""
        database = await asyncpg.connect(pair.postgres_url)
        assert await database.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = user")
        await database.close()
        async with await aio_pika.connect(pair.amqp_url) as broker:
            channel = await broker.channel()
            await channel.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum"})

    def test_says_what_was_chosen(self, pair: Servers) -> None:
        """One sentence for each server, with the reason."""
        about_broker, about_database = pair.chosen
        assert about_broker.startswith("RabbitMQ: a private one")
        assert "because RELAIS_AMQP_URL names no other" in about_broker
        assert about_database.startswith("Postgres: a private one")

    def test_leaves_the_usual_ports_to_others(self, pair: Servers) -> None:
        """Neither listens where an installed one would."""
        ports = {urlsplit(url).port for url in (pair.amqp_url, pair.postgres_url)}
        assert not ports & {4369, 5432, 5672}

    async def test_lets_nobody_in_without_the_password(self, pair: Servers) -> None:
        """Other users of the machine reach the ports, but not the servers."""
        for url in (pair.postgres_url, pair.amqp_url):
            password = urlsplit(url).password
            assert password
            other = url.replace(password, "guess")
            connect: Callable[[str], object] = (
                asyncpg.connect if url is pair.postgres_url else aio_pika.connect
            )
            with pytest.raises((asyncpg.InvalidPasswordError, aio_pika.exceptions.AMQPError)):
                await connect(other)  # type: ignore[misc]

    def test_has_no_process_that_daemonised(self, pair: Servers, state: Path) -> None:
        """Broker, its name server and database are all recorded: epmd is no stray."""
        assert set(recorded(state)) == {"epmd", "rabbitmq", "postgres"}


ODD = 'l\'agence "$HOME" `id` \\n é %d #1, [a] {held}; b:c & * ' + "long " * 20


@pytest.mark.servers
class TestAFolderWithAnOddName:
    """The project, or the home with the cache, in a folder whose name scripts cannot read."""

    async def test_holds_a_pair(self, tmp_path: Path) -> None:
        """Both servers start with their data in it, and find it again."""
        state = tmp_path / ODD
        with told(), servers(state) as pair:
            await declare(pair.amqp_url, passive=False)
        with told(), servers(state) as pair:
            await declare(pair.amqp_url, passive=True)
            database = await asyncpg.connect(pair.postgres_url)
            await database.close()

    def test_is_in_no_path_that_a_server_is_given(self, tmp_path: Path) -> None:
        """Neither its own files nor its programs, wherever those were unpacked."""
        with keeping(tmp_path / "state") as kept:
            node = rabbitmq.node_in(kept, tmp_path / ODD, rabbitmq.Files(tmp_path / ODD, ""))
            given = [*node.environment().values(), str(node.files.server), str(node.folder)]
            assert [text for text in given if ODD in text] == []


@pytest.mark.servers
class TestAKilledParent:
    """The servers of a process that was killed."""

    async def test_leaves_no_server(self, tmp_path: Path) -> None:
        """After SIGKILL every server process ends, and data to go on with stays."""
        with told(), python(PARENT, tmp_path) as parent:
            assert parent.stdout
            assert parent.stdout.readline() == "ready\n"
            pids = recorded(tmp_path)
            everyone = [pid for root in pids.values() for pid in family(root)]
            parent.send_signal(signal.SIGKILL)
        await eventually(lambda: not any(is_running(pid) for pid in everyone), timeout=20)
        assert (tmp_path / "postgres/data/PG_VERSION").exists()


class TestTheChoice:
    """Which server is used."""

    def test_a_named_server_is_used_as_it_is(self, tmp_path: Path, listener: int) -> None:
        """URLs in the environment go through unchanged, and nothing is started."""
        amqp_url = f"amqp://somebody:secret@127.0.0.1:{listener}/there"
        postgres_url = f"postgresql://somebody@127.0.0.1:{listener}/there"
        with (
            told(RELAIS_AMQP_URL=amqp_url, RELAIS_POSTGRES_URL=postgres_url),
            servers(tmp_path) as pair,
        ):
            assert (pair.amqp_url, pair.postgres_url) == (amqp_url, postgres_url)
        assert "because RELAIS_AMQP_URL names it" in pair.chosen[0]
        assert "secret" not in pair.chosen[0]
        assert not list(tmp_path.iterdir())

    def test_a_named_server_that_does_not_answer_is_an_error(self, tmp_path: Path) -> None:
        """It says where nothing answers and what to do; no other server is started instead."""
        with (
            told(RELAIS_AMQP_URL="amqp://127.0.0.1:1/"),
            pytest.raises(Unavailable, match=r"127\.0\.0\.1:1.*RELAIS_AMQP_URL.*Start it"),
            servers(tmp_path),
        ):
            pass

    def test_an_unknown_mode_is_refused(self, tmp_path: Path) -> None:
        """The error names what would be accepted."""
        with (
            told(RELAIS_INFRA="cloud"),
            pytest.raises(Misconfigured, match=r"'cloud'.*auto, external, docker, local"),
            servers(tmp_path),
        ):
            pass


class TestPlugins:
    """The broker sees only the plugins it needs."""

    def test_include_what_they_depend_on(self, tmp_path: Path) -> None:
        """Dependencies of dependencies come along, Erlang's own libraries are elsewhere."""
        for name, needs in {
            "rabbit": "kernel,ranch",
            "ranch": "ssl,deep",
            "deep": "",
            "x": "",
        }.items():
            (tmp_path / name / "ebin").mkdir(parents=True)
            text = f"{{application,{name},[{{applications, [{needs}]}}]}}."
            (tmp_path / name / "ebin" / f"{name}.app").write_text(text)
        parts = {path.name: path for path in tmp_path.iterdir()}
        found = rabbitmq.closure(parts, ["rabbit", "missing"])
        assert {path.name for path in found} == {"rabbit", "ranch", "deep"}


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that somebody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def declare(amqp_url: str, *, passive: bool) -> None:
    """Declare a durable queue, or see that it is there."""
    async with await aio_pika.connect(amqp_url) as broker:
        channel = await broker.channel()
        await channel.declare_queue("q", durable=True, passive=passive)


def family(root: int) -> list[int]:
    """A process and all its descendants."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    found = [root]
    for one in found:
        found += [int(pid) for pid, parent in pairs if int(parent) == one]
    return found
