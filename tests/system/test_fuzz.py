"""Broken messages by the thousand: each is answered or kept, and nobody else notices."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from contracts import envelope, names
from contracts.client import Client
from infra.local.stack import Stack
from services.runtime.service import installed
from tests.eventually import eventually
from tests.system import fuzz, given
from tests.system.fuzz import Sent

pytestmark = pytest.mark.servers

Count = Callable[..., Awaitable[int]]
SEED = 20261125
MANY = 100_000 if os.environ.get("RELAIS_LONG") == "1" else 1_500
"""A hundred thousand take minutes."""
AT_ONCE = 500
GROWTH = 60e6
"""Bytes that a worker may grow by: pools, caches and a batch of the largest messages."""


class TestBrokenMessages:
    """Commands and events with odd bodies, fields, headers and encodings, among good ones."""

    @pytest.mark.timeout(60 + MANY / 50)
    async def test_harm_nobody(self, running: Stack, upstream: Client, count: Count) -> None:
        """Each command gets an answer, the good ones their effect; workers live on, and small."""
        before = resident(running)
        sent = list(fuzz.messages(SEED, MANY))
        async with await aio_pika.connect(running.amqp_url) as connection:
            channel = await connection.channel()
            answers = await channel.declare_queue(exclusive=True)
            got = 0

            async def answered(message: AbstractIncomingMessage) -> None:
                # One that is a good parked.discard ends others, whose senders are told once more.
                nonlocal got
                got += b"discarded by an operator" not in message.body

            await answers.consume(answered, no_ack=True)
            for at in range(0, len(sent), AT_ONCE):
                await upstream.send(given.campaign(f"OP-F{at}"))
                await publish(channel, sent[at : at + AT_ONCE], answers)
            expected = sum(len(envelope.read(one.body)) for one in sent if one.is_command)
            await eventually(lambda: got >= expected, timeout=30 + MANY / 100)
            await eventually(lambda: are_empty(channel), timeout=30 + MANY / 100)
            await asyncio.sleep(0.5)
        assert got == expected
        good = "SELECT count(*) FROM campaigns WHERE campaign_id LIKE 'OP-F%'"
        assert await count("campaigns", good) == len(range(0, len(sent), AT_ONCE))
        assert await faults_of_ours(running) == []
        assert running.restart_count == 0
        grown = {name: size - before[name] for name, size in resident(running).items()}
        assert max(grown.values()) < GROWTH, grown


async def faults_of_ours(running: Stack) -> list[str]:
    """What services could not handle though nothing is wrong with it, with the traceback."""
    found = []
    for service, url in running.postgres.items():
        conn = await asyncpg.connect(url)
        rows = await conn.fetch("SELECT type, traceback FROM kept WHERE reason = 'failed'")
        found += [f"{service} {row['type']}: {row['traceback']}" for row in rows]
        await conn.close()
    return found


async def publish(
    channel: aio_pika.abc.AbstractChannel, sent: Sequence[Sent], answers: AbstractQueue
) -> None:
    """Publish messages as they are."""
    exchanges = {
        name: await channel.get_exchange(name, ensure=False)
        for name in (names.COMMANDS, names.EVENTS)
    }
    await asyncio.gather(
        *(
            exchanges[one.exchange].publish(
                aio_pika.Message(one.body, headers=one.headers, reply_to=answers.name),
                one.routing_key,
                mandatory=False,
            )
            for one in sent
        )
    )


async def are_empty(channel: aio_pika.abc.AbstractChannel) -> bool:
    """Whether no lane holds a message that nobody was given."""
    lanes = [lane for service in installed().values() for lane in service.reader(8).queues]
    left = {}
    for lane in lanes:
        queue = await channel.declare_queue(lane, passive=True)
        left[lane] = queue.declaration_result.message_count
    assert not any(left.values()), left
    return True


def resident(running: Stack) -> dict[str, int]:
    """Bytes of memory that each worker has."""
    found = {}
    for worker in running.workers:
        assert worker.process is not None
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        found[worker.name] = int(line.split()[1]) * 1024
    return found
