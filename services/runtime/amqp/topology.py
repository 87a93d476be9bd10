"""What the broker must have: exchanges, queues and bindings, from one description.

`relais setup` applies it with the rights to configure; workers only check that theirs is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractQueue,
    ExchangeType,
)
from aiormq.exceptions import ChannelNotFoundEntity
from pamqp.common import FieldTable

from contracts import names

DELIVERY_LIMIT = 1_000
MAILBOX_MAX_LENGTH = 1_000_000
HASHED_BY: FieldTable = {"hash-header": names.PARTITION_KEY}


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
    for reader in readers:
        await _retire(connection, reader)


async def _exchanges(channel: AbstractChannel) -> None:
    unrouted = await channel.declare_exchange(names.UNROUTED, ExchangeType.FANOUT, durable=True)
    await channel.declare_exchange(
        names.COMMANDS,
        ExchangeType.TOPIC,
        durable=True,
        arguments={"alternate-exchange": names.UNROUTED},
    )
    for name in (names.EVENTS, names.NOTIFICATIONS):
        await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue(
        names.UNROUTED, durable=True, arguments={"x-queue-type": "quorum"}
    )
    await queue.bind(unrouted)


async def declare_mailbox(channel: AbstractChannel, name: str) -> AbstractQueue:
    """A mailbox that refuses, rather than forgets, what it has no room for."""
    return await channel.declare_queue(
        names.mailbox(name),
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-max-length": MAILBOX_MAX_LENGTH,
            "x-overflow": "reject-publish",
        },
    )


async def _reader(channel: AbstractChannel, reader: Reader) -> None:
    dead = names.dead(reader.service)
    await channel.declare_queue(dead, durable=True, arguments={"x-queue-type": "quorum"})
    inbound = await channel.declare_exchange(
        names.inbound(reader.service),
        ExchangeType.X_CONSISTENT_HASH,
        durable=True,
        arguments=HASHED_BY,
    )
    for lane in reader.queues:
        queue = await channel.declare_queue(lane, durable=True, arguments=_lane_arguments(dead))
        # One bucket each: jump hashing then spreads keys evenly.
        await queue.bind(inbound, "1")
    await _bind(inbound, reader)


async def _bind(inbound: AbstractExchange, reader: Reader) -> None:
    for exchange, types in ((names.COMMANDS, reader.commands), (names.EVENTS, reader.events)):
        for type_ in sorted(types):
            await inbound.bind(exchange, type_)


async def bind_again(connection: AbstractConnection, reader: Reader) -> None:
    """Bind what this version of the service reads; harmless where it is bound already."""
    async with connection.channel() as channel:
        inbound = await channel.get_exchange(names.inbound(reader.service), ensure=False)
        await _bind(inbound, reader)


def _lane_arguments(dead: str) -> FieldTable:
    return {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead,
        # At-least-once dead-lettering demands reject-publish; without a length nothing is refused.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


async def _retire(connection: AbstractConnection, reader: Reader) -> None:
    """Unbind lanes beyond the setting; they are consumed until empty, see `surplus`."""
    for lane in await surplus(connection, reader):
        async with connection.channel() as channel:
            queue = await channel.get_queue(lane, ensure=False)
            await queue.unbind(names.inbound(reader.service), "1")


async def surplus(connection: AbstractConnection, reader: Reader) -> list[str]:
    """Lanes that exist beyond the setting."""
    found = []
    number = reader.lanes
    while await _exists(connection, names.lane(reader.service, number)):
        found.append(names.lane(reader.service, number))
        number += 1
    return found


async def _exists(connection: AbstractConnection, queue: str) -> bool:
    channel = await connection.channel()
    try:
        await channel.declare_queue(queue, passive=True)
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return True


async def check(connection: AbstractConnection, reader: Reader, drains: Sequence[str]) -> list[str]:
    """Raise TopologyError naming what is missing; returns the queues to consume."""
    queues = [*reader.queues, *await surplus(connection, reader)]
    for queue in [*queues, names.dead(reader.service), *drains]:
        if not await _exists(connection, queue):
            raise TopologyError(f"queue {queue} is missing on the broker; run `relais setup`")
    for exchange in (names.COMMANDS, names.EVENTS, names.inbound(reader.service)):
        await _check_exchange(connection, exchange)
    return queues


async def _check_exchange(connection: AbstractConnection, name: str) -> None:
    channel = await connection.channel()
    try:
        await channel.get_exchange(name, ensure=True)
    except ChannelNotFoundEntity:
        raise TopologyError(
            f"exchange {name} is missing on the broker; run `relais setup`"
        ) from None
    await channel.close()


async def delete(connection: AbstractConnection, readers: Sequence[Reader]) -> None:
    """Take everything of Relais off the broker; of the mailboxes just the central one."""
    queues = [names.UNROUTED, names.mailbox(names.CENTRAL)]
    exchanges = [names.COMMANDS, names.EVENTS, names.NOTIFICATIONS, names.UNROUTED]
    for reader in readers:
        queues += [*reader.queues, *await surplus(connection, reader), names.dead(reader.service)]
        exchanges.append(names.inbound(reader.service))
    async with connection.channel() as channel:
        for queue in queues:
            # Anything else than "as it is" closes the whole connection on a quorum queue.
            await channel.queue_delete(queue, if_unused=False, if_empty=False)
        for exchange in exchanges:
            await channel.exchange_delete(exchange)
