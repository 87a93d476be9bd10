"""Migrations: numbered files, applied in order, each once."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.runtime.postgres import database, migrate
from services.runtime.postgres.migrate import Migration, MigrationError
from tests.conftest import on_server
from tests.runtime.conftest import execute

ONE = "-- migrate:up\nCREATE TABLE one (a int);\n-- migrate:down\nDROP TABLE one;\n"
TWO = "-- a word before\n-- migrate:up transaction:true\nINSERT INTO one VALUES (2);\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations, and a file that is none."""
    (tmp_path / "0002_two.sql").write_text(TWO)
    (tmp_path / "0001_one.sql").write_text(ONE)
    (tmp_path / "notes.sql").write_text("DROP DATABASE production;")
    return tmp_path


def own(folder: Path) -> list[Migration]:
    """The migrations of this folder."""
    return [m for m in migrate.found("probe", folder) if m.version.startswith("probe/")]


@pytest.fixture
async def empty(postgres_url: str) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"d_migrate_{secrets.token_hex(6)}"
    await execute(postgres_url, f"CREATE DATABASE {name}")
    yield on_server(postgres_url, name)
    await execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


class TestAFile:
    """It is read as dbmate reads it."""

    def test_is_found_by_its_number(self, folder: Path) -> None:
        """In order, under the name of its service."""
        assert [m.version for m in own(folder)] == ["probe/0001_one", "probe/0002_two"]

    def test_comes_after_that_of_the_runtime_with_its_number(self, folder: Path) -> None:
        """A service may lean on the tables of the runtime."""
        versions = [m.version for m in migrate.found("probe", folder)]

        assert versions[:2] == ["runtime/0001_runtime", "probe/0001_one"]
        assert versions[2:4] == ["runtime/0002_cleaning", "probe/0002_two"]

    def test_is_applied_up_to_the_way_down(self, folder: Path) -> None:
        """The way down is for people with dbmate."""
        assert [m.up.strip() for m in own(folder)] == [
            "CREATE TABLE one (a int);",
            "INSERT INTO one VALUES (2);",
        ]

    def test_without_a_way_up_is_no_migration(self, tmp_path: Path) -> None:
        """Rather than applied as nothing."""
        (tmp_path / "0001_none.sql").write_text("CREATE TABLE one (a int);")

        with pytest.raises(MigrationError, match="no line '-- migrate:up'"):
            own(tmp_path)


@pytest.mark.servers
class TestApplying:
    """What is missing is applied, and nothing else."""

    async def test_happens_once(self, empty: str, folder: Path) -> None:
        """Again is nothing."""
        assert await migrate.apply(empty, own(folder)) == ["probe/0001_one", "probe/0002_two"]

        assert await migrate.apply(empty, own(folder)) == []

    async def test_at_several_places_at_once_happens_once(self, empty: str, folder: Path) -> None:
        """The others wait, and find it done."""
        done = await asyncio.gather(*(migrate.apply(empty, own(folder)) for _ in range(4)))

        assert sorted(map(len, done)) == [0, 0, 0, 2]

    async def test_of_one_that_fails_leaves_what_was_before(self, empty: str, folder: Path) -> None:
        """A migration is a transaction; the ones before it stay."""
        (folder / "0003_three.sql").write_text("-- migrate:up\nCREATE TABLE two (a int); NO;")

        with pytest.raises(asyncpg.PostgresSyntaxError):
            await migrate.apply(empty, own(folder))

        async with database.connect(empty, "probe") as conn:
            assert await conn.fetchval("SELECT to_regclass('two')") is None
            assert await conn.fetchval("SELECT count(*) FROM one") == 1

    async def test_of_one_that_was_changed_is_refused(self, empty: str, folder: Path) -> None:
        """Nobody can tell any more what the tables are."""
        await migrate.apply(empty, own(folder))
        (folder / "0001_one.sql").write_text(ONE + "\n-- harmless?\n")

        with pytest.raises(MigrationError, match="probe/0001_one was changed after it was applied"):
            await migrate.apply(empty, own(folder))


@pytest.mark.servers
class TestChecking:
    """A worker looks before it works, and changes nothing."""

    async def test_passes_where_all_are_applied(self, empty: str, folder: Path) -> None:
        """Also where a newer version has applied more than this one knows."""
        await migrate.apply(empty, own(folder))
        (folder / "0002_two.sql").unlink()

        async with database.connect(empty, "probe") as conn:
            await migrate.check(conn, own(folder))

    async def test_says_that_the_database_is_empty(self, empty: str, folder: Path) -> None:
        """And what to do."""
        async with database.connect(empty, "probe") as conn:
            with pytest.raises(MigrationError, match="database is empty; run `relais setup`"):
                await migrate.check(conn, own(folder))

    async def test_says_what_is_missing(self, empty: str, folder: Path) -> None:
        """By name."""
        await migrate.apply(empty, own(folder)[:1])

        async with database.connect(empty, "probe") as conn:
            with pytest.raises(MigrationError, match="lacks probe/0002_two; run `relais setup`"):
                await migrate.check(conn, own(folder))

    async def test_says_what_was_changed(self, empty: str, folder: Path) -> None:
        """The tables are not what this code was written for."""
        await migrate.apply(empty, own(folder))
        (folder / "0001_one.sql").write_text(ONE.replace("int", "text"))

        async with database.connect(empty, "probe") as conn:
            with pytest.raises(MigrationError, match="probe/0001_one was changed"):
                await migrate.check(conn, own(folder))
