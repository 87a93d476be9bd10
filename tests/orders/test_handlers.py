"""What the orders service does with batches of messages, on a real database."""

from datetime import timedelta

import pytest

from contracts.orders import OrderApproved, OrderEdited, OrderPlaced
from contracts.outcomes import CommandRefused
from services.orders import store
from services.orders.app import SERVICE
from services.runtime.messages.decider import Decider
from services.runtime.messages.sources import Sources
from tests.harness import Harness
from tests.orders.given import (
    campaign_created,
    canceled,
    deactivated,
    documents,
    edit,
    life,
    place,
    published,
    registered,
    reinitialized,
)
from tests.orders.table import stored

pytestmark = pytest.mark.servers


async def waiting(orders: Harness) -> int:
    """How many commands wait."""
    return int(await orders.pool.fetchval("SELECT count(*) FROM kept WHERE kind = 'waiting'"))


async def decide_waiting(orders: Harness, patience: timedelta) -> None:
    """Decide waiting commands again."""
    await Sources(SERVICE, Decider(SERVICE, orders.work, patience)).decide_waiting(orders.work)


class TestABatch:
    """Messages that are handled in one transaction."""

    async def test_lets_each_message_see_those_before(self, orders: Harness) -> None:
        """An order may be placed, edited and approved at once."""
        answers = await orders.send(place(), edit(comment="two"), life("approve"))
        assert [(a.outcome, a.version) for a in answers if a] == [
            ("accepted", 1),
            ("accepted", 2),
            ("accepted", 3),
        ]
        emitted = [type(one.body) for one in await orders.emitted()]
        assert emitted == [OrderPlaced, OrderEdited, OrderApproved]
        state = await stored(orders)
        assert (state.comment, state.status, state.version) == ("two", "approved", 3)

    async def test_may_bring_a_package_with_its_audience_and_its_orders(
        self, orders: Harness
    ) -> None:
        """The copy counts from the message that brings it."""
        answers = await orders.send(
            published(package_id="P1", audience=["OU1"]),
            place(order_id="A", package_id="P1"),
            place(order_id="B", package_id="P1", entity_id="OU2"),
            published(package_id="P1", audience=["OU1", "OU2"], version=5),
            place(order_id="C", package_id="P1", entity_id="OU2"),
        )
        assert [a.code for a in answers if a] == [None, None, "not_in_audience", None, None]
        # The same again, from the tables.
        later = await orders.ask(place(order_id="D", package_id="P1", entity_id="OU2"))
        assert later.code == "already_ordered"

    async def test_may_bring_a_package_whose_campaign_limits_documents(
        self, orders: Harness
    ) -> None:
        """The limit is looked up of the campaign that the package names now."""
        await orders.send(campaign_created("OP20", max_documents=1))
        answers = await orders.send(
            published(package_id="P1", campaign_id="OP20"),
            place(package_id="P1", documents=documents(2)),
            published(version=5, campaign_id="OP20"),
            place(order_id="ORD2", documents=documents(2)),
        )
        assert [a.code for a in answers if a] == [
            None,
            "too_many_documents",
            None,
            "too_many_documents",
        ]

    async def test_may_bring_an_entity_and_its_order(self, orders: Harness) -> None:
        """It may order from the moment that it is registered."""
        answers = await orders.send(
            registered("OU9"),
            place(entity_id="OU9"),
            deactivated("OU9"),
            place(order_id="ORD2", entity_id="OU9"),
        )
        assert [a.code for a in answers if a] == [None, None, None, "entity_inactive"]

    async def test_may_bring_a_second_life(self, orders: Harness) -> None:
        """An order of the first edition does not stand in the way of one of the second."""
        await orders.send(place())
        answers = await orders.send(
            place(order_id="ORD2"),
            reinitialized(version=5),
            published(version=6, edition=2),
            place(order_id="ORD3"),
            place(order_id="ORD4"),
        )
        codes = [a.code for a in answers if a]
        assert codes == ["already_ordered", None, None, None, "already_ordered"]
        assert (await stored(orders, "ORD3")).edition == 2

    async def test_may_cancel_the_package_between_two_orders(self, orders: Harness) -> None:
        """The first is placed, and canceled with the rest; the second is refused."""
        answers = await orders.send(
            place(), canceled(), place(order_id="ORD2", entity_id="OU2"), life("approve")
        )
        assert [a.code for a in answers if a] == [None, None, "not_offered", "wrong_status"]
        assert (await stored(orders)).status == "canceled"


