"""Make the tables, exchanges and queues that the installed services need."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from contracts import hosts
from contracts.catalogue import COMMANDS, EVENTS
from services.cli import endpoints, failures, management, problems, running
from services.cli.endpoints import Endpoints
from services.runtime import settings
from services.runtime.amqp import broker, topology
from services.runtime.amqp.lanes import deal_again
from services.runtime.postgres import migrate
from services.runtime.service import Service, installed

T = TypeVar("T")

PAUSE = 0.3


async def setup(names: Sequence[str], wait: float) -> int:
    """Apply migrations and topology, and print what was done; wait is in seconds.

    names are the services to do it for, none stands for all that are installed.
    """
    services = {name: running.service(name) for name in names} or installed()
    stack = endpoints.find(*services)
    lanes = settings.load(settings.Settings, amqp_url=stack.amqp_url).lanes
    until = time.monotonic() + wait
    for service in services.values():
        await _patiently(until, lambda service=service: _migrate(service, stack))  # type: ignore[misc]
    await _patiently(until, lambda: _declare(list(services.values()), stack, lanes))
    print("ready for workers: `relais run SERVICE` starts one")
    return 0


async def _patiently(until: float, work: Callable[[], Awaitable[T]]) -> T:
    """Do the work; try again while a server is away, until the given moment."""
    while True:
        try:
            return await work()
        except Exception as error:
            problem = failures.explain(error)
            away = problem is not None and problem.exit_code == problems.UNAVAILABLE
            if not away or isinstance(error, migrate.MigrationError) or time.monotonic() > until:
                raise
            await asyncio.sleep(PAUSE)


async def _migrate(service: Service, stack: Endpoints) -> None:
    found = migrate.found(service.name, service.migrations)
    url = stack.postgres[service.name]
    applied = await migrate.apply(url, found)
    done = f"applied {', '.join(applied)}" if applied else "up to date"
    print(f"{service.name}: database {hosts.name(url)}: {done}")


async def _declare(services: list[Service], stack: Endpoints, lanes: int) -> None:
    readers = [service.reader(lanes) for service in services]
    async with broker.connected(stack.amqp_url, "relais setup") as connection:
        grown = [one.service for one in readers if await topology.grows(connection, one)]
        retired = await topology.apply(connection, readers, {*COMMANDS, *EVENTS})
        version = broker.version(connection)
    print(f"broker: RabbitMQ {version}: exchanges, mailbox.central and {lanes} lanes a service")
    print(f"broker: {spreading(version)}")
    for line in await management.describe(stack.amqp_url, [one.service for one in readers]):
        print(f"broker: {line}")
    for lane in retired:
        print(f"broker: {lane} is retired; `relais setup` deletes it once it is empty and unread")
    for service in grown:
        await _deal_again(service, stack.postgres[service])


async def _deal_again(service: str, url: str) -> None:
    """Let workers that run take up the new lanes, or say who has to."""
    try:
        count = await deal_again(url, service)
    except asyncpg.InsufficientPrivilegeError as error:
        print(f"warning: {service}: there are more lanes; start its workers again ({error})")
        return
    print(f"{service}: there are more lanes; running workers take them up, {count} here")


def spreading(version: str) -> str:
    """How this broker shares lanes among several workers of a service."""
    if broker.major(version) >= 4:
        return "lanes spread over the workers of a service, and move when one ends"
    return (
        "lanes do not spread over the workers of a service before RabbitMQ 4; "
        "the first worker takes all, another takes over when it ends"
    )
