"""The client of publishers in Python, on a real broker."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aio_pika
import orjson
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from contracts import names
from contracts.client import Client, NoConfirm, NoOutcome, NotSent, connect
from contracts.envelope import Envelope, read, write
from contracts.message import Command
from contracts.outcomes import CommandOutcome, Outcome
from contracts.packages import ApprovePackage, CancelPackage, PublishPackage
from tests.contracts.proxy import Proxy, proxied
from tests.eventually import eventually

pytestmark = pytest.mark.servers

SOURCE = "/upstream/erp"


def cancel(package_id: str = "CAT86") -> CancelPackage:
    """A command."""
    return CancelPackage(package_id=package_id, comment="supplier withdrew")


@dataclass
class Service:
    """The other side: a queue bound to the exchange of commands, which may answer."""

    channel: AbstractChannel
    queue: AbstractQueue
    got: list[AbstractIncomingMessage] = field(default_factory=list)

    async def message(self) -> AbstractIncomingMessage:
        """The next message in the queue."""
        for _ in range(500):
            if message := await self.queue.get(no_ack=True, fail=False):
                return message
            await asyncio.sleep(0.01)
        pytest.fail("no message has come for 5 s")

    async def answer(self, message: AbstractIncomingMessage) -> None:
        """Accept each command of a message, as Relais does."""
        self.got.append(message)
        for element in read(message.body):
            assert isinstance(element, Envelope)
            assert message.reply_to
            outcome = CommandOutcome(
                about=element.subject,
                command_id=element.id,
                command_type=element.type,
                outcome=Outcome.ACCEPTED,
            )
            body = write(
                id=secrets.token_hex(8),
                source="/relais/packages",
                type=outcome.wire_type,
                subject=outcome.subject,
                data_json=outcome.data_json(),
                causationid=element.id,
            )
            reply = aio_pika.Message(body, correlation_id=element.id)
            await self.channel.default_exchange.publish(reply, message.reply_to)


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    """A channel of the other side."""
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


@pytest.fixture
async def service(channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch) -> Service:
    """An exchange of commands for this test alone, with one queue bound to it."""
    monkeypatch.setattr(names, "COMMANDS", f"test.commands.{secrets.token_hex(4)}")
    exchange = await channel.declare_exchange(names.COMMANDS, "topic", auto_delete=True)
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(exchange, "relais.package.#")
    return Service(channel, queue)


@pytest.fixture
async def client(amqp_url: str, service: Service) -> AsyncIterator[Client]:
    """A client whose commands reach the service."""
    async with connect(amqp_url, source=SOURCE) as client:
        yield client


@pytest.fixture
async def way(amqp_url: str) -> AsyncIterator[Proxy]:
    """A way to the broker that a test can cut or hold."""
    async with proxied(amqp_url) as way:
        yield way


class TestSending:
    """Publishing one command."""

    async def test_carries_the_command(self, client: Client, service: Service) -> None:
        """The body is one envelope with the data of the command and the attributes given."""
        name = await client.send(cancel(), actor="m.durand", correlationid="week 48")
        message = await service.message()
        [envelope] = read(message.body)
        assert isinstance(envelope, Envelope)
        assert (envelope.id, envelope.source, envelope.subject) == (name, SOURCE, "CAT86")
        assert (envelope.actor, envelope.correlationid) == ("m.durand", "week 48")
        assert envelope.partitionkey == "CAT86"
        assert envelope.data == {"comment": "supplier withdrew"}

    async def test_mirrors_the_envelope_in_the_properties(
        self, client: Client, service: Service
    ) -> None:
        """What routes and what operators look at is there without opening the body."""
        await client.send(cancel(), id="c-1")
        message = await service.message()
        assert message.routing_key == message.type == CancelPackage.TYPE
        assert (message.message_id, message.correlation_id, message.app_id) == (
            "c-1",
            "c-1",
            SOURCE,
        )
        assert message.content_type == "application/cloudevents+json"
        assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert message.headers == {"partitionkey": "CAT86"}
        assert message.timestamp

    async def test_is_signed_with_the_user_of_the_connection(
        self, client: Client, service: Service
    ) -> None:
        """Rights rest on the user, which the broker checks."""
        await client.send(cancel())
        assert (await service.message()).user_id

    async def test_leaves_out_a_property_that_is_too_long(
        self, client: Client, service: Service
    ) -> None:
        """An id may be longer than a property; the body counts."""
        name = "é" * 128
        assert await client.send(cancel(), id=name) == name
        message = await service.message()
        assert orjson.loads(message.body)["id"] == name
        assert message.correlation_id is None

    async def test_fails_when_no_queue_takes_the_command(
        self, client: Client, service: Service
    ) -> None:
        """A command that goes nowhere is not lost silently."""
        await service.queue.bind(names.COMMANDS, "relais.order.#")
        await service.queue.unbind(names.COMMANDS, "relais.package.#")
        with pytest.raises(NotSent, match=r"no queue takes relais.package.cancel.v1") as error:
            await client.send(cancel(), id="c-1")
        assert error.value.ids == ("c-1",)

    async def test_fails_when_the_queue_is_full(self, client: Client, service: Service) -> None:
        """What the broker refuses is not sent."""
        full = await service.channel.declare_queue(
            exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
        )
        await full.bind(names.COMMANDS, "relais.package.#")
        await client.send(cancel())
        with pytest.raises(NotSent, match=r"refused relais.package.cancel.v1"):
            await client.send(cancel())

    async def test_fails_when_nothing_is_set_up_and_works_when_it_is(
        self, client: Client, service: Service
    ) -> None:
        """A missing exchange closes the channel; the next command gets another."""
        there = names.COMMANDS
        await service.channel.exchange_delete(there)
        with pytest.raises(NotSent, match="NOT_FOUND"):
            await client.send(cancel())
        await service.channel.declare_exchange(there, "topic", auto_delete=True)
        await service.queue.bind(there, "relais.package.#")
        assert await client.send(cancel())

    async def test_says_when_the_broker_does_not_confirm(
        self, way: Proxy, service: Service
    ) -> None:
        """A time-out leaves it open whether the broker has the command, and says so."""
        async with connect(way.url, source=SOURCE) as client:
            way.hold()
            with pytest.raises(NoConfirm, match=r"no confirm of relais.package.cancel.v1") as error:
                await client.send(cancel(), id="c-1", timeout=0.2)
        assert error.value.ids == ("c-1",)

    async def test_goes_on_after_a_lost_connection(self, way: Proxy, service: Service) -> None:
        """The client connects again by itself."""
        async with connect(way.url, source=SOURCE) as client:
            await client.send(cancel(), id="c-1")
            way.cut()
            await client.send(cancel(), id="c-2")
        ids = {(await service.message()).message_id for _ in range(2)}
        assert ids == {"c-1", "c-2"}


class TestSendingMany:
    """Publishing a list of commands."""

    async def test_packs_neighbours_of_one_type_and_key(
        self, client: Client, service: Service
    ) -> None:
        """They travel in the batch format, in order; a command alone is a plain object."""
        commands: list[Command] = [*[cancel("CAT86")] * 3, cancel("CAT87")]
        ids = await client.send_many(commands, actor="m.durand")
        first, second = await service.message(), await service.message()
        assert [element["id"] for element in orjson.loads(first.body)] == ids[:3]
        assert first.content_type == "application/cloudevents-batch+json"
        assert first.message_id == ids[0]
        assert orjson.loads(second.body)["id"] == ids[3]

    async def test_keeps_the_order(self, client: Client, service: Service) -> None:
        """What cannot be packed arrives in the order given as well."""
        kinds: list[type[Command]] = [ApprovePackage, PublishPackage] * 300
        ids = await client.send_many([kind.read("CAT86", None) for kind in kinds])
        arrived = [(await service.message()).message_id for _ in ids]
        assert arrived == ids

    async def test_of_none_does_nothing(self, client: Client) -> None:
        """An empty list is no error."""
        assert await client.send_many([]) == []

    async def test_names_what_was_not_confirmed(self, way: Proxy, service: Service) -> None:
        """After a time-out a caller knows which to send again."""
        async with connect(way.url, source=SOURCE) as client:
            way.hold()
            with pytest.raises(NoConfirm) as error:
                await client.send_many([cancel("CAT86"), cancel("CAT87")], timeout=0.2)
        assert len(error.value.ids) == 2


class TestAnswers:
    """Outcomes of commands that nobody waits for, given to who made the client."""

    async def test_come_to_whoever_takes_them(self, amqp_url: str, service: Service) -> None:
        """Also those of many commands in one message; ids may be given."""
        answers: list[CommandOutcome] = []
        sender = Client(lambda: amqp_url, SOURCE, answers.append)
        await service.queue.consume(service.answer, no_ack=True)
        try:
            ids = await sender.send_many([cancel(), cancel()], ids=["one", "two"])
            await sender.send(cancel(), id="three")
            await eventually(lambda: len(answers) == 3)
        finally:
            await sender.close()

        assert ids == ["one", "two"]
        assert sorted(answer.command_id or "" for answer in answers) == ["one", "three", "two"]


class TestAsking:
    """Sending a command and awaiting its outcome."""

    async def test_gives_the_outcome(self, client: Client, service: Service) -> None:
        """The outcome is that of the command."""
        await service.queue.consume(service.answer, no_ack=True)
        outcome = await client.ask(cancel(), id="c-1")
        assert (outcome.outcome, outcome.command_id) == (Outcome.ACCEPTED, "c-1")
        assert outcome.about == "CAT86"

    async def test_may_be_done_many_times_at_once(self, client: Client, service: Service) -> None:
        """Every asker gets its own answer."""
        await service.queue.consume(service.answer, no_ack=True)
        asked = [client.ask(cancel(f"CAT{n}")) for n in range(200)]
        outcomes = await asyncio.gather(*asked)
        assert [o.about for o in outcomes] == [f"CAT{n}" for n in range(200)]

    async def test_ends_after_its_time(self, client: Client, service: Service) -> None:
        """Without an answer it says so; the same id may be asked again."""
        with pytest.raises(NoOutcome, match=r"no outcome of relais.package.cancel.v1 c-1"):
            await client.ask(cancel(), id="c-1", timeout=0.1)
        await service.queue.consume(service.answer, no_ack=True)
        assert (await client.ask(cancel(), id="c-1")).command_id == "c-1"

    async def test_twice_at_once_with_one_id_is_an_error(
        self, client: Client, service: Service
    ) -> None:
        """One id has one answer."""
        first = asyncio.create_task(client.ask(cancel(), id="c-1"))
        await service.message()
        with pytest.raises(ValueError, match="c-1 is awaited already"):
            await client.ask(cancel(), id="c-1")
        first.cancel()

    async def test_survives_a_lost_connection(self, way: Proxy, service: Service) -> None:
        """The question is put again, with the same id, from a reply queue that is there."""
        async with connect(way.url, source=SOURCE) as client:
            asked = asyncio.create_task(client.ask(cancel(), id="c-1"))
            lost = await service.message()
            way.cut()
            await service.queue.consume(service.answer, no_ack=True)
            assert (await asked).command_id == "c-1"
        assert service.got[0].message_id == lost.message_id
        assert service.got[0].reply_to != lost.reply_to

    async def test_survives_the_loss_of_its_reply_queue(
        self, client: Client, service: Service, amqp_url: str
    ) -> None:
        """A consumer that the broker ends is noticed."""
        asked = asyncio.create_task(client.ask(cancel(), id="c-1"))
        lost = await service.message()
        await _end_consumer(client)
        await service.queue.consume(service.answer, no_ack=True)
        assert (await asked).command_id == "c-1"
        assert service.got[0].reply_to != lost.reply_to

    async def test_ends_when_the_client_is_closed(self, amqp_url: str, service: Service) -> None:
        """Nobody waits for an answer that cannot come."""
        async with connect(amqp_url, source=SOURCE) as client:
            asked = asyncio.create_task(client.ask(cancel()))
            await service.message()
        with pytest.raises(ConnectionError, match="the client was closed"):
            await asked

    async def test_overlooks_replies_that_are_none(self, client: Client, service: Service) -> None:
        """Whatever else arrives in the reply queue harms nobody."""
        asked = asyncio.create_task(client.ask(cancel(), id="c-1"))
        message = await service.message()
        assert message.reply_to
        for body in (b"nonsense", b'{"specversion":"1.0","id":"1","source":"/s"}'):
            reply = aio_pika.Message(body, correlation_id="c-1")
            await service.channel.default_exchange.publish(reply, message.reply_to)
        await service.answer(message)
        assert (await asked).command_id == "c-1"


class TestConnecting:
    """Opening a client."""

    async def test_says_where_no_broker_answers(self) -> None:
        """The place is named, the password is not."""
        with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:1") as error:
            async with connect("amqp://me:secret@127.0.0.1:1/", source=SOURCE):
                pass
        assert "secret" not in str(error.value)

    async def test_needs_a_source(self) -> None:
        """Without a name to sign with no command can be answered."""
        with pytest.raises(ValueError, match="source must have 1 to 128 characters"):
            async with connect("amqp://127.0.0.1:1/", source=""):
                pass


async def _end_consumer(client: Client) -> None:
    """Delete the reply queue, as a broker that loses a node does."""
    assert client._session
    channel = await client._session.connection.channel()
    await channel.queue_delete(client._session.replies)
