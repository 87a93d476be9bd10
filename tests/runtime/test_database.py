"""Which faults of the database heal by themselves, and how it is spoken to."""

import socket
from datetime import UTC, datetime

import asyncpg
import pytest
from pydantic import BaseModel

from services.runtime.amqp.isolation import PublishFailed
from services.runtime.postgres import database
from services.runtime.postgres.database import Conflict, as_json, is_transient, persist


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

    async def test_keep_no_state_of_a_session(self, database_url: str) -> None:
        """A connection that goes back in the middle of a transaction is clean."""
        async with database.pool(database_url, "probe", size=1) as pool:
            async with pool.acquire() as conn:
                await conn.execute("BEGIN; INSERT INTO journal (thing_id, note) VALUES ('A', '1')")
            async with pool.acquire() as conn:
                assert not conn.is_in_transaction()
                assert await conn.fetchval("SELECT count(*) FROM journal") == 0
