"""Which faults of the database heal by themselves, and how it is spoken to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import token_hex

import asyncpg
import asyncpg.exceptions
import pytest
from pydantic import BaseModel

from services.runtime.amqp.isolation import PublishFailed
from services.runtime.postgres import database, migrate
from services.runtime.postgres.database import Conflict, as_json, is_transient, persist
from services.runtime.settings import ConfigurationError
from tests.conftest import on_server
from tests.eventually import eventually
from tests.runtime.conftest import execute

ERRORS = sorted(
    {
        kind
        for module in (asyncpg, asyncpg.exceptions._base)
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, Warning | asyncpg.PostgresLogMessage)
    },
    key=lambda kind: kind.__name__,
)


class TestATransientFault:
    """The same work may succeed later without a change."""

    @pytest.mark.parametrize(
        "error",
        [
            ConnectionRefusedError(),
            ConnectionResetError(),
            socket.gaierror(-2, "Name or service not known"),
            TimeoutError(),
            asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
            asyncpg.InterfaceError("connection is closed"),
            asyncpg.InterfaceError("cannot call Transaction.start(): the underlying connection"),
            asyncpg.InterfaceError("pool is closing"),
            asyncpg.DeadlockDetectedError("deadlock detected"),
            asyncpg.SerializationError("could not serialize access"),
            asyncpg.AdminShutdownError("terminating connection due to administrator command"),
            asyncpg.CrashShutdownError("terminating connection because of crash"),
            asyncpg.CannotConnectNowError("the database system is starting up"),
            asyncpg.TooManyConnectionsError("sorry, too many clients already"),
            asyncpg.DiskFullError("could not extend file"),
            asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
            asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
            asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
            asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"),
            asyncpg.TransactionTimeoutError("terminating connection due to transaction timeout"),
            asyncpg.InvalidPasswordError("password authentication failed"),
            asyncpg.TargetServerAttributeNotMatched("None of the hosts match"),
            asyncpg.InvalidCachedStatementError("cached plan must not change result type"),
            Conflict("another worker was first"),
            PublishFailed("gone"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_is_one_of_the_other_side_or_of_the_moment(self, error: Exception) -> None:
        """It is tried again, and never held against a message."""
        assert is_transient(error)

    @pytest.mark.parametrize(
        "error",
        [
            KeyError("a bug"),
            ValueError("a bug"),
            asyncpg.UniqueViolationError("duplicate key value"),
            asyncpg.NotNullViolationError("null value in column"),
            asyncpg.UndefinedTableError("relation does not exist"),
            asyncpg.CharacterNotInRepertoireError("invalid byte sequence"),
            asyncpg.InterfaceError("the server expects 3 arguments for this query, 2 were passed"),
        ],
        ids=lambda error: f"{type(error).__name__} {error}",
    )
    def test_is_no_bug(self, error: Exception) -> None:
        """Trying it for ever would hold every other message up."""
        assert not is_transient(error)

    @pytest.mark.servers
    async def test_is_not_a_value_that_no_column_takes(self, database_url: str) -> None:
        """As the driver says it, whatever words the value has."""
        async with database.connect(database_url, "probe") as conn:
            with pytest.raises(asyncpg.DataError) as caught:
                await conn.fetch("SELECT $1::int[]", ["connection to a swimming pool"])

        assert not is_transient(caught.value)


PASSING = {
    "08": "the connection",
    "28": "the login, which an operator may be changing",
    "3D": "a database that is away",
    "40": "a rollback",
    "53": "resources",
    "57": "an operator, a shutdown, a start",
    "58": "the system of the server",
    "72": "a snapshot that is too old",
}
LASTING = {
    *("01", "02", "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23"),
    *("24", "25", "26", "27", "2B", "2D", "2F", "34", "38", "39", "3B", "3F", "42", "44", "54"),
    *("55", "F0", "HV", "P0", "XX"),
}
PASSING_OF_LASTING = {
    "25006": "a server that only reads, such as one that was the primary",
    "25P03": "a transaction that was idle for too long",
    "25P04": "a transaction that took too long",
    "42501": "a right that is missing",
    "55P03": "a lock that is held",
}
OF_DRIVER = {
    "InvalidCachedStatementError": True,
    "OutdatedSchemaCacheError": True,
    "TargetServerAttributeNotMatched": True,
    "ClientConfigurationError": False,
    "DataError": False,
    "FatalPostgresError": False,
    "InterfaceError": False,
    "InternalClientError": False,
    "PostgresError": False,
    "ProtocolError": False,
    "UnknownPostgresError": False,
    "UnsupportedClientFeatureError": False,
    "UnsupportedServerFeatureError": False,
}


class TestEveryFaultOfTheDriver:
    """Each is decided on purpose; one that a new release adds is to be."""

    @pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
    def test_is_decided_by_the_class_of_its_state(self, kind: type[Exception]) -> None:
        """Those that the driver makes itself are decided by name."""
        state = getattr(kind, "sqlstate", None)
        if kind.__name__ in OF_DRIVER or not state:
            expected = OF_DRIVER[kind.__name__]
        else:
            assert (state[:2] in PASSING) != (state[:2] in LASTING)
            expected = state[:2] in PASSING or state in PASSING_OF_LASTING
        assert is_transient(kind("connect")) == expected

    def test_that_the_driver_does_not_know_is_too(self) -> None:
        """A newer server has states that it has no class for."""
        error = asyncpg.UnknownPostgresError("something new")
        error.sqlstate = "57P09"  # type: ignore[misc]

        assert is_transient(error)


class TestPersisting:
    """Work is done until it no longer fails for a transient reason."""

    async def test_goes_on_through_transient_faults(self) -> None:
        """However many."""
        faults = [ConnectionResetError()] * 20

        async def work() -> str:
            if faults:
                raise faults.pop()
            return "done"

        assert await persist("work", work) == "done"

    async def test_ends_with_any_other(self) -> None:
        """It is for the caller to deal with."""

        async def work() -> None:
            raise KeyError("a bug")

        with pytest.raises(KeyError):
            await persist("work", work)


class Row(BaseModel):
    """A row as a model."""

    id: str
    at: datetime | None
    more: dict[str, object]


@pytest.mark.servers
class TestValues:
    """Models go in as one JSON parameter, JSON comes out as objects."""

    async def test_go_in_and_come_out_as_they_were(self, database_url: str) -> None:
        """Times with their microseconds, texts in every script, nothing as null."""
        at = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
        models = [Row(id="é🗝", at=at, more={"a": [1, None]}), Row(id="b", at=None, more={})]
        async with database.pool(database_url, "probe") as pool:
            rows = await pool.fetch(
                "SELECT * FROM json_to_recordset($1::text::json)"
                " AS r (id text, at timestamptz, more jsonb)",
                as_json(models),
            )

        assert [Row.model_validate(dict(row)) for row in rows] == models

    async def test_know_the_types_of_arrays_from_the_start(self, database_url: str) -> None:
        """A command does not wait until the driver has asked for them, on no connection."""
        asked: list[str] = []
        async with database.pool(database_url, "probe", size=1) as pool, pool.acquire() as conn:
            conn.add_query_logger(lambda record: asked.append(record.query))
            await conn.fetch("SELECT $1::text[], $2::bytea[], $3::jsonb[]", ["a"], [b"b"], [{}])
            await conn.fetch("SELECT 'looked at'")
            await eventually(lambda: any("looked at" in query for query in asked))

        assert not [query for query in asked if "typeinfo" in query]

    async def test_go_only_where_they_can_be_written(self, database_url: str) -> None:
        """A session whose server has come to read only is not used again."""
        async with database.pool(database_url, "probe", size=1) as pool:
            async with pool.acquire() as conn:
                before = await conn.fetchval("SELECT pg_backend_pid()")
                await conn.execute("SET default_transaction_read_only = on")

            await pool.execute("INSERT INTO journal (thing_id, note) VALUES ('A', '1')")

            assert await pool.fetchval("SELECT pg_backend_pid()") != before

    async def test_keep_no_state_of_a_session(self, database_url: str) -> None:
        """A connection that goes back in the middle of a transaction is clean."""
        async with database.pool(database_url, "probe", size=1) as pool:
            async with pool.acquire() as conn:
                await conn.execute("BEGIN; INSERT INTO journal (thing_id, note) VALUES ('A', '1')")
            async with pool.acquire() as conn:
                assert not conn.is_in_transaction()
                assert await conn.fetchval("SELECT count(*) FROM journal") == 0


@pytest.mark.servers
class TestADatabaseForWorkers:
    """It can hold what they write, in sessions that are theirs; else they are told so at once."""

    async def test_is_in_utf_8(self, postgres_url: str) -> None:
        """Another encoding takes most texts, and fails at the first that it has no letter for."""
        async with made(postgres_url, "ENCODING 'LATIN1' LOCALE 'C'") as url:
            with pytest.raises(ConfigurationError, match=r"is encoded in LATIN1.* ENCODING 'UTF8'"):
                await migrate.apply(url, [])

    @pytest.mark.parametrize(
        "session", ["random() * 1e9", "42"], ids=["of several", "of another connection"]
    )
    async def test_gives_each_connection_a_session(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch, session: str
    ) -> None:
        """A pooler may give each transaction one that is free."""
        answer_as_session(monkeypatch, session)

        with pytest.raises(ConfigurationError, match="pool_mode = session"):
            async with database.checked(database_url, "probe"):
                pass

    async def test_may_be_behind_a_pooler_of_sessions(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which names the sessions by numbers of its own, but does not share them."""
        answer_as_session(monkeypatch, "pg_backend_pid() + 1")

        async with database.checked(database_url, "probe") as conn:
            assert await conn.fetchval("SELECT 1") == 1

    async def test_is_asked_for_nothing_that_a_pooler_refuses(self) -> None:
        """Pgbouncer takes these parameters alone at the start of a connection."""
        asked: set[str] = set()
        async with recording_starts(asked) as url:
            for opened in (database.pool(url, "probe"), database.checked(url, "probe")):
                with pytest.raises((asyncpg.PostgresError, OSError)):
                    await opened.__aenter__()

        assert asked >= {"user", "database"}
        assert asked <= {"user", "database", "client_encoding", "TimeZone", "application_name"}

    async def test_is_read_by_key_all_the_same(self, database_url: str) -> None:
        """The planner is told after the start."""
        async with database.pool(database_url, "probe", size=1) as pool:
            assert await pool.fetchval("SHOW enable_seqscan") == "off"
        async with database.pool(database_url, "probe", size=1, reads_all=True) as pool:
            assert await pool.fetchval("SHOW enable_seqscan") == "on"
            assert await pool.fetchval("SHOW jit") == "off"


def answer_as_session(monkeypatch: pytest.MonkeyPatch, session: str) -> None:
    """Let every session have the number that this expression gives."""
    about = database.ABOUT.replace("pg_backend_pid()", f"({session})::int")
    monkeypatch.setattr(database, "ABOUT", about)


@asynccontextmanager
async def recording_starts(asked: set[str]) -> AsyncIterator[str]:
    """A server that ends each connection once it has recorded the parameters of its start."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (size := int.from_bytes(await reader.readexactly(4))) == 8:
            # The question for TLS, which is no start.
            await reader.readexactly(4)
            writer.write(b"N")
        start = await reader.readexactly(size - 4)
        asked.update(name.decode() for name in start[4:].rstrip(b"\0").split(b"\0")[::2])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"postgresql://u:p@127.0.0.1:{server.sockets[0].getsockname()[1]}/d"


@asynccontextmanager
async def made(postgres_url: str, options: str) -> AsyncIterator[str]:
    """A database of its own kind, while the block lasts."""
    name = f"d_probe_{token_hex(6)}"
    await execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE template0 {options}")
    try:
        yield on_server(postgres_url, name)
    finally:
        await execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")
