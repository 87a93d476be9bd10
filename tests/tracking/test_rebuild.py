"""A rebuild: the model made again while events come in, and workers end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from contracts.operations import RequestSnapshot, SnapshotCompleted
from services.tracking import rebuild
from services.tracking.rebuild import UnderWay
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.tracking.histories import History, Told, history, snapshots
from tests.tracking.then import beside, differences, feed, model

pytestmark = pytest.mark.servers

Make = Callable[[str], Awaitable[Harness]]
MakeTwo = Callable[[str], Awaitable[tuple[Harness, Harness]]]

OWNERS = {
    "packages": frozenset({"package"}),
    "orders": frozenset({"order"}),
    "campaigns": frozenset({"campaign", "process"}),
    "directory": frozenset({"entity"}),
    "notifications": frozenset({"notification"}),
}


@pytest.fixture(autouse=True)
def owners(monkeypatch: pytest.MonkeyPatch) -> None:
    """The services that emit their state."""
    monkeypatch.setattr(rebuild, "senders", lambda: OWNERS)


async def ask(harness: Harness) -> str:
    """Ask for a rebuild, of tables that are not new any more."""
    await harness.pool.execute("DELETE FROM rebuilds WHERE state = 'first'")
    async with harness.pool.acquire() as conn:
        return await rebuild.ask(conn, "m.durand")


async def state(harness: Harness, request_id: str) -> str:
    """Where a rebuild is."""
    async with harness.pool.acquire() as conn:
        found = await rebuild.find(conn, request_id)
    assert found is not None
    return found.state


async def requested(harness: Harness) -> list[str]:
    """The requests that were sent, in order."""
    rows = await harness.pool.fetch(
        "SELECT message_id FROM outbox WHERE type = $1 ORDER BY id", RequestSnapshot.TYPE
    )
    return [row["message_id"] for row in rows]


def answers(h: History, request_id: str) -> list[Told]:
    """The state of all, and that it was all."""
    told = snapshots(h, request_id)
    before, h.told = h.told, []
    for service, things in OWNERS.items():
        counts = {
            thing: sum(one.envelope.type == f"relais.{thing}.snapshot.v1" for one in told)
            for thing in things
        }
        ended = SnapshotCompleted(service=service, request_id=request_id, counts=counts)
        h.tell(service, ended, request_id)
    told += h.told
    h.told = before
    return told


async def advance(harness: Harness) -> None:
    """All that can be done now."""
    await harness.sweep("rebuild")
    await harness.sweep("jobs")
    await harness.sweep("rebuild")


class TestARebuild:
    """Asked for by an operator."""

    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_under_load_ends_at_what_the_ordered_history_makes(
        self, make_harness: Make, make_harnesses: MakeTwo, piece_sizes: PieceSizes, seed: int
    ) -> None:
        """What was wrong is right, what nobody knows is gone, and counts agree."""
        piece_sizes(7)
        rng = Random(seed)
        h = history(rng, 120)
        one, two = await make_harnesses("tracking")
        await feed(rng, h.told, one, two)
        await one.pool.execute(SPOILED)
        request_id = await ask(one)
        await one.piece("rebuild")
        assert await requested(one) == [request_id]
        before = len(h.told)
        answered = answers(h, request_id)
        for _ in range(80):
            h.step()
        mixed = h.told[before:] + answered
        rng.shuffle(mixed)
        half = len(mixed) // 2
        await feed(rng, mixed[:half], one, two)
        await advance(two)
        assert await state(one, request_id) == "filling"
        await feed(rng, mixed[half:], one, two)
        sweeping = asyncio.gather(advance(one), advance(two))
        for _ in range(20):
            h.step()
        late = h.told[before + len(mixed) - len(answered) :]
        await feed(rng, late, one)
        await sweeping
        await advance(one)
        assert await state(one, request_id) == "done"
        ordered = await make_harness("tracking")
        await feed(rng, [*h.told[:before], *answered, *h.told[before:]], ordered, most=5)
        assert await model(one) == await model(ordered)
        assert await beside(one) == await beside(ordered)
        assert await differences(one) == []

    async def test_may_be_done_twice(self, make_harness: Make) -> None:
        """The second one finds nothing to mend, and the indexes have their names."""
        rng = Random(4)
        h = history(rng, 80)
        tracking = await make_harness("tracking")
        await feed(rng, h.told, tracking)
        named = await indexes(tracking)
        found: list[Any] = []
        for _ in range(2):
            request_id = await ask(tracking)
            await tracking.piece("rebuild")
            await feed(rng, answers(h, request_id), tracking)
            await advance(tracking)
            assert await state(tracking, request_id) == "done"
            found.append(await model(tracking))
        assert found[0] == found[1]
        assert await indexes(tracking) == named
        assert (
            await tracking.pool.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'next'")
            == 0
        )

    async def test_waits_for_every_service_and_all_that_it_counts(self, make_harness: Make) -> None:
        """And names whom it waits for."""
        rng = Random(6)
        h = history(rng, 60)
        tracking = await make_harness("tracking")
        request_id = await ask(tracking)
        await tracking.piece("rebuild")
        told = answers(h, request_id)
        late = next(one for one in told if one.envelope.type == "relais.order.snapshot.v1")
        ended = [one for one in told if one.envelope.source == "/relais/directory"]
        await feed(rng, [o for o in told if o is not late and o not in ended], tracking)
        await advance(tracking)
        async with tracking.pool.acquire() as conn:
            progress = await rebuild.find(conn, request_id)
        assert progress is not None
        assert progress.state == "filling"
        orders = len(h.orders)
        assert progress.waits_for(OWNERS) == [
            "directory",
            f"orders (order: {orders - 1:,} of {orders:,})",
        ]
        await feed(rng, [late, *ended], tracking)
        await advance(tracking)
        assert await state(tracking, request_id) == "done"

    async def test_is_one_at_a_time(self, make_harness: Make) -> None:
        """A second request is refused, and names the first."""
        tracking = await make_harness("tracking")
        request_id = await ask(tracking)
        with pytest.raises(UnderWay, match=request_id):
            await ask(tracking)

    async def test_can_be_abandoned(self, make_harness: Make) -> None:
        """The model stays as it was, and another one may begin."""
        rng = Random(7)
        h = history(rng, 40)
        tracking = await make_harness("tracking")
        await feed(rng, h.told, tracking)
        before = await model(tracking)
        request_id = await ask(tracking)
        await tracking.piece("rebuild")
        async with tracking.pool.acquire() as conn:
            assert await rebuild.abandon(conn) == request_id
            assert await rebuild.abandon(conn) is None
        assert await state(tracking, request_id) == "abandoned"
        assert await model(tracking) == before
        await ask(tracking)

    async def test_whose_counts_are_wrong_replaces_nothing(self, make_harness: Make) -> None:
        """It has failed, and says which count."""
        rng = Random(8)
        h = history(rng, 60)
        tracking = await make_harness("tracking")
        await feed(rng, h.told, tracking)
        before = await model(tracking)
        request_id = await ask(tracking)
        await tracking.piece("rebuild")
        await feed(rng, answers(h, request_id), tracking)
        await tracking.pool.execute("UPDATE next.counts SET n = n + 1 WHERE list = 'orders'")
        await advance(tracking)
        async with tracking.pool.acquire() as conn:
            found = await rebuild.find(conn, request_id)
        assert found is not None
        assert found.state == "failed"
        assert found.remark is not None
        assert "orders" in found.remark
        assert await model(tracking) == before


class TestTheTablesOfANewDatabase:
    """On an installation that may have been running for long."""

    async def test_are_filled_by_the_state_of_all_that_is_asked_for_once(
        self, make_harnesses: MakeTwo
    ) -> None:
        """By one of the workers, straight into the model."""
        one, two = await make_harnesses("tracking")
        await asyncio.gather(one.sweep("rebuild"), two.sweep("rebuild"))
        await one.sweep("rebuild")
        [request_id] = await requested(one)
        rng = Random(9)
        h = history(rng, 80)
        await feed(rng, answers(h, request_id), one, two)
        found = {row["order_id"]: row["status"] for row in (await model(one))["orders"]}
        assert found == {id: state.status for id, state in h.orders.items()}
        assert await differences(one) == []


SPOILED = """
UPDATE model.orders SET label = 'spoiled', placed_at = now(), campaign_id = 'spoiled';
UPDATE model.counts SET n = n + 3;
UPDATE model.packages SET label = 'spoiled';
INSERT INTO model.entities (entity_id, label, active, mailbox, channels, version, changed_at, state)
VALUES ('nobody', 'nobody', true, 'nobody', '{mailbox}', 1, now(), '{}')
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'model' ORDER BY 1"


