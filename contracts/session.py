"""One connection of the client to the broker, while it lasts."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AMQPChannelError,
    DeliveryError,
    PublishError,
)

from contracts import hosts, names

_CLOSING = 1.0

Answered = Callable[[AbstractIncomingMessage], Awaitable[None]]


class NotSent(Exception):
    """The broker did not take some commands; ids are those that it did not confirm."""

    def __init__(self, sentence: str, ids: Sequence[str]) -> None:
        """See the class."""
        super().__init__(sentence)
        self.ids = tuple(ids)


@dataclass(frozen=True, slots=True)
class Letter:
    """One AMQP message with the ids of the commands in it, published as often as it takes."""

    ids: tuple[str, ...]
    type: str
    message: aio_pika.Message


@dataclass(frozen=True, slots=True)
class Session:
    """A connection, a channel with confirms and a reply queue; lost is done when one has ended."""

    connection: AbstractConnection
    exchange: AbstractExchange
    replies: str
    lost: "asyncio.Future[None]"

    async def publish(self, letters: Sequence[Letter]) -> list[Letter]:
        """Publish in order, all at once; gives those left in doubt by a loss; raises NotSent."""
        tasks = [asyncio.create_task(self._publish(letter)) for letter in letters]
        confirmed = asyncio.gather(*tasks, return_exceptions=True)
        # A publish canceled in flight would upset the confirms of the whole channel, so a caller
        # who gives up leaves it running.
        ends: set[asyncio.Future[Any]] = {confirmed, self.lost}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        left = [one for one, task in zip(letters, tasks, strict=True) if not _confirmed(task)]
        for letter, task in zip(letters, tasks, strict=True):
            if refusal := _refusal(letter.type, task):
                raise NotSent(refusal, [id for one in left for id in one.ids])
        return left

    async def close(self) -> None:
        """Close the connection, whatever state it is in."""
        with suppress(*CONNECTION_EXCEPTIONS, TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await self.connection.close()

    async def _publish(self, letter: Letter) -> None:
        await self.exchange.publish(letter.message, letter.type, mandatory=True)


def _confirmed(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _refusal(kind: str, task: "asyncio.Task[None]") -> str | None:
    """Why sending again would not help, if so; a lost connection is no such reason."""
    match task.exception() if task.done() and not task.cancelled() else None:
        case PublishError():
            return f"no queue takes {kind}: `relais setup` makes the queues of Relais"
        case DeliveryError():
            return f"the broker refused {kind}: is a queue of Relais full?"
        case AMQPChannelError() as error:
            return f"the broker refused {kind}: {error}"
        case _:
            return None


async def open_session(url: hosts.Url, answered: Answered) -> Session:
    """Connect, and consume a reply queue that ends with the connection."""
    connection = await hosts.first(url, aio_pika.connect)
    try:
        return await _session(connection, answered)
    except BaseException:
        await connection.close()
        raise


async def _session(connection: AbstractConnection, answered: Answered) -> Session:
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def lose(*_: Any) -> None:
        if not lost.done():
            lost.set_result(None)

    # Unless told so, a return looks like a success.
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    connection.close_callbacks.add(lose)
    channel.close_callbacks.add(lose)
    # The broker may end the consumer alone, and then nothing else would say so.
    (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lose)
    # A name of its own each time: the broker may still hold the queue of a lost connection.
    queue = await channel.declare_queue(f"replies.{uuid.uuid4()}", exclusive=True)
    await queue.consume(answered, no_ack=True)
    exchange = await channel.get_exchange(names.COMMANDS, ensure=False)
    return Session(connection, exchange, queue.name, lost)