class TestAStoredOrder:
    """A row of the table."""

    async def test_has_every_field(self, orders: Harness) -> None:
        """What is read back is what was said."""
        await orders.send(
            place(comment="é", parameters={"size": [1, {"a": None}]}, documents=documents(2)),
            life("approve", comment="fine"),
            actor="m.durand",
        )
        (approved,) = await orders.events(OrderApproved)
        state = await stored(orders)
        assert state == approved.state
        assert state.comment == "é"
        assert state.approved_at

    async def test_keeps_its_parameters_through_what_does_not_change_them(
        self, orders: Harness
    ) -> None:
        """They are not written again; whoever changes them in the same batch is heard."""
        await orders.send(place(parameters={"size": 1}))
        await orders.ask(life("approve"))
        assert (await stored(orders)).parameters == {"size": 1}
        await orders.send(edit(parameters=None), edit(label="Doors"))
        assert (await stored(orders)).parameters is None
        await orders.send(edit(parameters={"size": 2}), edit(label="Walls"))
        assert (await stored(orders)).parameters == {"size": 2}

    async def test_loses_what_was_cleared(self, orders: Harness) -> None:
        """Null is null."""
        await orders.send(place(comment="x", parameters={"size": 1}, documents=documents(1)))
        await orders.ask(edit(comment=None, parameters=None, documents=None))
        state = await stored(orders)
        assert (state.comment, state.parameters, state.documents) == (None, None, None)


class TestARepeatedMessage:
    """The same source and id again."""

    async def test_has_no_second_effect_in_the_same_batch(self, orders: Harness) -> None:
        """And gets the same answer."""
        first, second = await orders.send(place(), place(), id="same")
        assert first == second
        assert first
        assert first.outcome == "accepted"
        assert len(await orders.events(OrderPlaced)) == 1

    async def test_has_no_second_effect_in_another_batch(self, orders: Harness) -> None:
        """Also when the order has moved on."""
        first = await orders.ask(place(), id="same")
        await orders.ask(life("cancel"))
        assert await orders.ask(place(), id="same") == first
        assert (await stored(orders)).status == "canceled"

    async def test_of_a_cancel_adds_no_second_job(self, orders: Harness) -> None:
        """Nor under another id."""
        await orders.send(canceled(), canceled(), id="same")
        await orders.send(canceled(), id="same")
        await orders.send(canceled())
        assert await orders.pool.fetchval("SELECT count(*) FROM jobs") == 1


class TestWhatIsUnknown:
    """A package, an entity or an order that orders has not heard of."""

    async def test_lets_a_command_wait(self, orders: Harness) -> None:
        """They are decided again in order of arrival, once all is known."""
        answers = await orders.send(
            place(package_id="P1", entity_id="OU9"),
            life("approve", package_id="P1"),
            patience=timedelta(seconds=5),
        )
        assert answers == [None, None]
        assert await waiting(orders) == 2
        await orders.send(published(package_id="P1"))
        await decide_waiting(orders, timedelta(seconds=5))
        assert await waiting(orders) == 2
        await orders.send(registered("OU9"))
        await decide_waiting(orders, timedelta(seconds=5))
        assert await waiting(orders) == 0
        assert (await stored(orders)).status == "approved"

    async def test_is_refused_when_patience_ends(self, orders: Harness) -> None:
        """And the rows go."""
        await orders.send(
            place(package_id="P1"),
            place(order_id="ORD2", entity_id="OU9"),
            life("approve", order_id="ORD3"),
            patience=timedelta(seconds=5),
        )
        await decide_waiting(orders, timedelta(0))
        codes = [refused.code for refused in await orders.events(CommandRefused)]
        assert codes == ["unknown_package", "unknown_entity", "unknown_order"]
        assert await waiting(orders) == 0


class TestACopy:
    """Of a package, as it stands in its table."""

    async def test_is_not_rolled_back_by_stale_news(self, orders: Harness) -> None:
        """Nor is its audience."""
        await orders.send(published(version=8, audience=["OU1"]))
        answers = await orders.send(
            published(version=7, audience=None), reinitialized(version=6), published(version=8)
        )
        assert [a and a.outcome for a in answers] == ["unchanged"] * 3
        assert (await orders.ask(place(entity_id="OU2"))).code == "not_in_audience"
        assert (await orders.ask(place())).outcome == "accepted"

    async def test_loses_the_audience_that_it_no_longer_has(self, orders: Harness) -> None:
        """Rows of entities left out go."""
        await orders.send(published(version=5, audience=["OU1", "OU2"]))
        await orders.send(published(version=6, audience=["OU2"]))
        assert (await orders.ask(place())).code == "not_in_audience"
        await orders.send(published(version=7, audience=None))
        assert (await orders.ask(place())).outcome == "accepted"
        assert await orders.pool.fetchval("SELECT count(*) FROM audiences") == 0

    async def test_may_be_made_by_a_cancel(self, orders: Harness) -> None:
        """What was published before it comes too late."""
        await orders.send(canceled(package_id="P1", version=5))
        await orders.send(published(package_id="P1", version=4))
        assert (await orders.ask(place(package_id="P1"))).code == "not_offered"

    async def test_of_an_entity_is_not_rolled_back(self, orders: Harness) -> None:
        """Only a newer version counts, also where another worker has stored it meanwhile."""
        await orders.send(deactivated("OU1"))
        await orders.send(registered("OU1"))
        assert (await orders.ask(place())).code == "entity_inactive"
        async with orders.pool.acquire() as conn:
            await store.save_entities(conn, {"OU1": (1, True)})
        assert (await orders.ask(place())).code == "entity_inactive"
