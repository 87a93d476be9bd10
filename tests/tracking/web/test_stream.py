"""Server-sent events: what changes reaches who listens, and who has missed some is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import orjson
import pytest
import uvicorn

from services.runtime.amqp import broker, topology
from services.runtime.service import Served
from services.tracking import hints
from services.tracking.app import SERVICE
from services.tracking.web import hub, tokens
from services.tracking.web.api import stream
from services.tracking.web.app import site
from services.tracking.web.hub import Hub
from services.tracking.web.limits import Streams
from services.tracking.web.roles import Caller, Role
from services.tracking.web.state import State
from tests.eventually import eventually
from tests.faults.proxy import Proxy, proxied
from tests.harness import Harness

pytestmark = pytest.mark.servers


class Server(uvicorn.Server):
    """Signals are those of pytest."""

    def install_signal_handlers(self) -> None:
        """None."""


class Listening:
    """One stream, as the bytes that came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.text = ""
        self.ended = False
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while data := await self._reader.read(65536):
            self.text += data.decode()
        self.ended = True

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.text.split(" ", 2)[1]) if self.text else 0

    @property
    def hints(self) -> list[list[str]]:
        """The topics of each hint."""
        lines = [line for line in self.text.splitlines() if line.startswith('data: {"topics"')]
        return [orjson.loads(line.removeprefix("data: "))["topics"] for line in lines]

    @property
    def last_id(self) -> str:
        """The last id."""
        return [x for x in self.text.splitlines() if x.startswith("id: ")][-1].removeprefix("id: ")

    async def close(self) -> None:
        """Go away."""
        self._writer.close()
        self._task.cancel()


class Running:
    """The API on a port, and its state."""

    def __init__(self, port: int, app: Any, publish: Callable[..., Awaitable[None]]) -> None:
        state: State = app.state.tracking
        self.port = port
        self.hub: Hub = state.hub
        self._pool = state.pool
        self.access = app.state.access
        self.publish = publish
        self.opened: list[Listening] = []

    async def listen(
        self, query: str = "", role: Role = Role.CENTRAL, entity: str | None = None, **headers: str
    ) -> Listening:
        """A stream that has begun, or was refused."""
        token = (await tokens.add(self._pool, Caller("dev", role, entity))).secret
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"GET /api/stream{query} HTTP/1.1", "Host: relais"]
        lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        made = Listening(reader, writer)
        self.opened.append(made)
        await eventually(lambda: "\r\n\r\n" in made.text)
        if made.status == 200:
            await eventually(lambda: "id: " in made.text)
        return made


@pytest.fixture
async def broker_way(amqp_url: str) -> AsyncIterator[Proxy]:
    """The way of the API to RabbitMQ."""
    async with proxied(amqp_url) as proxy:
        yield proxy


@pytest.fixture
async def running(
    make_harness: Callable[[str], Awaitable[Harness]], amqp_url: str, broker_way: Proxy
) -> AsyncIterator[Running]:
    """The API on a port, with RabbitMQ."""
    harness = await make_harness("tracking")
    async with broker.connected(amqp_url, "stream test") as connection:
        await topology.apply(connection, [])
        channel = await connection.channel()
        kind = aio_pika.ExchangeType.FANOUT
        exchange = await channel.declare_exchange(hints.EXCHANGE, kind, durable=True)

        async def publish(*topics: str) -> None:
            body = orjson.dumps({"topics": topics})
            await exchange.publish(aio_pika.Message(body), "", mandatory=False)

        async with serving(harness, broker_way.url) as (port, app):
            made = Running(port, app, publish)
            await eventually(lambda: _connected(made), timeout=20)
            yield made
            for one in made.opened:
                await one.close()


async def _connected(made: Running) -> bool:
    """Whether hints come through."""
    before = made.hub.last_id
    await made.publish("packages")
    await asyncio.sleep(0.02)
    return made.hub.last_id != before


@asynccontextmanager
async def serving(harness: Harness, amqp_url: str) -> AsyncIterator[tuple[int, Any]]:
    """The API on a port of its own while the block lasts."""
    async with site(Served("tracking", harness.pool, amqp_url)) as made:
        config = uvicorn.Config(made.app, port=0, log_config=None, lifespan="off")
        server = Server(config)
        task = asyncio.create_task(server.serve())
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield port, made.app
        made.end()
        server.should_exit = True
        await asyncio.wait_for(task, 5)


