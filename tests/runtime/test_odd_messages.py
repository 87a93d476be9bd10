"""Whatever somebody puts into a message, its lane goes on."""

import aio_pika
import pytest
from aiormq.abc import ChannelFrame

from contracts import names
from services.runtime.amqp.frames import encode
from tests.eventually import eventually
from tests.runtime.environment import (
    Environment,
    effects,
    exactly,
    outgoing,
    recording_events,
    running_engines,
)
from tests.runtime.given import plain
from tests.runtime.probe import Add, Added, Reported

pytestmark = pytest.mark.servers


class TestAnOddMessage:
    """Whatever somebody puts into one, its lane goes on."""

    @pytest.mark.parametrize(
        "place", ["message_id", "correlation_id", "type", "app_id", "partitionkey"]
    )
    @pytest.mark.parametrize("odd", [b"\xff\xfe\xff\xfe", b"\0\0\0\0"], ids=["not UTF-8", "NUL"])
    async def test_in_its_properties_is_handled(
        self, env: Environment, place: str, odd: bytes
    ) -> None:
        """Only the body counts."""
        sent = outgoing(Add(thing_id="A", note="odd"))
        values = {name: getattr(sent, name) for name in sent.__slots__}
        marked = type(sent)(**{**values, place: "ZZZZ"})
        frames = encode(marked, 1, 100_000).replace(b"ZZZZ", odd)
        await env.publisher.open()
        connection = env.publisher._connection
        assert connection is not None
        await connection.write_queue.put(ChannelFrame(frames, should_close=False))

        async with running_engines(env):
            await effects(env, 1)

        assert await env.notes() == ["odd"]

    async def test_in_its_reply_queue_is_handled(self, env: Environment) -> None:
        """Where its answer cannot go, it does not go."""
        queue = "Z" * 200
        properties = aio_pika.Message(b"", reply_to=queue).properties
        assert properties.reply_to == queue
        async with running_engines(env):
            await env.send_raw(plain(id="é" * 128), Add.TYPE, reply_to="é" * 100)
            await env.send_raw(plain(id="2", correlationid="x" * 256), Add.TYPE, reply_to="gone")
            await effects(env, 2)

    async def test_of_a_priority_overtakes_none(self, env: Environment) -> None:
        """RabbitMQ 4 would let it; there it is refused, elsewhere it comes in its place."""
        for note, priority in (("0", 0), ("1", 9), ("2", 0)):
            body = plain(id=note, data={"note": note})
            await env.send_raw(body, Add.TYPE, priority=priority)

        async with running_engines(env):
            await effects(env, 2)
            await eventually(lambda: exactly(env, 0))

        assert await env.notes() in (["0", "1", "2"], ["0", "2"])

    async def test_event_is_parked(self, env: Environment) -> None:
        """And the ones after it are handled."""
        async with (
            running_engines(env),
            recording_events(env, "relais.message.parked.v1", Added.TYPE) as recorder,
        ):
            await env.send_raw(b"{", Reported.TYPE, exchange=names.EVENTS)
            await env.send(Reported(thing_id="A", note="good"))
            await effects(env, 1)
            await eventually(lambda: any("parked" in e.type for e in recorder.envelopes()))

        assert await env.count("parked") == 1
