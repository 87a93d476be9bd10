"""The reader on a real database: batches, two workers, what it stores and how often it asks."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from contracts.campaigns import CampaignCreated
from contracts.notifications import NotificationSent
from contracts.orders import OrderPlaced, OrderRef, OrdersCanceled, OrdersPlaced
from contracts.outcomes import MessageParked, MessageReleased
from contracts.packages import PackageEdited, PackagePublished
from services.tracking import handlers, packed
from tests import locks
from tests.eventually import eventually
from tests.harness import Harness
from tests.tracking.given import campaign, notification, order, package
from tests.tracking.histories import History, Told, history, snapshots
from tests.tracking.then import beside, differences, feed, items, model

pytestmark = pytest.mark.servers

Make = Callable[[str], Awaitable[Harness]]
MakeTwo = Callable[[str], Awaitable[tuple[Harness, Harness]]]

SEEDS = (1, 2, 3, 4)


class TestAnyHistory:
    """In batches of any size, in any order, read by several workers."""

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_makes_what_the_ordered_one_makes(
        self, make_harness: Make, make_harnesses: MakeTwo, seed: int
    ) -> None:
        """Rows, history, ledgers, commands, parked messages; and counts that are right."""
        rng = Random(seed)
        told = history(rng, 200).told
        ordered = await make_harness("tracking")
        await feed(rng, told, ordered, most=1)
        one, two = await make_harnesses("tracking")
        await feed(rng, rng.sample(told, len(told)), one, two)
        assert await model(one) == await model(ordered)
        assert await beside(one) == await beside(ordered)
        assert await differences(one) == []
        assert await differences(ordered) == []

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_makes_the_same_where_packs_are_large(
        self,
        make_harness: Make,
        make_harnesses: MakeTwo,
        seed: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Which statements write, that know the rules by which small ones change rows."""
        rng = Random(seed)
        told = history(rng, 200).told
        ordered = await make_harness("tracking")
        await feed(rng, told, ordered, most=1)
        monkeypatch.setattr(packed, "FEWEST", 1)
        one, two = await make_harnesses("tracking")
        await feed(rng, rng.sample(told, len(told)), one, two)
        assert await model(one) == await model(ordered)
        assert await beside(one) == await beside(ordered)
        assert await differences(one) == []
        # It holds without the inbox, too.
        await one.pool.execute("TRUNCATE inbox")
        await feed(rng, rng.sample(told, len(told)), one, two)
        assert await model(one) == await model(ordered)
        assert await differences(one) == []

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_may_come_again(self, make_harness: Make, seed: int) -> None:
        """The same events are repeats, whatever batches they come in."""
        rng = Random(seed)
        told = history(rng, 100).told
        tracking = await make_harness("tracking")
        await feed(rng, told, tracking)
        before = await model(tracking), await beside(tracking)
        await feed(rng, rng.sample(told, len(told)), tracking)
        assert (await model(tracking), await beside(tracking)) == before

    async def test_with_snapshots_ends_at_the_same(self, make_harness: Make) -> None:
        """They complete what packed events did not tell, and change no count."""
        rng = Random(5)
        made = history(rng, 150)
        tracking = await make_harness("tracking")
        mixed = made.told + snapshots(made, "request")
        await feed(rng, rng.sample(mixed, len(mixed)), tracking)
        found = {row["order_id"]: row for row in (await model(tracking))["orders"]}
        assert {id: (row["status"], row["label"]) for id, row in found.items()} == {
            id: (state.status, state.label) for id, state in made.orders.items()
        }
        assert await differences(tracking) == []


