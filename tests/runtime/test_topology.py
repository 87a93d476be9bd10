"""What the broker must have, from one description."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from aio_pika.abc import AbstractConnection

from contracts import names
from services.runtime.amqp import broker, topology
from services.runtime.amqp.topology import Reader, TopologyError
from services.runtime.service import routes
from tests.eventually import eventually
from tests.runtime import probe
from tests.runtime.probe import Add, Hooks, Told
from tests.runtime.stage import THINGS, Stage, adds, effects, exactly, working


class TestAReader:
    """What one service needs follows from what it reads."""

    def test_reads_its_commands_and_its_events(self) -> None:
        """Each from the exchange of its kind, through so many lanes."""
        reader = topology.reader(probe.service("probe", Hooks()), 3)

        assert reader == Reader("probe", frozenset({Add.TYPE}), frozenset({Told.TYPE}), 3)
        assert reader.queues == ["probe.lane.0", "probe.lane.1", "probe.lane.2"]

    def test_is_heard_of_by_those_who_publish(self) -> None:
        """An event is unheard only where no service of the installation reads it."""
        one = probe.service("one", Hooks())
        other = replace(probe.service("other", Hooks()), routes=routes(Told))

        assert topology.heard({"one": one, "other": other}) == {Add.TYPE, Told.TYPE}
        assert topology.heard({"other": other}) == {Told.TYPE}


@pytest.fixture
async def connection(amqp_url: str) -> AsyncIterator[AbstractConnection]:
    """A connection with the rights to configure."""
    async with broker.connected(amqp_url, "probe test") as connection:
        yield connection


def reader_of(stage: Stage, lanes: int | None = None) -> Reader:
    """What the probe needs here."""
    return topology.reader(stage.service, lanes or stage.lanes)


@pytest.mark.servers
class TestSettingUp:
    """It may be done again at any time."""

    async def test_twice_changes_nothing(self, here: Stage, connection: AbstractConnection) -> None:
        """Also while a worker runs, which notices nothing."""
        async with working(here) as station:
            await eventually(lambda: station.consumer.is_consuming)

            await topology.apply(connection, [reader_of(here)])
            await topology.apply(connection, [reader_of(here)])

            assert station.consumer.is_consuming
            await here.send(*adds(THINGS, 20))
            await effects(here, 20)

    async def test_gives_each_lane_its_share(self, here: Stage) -> None:
        """Keys are spread over the lanes."""
        await here.send(*adds([f"T{n}" for n in range(200)], 200))

        counts = [
            (await here.channel.declare_queue(lane, passive=True)).declaration_result.message_count
            for lane in reader_of(here).queues
        ]
        assert sum(filter(None, counts)) == 200
        assert all(count and count > 50 for count in counts)

    async def test_with_more_lanes_adds_them(
        self, here: Stage, connection: AbstractConnection
    ) -> None:
        """A worker of before is in nobody's way."""
        wider = reader_of(here, 4)
        await topology.apply(connection, [wider])
        here.lanes = 4

        async with working(here):
            await here.send(*adds(THINGS, 100))
            await effects(here, 100)
        assert await topology.check(connection, wider, []) == wider.queues

    async def test_with_fewer_lanes_retires_the_others(
        self, here: Stage, connection: AbstractConnection
    ) -> None:
        """They get nothing more, and what is in them is still read."""
        await here.send(*adds(THINGS, 100))
        await topology.apply(connection, [reader_of(here, 1)])
        retired = names.lane(here.service.name, 1)
        before = await here._ready(retired)
        await here.send(*adds(THINGS, 100))
        assert await here._ready(retired) == before > 0

        here.lanes = 1
        async with working(here):
            await effects(here, 200)

    async def test_gives_what_nobody_reads_to_the_unrouted(
        self, here: Stage, connection: AbstractConnection
    ) -> None:
        """A command of an unknown type is not lost."""
        unrouted = await here.channel.get_queue(names.UNROUTED)

        await here.send_raw(b"{}", "relais.probe.of-no-type")

        async def comes() -> bool:
            message = await unrouted.get(fail=False)
            if message is None:
                return False
            mine = message.routing_key == "relais.probe.of-no-type"
            # Others share the broker: theirs goes back.
            await (message.ack() if mine else message.nack())
            return mine

        await eventually(comes)


@pytest.mark.servers
class TestChecking:
    """A worker looks whether all that it needs is there, and names what is not."""

    async def test_passes_where_all_is_there(
        self, here: Stage, connection: AbstractConnection
    ) -> None:
        """And tells which queues to consume."""
        queues = await topology.check(connection, reader_of(here), [names.dead(here.service.name)])

        assert queues == reader_of(here).queues

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
        self, here: Stage, connection: AbstractConnection, queue: Callable[[str], str]
    ) -> None:
        """With what to do."""
        name = queue(here.service.name)
        await here.channel.queue_delete(name, if_unused=False, if_empty=False)

        with pytest.raises(TopologyError, match=f"queue {name} is missing .*`relais setup`"):
            await topology.check(connection, reader_of(here), [])

    async def test_names_a_missing_queue_that_is_drained(
        self, here: Stage, connection: AbstractConnection
    ) -> None:
        """What is foreign must be there as well."""
        with pytest.raises(TopologyError, match=r"queue probe\.foreign is missing"):
            await topology.check(connection, reader_of(here), ["probe.foreign"])

    async def test_names_a_missing_exchange(
        self, here: Stage, connection: AbstractConnection
    ) -> None:
        """By its name."""
        name = names.inbound(here.service.name)
        await here.channel.exchange_delete(name)

        with pytest.raises(TopologyError, match=f"exchange {name} is missing .*`relais setup`"):
            await topology.check(connection, reader_of(here), [])


@pytest.mark.servers
class TestBindingAgain:
    """A new version of a service reads more, without anybody's setup."""

    async def test_adds_what_is_new(self, here: Stage) -> None:
        """At the start of its first worker."""
        whole = here.service
        inbound = await here.channel.get_exchange(names.inbound(whole.name))
        await inbound.unbind(names.EVENTS, Told.TYPE)

        async with working(here) as station:
            await eventually(lambda: station.consumer.is_consuming)
            await here.send(Told(thing_id="A", note="new"))
            await effects(here, 1)

    async def test_is_no_harm(self, here: Stage, connection: AbstractConnection) -> None:
        """Nothing comes twice."""
        for _ in range(3):
            await topology.bind_again(connection, reader_of(here))

        await here.send(*adds(THINGS, 20))
        assert await exactly(here, 20)
