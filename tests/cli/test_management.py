"""What set-up says of nodes, members, leaders and policies, which AMQP does not tell."""

from collections.abc import AsyncIterator

import pytest

from infra.local import rabbitmq
from services.cli import management
from services.cli.management import Broker
from services.runtime.amqp import broker, topology
from services.runtime.amqp.topology import Reader
from tests.eventually import eventually
from tests.faults import private
from tests.runtime.running import free_port

THREE = ["rabbit@a", "rabbit@b", "rabbit@c"]


def queue(name: str, leader: str = "rabbit@a", *members: str, **more: object) -> dict[str, object]:
    """A queue as the API describes it."""
    return {"name": name, "leader": leader, "members": members or [leader], **more}


class TestMembers:
    """Each queue on as many nodes as there are, with its leader on any of them."""

    def test_are_counted_where_there_is_one_node(self) -> None:
        """There is nothing more to say of them."""
        lines = list(management._members(Broker(THREE[:1], [queue("orders.lane.0")], [])))

        assert lines == ["1 node; 1 queues; leaders: rabbit@a 1"]

    def test_are_named_for_each_queue_of_a_cluster(self) -> None:
        """With the leader."""
        queues = [queue("orders.lane.0", "rabbit@a", *THREE)]
        queues += [queue("orders.lane.1", "rabbit@b", *THREE)]

        lines = list(management._members(Broker(THREE, queues, [])))

        assert lines == [
            "3 nodes; 2 queues; leaders: rabbit@a 1, rabbit@b 1",
            "orders.lane.0: leader rabbit@a, members rabbit@a rabbit@b rabbit@c",
            "orders.lane.1: leader rabbit@b, members rabbit@a rabbit@b rabbit@c",
        ]

    def test_are_too_few_where_there_is_one(self) -> None:
        """Such a queue stands still while its node is away."""
        queues = [queue(f"orders.lane.{n}") for n in range(7)]

        *_, warning = management._members(Broker(THREE, queues, []))

        assert warning.startswith("warning: orders.lane.0, orders.lane.1")
        assert "and 2 more have one member, though there are 3 nodes" in warning
        assert "rabbitmq-queues grow" in warning


class TestPolicies:
    """An operator's policy may take messages away, and arguments do not win over each."""

    def test_that_do_harm_are_named(self) -> None:
        """With their queues, what they do, and the way out."""
        mine = queue(
            "orders.lane.0", policy="short", effective_policy_definition={"message-ttl": 2000}
        )

        (line,) = management._policies(Broker(THREE, [mine], []))

        assert "warning: policy short sets message-ttl 2000 on orders.lane.0: messages exp" in line

    def test_of_exchanges_are_found_by_their_name(self) -> None:
        """The API says no more of an exchange."""
        policies = {"spare": {"alternate-exchange": "elsewhere"}}
        exchange = {"name": "relais.events", "policy": "spare"}

        (line,) = management._policies(Broker(THREE, [], [exchange], policies))

        assert "policy spare sets alternate-exchange elsewhere on relais.events" in line

    def test_that_nobody_has_tried_are_named_too(self) -> None:
        """What a later version of the broker can do is not known to be harmless."""
        mine = queue("relais.unrouted", policy="p", effective_policy_definition={"new-key": 1})

        (line,) = management._policies(Broker(THREE, [mine], []))

        assert "Relais was not tried with it" in line

    def test_that_do_no_harm_are_not(self) -> None:
        """Arguments win over them, or ask for the same."""
        harmless = {"dead-letter-exchange": "x", "overflow": "reject-publish", "ha-mode": "all"}
        mine = queue("orders.dead", policy="p", effective_policy_definition=harmless)

        assert list(management._policies(Broker(THREE, [mine], []))) == []


class TestTheApi:
    """It is asked where it usually is."""

    @pytest.mark.parametrize(
        ("amqp_url", "url"),
        [
            ("amqp://user:pass@broker:5672/", "http://broker:15672"),
            ("amqps://broker/vhost", "https://broker:15671"),
            ("amqp://user@one:1,two:2/", "http://one:15672"),
        ],
    )
    def test_is_at_the_usual_port(self, amqp_url: str, url: str) -> None:
        """There is no setting for it."""
        assert management.url_of(amqp_url) == url

    async def test_may_not_be_there(self) -> None:
        """Then that is said, and how to see it."""
        nowhere = f"http://127.0.0.1:{free_port()}"

        (line,) = await management.describe("amqp://127.0.0.1:1/", ["orders"], nowhere)

        assert line.startswith(f"members, leaders and policies are not known ({nowhere}")
        assert "rabbitmqctl list_queues" in line


@pytest.fixture(scope="module")
async def api(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[private.Broker, str]]:
    """A broker of our own with that plugin, and where it is."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rabbitmq, "PLUGINS", (*rabbitmq.PLUGINS, "rabbitmq_management"))
        ours = f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"
        patch.setattr(rabbitmq, "CONFIGURATION", rabbitmq.CONFIGURATION + ours)
        async with private.brokered(tmp_path_factory.mktemp("broker")) as server:
            yield server, f"http://127.0.0.1:{port}"


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_a_broker_with_the_plugin_is_described(api: tuple[private.Broker, str]) -> None:
    """Its node, our queues and leaders, and the policy on them."""
    server, url = api
    async with broker.connected(server.url, "test") as connection:
        await topology.apply(connection, [Reader("orders", frozenset(), frozenset(), 2)])
    await server.set_policy(message_ttl=60000)

    async def found() -> list[str]:
        lines = await management.describe(server.url, ["orders"], url)
        assert len(lines) == 2
        return lines

    first, second = await eventually(found, timeout=30)
    assert first == "1 node; 8 queues; leaders: relais@localhost 8"
    assert "policy ours sets message-ttl 60000 on mailbox.central, orders.dead" in second
