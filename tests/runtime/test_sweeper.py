"""The engine that drains tables: it goes on, whatever a piece of its work comes to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aiormq.exceptions import ChannelInvalidStateError

from services.runtime.decision import Cause
from services.runtime.service import Sweep
from services.runtime.tables import sweeper
from services.runtime.tables.sweeper import Sweeper
from services.runtime.tables.transaction import Outbox, OutboxRow, Wakes, Work
from tests.eventually import eventually
from tests.harness import Harness
from tests.runtime.probe import Added
from tests.runtime.then import rows

NEVER = 3600.0


class Pieces:
    """A sweep whose pieces a test decides: what each does, and whether there is more."""

    def __init__(self, *outcomes: bool | BaseException) -> None:
        """The last outcome is that of every piece after it."""
        self.outcomes = list(outcomes)
        self.done = 0

    async def run(self, _: Work) -> bool:
        """Do the next piece."""
        self.done += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def sweep(self, every: float = NEVER) -> Sweep:
        """As a service declares it."""
        return Sweep("pieces", self.run, every)


def idle() -> Work:
    """Work for sweeps that touch neither server."""
    return Work("probe", None, None, None, Wakes(), "")  # type: ignore[arg-type]


@asynccontextmanager
async def sweeping(work: Work, *sweeps: Sweep) -> AsyncIterator[Sweeper]:
    """A sweeper while the block lasts."""
    running = Sweeper(sweeps, work)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        await task


def reaches(pieces: Pieces, count: int) -> Callable[[], bool]:
    """Whether so many pieces were done."""
    return lambda: pieces.done >= count


class TestASweep:
    """It runs while there is more, when it is called, and when its time has come."""

    async def test_runs_again_while_there_is_more(self) -> None:
        """And then waits."""
        pieces = Pieces(True, True, False)

        async with sweeping(idle(), pieces.sweep()):
            await eventually(reaches(pieces, 3))

        assert pieces.done == 3

    async def test_runs_when_it_is_called(self) -> None:
        """A commit of this process has work for it."""
        pieces, work = Pieces(False), idle()
        async with sweeping(work, pieces.sweep()):
            await eventually(reaches(pieces, 1))

            work.wakes.call(["pieces"])

            await eventually(reaches(pieces, 2))

    async def test_runs_for_a_call_that_came_while_it_ran(self) -> None:
        """The work of that commit may have come after it looked."""
        work = idle()
        begun, go_on, done = asyncio.Event(), asyncio.Event(), []

        async def run(_: Work) -> bool:
            begun.set()
            await go_on.wait()
            done.append(True)
            return False

        async with sweeping(work, Sweep("pieces", run, NEVER)):
            await begun.wait()
            work.wakes.call(["pieces"])
            go_on.set()

            await eventually(lambda: len(done) == 2)

    async def test_runs_when_its_time_has_come(self) -> None:
        """Another worker may have made work for it."""
        pieces = Pieces(False)

        async with sweeping(idle(), pieces.sweep(every=0.01)):
            await eventually(reaches(pieces, 3))

    async def test_holds_no_other_up(self) -> None:
        """Each has a task of its own."""
        stuck, pieces = asyncio.Event(), Pieces(True, True, False)

        async def hang(_: Work) -> bool:
            return not await stuck.wait()

        async with sweeping(idle(), Sweep("hanging", hang), pieces.sweep()):
            await eventually(reaches(pieces, 3))
            stuck.set()


class TestASweepThatFails:
    """It is tried again for ever: its work waits in its table."""

    @pytest.mark.parametrize(
        "error",
        [
            ConnectionResetError("gone"),
            asyncpg.DeadlockDetectedError("deadlock detected"),
            ChannelInvalidStateError("closed"),
            LookupError("a bug"),
            asyncio.CancelledError("as aiormq says when it closes"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_goes_on(self, error: BaseException) -> None:
        """Also after what looks like its own cancellation and is not."""
        pieces = Pieces(error, error, False)

        async with sweeping(idle(), pieces.sweep()):
            await eventually(reaches(pieces, 3))

    async def test_says_so_when_it_keeps_failing(self) -> None:
        """A bug does not go away; readiness tells of it."""
        pieces = Pieces(LookupError("a bug"))

        async with sweeping(idle(), pieces.sweep()) as running:
            await eventually(lambda: running.stuck == {"pieces"})

        assert pieces.done >= sweeper.TRIES

    async def test_says_no_more_when_it_has_recovered(self) -> None:
        """One good piece is enough."""
        pieces = Pieces(*[LookupError("a bug")] * sweeper.TRIES, False)

        async with sweeping(idle(), pieces.sweep()) as running:
            await eventually(reaches(pieces, sweeper.TRIES + 1))
            await eventually(lambda: not running.stuck)

    async def test_does_not_say_so_of_passing_faults(self) -> None:
        """A database that is away is no bug of the sweep."""
        pieces = Pieces(ConnectionResetError("gone"))

        async with sweeping(idle(), pieces.sweep()) as running:
            await eventually(reaches(pieces, sweeper.TRIES + 2))
            assert not running.stuck

    async def test_can_be_canceled(self) -> None:
        """The real thing ends it."""
        begun = asyncio.Event()

        async def hang(_: Work) -> bool:
            begun.set()
            return bool(await asyncio.get_running_loop().create_future())

        task = asyncio.create_task(Sweeper([Sweep("hanging", hang)], idle()).run())
        await begun.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


class TestStopping:
    """The end is orderly."""

    async def test_finishes_the_piece_under_way_and_begins_no_more(self) -> None:
        """Even though there is more."""
        begun, go_on, done = asyncio.Event(), asyncio.Event(), []

        async def run(_: Work) -> bool:
            begun.set()
            await go_on.wait()
            done.append(True)
            return True

        running = Sweeper([Sweep("pieces", run)], idle())
        task = asyncio.create_task(running.run())
        await begun.wait()
        running.stop()
        go_on.set()
        await task

        assert done == [True]

    async def test_does_not_wait_for_the_next_time(self) -> None:
        """What sleeps is woken."""
        pieces = Pieces(False)
        async with sweeping(idle(), pieces.sweep()):
            await eventually(reaches(pieces, 1))

        assert pieces.done == 1


class Mute:
    """A way to the broker on which the first publish fails as nothing should."""

    def __init__(self, outbox: Outbox) -> None:
        """Nothing is published yet."""
        self.store = outbox.store
        self.published = 0

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Fail once."""
        self.published += 1
        if self.published == 1:
            raise LookupError("a bug")


@pytest.mark.servers
class TestTheEventsOfATransaction:
    """They are on their way while the next piece is worked on."""

    async def test_that_cannot_be_brought_out_fail_one_piece_only(self, harness: Harness) -> None:
        """The rows are in the outbox, whose sweep brings them; the work goes on."""
        work, mute = harness.work, Mute(harness.work.outbox)
        work.outbox = mute
        pieces = []

        async def run(work: Work) -> bool:
            pieces.append(True)
            async with work.publishing() as tx:
                tx.emit(Added(thing_id="A", note="A", total=1, version=1), Cause())
            return len(pieces) < 5

        async with sweeping(work, Sweep("pieces", run, NEVER)) as running:
            # The piece after it hears of it, and leaves its own rows to the outbox too.
            await eventually(lambda: mute.published >= 4)
            assert not running.stuck

        assert len(await rows(harness, "outbox")) == len(pieces)
