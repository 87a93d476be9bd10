"""Commands as any language can publish them: plain JSON, without a client of ours."""

import asyncio
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueue

from contracts import names
from contracts.outcomes import CommandRefused
from infra.local.stack import Stack
from tests.eventually import eventually

pytestmark = pytest.mark.servers

Count = Callable[..., Awaitable[int]]
CREATED = "SELECT count(*) FROM campaigns WHERE campaign_id = $1"


def envelope(type: str, subject: str, data: object) -> dict[str, Any]:
    """What wire.md requires, and nothing else."""
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": "/upstream/erp",
        "type": type,
        "subject": subject,
        "data": data,
    }


def campaign(id: str) -> dict[str, Any]:
    """A good command."""
    data = {"label": "Spring", "kind": "reference", "distribution_level": "collaborative_simple"}
    return envelope("relais.campaign.create.v1", id, data)


@pytest.fixture
async def channel(running: Stack) -> AsyncIterator[AbstractChannel]:
    """A channel as a stranger opens it."""
    connection = await aio_pika.connect(running.amqp_url)
    async with connection, connection.channel() as channel:
        yield channel


@pytest.fixture
async def refusals(channel: AbstractChannel) -> AsyncIterator[AbstractQueue]:
    """The refusals that services announce from now on."""
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(names.EVENTS, CommandRefused.TYPE)
    yield queue
    await queue.delete(if_unused=False, if_empty=False)


async def publish(
    channel: AbstractChannel, type: str, body: bytes, reply_to: str | None = None
) -> None:
    """Publish a bare body: no content type, no headers, no id."""
    exchange = await channel.get_exchange(names.COMMANDS, ensure=False)
    message = aio_pika.Message(body, reply_to=reply_to)
    await exchange.publish(message, type, mandatory=True)


async def answer(
    channel: AbstractChannel, type: str, body: bytes
) -> tuple[dict[str, Any], str | None]:
    """What comes to the reply queue: the outcome, and its AMQP correlation id."""
    replies = await channel.declare_queue(exclusive=True)
    await publish(channel, type, body, reply_to=replies.name)
    message = await eventually(lambda: replies.get(no_ack=True, fail=False))
    assert message is not None
    return json.loads(message.body)["data"], message.correlation_id


async def refusal(refusals: AbstractQueue, command_id: str) -> dict[str, Any]:
    """The announced refusal of a command."""

    async def announced() -> dict[str, Any]:
        message = await refusals.get(no_ack=True, fail=False)
        event: dict[str, Any] = json.loads(message.body) if message else {}
        return event if event.get("causationid") == command_id else {}

    data: dict[str, Any] = (await eventually(announced))["data"]
    return data


class TestPlainJson:
    """A body of JSON without any AMQP property."""

    async def test_has_its_effect(self, channel: AbstractChannel, count: Count) -> None:
        """In a command only the body counts."""
        command = campaign("OP1")
        await publish(channel, command["type"], json.dumps(command).encode())
        await eventually(lambda: count("campaigns", CREATED, "OP1"))

    async def test_has_its_effect_once(self, channel: AbstractChannel, count: Count) -> None:
        """The same source and id again is the same message, with the same answer."""
        command = campaign("OP2")
        body = json.dumps(command).encode()
        first, correlation = await answer(channel, command["type"], body)
        again, _ = await answer(channel, command["type"], body)
        assert first == again
        assert (first["outcome"], first["version"]) == ("accepted", 1)
        assert correlation == first["command_id"] == command["id"]
        assert await count("campaigns", CREATED, "OP2") == 1

    async def test_may_be_an_array(self, channel: AbstractChannel, count: Count) -> None:
        """The batch format: a broken element harms no other."""
        commands = [campaign("OP3"), campaign("OP4") | {"subject": "O P"}, campaign("OP5")]
        await publish(channel, commands[0]["type"], json.dumps(commands).encode())
        both = "SELECT count(*) = 2 FROM campaigns WHERE campaign_id IN ('OP3', 'OP5')"
        await eventually(lambda: count("campaigns", both))