async def indexes(harness: Harness) -> list[str]:
    """The indexes of the model."""
    return [row[0] for row in await harness.pool.fetch(INDEXES)]


class TestAWorkerThatEndsInAStep:
    """Of a rebuild."""

    @pytest.mark.parametrize("seed", [11, 12])
    async def test_is_followed_by_another(
        self,
        make_harnesses: MakeTwo,
        make_harness: Make,
        piece_sizes: PieceSizes,
        monkeypatch: pytest.MonkeyPatch,
        seed: int,
    ) -> None:
        """Whatever step it was in, right before its commit: each is done again as a whole."""
        piece_sizes(9)
        rng = Random(seed)
        h = history(rng, 80)
        one, two = await make_harnesses("tracking")
        await feed(rng, h.told, one)
        request_id = await ask(one)
        crashes = 0

        async def crash(*_: object) -> None:
            nonlocal crashes
            crashes += 1
            raise Killed

        async def step(name: str) -> bool:
            """A step that ends before its commit, and then the same by the other worker."""
            with monkeypatch.context() as patch:
                patch.setattr(one.work.outbox, "store", crash)
                with suppress(Killed):
                    await one.piece(name)
            return await two.piece(name)

        assert await step("rebuild")
        answered = answers(h, request_id)
        await feed(rng, answered, one, two)
        assert await step("rebuild")
        while await step("jobs"):
            h.step()
        assert await step("rebuild")
        assert await state(one, request_id) == "done"
        assert crashes > 10
        await feed(rng, h.told, two)
        ordered = await make_harness("tracking")
        await feed(rng, [*h.told, *answered], ordered)
        assert await model(one) == await model(ordered)
        assert await differences(one) == []


class Killed(Exception):
    """Ends a worker."""
