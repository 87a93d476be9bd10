"""Answers to senders, on a real broker."""

import asyncio
import uuid
from collections.abc import Sequence

import aio_pika
import orjson
import pytest

from contracts import envelope, names
from contracts.envelope import Envelope
from services.runtime.amqp.frames import Outgoing, Published
from services.runtime.amqp.publisher import Publisher
from tests.eventually import eventually
from tests.faults.proxy import Proxy
from tests.runtime.conftest import MakeEnvironment
from tests.runtime.environment import Environment, effects, running_engines
from tests.runtime.given import plain
from tests.runtime.probe import TOKEN, Add, Added
from tests.runtime.sender import connected_sender, facts

pytestmark = pytest.mark.servers


class TestAnAnswer:
    """It goes to the queue that the sender names."""

    async def test_says_what_became_of_each_command(self, env: Environment) -> None:
        """With the id of the command as correlation, under the names of the wire."""
        async with running_engines(env), connected_sender(env) as sender:
            accepted = await sender.ask(Add(thing_id="A"))
            unchanged = await sender.ask(Add(thing_id="A", outcome="unchanged"))
            refused = await sender.ask(Add(thing_id="A", outcome="refused"))

        assert facts(accepted) == ("accepted", None, None, 1, None)
        assert facts(unchanged) == ("unchanged", None, "A is so already", 1, None)
        assert facts(refused) == (
            "refused",
            "wrong_status",
            "A is closed; open it first",
            None,
            None,
        )
        for told in (accepted, unchanged, refused):
            assert told.type == "relais.command.outcome.v1"
            assert told.subject == "A"
            assert told.source == f"/relais/{env.service.name}"
            assert told.causationid == (told.data or {})["command_id"]
            assert (told.data or {})["command_type"] == Add.TYPE

    async def test_of_a_broken_command_tells_every_error(self, env: Environment) -> None:
        """At once, so that a sender corrects it in one go."""
        async with running_engines(env), connected_sender(env) as sender:
            told = await sender.ask_raw(plain(id="1", data={"amount": -1, "x": 1}), "1")

        assert facts(told)[:2] == ("refused", "invalid")
        errors = (told.data or {})["errors"]
        assert {error["field"] for error in errors} == {"data.amount", "data.x"}

    @pytest.mark.parametrize(
        ("body", "properties", "correlation"),
        [
            (b"{", {"correlation_id": "c", "message_id": "m"}, "c"),
            (b"{", {"message_id": "m"}, "m"),
            (orjson.dumps({"id": "i"}), {"correlation_id": "c", "message_id": "m"}, "c"),
            (orjson.dumps({"id": "i"}), {"message_id": "m"}, "i"),
            (plain(id="1", data={"x": 1}), {"correlation_id": "c"}, "c"),
        ],
        ids=["its correlation", "its message id", "correlation", "its id", "of a broken one"],
    )
    async def test_of_what_nobody_can_read_finds_its_sender(
        self, env: Environment, body: bytes, properties: dict[str, str], correlation: str
    ) -> None:
        """By the best name that can be read."""
        async with running_engines(env), connected_sender(env) as sender:
            told = await sender.ask_raw(body, correlation, **properties)

        assert facts(told)[:2] == ("refused", "invalid")

    async def test_comes_for_each_element_of_a_batch(self, env: Environment) -> None:
        """In order."""
        body = b"[%s,%s]" % (plain(id="1"), plain(id="2", data={"outcome": "refused"}))
        async with running_engines(env), connected_sender(env) as sender:
            await env.send_raw(body, Add.TYPE, reply_to=sender.queue.name)
            await eventually(lambda: len(sender.got) == 2)

        assert [m.correlation_id for m in sender.got] == ["1", "2"]

    async def test_comes_again_for_a_command_that_comes_again(self, env: Environment) -> None:
        """The same, under the same id: a reader can tell."""
        async with running_engines(env), connected_sender(env) as sender:
            for _ in range(2):
                await env.send_raw(plain(), Add.TYPE, reply_to=sender.queue.name)
            await eventually(lambda: len(sender.got) == 2)

        first, second = sender.got
        assert first.message_id == second.message_id
        assert orjson.loads(first.body)["data"] == orjson.loads(second.body)["data"]

    async def test_comes_after_the_events_it_speaks_of(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They are confirmed by then: the next command of the sender finds their effect."""
        confirmed: list[str] = []
        async with running_engines(env) as engines, connected_sender(env) as sender:
            publisher = engines.work.publisher
            publish = publisher.publish

            async def watched(messages: Sequence[Outgoing], queues: list[str]) -> Published:
                published = await publish(messages, queues)
                confirmed.extend(message.type for message in messages)
                return published

            monkeypatch.setattr(publisher, "publish", watched)
            await sender.ask(Add(thing_id="A", note="n"))
            await eventually(lambda: len(confirmed) == 2)

        assert confirmed == [Added.TYPE, "relais.command.outcome.v1"]

    async def test_that_cannot_be_sent_is_sent_later(
        self, env: Environment, broker_proxy: Proxy
    ) -> None:
        """A message is acknowledged when its sender has been told, not before."""
        async with running_engines(env) as engines, connected_sender(env) as sender:
            engines.work.publisher = Publisher(broker_proxy.url, "probe replies")
            broker_proxy.refuse()
            asked = asyncio.create_task(sender.ask(Add(thing_id="A")))
            await effects(env, 1)
            await asyncio.wait({asked}, timeout=0.2)

            await broker_proxy.accept()

            assert facts(await asked)[0] == "accepted"
            await engines.work.publisher.close()

    @pytest.mark.parametrize(
        "queue", ["no.such.queue", "x" * 255, "amq.rabbitmq.reply-to.none", "\N{GRINNING FACE}"]
    )
    async def test_to_a_queue_that_has_gone_is_given_up(self, env: Environment, queue: str) -> None:
        """The command has its effect all the same, and the next one too."""
        if len(queue) < 200:
            queue = f"{queue}{uuid.uuid4().hex}"
        async with running_engines(env):
            await env.send_raw(plain(id="1"), Add.TYPE, reply_to=queue)
            await effects(env, 1)
            await env.send_raw(plain(id="2"), Add.TYPE)
            await effects(env, 2)

    async def test_to_a_queue_of_ours_is_not_given(self, env: Environment) -> None:
        """Nobody may have answers put into a lane, a mailbox or what is dead."""
        ours = (
            names.lane(env.service.name, 0),
            names.dead(env.service.name),
            names.expired(names.dead(env.service.name)),
            names.mailbox("central"),
            names.UNROUTED,
        )
        async with running_engines(env), connected_sender(env) as sender:
            for n, queue in enumerate(ours):
                await env.send_raw(plain(id=str(n)), Add.TYPE, reply_to=queue)
            await sender.ask_raw(plain(id="last"), "last")

        assert await env.count("parked") == 0
        assert await env.count("journal") == len(ours) + 1


class TestAForeignQueue:
    """What nobody reads is read by one service that keeps it."""

    async def test_is_drained_into_parked(self, make_env: MakeEnvironment) -> None:
        """And its sender gets `unknown_type`."""
        env = await make_env(foreign=True)
        strange = f"relais.probe_{TOKEN}.strange.v1"
        queue = await env.channel.get_queue(env.service.drains[0])
        await queue.bind(names.COMMANDS, strange)
        async with running_engines(env), connected_sender(env) as sender:
            body = plain(type=strange, id="1")
            await env.send_raw(body, strange, reply_to=sender.queue.name)
            await eventually(lambda: sender.got)

        (told,) = envelope.read(sender.got[0].body)
        assert isinstance(told, Envelope)
        assert facts(told)[:2] == ("refused", "unknown_type")
        assert await env.count("parked") == 1

    async def test_gets_what_no_lane_takes_as_it_was(self, env: Environment) -> None:
        """The broker's detour changes neither exchange nor routing key."""
        strange = f"relais.probe_{TOKEN}.strange.v1"
        spare = await env.channel.declare_exchange(
            f"{env.service.name}.spare", "fanout", auto_delete=True
        )
        queue = await env.channel.declare_queue(exclusive=True)
        await queue.bind(spare)
        front = await env.channel.declare_exchange(
            f"{env.service.name}.front",
            "topic",
            auto_delete=True,
            arguments={"alternate-exchange": spare.name},
        )

        await front.publish(aio_pika.Message(b"x"), strange)

        message = await eventually(lambda: queue.get(fail=False))
        assert message is not None
        assert (message.exchange, message.routing_key) == (front.name, strange)
        await front.delete()