class TestBroken:
    """What a broken command gets."""

    async def test_is_refused_with_all_errors_at_once(
        self, channel: AbstractChannel, refusals: AbstractQueue
    ) -> None:
        """Without a reply queue the refusal is announced, with every field and its sentence."""
        command = envelope("relais.package.cancel.v1", "CAT86", {"coment": "typo"})
        await publish(channel, command["type"], json.dumps(command).encode())
        told = await refusal(refusals, command["id"])
        assert told["code"] == "invalid"
        assert {error["field"] for error in told["errors"]} == {"data.comment", "data.coment"}

    async def test_is_answered_where_the_sender_asks(self, channel: AbstractChannel) -> None:
        """The answer names the command and says the same."""
        command = envelope("relais.package.cancel.v1", "CAT86", {})
        told, _ = await answer(channel, command["type"], json.dumps(command).encode())
        assert (told["outcome"], told["code"]) == ("refused", "invalid")
        assert told["command_id"] == command["id"]

    async def test_type_that_nobody_reads_is_unknown(
        self, channel: AbstractChannel, count: Count
    ) -> None:
        """It is kept as parked, and its sender is told."""
        command = envelope("relais.package.cancle.v1", "CAT86", {"comment": "typo"})
        told, _ = await answer(channel, command["type"], json.dumps(command).encode())
        assert (told["outcome"], told["code"]) == ("refused", "unknown_type")
        kept = "SELECT count(*) FROM kept WHERE id = $1 AND reason = 'unknown_type'"
        assert await count("packages", kept, command["id"]) == 1

    async def test_body_that_is_no_json_is_kept_and_answered(
        self, channel: AbstractChannel, count: Count
    ) -> None:
        """Not even its sender can be told from it, so nothing is thrown away."""
        told, _ = await answer(channel, "relais.package.cancel.v1", b"cancel CAT86!")
        assert (told["outcome"], told["code"]) == ("refused", "invalid")
        kept = "SELECT count(*) FROM kept WHERE reason = 'unreadable' AND body = $1"
        assert await count("packages", kept, b"cancel CAT86!") == 1

    async def test_about_something_unknown_is_refused_after_a_while(
        self, channel: AbstractChannel
    ) -> None:
        """It waits a few seconds for its package to become known."""
        command = envelope("relais.package.cancel.v1", "CAT404", {"comment": "gone"})
        told, _ = await answer(channel, command["type"], json.dumps(command).encode())
        assert (told["outcome"], told["code"]) == ("refused", "unknown_package")


@pytest.fixture
def amqp_publish(running: Stack) -> Callable[[dict[str, Any]], Awaitable[None]]:
    """Debian's little publisher, of rabbitmq-c."""
    program = shutil.which("amqp-publish")
    if program is None:
        pytest.skip("needs amqp-publish: apt-get install amqp-tools")

    # To this program a single slash means a virtual host without a name.
    url = running.amqp_url.removesuffix("/")

    async def publish(command: dict[str, Any]) -> None:
        arguments = ("-e", names.COMMANDS, "-r", command["type"], "-b", json.dumps(command))
        process = await asyncio.create_subprocess_exec(program, "-u", url, *arguments)
        assert await process.wait() == 0

    return publish


class TestAmqpPublish:
    """The same from a shell, as the README shows it."""

    async def test_has_its_effect(
        self, amqp_publish: Callable[[dict[str, Any]], Awaitable[None]], count: Count
    ) -> None:
        """No client of ours is needed."""
        await amqp_publish(campaign("OP6"))
        await eventually(lambda: count("campaigns", CREATED, "OP6"))

    async def test_broken_is_refused(
        self,
        amqp_publish: Callable[[dict[str, Any]], Awaitable[None]],
        refusals: AbstractQueue,
    ) -> None:
        """It gets the refusal that the wire names."""
        command = envelope("relais.package.cancel.v1", "CAT86", {"comment": " "})
        await amqp_publish(command)
        told = await refusal(refusals, command["id"])
        assert told["code"] == "invalid"
        assert [error["field"] for error in told["errors"]] == ["data.comment"]
