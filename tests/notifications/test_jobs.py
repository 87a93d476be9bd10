"""Fanning out: pieces of an audience, one after the other, whatever comes between."""

import asyncio

import pytest

from contracts.directory import EntityRegistered
from contracts.notifications import RecipientType
from contracts.orders import OrderApproved
from contracts.packages import PackageDecided, PackageEdited, PackageReinitialized, PackageStatus
from services.notifications import cancels, store, wakes
from services.runtime.tables import jobs
from tests.notifications.given import canceled, entity, order, package, published
from tests.notifications.harness import (
    NotificationsHarness,
    fan_out_by_sweep,
    recipients,
)

pytestmark = pytest.mark.servers

Pair = tuple[NotificationsHarness, NotificationsHarness]

AUDIENCE = [f"OU{number}" for number in range(1, 8)]
MANY = [f"OU{number:05}" for number in range(50_000)]


SAME_TRANSACTION = """
SELECT bool_and(n.xmin::text = h.xmin::text AND n.xmin::text = c.xmin::text)
FROM notifications n, happenings h, cancels c
"""


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of two recipients."""
    fan_out_by_sweep(monkeypatch, piece=2)


@pytest.mark.usefixtures("small_pieces")
class TestFanOut:
    """A job adds the recipients of a happening in pieces."""

    @pytest.mark.parametrize(("size", "pieces"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
    async def test_adds_everybody_in_pieces(
        self, harness: NotificationsHarness, size: int, pieces: int
    ) -> None:
        """Two at a time, and the piece with the last of them ends the job."""
        await harness.send(published(audience=AUDIENCE[:size]))
        for done in range(pieces):
            assert recipients(await harness.rows()) == AUDIENCE[: 2 * done]
            await harness.add_piece()
        assert recipients(await harness.rows()) == AUDIENCE[:size]
        assert await harness.pool.fetchval("SELECT count(*) FROM jobs") == 0

    @pytest.mark.parametrize("size", range(5))
    async def test_adds_every_active_entity_in_pieces(
        self, harness: NotificationsHarness, size: int
    ) -> None:
        """Where there is no audience, the piece that is not full ends the job."""
        await harness.send(*(entity(EntityRegistered, id) for id in AUDIENCE[:size]))
        await harness.send(published(audience=None))
        for _ in range(size // 2 + 1):
            await harness.add_piece()
        assert recipients(await harness.rows()) == AUDIENCE[:size]
        assert await harness.pool.fetchval("SELECT count(*) FROM jobs") == 0

    async def test_goes_on_where_it_was_interrupted(
        self, harness: NotificationsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A piece that fails in the middle leaves nothing behind, and is done again."""
        await harness.send(canceled(audience=AUDIENCE))
        await harness.add_piece()

        async def fail(*_: object) -> None:
            raise ConnectionError("the worker died")

        with monkeypatch.context() as patch:
            patch.setattr(jobs, "_save", fail)
            with pytest.raises(ConnectionError):
                await harness.add_piece()
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
            await harness.add_piece()
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
        await harness.add_piece()
        await harness.send(end)
        await harness.fan_out()
        assert recipients(await harness.rows(kind="package_available")) == AUDIENCE[:2]

    async def test_is_shared_by_workers(self, pair: Pair) -> None:
        """Two workers at once add everybody once."""
        one, two = pair
        await one.send(canceled(audience=AUDIENCE), published(package_id="CAT87"))
        await asyncio.gather(*(harness.fan_out() for harness in (one, two, one, two)))
        assert sorted(recipients(await one.rows())) == sorted([*AUDIENCE, "OU1", "OU2"])
        assert await one.pool.fetchval("SELECT expected FROM cancels") == 7


class TestFirstPiece:
    """The transaction of the event adds the recipients itself, as far as they are few."""

    async def test_adds_a_small_audience_at_once(self, harness: NotificationsHarness) -> None:
        """From the event to the pending notifications it is one transaction, and no job is left."""
        await harness.send(canceled(audience=["OU1", "OU2"]))
        assert await harness.statuses() == [
            ("package_canceled", "OU1", "pending"),
            ("package_canceled", "OU2", "pending"),
        ]
        assert await harness.pool.fetchval(SAME_TRANSACTION)
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 2
        assert await harness.pool.fetchval("SELECT count(*) FROM jobs") == 0

    async def test_adds_the_active_entities_at_once(self, harness: NotificationsHarness) -> None:
        """Where there is no audience they are few as well, as long as the directory is small."""
        await harness.send(*(entity(EntityRegistered, id) for id in AUDIENCE))
        await harness.send(canceled(audience=None))
        assert recipients(await harness.rows()) == AUDIENCE
        assert await harness.running() == 0

    async def test_leaves_the_rest_to_the_sweep(self, harness: NotificationsHarness) -> None:
        """A large audience begins at once, and goes on where the transaction stopped."""
        await harness.send(canceled(audience=MANY[:700]))
        assert recipients(await harness.rows()) == MANY[:500]
        assert await harness.running() == 1
        await harness.fan_out()
        assert recipients(await harness.rows()) == MANY[:700]
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 700

    async def test_is_shared_by_the_happenings_of_a_batch(
        self, harness: NotificationsHarness
    ) -> None:
        """Of ten cancels in one batch each adds fifty; eleven leave everything to the sweep."""
        await harness.send(*(canceled(package_id=f"A{n}", audience=MANY[:70]) for n in range(10)))
        assert len(await harness.rows()) == 500
        await harness.send(*(canceled(package_id=f"B{n}", audience=MANY[:70]) for n in range(11)))
        assert len(await harness.rows()) == 500
        await harness.fan_out()
        assert len(await harness.rows()) == 21 * 70

    async def test_waits_for_what_happened_before(self, harness: NotificationsHarness) -> None:
        """A cancel adds nobody while the fan-out of the publication is in its line."""
        await harness.send(published(audience=MANY[:700]))
        await harness.send(canceled(audience=["OU1"]))
        assert await harness.rows(kind="package_canceled") == []
        await harness.fan_out()
        assert recipients(await harness.rows(kind="package_canceled")) == ["OU1"]


