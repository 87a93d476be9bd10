"""One message that nobody can handle harms no other."""

import asyncio

import aio_pika
import pytest

from contracts import names
from contracts.orders import OrderPlaced, PlaceOrder
from services.runtime.amqp import broker
from tests.eventually import eventually
from tests.faults.scenario import PATIENCE, Scenario, new_scenario
from tests.faults.workers import Workers

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

UNREADABLE = (b"", b"\xff\xfe", b"not json", b"[]", b'{"specversion": "1.0"}')
RETRY = "UPDATE kept SET retry_at = now() WHERE kind = 'parked' AND reason = 'failed'"
REASONS = "SELECT reason, count(*) AS count FROM kept WHERE kind = 'parked' GROUP BY reason"


class TestPoison:
    """A command that makes the handler raise, and bodies that are none, among five hundred good."""

    async def test_is_parked_alone(self, workers: Workers) -> None:
        """Exactly the bad ones are parked, the good ones handled once, and nobody restarts."""
        async with new_scenario(workers.stack, entities=102, packages=5) as scenario:
            poison = PlaceOrder(
                order_id=f"{scenario.dataset.token}-POISON",
                package_id=scenario.dataset.package_ids[0],
                entity_id=scenario.dataset.audience[-1],
                label="A bitter one",
            )
            await scenario.offered()
            worker = await workers.replace("orders", "--poison", poison.order_id)
            places = [next(order.commands()) for order in scenario.orders]
            half = len(places) // 2
            await scenario.send([*places[:half], poison])
            await send_unreadable(scenario)
            await scenario.send(places[half:])
            good = {order.order_id: ("ordered", 1) for order in scenario.orders}
            await eventually(lambda: are_placed(scenario, good), timeout=PATIENCE)
            assert (await scenario.proof()).ok
            assert await parked_counts(scenario) == {"failed": 1, "unreadable": len(UNREADABLE)}
            assert len(good) == 500
            assert worker.alive()
            await scenario.collect()
            assert sorted(placed_orders(scenario)) == sorted(good)

            await workers.replace("orders")
            await scenario.fetch("orders", RETRY)
            good[poison.order_id] = ("ordered", 1)
            await eventually(lambda: are_placed(scenario, good), timeout=PATIENCE)
            assert await parked_counts(scenario) == {"unreadable": len(UNREADABLE)}
            await scenario.fetch("orders", "DELETE FROM kept")


async def are_placed(scenario: Scenario, wanted: dict[str, tuple[str, int]]) -> bool:
    """Whether just these orders are there."""
    assert await scenario.order_rows() == wanted
    return True


async def parked_counts(scenario: Scenario) -> dict[str, int]:
    """How many messages orders has parked, by reason."""
    return {row["reason"]: row["count"] for row in await scenario.fetch("orders", REASONS)}


def placed_orders(scenario: Scenario) -> list[str]:
    """The orders said to be placed, by distinct events."""
    return [
        envelope.subject
        for envelope in scenario.recorded.envelopes.values()
        if envelope.type == OrderPlaced.TYPE
    ]


async def send_unreadable(scenario: Scenario) -> None:
    """Publish what is no message, by the way of order.place."""
    async with broker.connected(scenario.stack.amqp_url, "faults") as connection:
        channel = await connection.channel()
        commands = await channel.get_exchange(names.COMMANDS, ensure=False)
        headers: dict[str, aio_pika.abc.FieldValue] = {
            names.PARTITION_KEY: scenario.dataset.package_ids[0]
        }
        await asyncio.gather(
            *(
                commands.publish(aio_pika.Message(body, headers=headers), PlaceOrder.TYPE)
                for body in UNREADABLE
            )
        )