class TestAStream:
    """GET /api/stream."""

    async def test_tells_of_its_topics_alone(self, running: Running) -> None:
        """And of anything, where anything may have changed."""
        mine = await running.listen("?topics=package:CAT86,orders")
        all_ = await running.listen()

        await running.publish("packages", "package:CAT86")
        await running.publish("packages", "package:CAT87")
        await running.publish("*")

        await eventually(lambda: len(all_.hints) == 3)
        await eventually(lambda: mine.hints == [["package:CAT86"], ["*"]])
        assert all_.hints[1] == ["packages", "package:CAT87"]

    async def test_comes_back_to_where_it_was(self, running: Running) -> None:
        """With the id of the last event."""
        first = await running.listen()
        await running.publish("orders")
        await eventually(lambda: first.hints)
        await first.close()
        await running.publish("packages")
        await running.publish("campaigns")
        await eventually(lambda: len(running.hub.since(first.last_id) or ()) == 2)

        again = await running.listen(Last_Event_ID=first.last_id)

        await eventually(lambda: again.hints == [["packages"], ["campaigns"]])
        assert "event: resync" not in again.text

    async def test_is_told_to_read_again_where_that_is_too_long_ago(self, running: Running) -> None:
        """Or was another process."""
        for last in ("none", "deadbeef-1", "x" * 90):
            assert "event: resync" in (await running.listen(Last_Event_ID=last)).text

    async def test_that_is_slow_misses_some_and_knows(self, running: Running) -> None:
        """What waits for it is bounded."""
        listener = running.hub.listen(lambda topic: True)
        for n in range(hub.MOST_WAITING + 1):
            running.hub.announce([f"order:ORD{n}"])

        assert await listener.wait(1) == []
        assert listener.missed
        running.hub.leave(listener)

    async def test_is_told_to_read_again_after_the_connection_was_lost(
        self, running: Running, broker_way: Proxy
    ) -> None:
        """Hints of the meantime are lost."""
        one = await running.listen()

        broker_way.cut()

        await eventually(lambda: "event: resync" in one.text, timeout=20)
        await running.publish("orders")
        await eventually(lambda: ["orders"] in one.hints)

    async def test_of_a_local_operator_is_about_its_entity_alone(self, running: Running) -> None:
        """Whatever else changes is nothing to it."""
        one = await running.listen(role=Role.LOCAL, entity="OU1")
        refused = await running.listen("?topics=orders", role=Role.LOCAL, entity="OU1")

        await running.publish("orders", "order:ORD1", "entity:OU2", "package:CAT86")
        await running.publish("orders", "order:ORD2", "entity:OU1", "package:CAT86")

        await eventually(lambda: one.hints == [["entity:OU1"]])
        assert refused.status == 403

    async def test_tells_a_reviewer_no_ids_of_orders_and_commands(self, running: Running) -> None:
        """Most are not theirs; that some have changed they hear, and of those that they name."""
        every = await running.listen(role=Role.REVIEWER)
        one = await running.listen("?topics=order:ORD1", role=Role.REVIEWER)

        await running.publish("orders", "order:ORD1", "command:C1", "package:CAT86")

        await eventually(
            lambda: [sorted(hint) for hint in every.hints] == [["orders", "package:CAT86"]]
        )
        await eventually(lambda: one.hints == [["order:ORD1"]])

    async def test_has_topics_that_there_are(self, running: Running) -> None:
        """Others are named."""
        for topics in ("none", "package:", "order:a%00", ",".join(["orders"] * 101)):
            assert (await running.listen(f"?topics={topics}")).status == 422

    async def test_is_refused_past_the_limit(
        self, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And accepted again when one has gone."""
        monkeypatch.setattr(running.access, "streams", Streams(1, 1))
        one = await running.listen()
        assert (await running.listen()).status == 429
        await one.close()
        await running.publish("orders")

        async def accepted() -> bool:
            return (await running.listen()).status == 200

        await eventually(accepted)

    async def test_is_alive_while_nothing_happens(
        self, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A comment now and then."""
        monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
        one = await running.listen()

        await eventually(lambda: ": alive" in one.text)

    async def test_ends_with_the_process(self, running: Running) -> None:
        """At once: who listens goes to another."""
        one = await running.listen()

        running.hub.end()

        await eventually(lambda: one.text.endswith("0\r\n\r\n"))


def test_the_exchange_of_hints_is_made_by_setup() -> None:
    """Its name is one of the service's fanouts."""
    assert hints.EXCHANGE in SERVICE.fanouts
