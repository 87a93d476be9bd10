"""What the broker must have, from one description."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from aio_pika import Message
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from pamqp.common import FieldTable

from contracts import names
from services.runtime.amqp import broker, lanes, topology
from services.runtime.amqp.topology import Reader, TopologyError
from services.runtime.service import OPERATIONS, heard, routes
from tests.eventually import eventually
from tests.runtime import probe
from tests.runtime.environment import THINGS, Environment, adds, effects, exactly, running_engines
from tests.runtime.probe import Add, Hooks, Reported


class TestAReader:
    """What one service needs follows from what it reads."""

    def test_reads_its_commands_and_its_events(self) -> None:
        """Each from the exchange of its kind, through so many lanes."""
        reader = probe.service("probe", Hooks()).reader(3)

        commands = frozenset({Add.TYPE, *OPERATIONS})
        assert reader == Reader("probe", commands, frozenset({Reported.TYPE}), 3)
        assert reader.queues == ["probe.lane.0", "probe.lane.1", "probe.lane.2"]

    def test_is_heard_of_by_those_who_publish(self) -> None:
        """An event is unheard only where no service of the installation reads it."""
        one = probe.service("one", Hooks())
        other = replace(probe.service("other", Hooks()), routes=routes(Reported))

        assert heard({"one": one, "other": other}) == {Add.TYPE, Reported.TYPE, *OPERATIONS}
        assert heard({"other": other}) == {Reported.TYPE, *OPERATIONS}


@pytest.fixture
async def connection(amqp_url: str) -> AsyncIterator[AbstractConnection]:
    """A connection with the rights to configure."""
    async with broker.connected(amqp_url, "probe test") as connection:
        yield connection


def reader_of(env: Environment, lanes: int | None = None) -> Reader:
    """What the probe needs here."""
    return env.service.reader(lanes or env.lanes)


@pytest.mark.servers
class TestSettingUp:
    """It may be done again at any time."""

    async def test_twice_changes_nothing(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """Also while a worker runs, which notices nothing."""
        async with running_engines(env) as engines:
            await eventually(lambda: engines.consumer.is_consuming)

            await topology.apply(connection, [reader_of(env)])
            await topology.apply(connection, [reader_of(env)])

            assert engines.consumer.is_consuming
            await env.send(*adds(THINGS, 20))
            await effects(env, 20)

    async def test_gives_each_lane_its_share(self, env: Environment) -> None:
        """Keys are spread over the lanes."""
        await env.send(*adds([f"T{n}" for n in range(200)], 200))

        counts = [
            (await env.channel.declare_queue(lane, passive=True)).declaration_result.message_count
            for lane in reader_of(env).queues
        ]
        assert sum(filter(None, counts)) == 200
        assert all(count and count > 50 for count in counts)

    async def test_with_more_lanes_adds_them(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """A worker of before is in nobody's way."""
        wider = reader_of(env, 4)
        await topology.apply(connection, [wider])
        env.lanes = 4

        async with running_engines(env):
            await env.send(*adds(THINGS, 100))
            await effects(env, 100)
        assert await topology.check(connection, wider, []) == wider.queues

    async def test_with_more_lanes_lets_workers_take_them_up(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """Those that run look again: no lane stays without a reader."""
        wider = reader_of(env, 4)
        assert not await topology.grows(connection, reader_of(env))
        async with running_engines(env) as engines:
            await eventually(lambda: engines.consumer.is_consuming)
            assert await topology.grows(connection, wider)
            await topology.apply(connection, [wider])

            assert await lanes.deal_again(env.database_url, env.service.name) == 1

            await eventually(lambda: "reads 4 lanes" in str(engines.consumer.remarks))
            await env.send(*adds(THINGS, 100))
            await effects(env, 100)

    async def test_with_fewer_lanes_retires_the_others(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """They get nothing more, and what is in them is still read."""
        await env.send(*adds(THINGS, 100))
        await topology.apply(connection, [reader_of(env, 1)])
        retired = names.lane(env.service.name, 1)
        before = await env._ready(retired)
        await env.send(*adds(THINGS, 100))
        assert await env._ready(retired) == before > 0

        env.lanes = 1
        async with running_engines(env):
            await effects(env, 200)

    async def test_deletes_retired_lanes_that_hold_nothing(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """Once nobody reads them; before that they are named."""
        wider, one = reader_of(env, 4), reader_of(env, 1)
        await topology.apply(connection, [wider])
        await env.channel.default_exchange.publish(Message(b"left"), wider.queues[2])

        assert await topology.apply(connection, [one]) == wider.queues[1:3]

        assert await topology.surplus(connection, one) == wider.queues[1:3]
        queue = await env.channel.get_queue(wider.queues[2])
        await queue.consume(acknowledge)
        assert await topology.apply(connection, [one]) == wider.queues[1:3]

        await env.channel.close()
        await eventually(lambda: all_deleted(connection, one))

    @pytest.mark.parametrize("more", [{}, topology.SPREAD])
    async def test_leaves_what_an_earlier_version_made_as_it_is(
        self, env: Environment, connection: AbstractConnection, more: FieldTable
    ) -> None:
        """The arguments of a queue never change; new ones get the new."""
        lane, dead = names.lane(env.service.name, 0), names.dead(env.service.name)
        before: FieldTable = {**topology.LANE, **more, "x-dead-letter-routing-key": dead}
        for queue, arguments in ((lane, before), (dead, topology.QUORUM)):
            await env.channel.queue_delete(queue, if_unused=False, if_empty=False)
            await env.channel.declare_queue(queue, durable=True, arguments=arguments)

        await topology.apply(connection, [reader_of(env)])

        await env.channel.declare_queue(lane, durable=True, arguments=before)
        await env.send(*adds(THINGS, 20))
        assert await exactly(env, 20)

    async def test_names_a_queue_that_is_none_of_ours(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """Messages in a queue of another kind would not be safe."""
        lane = names.lane(env.service.name, env.lanes)
        await env.channel.declare_queue(lane, durable=True)

        with pytest.raises(TopologyError, match=f"queue {lane} .*delete"):
            await topology.apply(connection, [reader_of(env, env.lanes + 1)])

    async def test_takes_off_what_is_no_longer_read(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """A binding does not outlive the version that has read its type."""
        inbound = await env.channel.get_exchange(names.inbound(env.service.name))
        elsewhere = await env.channel.declare_queue(exclusive=True)
        for exchange in (names.COMMANDS, names.EVENTS):
            await inbound.bind(exchange, "relais.probe.given-up.v1")
            await elsewhere.bind(exchange, "relais.probe.given-up.v1")

        known = {"relais.probe.given-up.v1", Add.TYPE, Reported.TYPE}
        await topology.apply(connection, [reader_of(env)], known)

        for exchange in (names.COMMANDS, names.EVENTS):
            await env.send_raw(b"{}", "relais.probe.given-up.v1", exchange=exchange)
        await env.send(Add(thing_id="A"), Reported(thing_id="A"))
        assert await env.depth() == 2

    async def test_gives_what_nobody_reads_to_the_unrouted(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """A command of an unknown type is not lost."""
        unrouted = await env.channel.get_queue(names.UNROUTED)

        await env.send_raw(b"{}", "relais.probe.of-no-type")

        async def comes() -> bool:
            message = await unrouted.get(fail=False)
            if message is None:
                return False
            mine = message.routing_key == "relais.probe.of-no-type"
            # Others share the broker: theirs goes back.
            await (message.ack() if mine else message.nack())
            return mine

        await eventually(comes)


async def acknowledge(message: AbstractIncomingMessage) -> None:
    """What a worker does with what is left."""
    await message.ack()


async def all_deleted(connection: AbstractConnection, reader: Reader) -> bool:
    """Whether another set-up leaves no retired lane."""
    return not await topology.apply(connection, [reader])


@pytest.mark.servers
class TestChecking:
    """A worker looks whether all that it needs is there, and names what is not."""

    async def test_passes_where_all_is_there(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """And tells which queues to consume."""
        queues = await topology.check(connection, reader_of(env), [names.dead(env.service.name)])

        assert queues == reader_of(env).queues

    @pytest.mark.parametrize(
        "queue",
        [
            lambda service: names.lane(service, 0),
            lambda service: names.lane(service, 1),
            names.dead,
        ],
        ids=["the first lane", "another lane", "the dead queue"],
    )
    async def test_names_a_missing_queue(
        self, env: Environment, connection: AbstractConnection, queue: Callable[[str], str]
    ) -> None:
        """With what to do."""
        name = queue(env.service.name)
        await env.channel.queue_delete(name, if_unused=False, if_empty=False)

        with pytest.raises(TopologyError, match=f"queue {name} is missing .*`relais setup`"):
            await topology.check(connection, reader_of(env), [])

    async def test_names_a_missing_queue_that_is_drained(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """What is foreign must be there as well."""
        with pytest.raises(TopologyError, match=r"queue probe\.foreign is missing"):
            await topology.check(connection, reader_of(env), ["probe.foreign"])

    async def test_names_a_missing_exchange(
        self, env: Environment, connection: AbstractConnection
    ) -> None:
        """By its name."""
        name = names.inbound(env.service.name)
        await env.channel.exchange_delete(name)

        with pytest.raises(TopologyError, match=f"exchange {name} is missing .*`relais setup`"):
            await topology.check(connection, reader_of(env), [])


@pytest.mark.servers
class TestBindingAgain:
    """A new version of a service reads more, without anybody's setup."""

    async def test_adds_what_is_new(self, env: Environment) -> None:
        """At the start of its first worker."""
        whole = env.service
        inbound = await env.channel.get_exchange(names.inbound(whole.name))
        await inbound.unbind(names.EVENTS, Reported.TYPE)

        async with running_engines(env) as engines:
            await eventually(lambda: engines.consumer.is_consuming)
            await env.send(Reported(thing_id="A", note="new"))
            await effects(env, 1)

    async def test_is_no_harm(self, env: Environment, connection: AbstractConnection) -> None:
        """Nothing comes twice."""
        for _ in range(3):
            await topology.bind_again(connection, reader_of(env))

        await env.send(*adds(THINGS, 20))
        assert await exactly(env, 20)
