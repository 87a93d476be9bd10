"""A database and a role for each service, made on a server that we administrate."""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from infra.local.errors import Misconfigured

PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}")


def create_databases(postgres_url: str, prefix: str, services: Iterable[str]) -> dict[str, str]:
    """Return the URL of each service's database `<prefix>_<service>`, made when it is not there.

    A role of the same name owns it and nobody else may enter; existing data stays as it is.
    """
    if not PLAIN_NAME.fullmatch(prefix):
        raise Misconfigured(
            f"{prefix!r} cannot start a database's name: use small letters, digits and _."
        )
    names = {service: f"{prefix}_{service}" for service in services}
    passwords = {name: password_for(name, postgres_url) for name in names.values()}
    # A thread of its own: the caller may be inside a running event loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, create(postgres_url, passwords)).result()
    return {
        service: database_url(postgres_url, name, passwords[name])
        for service, name in names.items()
    }


def password_for(role: str, postgres_url: str) -> str:
    """Return a role's password: the same at every start, so that nobody's connection breaks."""
    admin = urlsplit(postgres_url).password
    if not admin:
        return secrets.token_urlsafe(24)
    return hmac.new(unquote(admin).encode(), role.encode(), hashlib.sha256).hexdigest()


def database_url(postgres_url: str, name: str, password: str) -> str:
    """Return the URL of a database for the role of the same name."""
    parts = urlsplit(postgres_url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{place}", path=f"/{name}"))


async def create(postgres_url: str, passwords: dict[str, str]) -> None:
    """Make the roles and databases that are not there yet."""
    connection = await asyncpg.connect(postgres_url)
    try:
        for name, password in passwords.items():
            await create_role(connection, name, password)
            await create_database(connection, name)
    finally:
        await connection.close()


async def create_role(connection: "asyncpg.Connection", name: str, password: str) -> None:
    """Make a role, or give an existing one its password. Names and passwords are plain ones."""
    exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if exists else "CREATE"
    await connection.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{password}'")


async def create_database(connection: "asyncpg.Connection", name: str) -> None:
    """Make a database that only the role of the same name may enter."""
    if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        return
    # The server's own encoding may be one that cannot hold every text.
    options = "TEMPLATE template0 ENCODING 'UTF8'"
    await connection.execute(f"CREATE DATABASE {name} OWNER {name} {options}")
    await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