class TestLargeAudience:
    """Fifty thousand recipients are as good as two."""

    async def test_is_walked_in_pieces(self, harness: NotificationsHarness) -> None:
        """No transaction adds more than a piece, and each of them is added once, in order."""
        await harness.send(canceled(audience=MANY))
        pieces = 0
        while await harness.running():
            await harness.add_piece()
            pieces += 1
        counts = await harness.pool.fetch("SELECT count(*) FROM notifications GROUP BY xmin::text")
        assert sorted(row["count"] for row in counts) == [500, 4_500, *[5_000] * 9]
        assert pieces == 10
        added = await harness.pool.fetch("SELECT recipient_id FROM notifications ORDER BY 1")
        assert [row["recipient_id"] for row in added] == MANY
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 50_000


class TestSecondFanOut:
    """An audience may grow while the fan-out to the smaller one still runs."""

    @pytest.mark.usefixtures("small_pieces")
    async def test_tells_nobody_twice(self, harness: NotificationsHarness) -> None:
        """Two jobs of one happening, one behind the other, make one row each recipient."""
        await harness.send(published(audience=AUDIENCE[1:5]))
        await harness.add_piece()
        await harness.send(package(PackageEdited, 5, audience=AUDIENCE))
        assert await harness.running() == 2
        assert await harness.pool.fetchval("SELECT count(*) FROM happenings") == 1
        await harness.add_piece()
        assert sorted(recipients(await harness.rows())) == AUDIENCE[1:5]
        await harness.fan_out()
        assert recipients(await harness.rows()) == AUDIENCE
        assert await harness.running() == 0

    @pytest.mark.usefixtures("both_ways")
    async def test_of_one_batch(self, harness: NotificationsHarness) -> None:
        """Both are known by the version of their event."""
        await harness.send(
            published(audience=AUDIENCE[1:5]),
            package(PackageEdited, 5, audience=AUDIENCE[2:]),
            package(PackageEdited, 6, audience=AUDIENCE),
        )
        await harness.fan_out()
        assert recipients(await harness.rows()) == AUDIENCE

    @pytest.mark.usefixtures("small_pieces")
    async def test_of_the_same_event_is_one(self, harness: NotificationsHarness) -> None:
        """A publication that comes again meanwhile, twice in a batch, adds no second job."""
        await harness.send(published(audience=AUDIENCE))
        await harness.add_piece()
        async with asyncio.timeout(5):
            assert await harness.outcomes(
                published(audience=AUDIENCE), published(audience=AUDIENCE)
            ) == ["accepted", "accepted"]
        assert await harness.running() == 1
        await harness.fan_out()
        assert recipients(await harness.rows()) == AUDIENCE

    @pytest.mark.usefixtures("small_pieces")
    async def test_of_the_same_event_in_one_batch(self, harness: NotificationsHarness) -> None:
        """A publication that comes twice in its first batch is fanned out once."""
        async with asyncio.timeout(5):
            await harness.send(published(audience=AUDIENCE), published(audience=AUDIENCE))
        assert await harness.running() == 1
        await harness.fan_out()
        assert recipients(await harness.rows()) == AUDIENCE


class TestWakes:
    """The end of a fan-out lets go what has waited for it."""

    @pytest.mark.usefixtures("small_pieces")
    async def test_sending_and_the_end_of_cancels(self, harness: NotificationsHarness) -> None:
        """Also where its last piece adds nobody."""
        await harness.send(published(audience=AUDIENCE), order(OrderApproved))
        await harness.add_piece()
        await harness.send(package(PackageReinitialized, 5, edition=2, status="being_edited"))
        woken: list[str] = []
        harness.inner.work.wakes.call = woken.extend  # type: ignore[method-assign, assignment]
        await harness.add_piece()
        assert await harness.running() == 0
        assert {wakes.SEND, wakes.CANCELS} <= set(woken)


class TestAddingRecipients:
    """A consumer and a job may add the same recipients at the same time."""

    @pytest.mark.usefixtures("small_pieces")
    async def test_adds_each_once(self, pair: Pair) -> None:
        """Whoever comes second finds the rows, and counts only its own."""
        harness, two = pair
        await harness.send(canceled(audience=AUDIENCE))
        row = await harness.pool.fetchrow("SELECT happening_id FROM happenings")
        assert row is not None
        told = [
            store.Recipient(row["happening_id"], "CAT86", RecipientType.ENTITY, id)
            for id in (*AUDIENCE, "OU9")
        ]

        async def add() -> None:
            async with two.inner.work.publishing() as tx:
                await cancels.lock(tx.conn, [("CAT86", 1)])
                await store.add_recipients(tx.conn, told, tx.now)

        await asyncio.gather(add(), harness.fan_out(), add())
        assert recipients(await harness.rows()) == [*AUDIENCE, "OU9"]
        assert await harness.pool.fetchval("SELECT expected FROM cancels") == 8
