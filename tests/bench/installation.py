"""The databases and queues of one checkout, made by its own `relais setup`."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit, urlunsplit

from contracts import names
from infra.local.databases import create_databases
from services.cli import removal
from services.runtime import declared
from services.runtime.amqp import broker
from services.runtime.service import installed
from tests.bench import place
from tests.bench.checkouts import OURS, Checkout
from tests.bench.place import Place


@dataclass(frozen=True)
class Installation:
    """The databases of one checkout; settings are RELAIS_* of its set-up and workers."""

    here: Place
    checkout: Checkout
    prefix: str
    postgres: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes find in their environment."""
        urls = {f"RELAIS_{name.upper()}_POSTGRES_URL": url for name, url in self.postgres.items()}
        return {"RELAIS_AMQP_URL": self.here.amqp_url, **urls, **self.settings}


@asynccontextmanager
async def databases(
    here: Place, checkout: Checkout = OURS, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Installation]:
    """New databases, which have no tables before the first set-up; dropped at the end."""
    prefix = f"bench_{secrets.token_hex(4)}"
    postgres = await asyncio.to_thread(
        create_databases, here.servers.postgres_url, prefix, declared.names()
    )
    try:
        yield Installation(here, checkout, prefix, postgres, settings or {})
    finally:
        for service in postgres:
            await place.drop(here, f"{prefix}_{service}")


@asynccontextmanager
async def databases_of_each(
    here: Place, checkouts: Sequence[Checkout]
) -> AsyncIterator[list[Installation]]:
    """An installation of each checkout."""
    async with AsyncExitStack() as opened:
        yield [await opened.enter_async_context(databases(here, one)) for one in checkouts]


@asynccontextmanager
async def copied(one: Installation, service: str) -> AsyncIterator[Installation]:
    """The same with a copy of a service's database, dropped at the end: the next one is as new."""
    original, copy = f"{one.prefix}_{service}", f"bench_{secrets.token_hex(4)}"
    admin = one.here.servers.postgres_url
    await place.execute(admin, f"CREATE DATABASE {copy} TEMPLATE {original} OWNER {original}")
    url = urlunsplit(urlsplit(one.postgres[service])._replace(path=f"/{copy}"))
    try:
        yield replace(one, postgres={**one.postgres, service: url})
    finally:
        await place.drop(one.here, copy)


@asynccontextmanager
async def set_up(one: Installation, *running: str) -> AsyncIterator[None]:
    """Its tables and queues, the queues new and taken off at the end.

    running: the services that have workers; nothing is bound to the lanes of others, which would
    fill and take the broker's time.
    """
    async with empty_broker(one.here):
        name = f"setup{one.checkout.suffix}"
        command = [*one.checkout.command, "setup"]
        await asyncio.to_thread(
            one.here.run, name, command, one.environment, cwd=one.checkout.folder
        )
        await _unbind(one.here, [name for name in one.postgres if name not in running])
        yield


@asynccontextmanager
async def empty_broker(here: Place) -> AsyncIterator[None]:
    """Nothing of Relais is on the broker before the block and after it, but mailboxes."""
    await _clear(here)
    try:
        yield
    finally:
        await _clear(here)


async def _clear(here: Place) -> None:
    readers = [place.reader(service) for service in installed().values()]
    async with broker.connected(here.amqp_url, "bench") as connection:
        await removal.remove(connection, readers)


async def _unbind(here: Place, services: list[str]) -> None:
    async with (
        broker.connected(here.amqp_url, "bench") as connection,
        connection.channel() as channel,
    ):
        for service in services:
            await channel.exchange_delete(names.inbound(service))
