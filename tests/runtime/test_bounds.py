"""What a worker holds is bounded by bytes: those that come in, are loaded and are emitted."""

import pytest

from services.runtime.amqp.reader import Delivery
from services.runtime.decision import Room, TooMuch
from services.runtime.messages import intake
from services.runtime.messages.decider import Decider, Result
from services.runtime.messages.intake import Intake
from services.runtime.postgres import database
from services.runtime.service import Job, JobKind, Transaction, jobs
from services.runtime.tables import transaction
from services.runtime.tables.transaction import HELD_BYTES
from tests.harness import Harness
from tests.runtime import probe
from tests.runtime.given import HASTY, handle, item_of
from tests.runtime.probe import Add, Added, Hooks
from tests.runtime.then import notes, outbox_envelopes

PAD = 300_000


class TestWhatCameIn:
    """It is held back by its size until some of it has been begun."""

    def test_counts_with_its_headers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A message of a few bytes may bring a hundred thousand of headers."""
        monkeypatch.setattr(intake, "HELD_BYTES", 1_000_000)
        own = Intake(probe.service("probe", Hooks()))
        headers = b"\x00" * 100_000

        for tag in range(9):
            own.deliver(Delivery(tag, "lane", "ex", "key", {}, headers, b"{}", len(headers)))
        assert own.room.is_set()
        own.deliver(Delivery(9, "lane", "ex", "key", {}, headers, b"{}", len(headers)))

        assert not own.room.is_set()


@pytest.mark.servers
class TestWhatIsEmitted:
    """By the transaction of a batch."""

    async def test_is_divided_between_transactions_where_it_is_too_much(
        self, harness: Harness
    ) -> None:
        """Each message is decided once, in order, and no part emits more than fits."""
        adds = [Add(thing_id="A", note=str(n), pad="x" * PAD) for n in range(100)]
        parts: list[Result] = []

        async def hand_on(part: Result) -> None:
            parts.append(part)

        items = [item_of(harness, one) for one in adds]
        parts.append(await Decider(harness.service, harness.work, HASTY).decide(items, hand_on))

        assert await notes(harness) == [str(n) for n in range(100)]
        assert [id(item) for part in parts for item, _ in part.answers] == [id(i) for i in items]
        sizes = [sum(len(row.message.body) for row in part.rows) for part in parts]
        assert sum(sizes) > 100 * PAD
        assert max(sizes) <= HELD_BYTES

    async def test_of_a_message_alone_has_no_bound(
        self, harness: Harness, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It cannot be divided; its service bounds what one message may come to."""
        monkeypatch.setattr(transaction, "HELD_BYTES", 1_000)
        adds = [Add(thing_id="A", note=str(n), pad="x" * 2_000) for n in range(3)]

        await handle(harness, *(item_of(harness, one) for one in adds))

        assert hooks.batches == [3, 1, 1, 1]
        assert await notes(harness) == ["0", "1", "2"]


async def speak(tx: Transaction, job: Job, size: int) -> Job:
    """Emit a large event for each of the next so many."""
    reached = min((job.cursor or 0) + size, job.arguments["to"])
    for n in range(job.cursor or 0, reached):
        tx.emit(Added(thing_id="A", note=str(n), total=n, version=1, pad="x" * PAD), job.cause)
    return job.moved(reached, done=reached == job.arguments["to"])


SPEAK = JobKind("speak", speak)
LEAVE = """
INSERT INTO jobs (line, place, kind, state, counts, arguments, cause)
VALUES ('A', 1, $1, 'running', '{}', '{"to": 100}', '{}')
"""


@pytest.mark.servers
class TestAPieceOfAJob:
    """It takes as many rows as are small enough together."""

    async def test_is_smaller_where_its_rows_are_large(self, harness: Harness) -> None:
        """The whole is done, in pieces of which none emits more than fits."""
        await harness.pool.execute(LEAVE, SPEAK.name)
        sweeping, pieces = jobs.sweep([SPEAK]), 0

        while await sweeping.run(harness.work):
            pieces += 1

        said = [one.data["note"] for one in await outbox_envelopes(harness)]
        assert said == [str(n) for n in range(100)]
        assert pieces > 100 * PAD / HELD_BYTES


@pytest.mark.servers
class TestWhatIsRead:
    """By a connection that has so much room."""

    async def test_ends_where_there_is_no_room(self, database_url: str) -> None:
        """The connection goes on, and counts nothing once nobody asks."""
        asked = "SELECT to_jsonb(repeat('x', 1000)) AS value FROM generate_series(1, 100)"
        async with database.pool(database_url, "probe", size=1) as pool, pool.acquire() as conn:
            with database.reading(conn, Room(10_000)):
                assert len(await conn.fetch(f"{asked} LIMIT 9")) == 9
                with pytest.raises(TooMuch):
                    await conn.fetch(asked)
            assert len(await conn.fetch(asked)) == 100

    async def test_leaves_a_transaction_that_can_be_rolled_back(self, database_url: str) -> None:
        """As after any other failure."""
        async with database.pool(database_url, "probe", size=1) as pool, pool.acquire() as conn:
            with pytest.raises(TooMuch):
                await read_too_much(conn)
            assert await conn.fetchval("SELECT count(*) FROM journal") == 0

    async def test_leaves_the_fault_of_a_session_that_ended_as_it_is(
        self, database_url: str
    ) -> None:
        """A lost connection is transient, and so is what a worker makes of it."""
        async with database.pool(database_url, "probe", size=1) as pool:
            with pytest.raises(Exception) as ended:  # noqa: PT011 - the driver has many for it
                await end_within(pool)
            assert database.is_transient(ended.value), repr(ended.value)


async def end_within(pool: database.Pool) -> None:
    """Have the server end a session that is counted."""
    async with pool.acquire() as conn:
        with database.reading(conn, Room(10_000)):
            await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")


async def read_too_much(conn: database.Connection) -> None:
    """Write something, and read more than there is room for."""
    with database.reading(conn, Room(10)):
        async with conn.transaction():
            await conn.execute("INSERT INTO journal (thing_id, note) VALUES ('A', 'n')")
            await conn.fetch("SELECT to_jsonb(repeat('x', 1000))")
