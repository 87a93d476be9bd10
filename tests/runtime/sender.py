"""A sender of commands that waits for answers."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from contracts import envelope
from contracts.envelope import Envelope
from tests.eventually import eventually
from tests.runtime.environment import Environment, written
from tests.runtime.probe import Add


class Sender:
    """A sender that waits for answers."""

    def __init__(self, env: Environment, queue: AbstractQueue) -> None:
        """Answers come to this queue."""
        self._stage = env
        self.queue = queue
        self.got: list[AbstractIncomingMessage] = []

    async def ask(self, command: Add) -> Envelope:
        """The answer to a command."""
        id = uuid.uuid4().hex
        return await self.ask_raw(written(command, id), id)

    async def ask_raw(self, body: bytes, correlation: str, **properties: str) -> Envelope:
        """The answer with this correlation."""
        await self._stage.send_raw(body, Add.TYPE, reply_to=self.queue.name, **properties)
        await eventually(lambda: any(m.correlation_id == correlation for m in self.got))
        (message,) = (m for m in self.got if m.correlation_id == correlation)
        (answer,) = envelope.read(message.body)
        assert isinstance(answer, Envelope)
        return answer

    async def hear(self, message: AbstractIncomingMessage) -> None:
        """Take an answer."""
        await message.ack()
        self.got.append(message)


@asynccontextmanager
async def connected_sender(env: Environment) -> AsyncIterator[Sender]:
    """A sender, while the block lasts."""
    queue = await env.channel.declare_queue(exclusive=True, auto_delete=True)
    sender = Sender(env, queue)
    await queue.consume(sender.hear)
    yield sender


def facts(answer: Envelope) -> tuple[object, ...]:
    """What an answer says."""
    data = answer.data or {}
    return tuple(data[name] for name in ("outcome", "code", "message", "version", "errors"))
