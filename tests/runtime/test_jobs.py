"""Long work in pieces: whose piece is next, and what is left of a job."""

import pytest

from services.runtime.service import Job, JobKind, Jobs, Transaction, jobs
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.runtime.counting import (
    CAUSE,
    COUNT,
    FORESEEING,
    PASSING,
    QUIET,
    add,
    count,
    emitted,
    job,
    piece,
    progress,
    report,
    states,
    sweep,
)
from tests.runtime.probe import Added
from tests.runtime.then import notes, outbox_envelopes, rows


class TestAJob:
    """A value: each piece makes a new one."""

    def test_counts_what_its_pieces_count(self) -> None:
        """From nothing, each count by its name."""
        begun = job()
        moved = begun.moved("a", seen=2, changed=1).moved("b", seen=3)
        assert (moved.count("seen"), moved.count("changed"), moved.count("else")) == (5, 1, 0)
        assert (moved.cursor, moved.done) == ("b", False)
        assert (begun.cursor, begun.counts) == (None, {})

    def test_keeps_its_cursor_when_it_is_finished(self) -> None:
        """And counts the last of it."""
        counted = job().moved("a", seen=2)
        finished = counted.moved(counted.cursor, done=True, seen=1)
        assert (finished.cursor, finished.done, finished.count("seen")) == ("a", True, 3)


class TestTheJobsOfABatch:
    """What the tables have, and what the batch adds."""

    KNOWN = (("A", 3, "count", True), ("A", 5, "quiet", False))

    def test_have_what_is_known_by_line_place_and_kind(self) -> None:
        """Done or not."""
        known = Jobs(self.KNOWN)
        assert known.has(COUNT, "A", 3)
        assert known.has(QUIET, "A", 5)
        assert not known.has(QUIET, "A", 3)
        assert not known.has(COUNT, "B", 3)
        assert known.new == []

    def test_have_what_was_added(self) -> None:
        """By a message before in the same batch."""
        known = Jobs()
        known.add(job("B", 2))
        assert known.has(COUNT, "B", 2)
        assert [(one.line, one.place) for one in known.new] == [("B", 2)]

    def test_know_what_is_behind_a_place(self) -> None:
        """In its own line only, and not at the place itself."""
        known = Jobs(self.KNOWN)
        assert known.has_behind("A", 4)
        assert not known.has_behind("A", 5)
        assert not known.has_behind("B", 1)
        known.add(job("A", 6))
        assert known.has_behind("A", 5)


