"""A service is added by its package and its entry point, and by nothing else."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from contracts import client, names
from infra.local.servers import Servers
from infra.local.stack import RELAIS, Stack, stack
from services.cli.demo import environment
from services.runtime import declared
from services.runtime.amqp import broker
from tests.cli import sixth
from tests.cli.sixth.messages import Greet

METADATA = "Metadata-Version: 2.1\nName: sixth\nVersion: 1.0\n"
ENTRY_POINTS = f"[{declared.GROUP}]\nsixth = sixth.app:SERVICE\n"
LANES = 2


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the service as an installer would leave it."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(Path(sixth.__file__).parent, folder / "sixth")
    about = folder / "sixth-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(METADATA)
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture(scope="module")
def running(
    amqp_url: str, postgres_url: str, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """`relais setup` for all six services, and `relais run sixth`, which is ready."""
    pair = Servers(amqp_url, postgres_url, ())
    prefix = f"relais_test_{secrets.token_hex(3)}"
    workers = {**dict.fromkeys(declared.names(), 0), "sixth": 1}
    settings = {"PYTHONPATH": str(package), "RELAIS_LANES": str(LANES)}
    folder = tmp_path_factory.mktemp("stack")
    try:
        with stack(
            pair, folder, workers=workers, environment=settings, databases=prefix
        ) as started:
            yield started
    finally:
        asyncio.run(environment.clear(pair, prefix, workers, []))


@pytest.fixture
def relais(package: Path) -> Callable[..., str]:
    """Run a command of the command line with the package installed; gives what it prints."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> str:
        environment = (env or {**os.environ}) | {"PYTHONPATH": str(package), "COLUMNS": "80"}
        done = subprocess.run(
            [*RELAIS, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    return run


@pytest.mark.servers
class TestASixthService:
    """On a real broker and database."""

    async def test_has_its_tables(self, running: Stack) -> None:
        """Its own, and those of the runtime."""
        conn = await asyncpg.connect(running.postgres["sixth"])
        for table in ("guests", "inbox", "outbox"):
            assert await conn.fetchval("SELECT to_regclass($1) IS NOT NULL", table)
        await conn.close()

    async def test_has_its_exchange_and_lanes(self, running: Stack) -> None:
        """Declared by `relais setup`; a passive declaration finds them."""
        async with (
            broker.connected(running.amqp_url, "relais test") as connection,
            connection.channel() as channel,
        ):
            await channel.get_exchange(names.inbound("sixth"), ensure=True)
            for number in range(LANES):
                await channel.get_queue(names.lane("sixth", number), ensure=True)

    async def test_answers_its_command(self, running: Stack) -> None:
        """Under a wire name that only its own package knows."""
        async with client.connect(running.amqp_url, source="/test") as upstream:
            for version in (1, 2):
                outcome = await upstream.ask(Greet(guest_id="G1"))
                assert (outcome.outcome, outcome.version) == ("accepted", version)

    def test_is_in_the_proof(self, running: Stack, relais: Callable[..., str]) -> None:
        """What it emitted and what it handled is compared like that of any other."""
        found = json.loads(relais("proof", "--json", env=running.environment))
        assert not found["missing"]
        sixth = found["services"]["sixth"]
        left = {sixth[column] for column in ("missing", "outbox", "waiting", "queued")}
        assert left == {0}
        assert set(found["services"]) == set(running.postgres)


class TestTheCommandLine:
    """Every command that names services names it."""

    def test_gives_it_workers(self, relais: Callable[..., str]) -> None:
        """`up` and `demo` start as many as wanted."""
        assert "--sixth " in relais("up", "--help")
        assert "--sixth-workers " in relais("demo", "--help")

    def test_shows_its_settings(self, relais: Callable[..., str]) -> None:
        """Those of every worker, its own, and its database."""
        found = {setting["variable"] for setting in json.loads(relais("config", "sixth", "--json"))}
        assert {"RELAIS_SIXTH_GREETING", "RELAIS_SIXTH_POSTGRES_URL", "RELAIS_LANES"} <= found

    def test_finds_it_installed(self, relais: Callable[..., str]) -> None:
        """`doctor` imports it, as a worker would."""
        assert "sixth" in relais("doctor")
