"""The lanes of every service: how many messages wait, and whether somebody reads them."""

import asyncio
from dataclasses import dataclass, replace

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity

from contracts import names
from contracts.hosts import Url
from services.runtime.service import Service, broker, installed, topology

FAULTS = (AMQPError, OSError, RuntimeError, TimeoutError)
"""What is raised where the broker does not answer."""

PATIENCE = 5.0
"""Seconds that a broker may take to answer."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue of a service, which is None for those that belong to none."""

    service: str | None
    queue: str
    messages: int
    consumers: int


async def list_lanes(url: Url) -> list[Queue]:
    """The lanes and the dead queue of each service, and commands that nobody reads.

    Raises one of FAULTS where it does not answer.
    """
    async with asyncio.timeout(PATIENCE), broker.connected(url, "relais tracking web") as opened:
        of_each = await asyncio.gather(*(_of(opened, s) for s in installed().values()))
        unrouted = await _look(opened, None, names.UNROUTED)
    return [queue for queues in of_each for queue in queues] + ([unrouted] if unrouted else [])


async def _of(connection: AbstractConnection, service: Service) -> list[Queue]:
    reader = replace(service.reader(0), lanes=0)
    lanes = await topology.surplus(connection, reader)
    queues = [*lanes, names.dead(service.name)]
    found = await asyncio.gather(*(_look(connection, service.name, name) for name in queues))
    return [queue for queue in found if queue is not None]


async def _look(connection: AbstractConnection, service: str | None, name: str) -> Queue | None:
    channel = await connection.channel()
    try:
        declared = (await channel.declare_queue(name, passive=True)).declaration_result
    except ChannelNotFoundEntity:
        return None
    await channel.close()
    messages, consumers = declared.message_count or 0, declared.consumer_count or 0
    return Queue(service, name, messages, consumers)
