"""A cancel while orders pour in."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from contracts.client import Client
from contracts.message import Command
from contracts.orders import PlaceOrder
from contracts.packages import CancelPackage
from infra.local.stack import Stack
from services.cli.demo.following import following
from tests.eventually import eventually
from tests.system import given

pytestmark = pytest.mark.servers

ORDERS = 400


def orders(package: str) -> list[Command]:
    """One order of each entity."""
    return [
        PlaceOrder(order_id=f"ORD{n}", package_id=package, entity_id=f"OU{n}", label="Order")
        for n in range(1, ORDERS + 1)
    ]


class TestCancel:
    """A cancel in the middle of a stream of orders."""

    async def test_leaves_no_order_open(
        self, running: Stack, upstream: Client, count: Callable[..., Awaitable[int]]
    ) -> None:
        """Each was placed before it and is canceled, or came after it and was refused."""
        entities = given.entities(ORDERS)
        await upstream.send_many(entities)
        known = "SELECT count(*) FROM entities"
        await eventually(lambda: _is(count("orders", known), ORDERS))
        await eventually(lambda: _is(count("notifications", known), ORDERS))
        await given.published(upstream, "CAT1", [entity.entity_id for entity in entities])
        placed = orders("CAT1")
        packages = running.postgres["packages"]
        async with following(running.amqp_url, packages, ["CAT1"]) as follower:
            # Alone in their messages, so that the cancel falls between two of them.
            pouring = [asyncio.create_task(upstream.ask(order)) for order in placed]
            await pouring[0]
            await given.done(upstream, CancelPackage(package_id="CAT1", comment="withdrawn"))
            outcomes = await asyncio.gather(*pouring)
            await eventually(lambda: follower.is_complete)
        accepted = sum(outcome.outcome == "accepted" for outcome in outcomes)
        assert {o.code for o in outcomes if o.outcome == "refused"} <= {"not_offered"}
        canceled = "SELECT count(*) FROM orders WHERE status = 'canceled'"
        assert await count("orders", canceled) == accepted
        assert await count("orders", "SELECT count(*) FROM orders") == accepted
        report = follower.cancels["CAT1"].parts["notifications"].report
        assert getattr(report, "notified", None) == ORDERS


async def _is(counting: Awaitable[int], wanted: int) -> bool:
    return await counting == wanted
