"""Which worker takes which lane."""

import itertools

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.amqp import lanes
from services.runtime.amqp.lanes import Slot, priorities
from services.runtime.postgres import database


def assignment(workers: int, lanes: int) -> list[int]:
    """The slot that each lane goes to: the broker takes the highest priority."""
    dealt = [priorities(slot, lanes) for slot in range(workers)]
    return [max(range(workers), key=lambda slot: dealt[slot][lane]) for lane in range(lanes)]


shapes = st.integers(1, 32).flatmap(lambda lanes: st.tuples(st.integers(1, lanes), st.just(lanes)))


class TestPriorities:
    """Every worker knows its own from its slot and the number of lanes alone."""

    @given(shapes)
    def test_share_the_lanes_evenly(self, shape: tuple[int, int]) -> None:
        """For any number of workers up to the lanes, nobody has two more than another."""
        workers, lanes = shape
        shares = [assignment(workers, lanes).count(slot) for slot in range(workers)]

        assert max(shares) - min(shares) <= 1
        assert sum(shares) == lanes

    @given(shapes)
    def test_are_never_tied(self, shape: tuple[int, int]) -> None:
        """No two workers stand equally high on a lane that is not below a third."""
        workers, lanes = shape
        dealt = [priorities(slot, lanes) for slot in range(workers)]

        for lane in range(lanes):
            standing = [dealt[slot][lane] for slot in range(workers)]
            assert standing.count(max(standing)) == 1

    @given(shapes)
    def test_of_a_newcomer_take_lanes_from_others_only_for_itself(
        self, shape: tuple[int, int]
    ) -> None:
        """A lane that changes hands goes to whoever has come."""
        workers, lanes = shape
        before, after = assignment(workers, lanes), assignment(workers + 1, lanes)

        assert all(now in (was, workers) for was, now in zip(before, after, strict=True))

    @given(st.integers(1, 40), st.integers(0, 60))
    def test_leave_no_lane_without_a_reader(self, lanes: int, slot: int) -> None:
        """Whoever is alone, under whatever number, reads them all: none is refused."""
        assert len(priorities(slot, lanes)) == lanes
        assert all(priority >= 0 for priority in priorities(slot, lanes))
        assert priorities(0, lanes) == [1] * lanes

    def test_of_eight_lanes_are_as_the_design_says(self) -> None:
        """Slot 0 takes all, each one after it its share of the fullest."""
        shares = [
            [assignment(workers, 8).count(slot) for slot in range(workers)]
            for workers in range(1, 9)
        ]

        assert [sorted(share, reverse=True) for share in shares] == [
            [8],
            [4, 4],
            [3, 3, 2],
            [2, 2, 2, 2],
            [2, 2, 2, 1, 1],
            [2, 2, 1, 1, 1, 1],
            [2, 1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1, 1, 1],
        ]


@pytest.mark.servers
class TestASlot:
    """The lowest free number, held as long as the session lives."""

    async def test_is_the_lowest_that_is_free(self, database_url: str) -> None:
        """One after the other; what is given back is taken first."""
        slots = [Slot(database_url, "probe slot") for _ in range(4)]
        try:
            assert [await slot.take() for slot in slots[:3]] == [0, 1, 2]

            await slots[1].release()

            assert await slots[3].take() == 1
        finally:
            for slot in slots:
                await slot.release()

    async def test_is_seen_by_all_as_long_as_it_is_held(self, database_url: str) -> None:
        """Each worker knows who is beside it."""
        slots = [Slot(database_url, "probe slot") for _ in range(3)]
        async with database.pool(database_url, "probe", size=2) as pool:
            try:
                for slot in slots:
                    await slot.take()
                assert await lanes.held(pool) == [0, 1, 2]
                await slots[1].release()
                assert await lanes.held(pool) == [0, 2]
            finally:
                for slot in slots:
                    await slot.release()

    async def test_stays_the_same_while_it_is_held(self, database_url: str) -> None:
        """A consumer that starts again does not move."""
        slot = Slot(database_url, "probe slot")
        try:
            assert {await slot.take() for _ in range(3)} == {0}
        finally:
            await slot.release()

    async def test_is_free_when_its_session_dies(self, database_url: str) -> None:
        """However that came about; its holder knows, and takes one anew."""
        first, second = Slot(database_url, "probe slot"), Slot(database_url, "probe slot")
        try:
            await first.take()
            await end_session(database_url, first)

            assert await second.take() == 0
            assert not first.is_held
            assert await first.take() == 1
        finally:
            await first.release()
            await second.release()

    async def test_is_given_up_where_its_server_takes_no_writes(self, database_url: str) -> None:
        """The others are on a server that does, and take slots there."""
        slot = Slot(database_url, "probe slot")
        try:
            await slot.take()
            assert await slot.look()
            assert slot._conn is not None
            await slot._conn.execute("SET default_transaction_read_only = on")

            assert not await slot.look()

            assert not slot.is_held
            assert await slot.take() == 0
        finally:
            await slot.release()

    async def test_is_given_up_when_its_session_dies(self, database_url: str) -> None:
        """Whoever looks sees it, also where nobody has said so."""
        slot = Slot(database_url, "probe slot")
        try:
            await slot.take()
            await end_session(database_url, slot)

            assert not await slot.look()
        finally:
            await slot.release()

    async def test_is_not_held_when_taking_it_failed(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next try begins from the start, rather than with a number of nobody."""
        slot = Slot(database_url, "probe slot")
        failures = itertools.count()
        lowest_free = lanes._lowest_free

        async def fail_once(conn: asyncpg.Connection) -> int:
            if next(failures) == 0:
                raise TimeoutError
            return await lowest_free(conn)

        monkeypatch.setattr(lanes, "_lowest_free", fail_once)
        other = Slot(database_url, "probe slot")
        try:
            with pytest.raises(TimeoutError):
                await slot.take()
            assert not slot.is_held

            assert await other.take() == 0
            assert await slot.take() == 1
        finally:
            await slot.release()
            await other.release()


async def end_session(url: str, slot: Slot) -> None:
    """End the session of a slot, as an administrator may."""
    assert slot._conn is not None
    pid = slot._conn.get_server_pid()
    admin = await asyncpg.connect(url)
    try:
        await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    finally:
        await admin.close()
