"""One message that nobody can handle harms no other."""

import asyncio

import aio_pika
import pytest

from contracts import names
from contracts.orders import OrderPlaced, PlaceOrder
from services.cli import parked
from services.runtime.amqp import broker
from tests.eventually import eventually
from tests.faults.crew import Crew
from tests.faults.world import PATIENCE, World, world

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

UNREADABLE = (b"", b"\xff\xfe", b"not json", b"[]", b'{"specversion": "1.0"}')
REASONS = "SELECT reason, count(*) AS count FROM parked GROUP BY reason"


class TestPoison:
    """A command that makes the handler raise, and bodies that are none, among five hundred good."""

    async def test_is_parked_alone(self, crew: Crew) -> None:
        """Exactly the bad ones are parked, the good ones handled once, and nobody restarts."""
        async with world(crew.stack, entities=102, packages=5) as w:
            poison = PlaceOrder(
                order_id=f"{w.plan.token}-POISON",
                package_id=w.plan.package_ids[0],
                entity_id=w.plan.audience[-1],
                label="A bitter one",
            )
            await w.offered()
            worker = await crew.replace("orders", "--poison", poison.order_id)
            places = [next(order.commands()) for order in w.orders]
            half = len(places) // 2
            await w.send([*places[:half], poison])
            await send_unreadable(w)
            await w.send(places[half:])
            good = {order.order_id: ("ordered", 1) for order in w.orders}
            await eventually(lambda: are_placed(w, good), timeout=PATIENCE)
            assert (await w.settled()).ok
            assert await kept(w) == {"failed": 1, "unreadable": len(UNREADABLE)}
            assert len(good) == 500
            assert worker.alive()
            await w.listen()
            assert sorted(said(w)) == sorted(good)

            await crew.replace("orders")
            await w.fetch("orders", parked.RETRY, None, "failed")
            good[poison.order_id] = ("ordered", 1)
            await eventually(lambda: are_placed(w, good), timeout=PATIENCE)
            assert await kept(w) == {"unreadable": len(UNREADABLE)}
            await w.fetch("orders", "DELETE FROM parked")


async def are_placed(w: World, wanted: dict[str, tuple[str, int]]) -> bool:
    """Whether just these orders are there."""
    assert await w.order_rows() == wanted
    return True


async def kept(w: World) -> dict[str, int]:
    """How many messages orders has parked, by reason."""
    return {row["reason"]: row["count"] for row in await w.fetch("orders", REASONS)}


def said(w: World) -> list[str]:
    """The orders said to be placed, by distinct events."""
    return [
        envelope.subject
        for envelope in w.heard.envelopes.values()
        if envelope.type == OrderPlaced.TYPE
    ]


async def send_unreadable(w: World) -> None:
    """Publish what is no message, by the way of order.place."""
    async with broker.connected(w.stack.amqp_url, "faults") as connection:
        channel = await connection.channel()
        commands = await channel.get_exchange(names.COMMANDS, ensure=False)
        headers: dict[str, aio_pika.abc.FieldValue] = {names.PARTITION_KEY: w.plan.package_ids[0]}
        await asyncio.gather(
            *(
                commands.publish(aio_pika.Message(body, headers=headers), PlaceOrder.TYPE)
                for body in UNREADABLE
            )
        )