@pytest.mark.servers
class TestAFirstPiece:
    """Done in the transaction that adds the job."""

    async def test_does_the_whole_of_a_small_job(self, harness: Harness) -> None:
        """It is done before the sweep could find it, so none is woken."""
        tx = await add(harness, job(to=10))
        assert await notes(harness) == ["A.1 10"]
        assert await states(harness) == {("A", 1): "done"}
        assert await emitted(harness) == [0, 10, "counted 10"]
        assert tx.woken == set()
        assert await sweep(harness) == 0

    async def test_leaves_the_rest_to_the_sweep(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """Which goes on at the cursor, with the counts."""
        piece_sizes(4, first=3)
        tx = await add(harness, job(to=10))
        assert tx.woken == {jobs.SWEEP}
        assert await sweep(harness) == 2
        assert await notes(harness) == ["A.1 3", "A.1 7", "A.1 10"]
        assert await emitted(harness) == [0, 3, 7, 10, "counted 10"]

    async def test_is_as_large_as_its_share(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """The new jobs of a transaction touch no more rows together than one would."""
        piece_sizes(100, first=9)
        await add(harness, *(job(line, to=10) for line in "ABC"))
        assert await notes(harness) == ["A.1 3", "B.1 3", "C.1 3"]

    async def test_is_not_done_where_the_share_is_too_small(
        self, harness: Harness, piece_sizes: PieceSizes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Many small pieces in one transaction cost more than they are worth."""
        piece_sizes(100, first=8)
        monkeypatch.setattr(jobs, "SMALLEST_PIECE", 3)
        await add(harness, *(job(line, to=1) for line in "ABC"))
        assert await notes(harness) == []
        assert set((await states(harness)).values()) == {"running"}

    async def test_waits_for_what_is_before_it_in_its_line(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """What is done holds nothing up, nor does another line, nor what is behind."""
        piece_sizes(100, first=40)
        await add(harness, job("A", 1, to=5), job("A", 2, to=5), job("A", 3, to=50))
        assert await notes(harness) == ["A.1 5", "A.2 5", "A.3 13"]
        await add(harness, job("A", 4, to=5), job("B", 4, to=5), job("A", 0, to=5))
        assert await notes(harness) == ["A.1 5", "A.2 5", "A.3 13", "B.4 5", "A.0 5"]
        await sweep(harness)
        assert (await notes(harness))[5:] == ["A.3 50", "A.4 5"]

    async def test_is_not_done_of_a_job_that_is_done(self, harness: Harness) -> None:
        """It leaves its row, and nothing else."""
        await add(harness, job(done=True))
        assert await states(harness) == {("A", 1): "done"}
        assert await notes(harness) == []
        assert await emitted(harness) == []

    async def test_goes_with_its_transaction(self, harness: Harness) -> None:
        """Nothing is left of it when that fails."""

        def fail(_: Job) -> Added:
            raise LookupError("a bug")

        with pytest.raises(LookupError):
            await add(harness, job("A"), job("B", kind=JobKind("failing", count, fail)))
        assert await states(harness) == {}
        assert await notes(harness) == []
        assert await emitted(harness) == []


@pytest.mark.servers
class TestTheSweep:
    """Whose piece is next."""

    async def test_finds_nothing_where_there_is_no_job(self, harness: Harness) -> None:
        """And says so."""
        assert not await piece(harness)

    async def test_takes_the_one_least_recently_worked_on(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """A large job never keeps small ones waiting, whenever they come."""
        piece_sizes(3)
        await add(harness, job("L", to=12))
        await add(harness, job("A", to=3))
        await add(harness, job("B", to=6))
        for _ in range(4):
            await piece(harness)
        assert await notes(harness) == ["L.1 3", "A.1 3", "B.1 3", "L.1 6"]
        await add(harness, job("C", to=3))
        await sweep(harness)
        assert (await notes(harness))[4:] == ["B.1 6", "L.1 9", "C.1 3", "L.1 12"]

    async def test_keeps_the_places_of_a_line(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """One is begun when those before it are done; other lines go on meanwhile."""
        piece_sizes(3)
        await add(harness, job("A", 2, to=3))
        await add(harness, job("A", 1, to=6), job("B", 7, to=3))
        await sweep(harness)
        assert await notes(harness) == ["A.1 3", "B.7 3", "A.1 6", "A.2 3"]

    async def test_leaves_other_kinds_alone(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """They are those of a newer worker; what is behind them in their line waits."""
        piece_sizes(3)
        await add(harness, job("A", 1, kind=QUIET, to=3), job("A", 2, to=3), job("B", 1, to=3))
        while await piece(harness, [COUNT]):
            pass
        assert await notes(harness) == ["B.1 3"]
        assert await sweep(harness) == 2

    async def test_hands_a_job_on_as_it_was_left(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """Cursor, counts, arguments and cause, whatever JSON they are."""
        piece_sizes(5, first=5)
        seen: list[Job] = []
        cursors = [["OU1", "ORD2"], {"a": [1, None]}, "x", 7, None, [["a"], ["b"]]]

        async def walk(_: Transaction, found: Job, size: int) -> Job:
            seen.append(found)
            at = len(seen)
            return found.moved(cursors[at - 1], done=at == len(cursors), pieces=1, rows=size)

        kind = JobKind("walk", walk)
        await add(harness, kind.job("A", 2**40, CAUSE, names=["a", "b"], limit=None))
        while await piece(harness, [kind]):
            pass
        assert [one.cursor for one in seen] == [None, *cursors[:-1]]
        assert [one.count("rows") for one in seen] == [5 * n for n in range(len(cursors))]
        assert {one.cause for one in seen} == {CAUSE}
        assert {one.place for one in seen} == {2**40}
        assert all(one.arguments == {"names": ["a", "b"], "limit": None} for one in seen)

    async def test_stores_many_cursors_at_once(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """Also where each of them is a list."""
        piece_sizes(5, first=30)

        async def walk(_: Transaction, found: Job, __: int) -> Job:
            return found.moved([found.line, found.line])

        kind = JobKind("walk", walk)
        await add(harness, *(kind.job(line, 1, CAUSE) for line in "ABC"))
        found = {row["line"]: row["cursor"] for row in await rows(harness, "jobs")}
        assert found == {line: [line, line] for line in "ABC"}

    async def test_leaves_a_job_where_it_was_when_a_piece_fails(
        self, harness: Harness, piece_sizes: PieceSizes
    ) -> None:
        """And does that piece again."""
        piece_sizes(3)
        failures = [LookupError("a bug")]

        async def fail_once(tx: Transaction, found: Job, size: int) -> Job:
            moved = await count(tx, found, size)
            if found.cursor and failures:
                raise failures.pop()
            return moved

        kind = JobKind("failing", fail_once, progress, report)
        await add(harness, job(kind=kind, to=6))
        await piece(harness, [kind])
        with pytest.raises(LookupError):
            await piece(harness, [kind])
        assert await notes(harness) == ["A.1 3"]
        while await piece(harness, [kind]):
            pass
        assert await notes(harness) == ["A.1 3", "A.1 6"]
        assert await emitted(harness) == [0, 3, 6, "counted 6"]


@pytest.mark.servers
@pytest.mark.parametrize("first", [0, 100], ids=["by_the_sweep", "at_once"])
class TestAKind:
    """What it says of its jobs holds wherever their last piece is done."""

    async def test_emits_progress_and_report_with_the_cause(
        self, harness: Harness, piece_sizes: PieceSizes, first: int
    ) -> None:
        """At its start, after the piece, and at the end."""
        piece_sizes(100, first=first)
        await add(harness, job(to=10))
        await sweep(harness)
        assert await emitted(harness) == [0, 10, "counted 10"]
        for one in await outbox_envelopes(harness):
            assert one.envelope.correlationid == CAUSE.correlationid
            assert one.envelope.causationid == CAUSE.causationid
            assert one.envelope.actor == CAUSE.actor

    async def test_emits_its_start_once_with_what_the_first_piece_expects(
        self, harness: Harness, piece_sizes: PieceSizes, first: int
    ) -> None:
        """Before what that piece emits; later pieces emit only how far it is then."""
        piece_sizes(4, first=min(first, 3))
        await add(harness, job(kind=FORESEEING, to=10))
        await sweep(harness)
        found = [(one.data["note"], one.data["total"]) for one in await outbox_envelopes(harness)]
        done = [3, 7, 10] if first else [4, 8, 10]
        assert found == [
            ("0 of 10", 0),
            *(one for at in done for one in (("progress", at), (f"{at} of 10", at))),
        ]

    async def test_may_emit_nothing(
        self, harness: Harness, piece_sizes: PieceSizes, first: int
    ) -> None:
        """Where it has neither."""
        piece_sizes(100, first=first)
        await add(harness, job(kind=QUIET))
        await sweep(harness)
        assert await notes(harness) == ["A.1 10"]
        assert await emitted(harness) == []

    async def test_may_leave_no_row(
        self, harness: Harness, piece_sizes: PieceSizes, first: int
    ) -> None:
        """One that is retained is found again, the other may come again."""
        piece_sizes(100, first=first)
        await add(harness, job("A", kind=QUIET), job("B", kind=PASSING))
        await sweep(harness)
        assert await states(harness) == {("A", 1): "done"}
        async with harness.pool.acquire() as conn:
            found = await jobs.find(conn, ["A", "B"])
        assert found.has(QUIET, "A", 1)
        assert not found.has(PASSING, "B", 1)
        await add(harness, job("B", kind=PASSING))
        await sweep(harness)
        assert (await notes(harness))[2:] == ["B.1 10"]
