"""Numbered .sql files in dbmate's format, applied in order, each once, under a lock."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from services.runtime.postgres.database import Connection, named

RUNTIME = Path(__file__).parents[1] / "sql"


class MigrationError(Exception):
    """A file was changed after it was applied, or the database lacks one."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; its name, such as probe/0001_probe, is its version."""

    version: str
    checksum: str
    up: str


def found(service: str, folder: Path) -> list[Migration]:
    """The runtime's migrations and the service's own, by number; of one number the runtime's first.

    So a service's file may build on a runtime's of the same or a lower number.
    """
    both = _read("runtime", RUNTIME) + _read(service, folder)
    return sorted(both, key=lambda migration: int(re.findall(r"/([0-9]+)", migration.version)[-1]))


def _read(owner: str, folder: Path) -> list[Migration]:
    return [
        Migration(f"{owner}/{path.stem}", _checksum(path), _up(path.read_text()))
        for path in sorted(folder.glob("[0-9]*.sql"))
    ]


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _up(text: str) -> str:
    match = re.search(r"^-- migrate:up.*?\n(.*?)(?=^-- migrate:down|\Z)", text, re.S | re.M)
    if match is None:
        raise MigrationError("a migration has no line '-- migrate:up'")
    return match.group(1)


LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    text        PRIMARY KEY,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
APPLIED = "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)"


async def apply(url: str, migrations: Sequence[Migration]) -> list[str]:
    """Apply what is missing and return its versions; safe to run from several places at once."""
    with named(url):
        conn = await asyncpg.connect(url, timeout=10)
    try:
        await conn.execute("SELECT pg_advisory_lock(hashtext('relais.migrate'))")
        await conn.execute(LEDGER)
        missing = _missing(await _applied(conn), migrations)
        for migration in missing:
            async with conn.transaction():
                await conn.execute(migration.up)
                await conn.execute(APPLIED, migration.version, migration.checksum)
        return [m.version for m in missing]
    finally:
        await conn.close()


async def check(conn: Connection, migrations: Sequence[Migration]) -> None:
    """Raise MigrationError where the schema is not what this code was written for."""
    if not await conn.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
        raise MigrationError("the database is empty; run `relais setup` with rights to create")
    if missing := _missing(await _applied(conn), migrations):
        names = ", ".join(m.version for m in missing)
        raise MigrationError(f"the database lacks {names}; run `relais setup`")


async def _applied(conn: Connection) -> dict[str, str]:
    rows = await conn.fetch("SELECT version, checksum FROM schema_migrations")
    return {row["version"]: row["checksum"] for row in rows}


def _missing(applied: dict[str, str], migrations: Sequence[Migration]) -> list[Migration]:
    for migration in migrations:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationError(
                f"{migration.version} was changed after it was applied; add a new file instead"
            )
    return [m for m in migrations if m.version not in applied]
