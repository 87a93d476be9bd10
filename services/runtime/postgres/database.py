"""Connections to a service's own Postgres database."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import asyncpg
import orjson
from asyncpg.connect_utils import SessionAttribute
from asyncpg.pool import PoolConnectionProxy
from pydantic import BaseModel

from contracts import hosts
from contracts.hosts import Url
from contracts.message import to_json
from services.runtime import telemetry
from services.runtime.decision import Room
from services.runtime.settings import ConfigurationError

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

PLANS = "SET jit = off"
ANY_PLAN = (
    f"{PLANS}; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_custom_plan"
)
"""What answers questions takes no processor from those who work; and plans each for its values: one
for any values, which is what Postgres takes after five times, reads the whole of a table for a rare
one."""
BY_KEY = f"{PLANS}; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
"""What a worker asks finds its rows by key, and so do its plans, whatever the statistics say: one
made while a table was new and empty would read the whole of it ever after."""

TRANSIENT = (
    *("08", "28", "3D", "40", "42501", "53", "57", "58"),
    *("25006", "25P03", "25P04", "55P03", "72000"),
)
"""How the SQLSTATE of a fault begins that is the server's, the operator's or the moment's: tried
again, never held against a message.  In order: the connection, the login, the database, a rollback,
a right, resources, an operator, the system; a server that only reads, the time-outs of an idle and
of a long transaction, a lock, a snapshot that is too old."""
TRANSIENT_OF_DRIVER = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.TargetServerAttributeNotMatched,
)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later without a change."""
    if isinstance(error, asyncpg.PostgresError) and str(error.sqlstate).startswith(TRANSIENT):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        # The driver raises its own class for wrong arguments too; those never heal.
        is_wrong = isinstance(error, ValueError)
        return not is_wrong and ("connection" in str(error) or "pool" in str(error))
    if type(error) is asyncpg.InternalClientError:
        # A session that the server has ended, used before the driver has noticed the end.
        return "cannot switch to state" in str(error)
    return isinstance(error, (OSError, *TRANSIENT_OF_DRIVER))


async def backoff(attempt: int) -> None:
    """Wait with full jitter, at most 5 s."""
    await asyncio.sleep(random.uniform(0, min(BACKOFF_CEILING, 0.05 * 2 ** min(attempt, 10))))


class Unavailable(ConnectionError):
    """Postgres does not answer; a bare OSError or TimeoutError would not say who."""


@contextmanager
def named(url: Url) -> Iterator[None]:
    """Let what the network raises while the block lasts say that it is about this database."""
    try:
        yield
    except OSError as error:
        text = f"Postgres at {hosts.place(url)} (database {hosts.name(url)}) does not answer"
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
    # Of the session itself: one that breaks leaves the pool, and what the pool gave out is empty.
    count_in = cast(Session, conn).count_in
    count_in(room)
    try:
        yield
    finally:
        count_in(None)


async def _prepare(connection: asyncpg.Connection, plans: str = PLANS) -> None:
    session = cast(Session, connection)
    session.count_in(None)
    # Not as parameters of the start, which poolers refuse.
    await session.execute(f"{plans}; SET lock_timeout = '{LOCK_TIMEOUT}'")
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode, decoder=session.decode, format="text"
        )
    await connection.prepare(ARRAYS)


def _encode(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


async def _leave(_: asyncpg.Connection) -> None:
    """No reset round trip: nothing of ours leaves session state on a pooled connection."""


READ_ONLY = ("default_transaction_read_only", "in_hot_standby")


async def _leave_writable(connection: asyncpg.Connection) -> None:
    """The same; a session whose server takes no more writes is ended, the next may find another."""
    told = connection.get_settings()
    if any(getattr(told, name, "off") == "on" for name in READ_ONLY):
        connection.terminate()


async def _open(
    url: Url,
    application: str,
    *_: object,
    writes: bool,
    connection_class: Any = Session,
    **more: Any,
) -> Session:
    """A connection to the first host that answers; one that writes needs one that does."""

    async def one(address: str) -> Session:
        opened: Session = await asyncpg.connect(
            address,
            server_settings={"application_name": application, "TimeZone": "UTC"},
            target_session_attrs=SessionAttribute.read_write if writes else None,
            connection_class=connection_class,
            **more,
        )
        return opened

    return await hosts.first(url, one)


def as_json(models: Iterable[BaseModel]) -> str:
    """Models as one JSON array, for json_populate_recordset: columns are named as on the wire."""
    return to_json([model.__dict__ for model in models]).decode()


@asynccontextmanager
async def pool(
    url: Url,
    application: str,
    size: int = 8,
    *,
    reads_all: bool = False,
    any_plan: bool = False,
) -> AsyncIterator[Pool]:
    """A pool whose connections speak JSON; statements are prepared once a connection.

    Those that a worker usually needs are made now.
    reads_all is for those who look through whole tables, as no worker does; any_plan for those who
    answer questions, which no one plan fits.
    """
    with named(url):
        made = await asyncpg.create_pool(
            min_size=min(size, 1 if reads_all else USUAL_SIZE),
            max_size=size,
            command_timeout=COMMAND_TIMEOUT,
            max_inactive_connection_lifetime=0,
            connection_class=Session,
            connect=partial(_open, url, application, writes=not reads_all),
            init=partial(_prepare, plans=PLANS if reads_all else ANY_PLAN if any_plan else BY_KEY),
            reset=_leave if reads_all else _leave_writable,
        )
    try:
        yield made
    finally:
        # What fails to close in time is cut off.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with asyncio.timeout(5):
                await made.close()


@asynccontextmanager
async def connect(url: Url, application: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection outside any pool, to look."""
    with named(url):
        connection = await _open(url, application, writes=False)
    try:
        await _prepare(connection)
        yield connection
    finally:
        await connection.close(timeout=5)


ABOUT = "SELECT current_database(), current_setting('server_encoding'), pg_backend_pid()"


@asynccontextmanager
async def checked(url: Url, application: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that can hold what workers write, in sessions that they can hold.

    Raises ConfigurationError where it is not such a one.
    """
    with named(url):
        connection = await _open(url, application, writes=True, statement_cache_size=0)
    try:
        with named(url):
            name, encoding, session = await _about(connection)
        if encoding != "UTF8":
            raise ConfigurationError(
                f"the database {name} is encoded in {encoding}, which cannot hold every text; make "
                f"it with CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
            )
        # A pooler names sessions by numbers of its own.
        if session != connection.get_server_pid() and await _is_shared(connection, url):
            raise ConfigurationError(
                f"the database {name} is reached through a pooler that shares sessions, which "
                "workers need for locks and prepared statements; "
                "set pool_mode = session there, or name Postgres itself in the URL"
            )
        yield connection
    finally:
        await connection.close(timeout=5)


async def _is_shared(connection: asyncpg.Connection, url: Url) -> bool:
    """Whether transactions of one connection run in several sessions, or in those of another."""
    other = await _open(url, "relais", writes=True, statement_cache_size=0)
    try:
        seen = {((await _about(connection))[2], (await _about(other))[2]) for _ in range(5)}
    finally:
        await other.close(timeout=5)
    return len(seen) > 1 or any(one == another for one, another in seen)


async def _about(connection: asyncpg.Connection) -> tuple[str, str, int]:
    async with connection.transaction():
        [(name, encoding, session)] = await connection.fetch(ABOUT)
    return name, encoding, session
