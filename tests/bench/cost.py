"""What one small cancel costs a whole stack: statements, transactions and publishes.

Postgres writes every statement into its log for that time, so BEGIN and COMMIT count as well.
What the stack does while nothing happens is measured before, and taken off by the second.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.bench import canceling, installation
from tests.bench.canceling import Harness
from tests.bench.checkouts import Checkout
from tests.bench.place import Place
from tests.bench.relay import relay

IDLE_SECONDS = 5.0
REST_SECONDS = 1.0
"""After the last cancel, for what follows its completion."""

COMMIT = re.compile(r"(?i)commit\b")
LOGGED = re.compile(r"bench\|([^|]*)\|([^|]*)\|LOG:  (?:statement|execute [^:]*): ?")
LOGGING = {
    "log_statement": "all",
    "log_line_prefix": "bench|%d|%a|",
    "log_parameter_max_length": "0",
}

Statements = Counter[str]
"""Texts of statements, and how often each was executed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one cancel; messages travel in publishes, which are writes to the broker."""

    statements: float
    transactions: float
    publishes: float
    messages: float


@dataclass
class Publishes:
    """What workers have published so far."""

    writes: int = 0
    messages: int = 0

    def connection(self) -> "Frames":
        """Watch a connection more."""
        return Frames(self)


@dataclass
class Frames:
    """Finds the messages in what one connection sends; each write comes as one piece."""

    counted: Publishes
    _rest: bytearray = field(default_factory=bytearray)

    def __call__(self, data: bytes) -> None:
        """Take the next piece."""
        self._rest += data
        if self._rest.startswith(b"AMQP"):
            del self._rest[:8]
        messages, at = 0, 0
        while len(self._rest) >= at + 7:
            end = at + 7 + int.from_bytes(self._rest[at + 3 : at + 7]) + 1
            if len(self._rest) < end:
                break
            messages += self._rest[at] == 1 and self._rest[at + 7 : at + 11] == BASIC_PUBLISH
            at = end
        del self._rest[:at]
        self.counted.messages += messages
        self.counted.writes += messages > 0


BASIC_PUBLISH = b"\x00\x3c\x00\x28"


def is_countable(here: Place) -> bool:
    """Whether Postgres is ours: the log of another server cannot be read."""
    return _log(here).is_file()


def _log(here: Place) -> Path:
    return here.state / "servers/postgres.log"


async def small_cancel(here: Place, checkout: Checkout, cancels: int, entities: int) -> Cost:
    """The cost of one cancel of a package with an order of each of so many entities."""
    published = Publishes()
    async with (
        installation.databases(here, checkout) as one,
        relay(here.amqp_url, watch=published.connection) as amqp_url,
        canceling.running(one, entities=entities, mailboxes=1, by_way_of=amqp_url) as harness,
    ):
        first, *packages = await harness.publish([harness.entities] * (cancels + 1))
        await harness.seed_orders([first, *packages], entities)
        await harness.cancel(first)
        async with logging_statements(here):
            idle, idle_writes = await _idle(harness, published)
            return await _canceled(harness, published, packages, idle, idle_writes)


async def _idle(harness: Harness, published: Publishes) -> tuple[Statements, float]:
    """What is done in a second while nothing happens; statements of so many seconds."""
    await asyncio.sleep(REST_SECONDS)
    log, writes = Log(harness), published.writes
    await asyncio.sleep(IDLE_SECONDS)
    return log.read(), (published.writes - writes) / IDLE_SECONDS


async def _canceled(
    harness: Harness,
    published: Publishes,
    packages: Sequence[str],
    idle: Statements,
    idle_writes: float,
) -> Cost:
    log, before, began = Log(harness), (published.writes, published.messages), time.monotonic()
    for package_id in packages:
        await harness.cancel(package_id)
    await asyncio.sleep(REST_SECONDS)
    seconds, count = time.monotonic() - began, len(packages)
    found = without(log.read(), idle, seconds / IDLE_SECONDS)
    writes = published.writes - before[0] - idle_writes * seconds
    return Cost(
        statements=sum(found.values()) / count,
        transactions=sum(n for text, n in found.items() if COMMIT.match(text)) / count,
        publishes=writes / count,
        messages=(published.messages - before[1]) / count,
    )


def without(found: Statements, idle: Statements, share: float) -> dict[str, float]:
    """Take off what so large a share of the idle time explains, statement by statement."""
    return {text: max(count - idle[text] * share, 0.0) for text, count in found.items()}


class Log:
    """What Postgres logs of the statements of one installation's workers from now on."""

    def __init__(self, harness: Harness) -> None:
        """Begin at the end of the log."""
        self._path = _log(harness.here)
        self._prefix = f"{harness.one.prefix}_"
        self._begin = self._path.stat().st_size

    def read(self) -> Statements:
        """The statements since then."""
        with self._path.open(errors="replace") as log:
            log.seek(self._begin)
            return statements(log.read(), self._prefix)


def statements(text: str, prefix: str) -> Statements:
    """The statements in a log, without those of other databases and of ourselves."""
    found: Statements = Counter()
    for entry in re.split(r"^(?=bench\|)", text, flags=re.MULTILINE):
        logged = LOGGED.match(entry)
        if logged and logged[1].startswith(prefix) and logged[2] not in OURSELVES:
            found[" ".join(entry[logged.end() :].split())] += 1
    return found


OURSELVES = ("", "relais demo")
"""Who is no worker; the benches' own connections have no name."""


@asynccontextmanager
async def logging_statements(here: Place) -> AsyncIterator[None]:
    """Have Postgres log every statement while the block lasts."""
    await _configure(here, [f"ALTER SYSTEM SET {name} = '{v}'" for name, v in LOGGING.items()])
    try:
        yield
    finally:
        await _configure(here, [f"ALTER SYSTEM RESET {name}" for name in LOGGING])


async def _configure(here: Place, changes: Sequence[str]) -> None:
    conn = await asyncpg.connect(here.servers.postgres_url)
    try:
        for change in [*changes, "SELECT pg_reload_conf()"]:
            await conn.execute(change)
    finally:
        await conn.close()
    # Sessions read it before their next statement; nothing says when all of them have.
    await asyncio.sleep(REST_SECONDS / 2)