class Counting:
    """Counts the statements of a pool's connections."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.statements: list[str] = []

    async def handle(self, *args: object) -> int:
        """Handle items; the number of statements that this took."""
        self.statements.clear()
        async with self._harness.pool.acquire() as conn:
            # The pool gives the connection used last, so the batch has this one.
            raw: Any = getattr(conn, "_con")  # noqa: B009 - no name that types know
            raw.add_query_logger(self._count)
        try:
            await self._harness.handle(*args)  # type: ignore[arg-type]
        finally:
            raw.remove_query_logger(self._count)
        return len(self.statements)

    def _count(self, logged: Any) -> None:
        # What the driver asks to learn of a type, it asks once.
        if "typeinfo" not in logged.query and "pg_type" not in logged.query:
            self.statements.append(logged.query)


class TestABatch:
    """Whatever its size."""

    async def test_of_a_pack_of_a_thousand_orders_is_a_handful_of_statements(
        self, make_harness: Make
    ) -> None:
        """New ones as many as known ones, and as many as ten."""
        tracking = await make_harness("tracking")
        counting = Counting(tracking)
        taken = []
        for size, version, kind in (
            (1, 1, OrdersPlaced),
            (10, 1, OrdersPlaced),
            (1_000, 1, OrdersPlaced),
            (1_000, 2, OrdersCanceled),
        ):
            h = History(Random(size + version))
            refs = [
                OrderRef(order_id=f"ORD{size}-{n}", entity_id=f"OU{n}", version=version)
                for n in range(size)
            ]
            h.tell("orders", kind(package_id="CAT1", edition=1, orders=refs), "ab" * 10 + "-0")
            taken.append(await counting.handle(items(tracking, h.told)))
        assert max(taken) <= 11, counting.statements
        assert taken[3] <= taken[2] == taken[1], counting.statements

    async def test_of_an_order_twice_is_read(self, make_harness: Make) -> None:
        """What the newest version says holds, and it is counted once."""
        tracking = await make_harness("tracking")
        h = History(Random(1))
        refs = [
            OrderRef(order_id=f"ORD{n % packed.FEWEST}", entity_id="OU1", version=1 + n)
            for n in range(packed.FEWEST + 1)
        ]
        h.tell("orders", OrdersPlaced(package_id="CAT1", edition=1, orders=refs), "a" * 20 + "-0")
        await tracking.handle(items(tracking, h.told))
        rows = {row["order_id"]: row for row in (await model(tracking))["orders"]}
        assert len(rows) == packed.FEWEST
        assert rows["ORD0"]["status_version"] == packed.FEWEST + 1
        assert await differences(tracking) == []

    async def test_of_many_kinds_asks_as_often_as_one_of_few(self, make_harness: Make) -> None:
        """A constant number of statements, however many events of however many things."""
        tracking = await make_harness("tracking")
        counting = Counting(tracking)
        small = items(tracking, history(Random(1), 60).told)
        large = items(tracking, history(Random(2), 400).told)
        assert len(large) > 4 * len(small)
        await counting.handle(small)
        assert await counting.handle(large) <= 40

    async def test_of_many_packs_is_done_in_parts(
        self, make_harness: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No transaction holds more rows than others may wait for."""
        monkeypatch.setattr(handlers, "MOST_ROWS", 50)
        tracking = await make_harness("tracking")
        h = History(Random(5))
        for pack in range(20):
            refs = [
                OrderRef(order_id=f"ORD{pack}-{n}", entity_id="OU1", version=1) for n in range(20)
            ]
            h.tell(
                "orders", OrdersPlaced(package_id="CAT1", edition=1, orders=refs), "a" * 20 + "-0"
            )
        await tracking.handle(items(tracking, h.told))
        assert len((await model(tracking))["orders"]) == 400
        transactions = await tracking.pool.fetchval("SELECT count(DISTINCT received_at) FROM inbox")
        assert transactions > 5
        [line] = (await beside(tracking))["history"]
        assert line["count"] == 400
        assert await differences(tracking) == []


class TestTwoWorkers:
    """That make the same row at once."""

    async def test_both_store_what_they_know(self, make_harnesses: MakeTwo) -> None:
        """The later one finds the row of the first, and decides again."""
        one, two = await make_harnesses("tracking")
        h = History(Random(1))
        ref = OrderRef(order_id="ORD1", entity_id="OU1", version=1)
        h.tell("orders", OrdersPlaced(package_id="CAT1", edition=1, orders=[ref]), "a" * 20 + "-0")
        newer = ref.model_copy(update={"version": 2})
        h.tell(
            "orders", OrdersCanceled(package_id="CAT1", edition=1, orders=[newer]), "b" * 20 + "-0"
        )
        placed, canceled = items(one, h.told)
        async with one.pool.acquire() as conn, asyncio.TaskGroup() as tasks, conn.transaction():
            # Both have looked for the row and found none before either may write.
            await locks.hold_writers(conn, "model.orders")
            tasks.create_task(one.handle([placed]))
            tasks.create_task(two.handle([canceled]))
            await eventually(lambda: locks.are_two_waiting(conn))
        [row] = (await model(one))["orders"]
        assert (row["status"], row["status_version"]) == ("canceled", 2)
        assert row["approved_at"] is not None
        assert await differences(one) == []


