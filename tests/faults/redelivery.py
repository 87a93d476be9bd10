"""Delivers events in other ways than the broker does: each one twice, or in any order."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from secrets import token_hex

import aio_pika
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractIncomingMessage,
    HeadersType,
)

from contracts import names
from services.runtime.amqp import broker, topology
from services.runtime.amqp.topology import Reader
from services.runtime.service import installed
from tests.faults import recorder
from tests.faults.workers import LANES

DUPLICATE = "x-duplicate"
QUIET = 0.02

Messages = Sequence[AbstractIncomingMessage]
PassOn = Callable[[AbstractChannel, Messages], Awaitable[None]]


@asynccontextmanager
async def duplicating(amqp_url: str) -> AsyncIterator[None]:
    """Publish every event a second time; all of them by the end of the block."""

    async def duplicate(channel: AbstractChannel, recorded: Messages) -> None:
        events = await channel.get_exchange(names.EVENTS, ensure=False)
        for message in recorded:
            if DUPLICATE not in message.headers:
                again = _copy(message, message.headers | {DUPLICATE: True})
                await events.publish(again, str(message.routing_key))

    async with _relaying(amqp_url, duplicate):
        yield


@asynccontextmanager
async def reordering(amqp_url: str, rng: random.Random) -> AsyncIterator[None]:
    """Every service gets events in an order of its own, by any lane, until the block ends."""
    readers = [service.reader(LANES) for service in installed().values()]
    waiting: dict[str, list[AbstractIncomingMessage]] = {one.service: [] for one in readers}

    async def mix(channel: AbstractChannel, recorded: Messages) -> None:
        for reader in readers:
            held = waiting[reader.service]
            held += [message for message in recorded if message.routing_key in reader.events]
            rng.shuffle(held)
            # Some stay behind as long as others come.
            stay = rng.randint(0, len(held)) if recorded else 0
            for message in held[stay:]:
                await _hand_over(channel, reader, message, str(rng.random()))
            del held[stay:]

    async with broker.connected(amqp_url, "faults") as connection:
        async with _relaying(amqp_url, mix):
            await _cut_off(connection, readers)
            yield
        for reader in readers:
            await topology.bind_again(connection, reader)


@asynccontextmanager
async def _relaying(amqp_url: str, pass_on: PassOn) -> AsyncIterator[None]:
    """Pass on events until the block ends and none is left."""
    over = asyncio.Event()

    async def relay(queue: str) -> None:
        async with broker.connected(amqp_url, "faults") as connection:
            channel = await connection.channel()
            recorded: Messages = ()
            while recorded or not over.is_set():
                recorded = await recorder.read(channel, queue)
                await pass_on(channel, recorded)
                if not recorded:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(over.wait(), QUIET)

    own = f"faults.relay.{token_hex(3)}"
    async with recorder.recording(amqp_url, own) as queue, asyncio.TaskGroup() as tasks:
        tasks.create_task(relay(queue))
        try:
            yield
        finally:
            over.set()


async def _cut_off(connection: AbstractConnection, readers: Sequence[Reader]) -> None:
    """Unbind the services from the events exchange, so that only this module feeds them."""
    async with connection.channel() as channel:
        for reader in readers:
            inbound = await channel.get_exchange(names.inbound(reader.service), ensure=False)
            for type_ in reader.events:
                await inbound.unbind(names.EVENTS, type_)


async def _hand_over(
    channel: AbstractChannel, reader: Reader, message: AbstractIncomingMessage, key: str
) -> None:
    inbound = await channel.get_exchange(names.inbound(reader.service), ensure=False)
    copy = _copy(message, {names.PARTITION_KEY: key})
    await inbound.publish(copy, str(message.routing_key))


def _copy(message: AbstractIncomingMessage, headers: HeadersType) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=headers,
        content_type=message.content_type,
        message_id=message.message_id,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
