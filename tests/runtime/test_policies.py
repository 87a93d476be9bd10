"""An operator's policy on all queues takes no message away from us."""

from collections.abc import AsyncIterator

import pytest
from aio_pika.abc import AbstractIncomingMessage

from contracts import names
from services.runtime.amqp import broker
from tests.eventually import eventually
from tests.faults import private
from tests.faults.private import Broker
from tests.runtime.environment import Environment, adds, effects, outgoing, running_engines
from tests.runtime.given import plain
from tests.runtime.probe import Add

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of our own: its policies are nobody else's concern."""
    async with private.brokered(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture
async def amqp_url(server: Broker) -> str:
    """It is the broker of every environment here."""
    return server.url


async def ready(env: Environment) -> int:
    """How many messages somebody could read from the lanes and the dead queue."""
    return await env.depth() + await env._ready(names.dead(env.service.name))


class TestAPolicy:
    """On all queues, while no worker is there."""

    @pytest.fixture(autouse=True)
    async def ended(self, server: Broker) -> AsyncIterator[None]:
        """Each test has its own."""
        yield
        await server.clear_policy()

    async def test_of_a_time_to_live_loses_nothing(self, env: Environment, server: Broker) -> None:
        """What has expired in the lanes, and then in the dead queue, is handled later."""
        await server.set_policy(message_ttl=100)
        await env.send(*adds(["A", "B"], 10))
        await env.send_raw(plain(id="other", data={"note": "10"}), Add.TYPE)
        await eventually(lambda: is_gone(env), timeout=30)

        async with running_engines(env):
            await effects(env, 11)

        assert sorted(await env.notes(), key=int) == [str(n) for n in range(11)]
        assert await env.count("parked") == 0

    async def test_is_outlived_by_more_than_one_start(
        self, env: Environment, server: Broker
    ) -> None:
        """What has expired is read again by the next worker, and known to the inbox."""
        await server.set_policy(message_ttl=100)
        await env.send(*adds(["A"], 3))
        await eventually(lambda: is_gone(env), timeout=30)
        async with running_engines(env):
            await effects(env, 3)

        async with running_engines(env):
            await env.send(*adds(["B"], 1))
            await effects(env, 4)

        assert await env.count("journal") == 4

    async def test_of_a_length_is_told_to_the_sender(
        self, env: Environment, server: Broker
    ) -> None:
        """The broker refuses what finds no room, and has what it took."""
        await server.set_policy(max_length=2)
        sent = [await env.publisher.publish([outgoing(add)]) for add in adds(["A"], 50)]
        taken = [str(n) for n, published in enumerate(sent) if published.clean]
        assert len(taken) < len(sent)

        async with running_engines(env):
            await effects(env, len(taken))

        assert await env.notes() == taken

    async def test_of_a_delivery_limit_parks_nothing(
        self, env: Environment, server: Broker
    ) -> None:
        """What was delivered too often for somebody's taste is handled all the same."""
        await server.set_policy(delivery_limit=1)
        await env.send(*adds(["A"], 3))
        await eventually(lambda: in_dead_after_deaths(env, 3))

        async with running_engines(env):
            await effects(env, 3)

        assert await env.count("parked") == 0


async def in_dead_after_deaths(env: Environment, count: int) -> bool:
    """Whether they are in the dead queue, after another worker has died with them."""
    got: list[AbstractIncomingMessage] = []

    async def take(message: AbstractIncomingMessage) -> None:
        got.append(message)

    async def is_dead() -> bool:
        return await env._ready(names.dead(env.service.name)) == count

    async with broker.connected(env.amqp_url, "probe taker") as connection:
        channel = await connection.channel()
        for lane in env.service.reader(env.lanes).queues:
            await (await channel.get_queue(lane)).consume(take)

        async def goes_on() -> bool:
            return len(got) == count or await is_dead()

        await eventually(goes_on)
    return await is_dead()


async def is_gone(env: Environment) -> bool:
    """Whether nobody could read any of them where they were sent."""
    return await ready(env) == 0
