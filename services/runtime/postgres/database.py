"""Connections to a service's own Postgres database."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy
from pydantic import BaseModel

from contracts.message import to_json
from services.runtime import telemetry
from services.runtime.decision import Room

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection | PoolConnectionProxy
    Pool = asyncpg.Pool
Row = asyncpg.Record

T = TypeVar("T")

Locked = asyncpg.LockNotAvailableError
"""Another session holds a lock for longer than it was waited for."""

COMMAND_TIMEOUT = 60.0
LOCK_TIMEOUT = "2s"
"""How long a statement waits for a lock; a batch or a piece of ours holds one for much less."""
BACKOFF_CEILING = 5.0
USUAL_SIZE = 4
"""The connections that a worker has at work under load: a batch, a publish, two sweeps."""

BY_KEY = dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off")
"""What a worker asks finds its rows by key, and so do its plans, whatever the statistics say: one
made while a table was new and empty would read the whole of it ever after."""

TRANSIENT = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
)
"""Faults of the other side or of the moment: tried again, never held against a message."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later without a change."""
    if isinstance(error, asyncpg.InterfaceError):
        # The driver raises its own class for wrong arguments too; those never heal.
        return "connection" in str(error) or "pool" in str(error)
    if isinstance(error, asyncpg.InternalClientError):
        # A session that the server has ended, used before the driver has noticed the end.
        return "cannot switch to state" in str(error)
    return isinstance(error, TRANSIENT)


async def backoff(attempt: int) -> None:
    """Wait with full jitter, at most 5 s."""
    await asyncio.sleep(random.uniform(0, min(BACKOFF_CEILING, 0.05 * 2 ** min(attempt, 10))))


class Unavailable(ConnectionError):
    """Postgres does not answer; a bare OSError or TimeoutError would not say who."""


@contextmanager
def named(url: str) -> Iterator[None]:
    """Let what the network raises while the block lasts say that it is about this database."""
    try:
        yield
    except OSError as error:
        place, database = urlsplit(url).netloc.rpartition("@")[2], urlsplit(url).path.lstrip("/")
        text = f"Postgres at {place} (database {database}) does not answer"
        raise Unavailable(f"{text}: {str(error) or 'no answer'}") from error


class Conflict(ConnectionError):
    """Another worker committed the same first; decide again."""


async def attempt(what: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do work once; a transient fault is logged, and is no reason to stop."""
    try:
        await work()
    except Exception as error:
        if not is_transient(error):
            raise
        telemetry.fault(what, 1, error)


async def persist(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do work until it no longer fails for a transient reason."""
    with telemetry.Wait("Postgres", what) as wait:
        while True:
            try:
                return await work()
            except Exception as error:
                if not is_transient(error):
                    raise
                await backoff(wait.failed(error))


# The driver asks the server for each type of array once a connection, which takes 10 ms or more:
# not while a command waits.
ARRAYS = """
SELECT NULL::text[], NULL::smallint[], NULL::int[], NULL::bigint[], NULL::boolean[],
       NULL::bytea[], NULL::jsonb[], NULL::timestamptz[]
"""


class Session(asyncpg.Connection):
    """A connection that counts the JSON it reads: what else a row may have is small by its kind.

    Where there is no room for a value, the driver raises TooMuch and drops the rows that follow.
    """

    __slots__ = ("_room",)

    def count_in(self, room: Room | None) -> None:
        """Count what is read from now on, or with None nothing."""
        self._room = room

    def decode(self, text: str) -> Any:
        """Read one value."""
        if self._room is not None:
            self._room.take(len(text))
        return orjson.loads(text)


@contextmanager
def reading(conn: Connection, room: Room) -> Iterator[None]:
    """Count what this connection reads while the block lasts."""
    session = cast(Session, conn)
    session.count_in(room)
    try:
        yield
    finally:
        session.count_in(None)


async def _prepare(connection: asyncpg.Connection) -> None:
    session = cast(Session, connection)
    session.count_in(None)
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode, decoder=session.decode, format="text"
        )
    await connection.prepare(ARRAYS)


def _encode(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


async def _leave(_: asyncpg.Connection) -> None:
    """No reset round trip: nothing of ours leaves session state on a pooled connection."""


def _named(application: str) -> dict[str, str]:
    return {"application_name": application, "TimeZone": "UTC"}


def as_json(models: Iterable[BaseModel]) -> str:
    """Models as one JSON array, for json_populate_recordset: columns are named as on the wire."""
    return to_json([model.__dict__ for model in models]).decode()


@asynccontextmanager
async def pool(
    url: str, application: str, size: int = 8, *, reads_all: bool = False
) -> AsyncIterator[Pool]:
    """A pool whose connections speak JSON; statements are prepared once a connection.

    Those that a worker usually needs are made now.
    reads_all is for those who look through whole tables, as no worker does.
    """
    with named(url):
        made = await asyncpg.create_pool(
            url,
            min_size=min(size, 1 if reads_all else USUAL_SIZE),
            max_size=size,
            command_timeout=COMMAND_TIMEOUT,
            max_inactive_connection_lifetime=0,
            connection_class=Session,
            init=_prepare,
            reset=_leave,
            server_settings={
                **_named(application),
                "jit": "off",
                "lock_timeout": LOCK_TIMEOUT,
                **({} if reads_all else BY_KEY),
            },
        )
    try:
        yield made
    finally:
        # What fails to close in time is cut off.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with asyncio.timeout(5):
                await made.close()


@asynccontextmanager
async def connect(url: str, application: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection outside any pool, such as for a session lock."""
    with named(url):
        connection = await asyncpg.connect(
            url, timeout=10, connection_class=Session, server_settings=_named(application)
        )
        await _prepare(connection)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)
