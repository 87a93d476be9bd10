"""Where the demo runs: on servers of its own, or in databases of its own on given servers."""

import asyncio
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import asyncpg
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import ChannelNotFoundEntity

from contracts import names
from infra.local.servers import Servers
from services.cli import removal
from services.cli.problems import UNAVAILABLE, Problem
from services.runtime import declared
from services.runtime.amqp import broker, topology


def is_given() -> bool:
    """Whether the environment names servers to use."""
    named = ("RELAIS_AMQP_URL", "RELAIS_POSTGRES_URL")
    is_external = os.environ.get("RELAIS_INFRA") == "external"
    return is_external or any(os.environ.get(name) for name in named)


@contextmanager
def reserve(pair: Servers, mailboxes: Sequence[str]) -> Iterator[str]:
    """Give the prefix of the demo's databases.

    Given servers are left as they were found. A broker on which another Relais has messages or
    workers is refused.
    """
    if not is_given():
        yield "relais"
        return
    asyncio.run(_check_unused(pair.amqp_url, mailboxes))
    prefix = f"relais_demo_{secrets.token_hex(3)}"
    try:
        yield prefix
    finally:
        asyncio.run(clear(pair, prefix, declared.names(), mailboxes))


async def _check_unused(amqp_url: str, mailboxes: Sequence[str]) -> None:
    """Raise Problem where the demo would take the messages of another Relais."""
    async with broker.connected(amqp_url, "relais demo") as connection:
        for queue in [*_queues(), *(names.mailbox(name) for name in mailboxes)]:
            if await _is_in_use(connection, queue):
                raise Problem(
                    f"the broker of RELAIS_AMQP_URL has a Relais with work in {queue}; give the "
                    "demo a virtual host of its own, or unset the URL for a broker of its own",
                    UNAVAILABLE,
                )


async def _is_in_use(connection: AbstractConnection, queue: str) -> bool:
    channel = await connection.channel()
    try:
        found = (await channel.declare_queue(queue, passive=True)).declaration_result
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return bool(found.message_count or found.consumer_count)


def _queues() -> list[str]:
    first = [names.lane(service, 0) for service in declared.names()]
    return [*first, names.UNROUTED, names.mailbox(names.CENTRAL)]


async def clear(
    pair: Servers, prefix: str, services: Iterable[str], mailboxes: Sequence[str]
) -> None:
    """Remove the services' databases with this prefix, their queues, and these mailboxes."""
    async with broker.connected(pair.amqp_url, "relais demo") as connection:
        every = [topology.Reader(name, frozenset(), frozenset(), lanes=0) for name in services]
        await removal.remove(connection, every)
        async with connection.channel() as channel:
            for name in mailboxes:
                queue = names.mailbox(name)
                await channel.queue_delete(queue, if_unused=False, if_empty=False)
    conn = await asyncpg.connect(pair.postgres_url)
    try:
        for service in services:
            await conn.execute(f"DROP DATABASE IF EXISTS {prefix}_{service} WITH (FORCE)")
            await conn.execute(f"DROP ROLE IF EXISTS {prefix}_{service}")
    finally:
        await conn.close()
