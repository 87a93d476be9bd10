"""A stack keeps its workers running, and ends them."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest

from infra.local import stack as stacks
from infra.local.databases import create_databases
from infra.local.errors import Unavailable
from infra.local.servers import Servers
from infra.local.stack import Stack, stack
from tests.eventually import eventually
from tests.infra.processes import is_running
from tests.infra.stand_in import SERVICES

pytestmark = pytest.mark.servers
COMMAND = (sys.executable, "-m", "tests.infra.stand_in")
ONE_EACH = dict.fromkeys(SERVICES, 1)
BROKEN = {"RELAIS_STAND_IN": "broken"}


@pytest.fixture(scope="module")
def servers(amqp_url: str, postgres_url: str) -> Servers:
    """The servers of this test run."""
    return Servers(amqp_url, postgres_url, ())


@pytest.fixture(scope="module")
def prefix() -> str:
    """What the names of this module's databases start with."""
    return f"s{token_hex(4)}"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this module's stack."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def running(servers: Servers, prefix: str, state: Path) -> Iterator[Stack]:
    """A stack with two workers of orders and one of each other service."""
    workers = ONE_EACH | {"orders": 2}
    with stack(servers, state, workers=workers, databases=prefix, command=COMMAND) as one:
        yield one


class TestARunningStack:
    """Its workers and what is known of them."""

    def test_has_as_many_workers_as_wanted(self, running: Stack) -> None:
        """Each is a live process of its own."""
        pids = running.pids()
        counts = {service: len(found) for service, found in pids.items()}
        assert counts == ONE_EACH | {"orders": 2}
        assert all(is_running(pid) for found in pids.values() for pid in found)

    async def test_starts_a_killed_worker_again(self, running: Stack) -> None:
        """The place of a killed worker is filled by a new process; the others stay."""
        before = running.pids()
        count = running.restart_count
        assert running.kill("orders", 2, signal.SIGKILL)
        await eventually(lambda: len(running.pids()["orders"]) == 2 and running.pids() != before)
        after = running.pids()
        assert after["orders"][0] == before["orders"][0]
        assert after["packages"] == before["packages"]
        assert running.restart_count == count + 1

    async def test_starts_a_worker_again_that_left_by_itself(self, running: Stack) -> None:
        """A worker that ends in order while the stack runs is wanted back as well."""
        [before] = running.pids()["directory"]
        running.kill("directory", 1, signal.SIGTERM)
        [log] = running.log_paths["directory"]
        await eventually(lambda: "directory drained" in log.read_text())
        await eventually(lambda: running.pids()["directory"] not in ([], [before]))

    async def test_keeps_processes_of_the_web_as_well(
        self, servers: Servers, prefix: str, tmp_path: Path
    ) -> None:
        """They have a place like a worker's, and what a stack has is at one address."""
        with stack(
            servers, tmp_path, workers=ONE_EACH, web=1, databases=prefix, command=COMMAND
        ) as one:
            [before] = one.pids()["web"]
            assert one.http_url == f"http://127.0.0.1:{one.worker('web', 1).port}"
            assert stacks.is_ready(one.worker("web", 1).port)
            one.kill("web", 1)
            await eventually(lambda: one.pids()["web"] not in ([], [before]))
            await eventually(lambda: stacks.is_ready(one.worker("web", 1).port))

    def test_names_the_workers_there_are(self, running: Stack) -> None:
        """Asking for a worker that is not there says which are."""
        with pytest.raises(KeyError, match=r"no worker orders-3; there are .*orders-2"):
            running.kill("orders", 3)


class TestTheEndOfAStack:
    """Stopping, and failing to start."""

    def test_lets_workers_drain(self, servers: Servers, prefix: str, tmp_path: Path) -> None:
        """Workers get SIGTERM and the time to end in order."""
        with stack(servers, tmp_path, workers=ONE_EACH, databases=prefix, command=COMMAND) as one:
            logs = one.log_paths
        for service in SERVICES:
            assert "drained" in logs[service][0].read_text()

    def test_a_worker_that_cannot_start_is_an_error(
        self, servers: Servers, prefix: str, tmp_path: Path
    ) -> None:
        """The error names the worker and holds the end of its log."""
        with (
            pytest.raises(Unavailable, match=r"(?s)ended with code 1 before .*broken on purpose"),
            stack(
                servers,
                tmp_path,
                workers=ONE_EACH,
                databases=prefix,
                command=COMMAND,
                environment=BROKEN,
            ),
        ):
            pass

    def test_a_failed_set_up_is_an_error(
        self, servers: Servers, prefix: str, tmp_path: Path
    ) -> None:
        """What the set-up said is in the error."""
        command = ("sh", "-c", "echo there is no such exchange; exit 69")
        with (
            pytest.raises(Unavailable, match="there is no such exchange"),
            stack(servers, tmp_path, workers=ONE_EACH, databases=prefix, command=command),
        ):
            pass

    async def test_gives_up_on_a_worker_that_does_not_stay(
        self,
        servers: Servers,
        prefix: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After so many quick deaths in a row the stack says which worker it is, and why."""
        monkeypatch.setattr(stacks, "QUICK_DEATHS", 3)
        with stack(servers, tmp_path, workers=ONE_EACH, databases=prefix, command=COMMAND) as one:
            one.environment.update(BROKEN)
            one.kill("packages", 1)
            await eventually(one.failed.is_set)
            with pytest.raises(Unavailable, match=r"(?s)packages-1 died 3 times.*on purpose"):
                one.wait()

    def test_a_service_without_workers_has_its_database(
        self, servers: Servers, prefix: str, tmp_path: Path
    ) -> None:
        """Its messages are routed and its tables are there, whenever a worker comes."""
        none = ONE_EACH | {"orders": 0}
        with stack(servers, tmp_path, workers=none, databases=prefix, command=COMMAND) as one:
            assert "orders" not in one.pids()
            assert "orders" in one.postgres


class TestDatabases:
    """A database and a role for each service."""

    async def test_can_be_made_twice(self, postgres_url: str, prefix: str) -> None:
        """The second time changes nothing: whoever has the first URL comes in, and data stays."""
        first = create_databases(postgres_url, prefix, ["orders"])
        connection = await asyncpg.connect(first["orders"])
        await connection.execute("CREATE TABLE kept (id int)")
        await connection.close()
        second = create_databases(postgres_url, prefix, ["orders"])
        for urls in (first, second):
            connection = await asyncpg.connect(urls["orders"])
            assert await connection.fetchval("SELECT count(*) FROM kept") == 0
            await connection.close()

    async def test_are_closed_to_other_services(self, postgres_url: str, prefix: str) -> None:
        """A service's role cannot enter another's database."""
        urls = create_databases(postgres_url, prefix, ["orders", "packages"])
        other = urls["orders"].removesuffix("orders") + "packages"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(other)
