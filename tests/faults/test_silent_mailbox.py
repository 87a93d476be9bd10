"""A mailbox whose queue has no leader answers nothing, and holds up nobody but its readers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from contracts import names
from contracts.cancellation import PackageEntitiesNotified
from contracts.orders import OrderApproved
from services.notifications import wakes
from services.notifications.sending import send
from services.runtime.amqp import broker, topology
from services.runtime.amqp.isolation import PublishFailed
from tests.faults import private
from tests.faults.private import Broker
from tests.harness import Harness
from tests.notifications.given import canceled, order, orders_report
from tests.notifications.harness import BrokerHarness, with_broker

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]


SILENT_FOR = 1.0


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of our own: what is done to its queues is nobody else's concern."""
    async with private.brokered(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture
async def broker_harness(
    server: Broker,
    make_harness: Callable[[str], Awaitable[Harness]],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[BrokerHarness]:
    """Entities OU1 to OU4 of which the first two read a mailbox that has fallen silent."""
    monkeypatch.setattr("services.runtime.amqp.channel.STALLED_AFTER", 2.0)
    monkeypatch.setattr("services.runtime.amqp.isolation.PROBE_TIMEOUT", 2.0)
    monkeypatch.setattr(broker, "CLOSE_TIMEOUT", 0.5)
    monkeypatch.setattr("services.runtime.amqp.isolation.SILENT_FOR", SILENT_FOR)
    async with with_broker(await make_harness("notifications"), server.url) as broker_harness:
        await broker_harness.register("OU1", "OU2", mailbox="north")
        await broker_harness.register("OU3", "OU4", mailbox="south")
        queue = names.mailbox(broker_harness.mailbox("north"))
        await server.silence(queue)
        yield broker_harness
        await server.wake(queue)


async def states(broker_harness: BrokerHarness) -> dict[str, tuple[str, int, str | None]]:
    """Status, attempts and error of the notification of each recipient."""
    return {
        row["recipient_id"]: (row["status"], row["attempts"], row["error"])
        for row in await broker_harness.rows()
    }


class TestSilentMailbox:
    """It costs its own notices a try, and nobody else anything."""

    async def test_lets_the_others_be_told(self, broker_harness: BrokerHarness) -> None:
        """The cancel is complete here once each has been tried."""
        await broker_harness.send(canceled(audience=["OU1", "OU2", "OU3", "OU4"]), orders_report())
        await broker_harness.deliver()
        silent, told = ("pending", 1, "mailbox_silent"), ("sent", 1, None)
        assert await states(broker_harness) == {
            "OU1": silent,
            "OU2": silent,
            "OU3": told,
            "OU4": told,
        }
        assert {n.recipient.id for _, n in await broker_harness.read("south")} == {"OU3", "OU4"}
        (report,) = await broker_harness.inner.events(PackageEntitiesNotified)
        assert (report.notified, report.failed) == (2, 2)

    async def test_is_known_from_then_on(
        self, broker_harness: BrokerHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What comes later goes at once, and once; what is for the silent one is put off."""
        monkeypatch.setattr("services.runtime.amqp.isolation.SILENT_FOR", 60.0)
        await broker_harness.send(canceled(audience=["OU1", "OU3"]))
        await broker_harness.deliver()
        await broker_harness.read("south")
        monkeypatch.setattr("services.runtime.amqp.channel.STALLED_AFTER", 60.0)
        monkeypatch.setattr("services.runtime.amqp.isolation.PROBE_TIMEOUT", 60.0)
        await broker_harness.age(2)
        await broker_harness.send(order(OrderApproved, package_id="CAT87", entity_id="OU3"))
        async with asyncio.timeout(20):
            await broker_harness.sweep(wakes.SEND)
        assert [n.kind for _, n in await broker_harness.read("south")] == ["order_approved"]
        (waiting,) = await broker_harness.rows(status="pending")
        assert (waiting["attempts"], waiting["error"]) == (2, "mailbox_silent")

    async def test_is_used_again_when_it_answers(
        self, broker_harness: BrokerHarness, server: Broker
    ) -> None:
        """Its notices are there, and it is no longer doubted."""
        await broker_harness.send(canceled(audience=["OU1", "OU2"]))
        await broker_harness.deliver()
        await server.wake(names.mailbox(broker_harness.mailbox("north")))
        await asyncio.sleep(SILENT_FOR)
        await broker_harness.age(2)
        await broker_harness.sweep(wakes.SEND)
        assert await states(broker_harness) == {"OU1": ("sent", 2, None), "OU2": ("sent", 2, None)}
        assert {n.recipient.id for _, n in await broker_harness.read("north")} == {"OU1", "OU2"}
        assert (
            await broker_harness.pool.fetchval("SELECT count(*) FROM mailboxes WHERE error > ''")
            == 0
        )


class TestBrokerThatTakesNothing:
    """It is as good as away, and says nothing about any mailbox."""

    async def test_burns_no_attempt(self, broker_harness: BrokerHarness, server: Broker) -> None:
        """Everything goes once the alarm is over; what was doubted stays so."""
        await broker_harness.send(canceled(audience=["OU1", "OU3"]))
        await broker_harness.fan_out()
        await server.alarm()
        try:
            with pytest.raises(PublishFailed, match="confirms nothing"):
                await send(broker_harness.inner.work)
        finally:
            await server.calm()
        fresh = ("pending", 0, None)
        assert await states(broker_harness) == {"OU1": fresh, "OU3": fresh}
        await broker_harness.age(6)
        await broker_harness.sweep(wakes.SEND)
        letters = await broker_harness.read("south")
        assert {n.recipient.id for _, n in letters} == {"OU3"}
        assert len({letter.id for letter, _ in letters}) == 1


class TestASilentBroker:
    """A cluster without a quorum takes nothing, whatever the queue."""

    async def test_is_waited_for(self, broker_harness: BrokerHarness, server: Broker) -> None:
        """No mailbox is blamed, and no notice loses a try."""
        async with broker.connected(server.url, "faults") as connection:
            channel = await connection.channel()
            await channel.declare_queue(names.PULSE, durable=True, arguments=topology.PULSE)
        await broker_harness.send(canceled(audience=["OU1"]))
        await broker_harness.fan_out()
        await server.silence(names.PULSE)
        try:
            with pytest.raises(PublishFailed):
                await broker_harness.sweep(wakes.SEND)
        finally:
            await server.wake(names.PULSE)

        assert await states(broker_harness) == {"OU1": ("pending", 0, None)}
