"""What the broker must have: exchanges, queues and bindings, from one description.

`relais setup` applies it with the rights to configure; workers only check that theirs is there.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import aiormq.abc
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue, ExchangeType
from aiormq.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from pamqp.common import FieldTable

from contracts import names

QUORUM: FieldTable = {"x-queue-type": "quorum"}
SPREAD: FieldTable = {"x-queue-leader-locator": "balanced"}
DEAD_LETTERED: FieldTable = {
    **QUORUM,
    "x-delivery-limit": 1_000,
    "x-dead-letter-exchange": "",
    # At-least-once dead-lettering demands reject-publish; without a length nothing is refused.
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
LANE: FieldTable = {**DEAD_LETTERED, "x-single-active-consumer": True}
# Milliseconds for which a lane waits for the consumer of a node that has gone; from 4.3 on, where
# it would be 60000.  Others do not look at it.
PROMPT: FieldTable = {**SPREAD, "x-consumer-disconnected-timeout": 1_000}
DRAINED: FieldTable = {**DEAD_LETTERED, **SPREAD}
# No policy makes messages of a stream expire one by one.
STREAM: FieldTable = {"x-queue-type": "stream", **SPREAD, "x-max-age": "60D"}
PULSE: FieldTable = {**QUORUM, "x-max-length": 1}
MAILBOX: FieldTable = {**QUORUM, "x-max-length": 1_000_000, "x-overflow": "reject-publish"}
# RabbitMQ 4 drops what was delivered more than 20 times, where nothing else is said.
PATIENT_MAILBOX: FieldTable = {**MAILBOX, "x-delivery-limit": 1_000_000}
HASHED_BY: FieldTable = {"hash-header": names.PARTITION_KEY}
ELSE_UNROUTED: FieldTable = {"alternate-exchange": names.UNROUTED}


class TopologyError(Exception):
    """Something is missing on the broker, or is not as it should be; says what to do."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What one service needs on the broker: what it reads, through how many lanes.

    fanouts are exchanges of its own, for messages that may be lost.
    """

    service: str
    commands: frozenset[str]
    events: frozenset[str]
    lanes: int
    fanouts: tuple[str, ...] = ()

    @property
    def queues(self) -> list[str]:
        """Its lanes."""
        return [names.lane(self.service, n) for n in range(self.lanes)]


async def apply(
    connection: AbstractConnection, readers: Sequence[Reader], known: Collection[str] = ()
) -> list[str]:
    """Declare everything; safe to run again, also while workers run.

    known are all the types of messages there are: none is bound to who does not read it.
    Returns the retired lanes that are still there.
    """
    retired = []
    async with connection.channel() as channel:
        await _exchanges(channel)
        mailbox = await declare_mailbox(channel, names.CENTRAL)
        await mailbox.bind(names.NOTIFICATIONS, f"{names.CENTRAL}.#")
        for reader in readers:
            await _reader(channel, reader)
            await _unbind(channel, reader, known)
            lanes = await surplus(connection, reader)
            for lane in lanes:
                queue = await channel.get_queue(lane, ensure=False)
                await queue.unbind(names.inbound(reader.service), "1")
            retired.append(lanes)
        return [lane for lanes in retired for lane in await _delete_empty(channel, lanes)]


async def _delete_empty(channel: AbstractChannel, lanes: list[str]) -> list[str]:
    """Delete retired lanes, the last first, that hold nothing; those that are left.

    Without readers nothing of them is in anybody's hands; with some they are read until then.
    """
    for at in reversed(range(len(lanes))):
        found = (await channel.declare_queue(lanes[at], passive=True)).declaration_result
        if found.message_count or found.consumer_count:
            return lanes[: at + 1]
        await channel.queue_delete(lanes[at], if_unused=False, if_empty=False)
    return []


async def _exchanges(channel: AbstractChannel) -> None:
    await channel.declare_exchange(names.UNROUTED, ExchangeType.FANOUT, durable=True)
    queue = await declare_drained(channel, names.UNROUTED)
    await queue.bind(names.UNROUTED)
    await channel.declare_queue(names.PULSE, durable=True, arguments=PULSE)
    for name in (names.COMMANDS, names.EVENTS, names.NOTIFICATIONS):
        arguments = ELSE_UNROUTED if name == names.COMMANDS else None
        await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True, arguments=arguments)


async def declare_mailbox(channel: AbstractChannel, name: str) -> AbstractQueue:
    """A mailbox that refuses, rather than forgets, what it has no room for."""
    return await _queue(channel, names.mailbox(name), PATIENT_MAILBOX, MAILBOX)


async def declare_drained(channel: AbstractChannel, name: str) -> AbstractQueue:
    """A queue that a service drains; what expires in it, by whosever policy, is not lost."""
    await _queue(channel, names.expired(name), STREAM)
    routing: FieldTable = {"x-dead-letter-routing-key": names.expired(name)}
    return await _queue(channel, name, {**DRAINED, **routing}, QUORUM)


async def _queue(channel: AbstractChannel, name: str, *kinds: FieldTable) -> AbstractQueue:
    """Declare a queue of the first kind; one of a later kind, of an earlier version, stays so.

    Nothing changes the arguments of a queue that is there.
    """
    for arguments in kinds:
        try:
            return await channel.declare_queue(name, durable=True, arguments=arguments)
        except ChannelPreconditionFailed as error:
            refusal = str(error)
            await channel.reopen()
    raise TopologyError(
        f"queue {name} is another than Relais makes: {refusal}; delete or rename it"
    )


async def _reader(channel: AbstractChannel, reader: Reader) -> None:
    dead, inbound = names.dead(reader.service), names.inbound(reader.service)
    await declare_drained(channel, dead)
    for name in reader.fanouts:
        await channel.declare_exchange(name, ExchangeType.FANOUT, durable=True)
    hashing = ExchangeType.X_CONSISTENT_HASH
    await channel.declare_exchange(inbound, hashing, durable=True, arguments=HASHED_BY)
    arguments: FieldTable = {**LANE, "x-dead-letter-routing-key": dead}
    for lane in reader.queues:
        kinds = ({**arguments, **more} for more in (PROMPT, SPREAD, {}))
        queue = await _queue(channel, lane, *kinds)
        # One bucket each: jump hashing then spreads keys evenly.
        await queue.bind(inbound, "1")
    await _bind(channel, reader)


async def _bind(channel: AbstractChannel, reader: Reader) -> None:
    inbound = await channel.get_exchange(names.inbound(reader.service), ensure=False)
    for exchange, types in ((names.COMMANDS, reader.commands), (names.EVENTS, reader.events)):
        for type_ in sorted(types):
            await inbound.bind(exchange, type_)


async def _unbind(channel: AbstractChannel, reader: Reader, known: Collection[str]) -> None:
    """Take off what an earlier version of the service has read."""
    inbound, below = names.inbound(reader.service), await channel.get_underlay_channel()
    read = {names.COMMANDS: reader.commands, names.EVENTS: reader.events}
    for exchange, types in read.items():
        for type_ in sorted(set(known) - types):
            # There are hundreds; what is declared next waits for them all.
            await below.exchange_unbind(inbound, exchange, type_, nowait=True)


async def bind_again(connection: AbstractConnection, reader: Reader) -> None:
    """Bind what this version of the service reads; harmless where it is bound already."""
    async with connection.channel() as channel:
        await _bind(channel, reader)


async def grows(connection: AbstractConnection, reader: Reader) -> bool:
    """Whether it has lanes, and is to have more of them."""
    there = await surplus(connection, replace(reader, lanes=0))
    return 0 < len(there) < reader.lanes


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
    drained, inbound = [names.dead(reader.service), *drains], names.inbound(reader.service)
    needed = [
        *(("queue", name) for name in (*queues, *drained, *map(names.expired, drained))),
        *(("exchange", n) for n in (names.COMMANDS, names.EVENTS, inbound, *reader.fanouts)),
    ]
    # All at once: the broker looks long for the leader of a queue whose node has gone.
    found = await asyncio.gather(*(_exists(connection, kind, name) for kind, name in needed))
    for (kind, name), is_there in zip(needed, found, strict=True):
        if not is_there:
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
