"""What the broker must have: exchanges, queues and bindings, from one description.

`relais setup` applies it with the rights to configure; workers only check that theirs is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aiormq.abc
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue, ExchangeType
from aiormq.exceptions import ChannelNotFoundEntity
from pamqp.common import FieldTable

from contracts import names

QUORUM: FieldTable = {"x-queue-type": "quorum"}
LANE: FieldTable = {
    **QUORUM,
    "x-single-active-consumer": True,
    "x-delivery-limit": 1_000,
    "x-dead-letter-exchange": "",
    # At-least-once dead-lettering demands reject-publish; without a length nothing is refused.
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
MAILBOX: FieldTable = {**QUORUM, "x-max-length": 1_000_000, "x-overflow": "reject-publish"}
HASHED_BY: FieldTable = {"hash-header": names.PARTITION_KEY}
ELSE_UNROUTED: FieldTable = {"alternate-exchange": names.UNROUTED}


class TopologyError(Exception):
    """Something is missing on the broker, or is not as it should be; says what to do."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What one service needs on the broker: what it reads, through how many lanes."""

    service: str
    commands: frozenset[str]
    events: frozenset[str]
    lanes: int

    @property
    def queues(self) -> list[str]:
        """Its lanes."""
        return [names.lane(self.service, n) for n in range(self.lanes)]


async def apply(connection: AbstractConnection, readers: Sequence[Reader]) -> None:
    """Declare everything; safe to run again, also while workers run."""
    async with connection.channel() as channel:
        await _exchanges(channel)
        mailbox = await declare_mailbox(channel, names.CENTRAL)
        await mailbox.bind(names.NOTIFICATIONS, f"{names.CENTRAL}.#")
        for reader in readers:
            await _reader(channel, reader)
            for lane in await surplus(connection, reader):
                # It is consumed until it is empty.
                retired = await channel.get_queue(lane, ensure=False)
                await retired.unbind(names.inbound(reader.service), "1")


async def _exchanges(channel: AbstractChannel) -> None:
    await channel.declare_exchange(names.UNROUTED, ExchangeType.FANOUT, durable=True)
    queue = await channel.declare_queue(names.UNROUTED, durable=True, arguments=QUORUM)
    await queue.bind(names.UNROUTED)
    for name in (names.COMMANDS, names.EVENTS, names.NOTIFICATIONS):
        arguments = ELSE_UNROUTED if name == names.COMMANDS else None
        await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True, arguments=arguments)


async def declare_mailbox(channel: AbstractChannel, name: str) -> AbstractQueue:
    """A mailbox that refuses, rather than forgets, what it has no room for."""
    return await channel.declare_queue(names.mailbox(name), durable=True, arguments=MAILBOX)


async def _reader(channel: AbstractChannel, reader: Reader) -> None:
    dead, inbound = names.dead(reader.service), names.inbound(reader.service)
    await channel.declare_queue(dead, durable=True, arguments=QUORUM)
    hashing = ExchangeType.X_CONSISTENT_HASH
    await channel.declare_exchange(inbound, hashing, durable=True, arguments=HASHED_BY)
    arguments: FieldTable = {**LANE, "x-dead-letter-routing-key": dead}
    for lane in reader.queues:
        queue = await channel.declare_queue(lane, durable=True, arguments=arguments)
        # One bucket each: jump hashing then spreads keys evenly.
        await queue.bind(inbound, "1")
    await _bind(channel, reader)


async def _bind(channel: AbstractChannel, reader: Reader) -> None:
    inbound = await channel.get_exchange(names.inbound(reader.service), ensure=False)
    for exchange, types in ((names.COMMANDS, reader.commands), (names.EVENTS, reader.events)):
        for type_ in sorted(types):
            await inbound.bind(exchange, type_)


async def bind_again(connection: AbstractConnection, reader: Reader) -> None:
    """Bind what this version of the service reads; harmless where it is bound already."""
    async with connection.channel() as channel:
        await _bind(channel, reader)


async def surplus(connection: AbstractConnection, reader: Reader) -> list[str]:
    """Lanes that exist beyond the setting."""
    found: list[str] = []
    while True:
        lane = names.lane(reader.service, reader.lanes + len(found))
        if not await _exists(connection, "queue", lane):
            return found
        found.append(lane)


async def check(connection: AbstractConnection, reader: Reader, drains: Sequence[str]) -> list[str]:
    """Raise TopologyError naming what is missing; returns the queues to consume."""
    queues = [*reader.queues, *await surplus(connection, reader)]
    needed = {
        "queue": [*queues, names.dead(reader.service), *drains],
        "exchange": [names.COMMANDS, names.EVENTS, names.inbound(reader.service)],
    }
    for kind in needed:
        for name in needed[kind]:
            if not await _exists(connection, kind, name):
                raise TopologyError(f"{kind} {name} is missing on the broker; run `relais setup`")
    return queues


async def look(connection: aiormq.abc.AbstractConnection, queue: str) -> None:
    """Ask how a queue is; raises where the broker cannot say, or not soon."""
    channel = await connection.channel(publisher_confirms=False)
    await channel.queue_declare(queue, passive=True)
    await channel.close()


async def _exists(connection: AbstractConnection, kind: str, name: str) -> bool:
    # The broker closes the channel that asks for what is not there.
    channel = await connection.channel()
    try:
        if kind == "queue":
            await channel.declare_queue(name, passive=True)
        else:
            await channel.get_exchange(name)
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return True
