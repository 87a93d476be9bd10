"""Fanning out: pieces of an audience, one after the other, whatever comes between."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from contracts.directory import EntityRegistered
from contracts.notifications import RecipientType
from contracts.packages import PackageDecided, PackageReinitialized, PackageStatus
from services.notifications import jobs, store, sweeps, wakes
from services.notifications.sweeps import fan_out
from tests.harness import Harness
from tests.notifications.given import canceled, entity, package, published
from tests.notifications.harness import NotificationsHarness, recipients

pytestmark = pytest.mark.servers

AUDIENCE = [f"OU{number}" for number in range(1, 8)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of two recipients."""
    monkeypatch.setattr(sweeps, "CHUNK", 2)


class TestFanOut:
    """A job adds the recipients of a happening in pieces."""

    @pytest.mark.parametrize("size", range(5))
    async def test_adds_everybody_in_pieces(self, harness: NotificationsHarness, size: int) -> None:
        """Two at a time, and the piece that is not full ends the job."""
        audience = AUDIENCE[:size] or None
        await harness.send(published(audience=audience))
        pieces = await harness.inner.sweep(wakes.FAN_OUT)
        assert pieces == size // 2 + 2
        assert recipients(await harness.rows()) == AUDIENCE[:size]
        assert await harness.pool.fetchval("SELECT count(*) FROM fanouts") == 0

    @pytest.mark.parametrize("size", range(5))
    async def test_adds_every_active_entity_in_pieces(
        self, harness: NotificationsHarness, size: int
    ) -> None:
        """The same where there is no audience."""
        await harness.send(*(entity(EntityRegistered, id) for id in AUDIENCE[:size]))
        await harness.send(published(audience=None))
        await harness.fan_out()
        assert recipients(await harness.rows()) == AUDIENCE[:size]

    async def test_goes_on_where_it_was_interrupted(
        self, harness: NotificationsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A piece that fails in the middle leaves nothing behind, and is done again."""
        await harness.send(canceled(audience=AUDIENCE))
        assert await fan_out(harness.inner.work)

        async def fail(*_: object) -> None:
            raise ConnectionError("the worker died")

        with monkeypatch.context() as patch:
            patch.setattr(jobs, "move_fan_out", fail)
            with pytest.raises(ConnectionError):
                await fan_out(harness.inner.work)
        assert recipients(await harness.rows()) == AUDIENCE[:2]
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 2
        await harness.fan_out()
        assert recipients(await harness.rows()) == AUDIENCE
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 7

    async def test_of_many_happenings_takes_turns(self, harness: NotificationsHarness) -> None:
        """A long fan-out does not keep a short one waiting until its end."""
        await harness.send(published(audience=AUDIENCE))
        await harness.send(published(package_id="CAT87", audience=["OU1"]))
        for _ in range(2):
            await fan_out(harness.inner.work)
        assert {row["package_id"] for row in await harness.rows()} == {"CAT86", "CAT87"}

    @pytest.mark.parametrize(
        "end",
        [
            canceled(5, audience=AUDIENCE),
            package(PackageReinitialized, 5, edition=2, status=PackageStatus.BEING_EDITED),
        ],
        ids=["canceled", "reinitialized"],
    )
    async def test_stops_when_there_is_nothing_to_offer(
        self, harness: NotificationsHarness, end: PackageDecided
    ) -> None:
        """Nobody is added any more once the package has left the list."""
        await harness.send(published(audience=AUDIENCE))
        await fan_out(harness.inner.work)
        await harness.send(end)
        await harness.fan_out()
        assert recipients(await harness.rows(kind="package_available")) == AUDIENCE[:2]

    async def test_is_shared_by_workers(
        self, make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]]
    ) -> None:
        """Two workers at once add everybody once."""
        one, two = await make_harnesses("notifications")
        await one.send(canceled(audience=AUDIENCE), published(package_id="CAT87"))
        await asyncio.gather(*(harness.sweep(wakes.FAN_OUT) for harness in (one, two, one, two)))
        rows = await NotificationsHarness(one).rows()
        assert sorted(recipients(rows)) == sorted([*AUDIENCE, "OU1", "OU2"])
        assert await one.pool.fetchval("SELECT expected FROM cancels") == 7


class TestAddingRecipients:
    """A consumer and a job may add the same recipients at the same time."""

    async def test_adds_each_once(
        self, make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]]
    ) -> None:
        """Whoever comes second finds the rows, and counts only its own."""
        one, two = await make_harnesses("notifications")
        harness = NotificationsHarness(one)
        await harness.send(canceled(audience=AUDIENCE))
        row = await harness.pool.fetchrow("SELECT happening_id FROM happenings")
        assert row is not None
        told = [
            store.Recipient(row["happening_id"], "CAT86", RecipientType.ENTITY, id)
            for id in (*AUDIENCE, "OU9")
        ]

        async def add() -> None:
            async with two.work.publishing() as tx:
                await jobs.lock_cancels(tx.conn, [("CAT86", 1)])
                await store.add_recipients(tx.conn, told, tx.now)

        await asyncio.gather(add(), harness.fan_out(), add())
        assert recipients(await harness.rows()) == [*AUDIENCE, "OU9"]
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 8