class TestACommand:
    """That was sent over HTTP, and so has a row."""

    @pytest.mark.parametrize("answered", [None, "parked"])
    async def test_is_decided_and_visible_once_its_first_event_is_read(
        self, make_harness: Make, answered: str | None
    ) -> None:
        """Also one that was parked first; of another sender's the events tell."""
        tracking = await make_harness("tracking")
        h = history(Random(3), 40)
        told = next(one for one in h.told if one.envelope.type == "relais.order.placed.v1")
        command_id = told.envelope.causationid
        await tracking.pool.execute(SENT, command_id, answered)
        await tracking.handle(items(tracking, h.told))
        rows = (await beside(tracking))["commands"]
        [row] = [row for row in rows if row["command_id"] == command_id]
        assert (row["state"], row["outcome"]) == ("decided", "accepted")
        others = [row for row in rows if row["command_id"] != command_id]
        assert {row["outcome"] for row in others} <= {"refused", "unchanged"}


SENT = """
INSERT INTO commands (command_id, type, subject, state, created_at, outcome)
VALUES ($1, 'relais.order.place.v1', 'ORD1', 'sent', now(), $2)
"""


class TestOddEvents:
    """Which a newer or a strange service may emit: each is read, none is parked."""

    async def test_have_rows_like_any_other(self, make_harness: Make) -> None:
        """Unknown members, no time, no cause, a type of a parked message that fills a page."""
        tracking = await make_harness("tracking")
        h = History(Random(1))
        h.tell("orders", OrderPlaced.of(order("waitlisted")), "command-1")
        h.tell("notifications", NotificationSent.of(notification("bounced")), None)
        h.tell("campaigns", CampaignCreated.of(campaign("frozen", kind="mirror")), None)
        h.tell("orders", OrdersPlaced(package_id="CAT1", edition=1, orders=[]), None)
        parked = MessageParked(
            service="orders",
            number=1,
            reason="failed",
            type="x" * 10_000,
            error="y" * 100_000,
            attempts=1,
            parked_at=h.now,
            body_bytes=0,
        )
        h.tell("orders", parked, None)
        told = [Told(o.envelope.model_copy(update={"time": None}), o.event) for o in h.told]
        answers = await tracking.handle(items(tracking, told))
        assert {answer.outcome for answer in answers if answer} == {"accepted"}
        found = await model(tracking)
        assert [row["status"] for row in found["orders"]] == ["waitlisted"]
        assert [row["status"] for row in found["notifications"]] == ["bounced"]
        assert [row["kind"] for row in found["campaigns"]] == ["mirror"]
        lines = (await beside(tracking))["history"]
        assert len(lines) == 5
        assert not any(row["event_id"].startswith("None") for row in lines)
        assert await differences(tracking) == []

    async def test_may_be_as_large_as_a_message(self, make_harness: Make) -> None:
        """A state of almost a megabyte, an audience of thousands; the history leaves it out."""
        tracking = await make_harness("tracking")
        url = f"https://example.org/{'x' * 1900}"
        documents = [{"name": f"D{n}", "url": url} for n in range(100)]
        audience = [f"OU{n}" for n in range(20_000)]
        large = package("published", documents=documents, audience=audience)
        h = History(Random(2))
        h.tell("packages", PackagePublished.of(large), "command-1")
        await tracking.handle(items(tracking, h.told))
        found = await model(tracking)
        [row] = found["packages"]
        assert len(row["state"]["documents"]) == 100
        assert "audience" not in row["state"]
        assert len(found["audiences"]) == 20_000
        [line] = (await beside(tracking))["history"]
        assert line["state"] is None
        h.told.clear()
        edited = large.model_copy(update={"audience": None, "documents": None, "version": 2})
        h.tell("packages", PackageEdited.of(edited), "command-2")
        await tracking.handle(items(tracking, h.told))
        found = await model(tracking)
        assert found["audiences"] == []
        assert found["packages"][0]["state"]["documents"] is None
        assert found["packages"][0]["cause"] != h.told[0].envelope.id

    async def test_about_one_parked_message_may_come_in_any_order(self, make_harness: Make) -> None:
        """What was released stays so, whatever is said late of its parking."""
        tracking = await make_harness("tracking")
        h = History(Random(3))
        parked = MessageParked(
            service="orders",
            number=7,
            reason="failed",
            error="no",
            attempts=1,
            parked_at=h.now,
            body_bytes=0,
        )
        h.tell("orders", MessageReleased(service="orders", number=7, how="handled"), None)
        h.tell("orders", parked, None)
        for one in h.told:
            await tracking.handle(items(tracking, [one]))
        [row] = (await beside(tracking))["parked"]
        assert (row["how"], row["reason"], row["attempts"]) == ("handled", "failed", 1)
