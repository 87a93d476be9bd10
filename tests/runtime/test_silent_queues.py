"""A reply queue that has lost its leader answers nothing: that is its owner's concern alone."""

import itertools
from collections.abc import AsyncIterator

import pytest

from contracts import names
from services.runtime.amqp import broker
from services.runtime.amqp.frames import Outgoing
from services.runtime.decision import Cause
from tests.faults import private
from tests.faults.private import Broker
from tests.runtime.environment import Environment, effects, opened, relay_of, running_engines
from tests.runtime.given import plain
from tests.runtime.probe import Add, Added
from tests.runtime.sender import connected_sender, facts

pytestmark = pytest.mark.servers

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of our own: what is done to its queues is nobody else's concern."""
    async with private.brokered(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture(scope="module")
def amqp_url(server: Broker) -> str:
    """The broker of everything in this file."""
    return server.url


@pytest.fixture
async def silent(
    server: Broker, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A quorum queue that neither takes nor refuses anything."""
    monkeypatch.setattr("services.runtime.amqp.channel.STALLED_AFTER", 1.0)
    monkeypatch.setattr("services.runtime.amqp.isolation.PROBE_TIMEOUT", 1.0)
    monkeypatch.setattr(broker, "CLOSE_TIMEOUT", 0.5)
    name = f"probe.silent.{next(NUMBERS)}"
    await env.channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
    await server.silence(name)
    yield name
    await server.wake(name)


class TestASilentReplyQueue:
    """Its answers are lost, and nothing else."""

    async def test_holds_up_no_other_command(
        self, env: Environment, silent: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever asks again, or elsewhere, is answered; and once known, it costs no time."""
        several = b"[" + b",".join(plain(id=str(n)) for n in range(3)) + b"]"
        async with running_engines(env), connected_sender(env) as sender:
            await env.send_raw(several, Add.TYPE, reply_to=silent)
            await effects(env, 3)
            answer = await sender.ask_raw(plain(id="1"), "1")
            assert facts(answer)[0] == "accepted"

            monkeypatch.setattr("services.runtime.amqp.channel.STALLED_AFTER", 60.0)
            await env.send_raw(plain(id="4"), Add.TYPE, reply_to=silent)
            await effects(env, 4)
            answer = await sender.ask_raw(plain(id="4"), "4")
            assert facts(answer)[0] == "accepted"

    async def test_holds_up_no_event_of_the_outbox(self, env: Environment, silent: str) -> None:
        """It is forgotten, and what was to go with it goes on."""
        async with opened(env.service, env.amqp_url, env.database_url) as work:
            async with work.begin() as tx:
                tx.send(Outgoing("", silent, b"{}", "t", "1", "c", "/test", mandatory=False))
                tx.emit(Added(thing_id="A", note="n", total=1, version=1), Cause())
            listener = await env.channel.declare_queue(exclusive=True)
            await listener.bind(names.EVENTS, Added.TYPE)
            await env.db.execute("UPDATE outbox SET taken_until = now()")

            await relay_of(work).sweep()

            assert await env.count("outbox") == 0
            assert (await listener.get(no_ack=True)) is not None
