"""Which worker takes which lane, without heartbeats and without a coordinator.

A worker holds the lowest free slot of its service, a session lock in the service's database.
The slot alone says how high the worker stands on each lane; the broker does the rest.
"""

from collections.abc import Collection
from contextlib import suppress

import asyncpg
import structlog
from asyncpg.connect_utils import SessionAttribute

from contracts import hosts
from services.runtime import telemetry

log = structlog.get_logger()

SLOTS = 4096
FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
TAKES_NO_WRITES = "SHOW transaction_read_only"
TRY_SLOT = "SELECT pg_try_advisory_lock(hashtext('relais.slot'), $1)"


def priorities(slot: int, lanes: int) -> list[int]:
    """The consumer priority of a slot on each lane: slot + 1 where it is dealt the lane, else 0.

    Slots are dealt one at a time: slot 0 takes every lane, and slot s then takes
    floor(lanes / (s + 1)) from those that hold most.
    """
    taken = list(range(lanes))
    held = [taken[:]]
    for dealt in range(1, slot + 1):
        taken = [max(held, key=len).pop() for _ in range(lanes // (dealt + 1))]
        held.append(taken[:])
    return [slot + 1 if lane in taken else 0 for lane in range(lanes)]


def taken(slot: int, slots: Collection[int], lanes: int) -> list[int]:
    """The lanes that a slot has while these are held: the broker prefers the highest priority."""
    dealt = {one: priorities(one, lanes) for one in {slot, *slots}}
    return [n for n in range(lanes) if max(dealt, key=lambda one: (dealt[one][n], -one)) == slot]


HELD = """
SELECT objid::bigint AS slot FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid = hashtext('relais.slot')::oid
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY slot
"""


async def held(pool: asyncpg.Pool) -> list[int]:
    """The slots that are held."""
    return [row["slot"] for row in await pool.fetch(HELD)]


# The sessions end; each worker notices within a second, and deals its lanes again.
FREE_SLOTS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1
"""


def slot_name(service: str) -> str:
    """How the session that holds a slot is called in its database."""
    return f"relais {service} slot"


async def deal_again(url: str, service: str) -> int:
    """Let the running workers of a service look again which lanes there are; how many they are."""
    conn = await asyncpg.connect(url, timeout=10)
    try:
        return int(await conn.fetchval(FREE_SLOTS, slot_name(service)))
    finally:
        await conn.close()


class Slot:
    """The lowest free slot, held as long as its database session lives."""

    def __init__(self, url: hosts.Url, application: str) -> None:
        self._url = url
        self._application = application
        self._conn: asyncpg.Connection | None = None
        self._number = 0

    async def take(self) -> int:
        """The slot held, taken again if the session that held it has gone."""
        if self.is_held:
            return self._number
        conn = await hosts.first(self._url, self._connect)
        try:
            self._number = await _lowest_free(conn)
        except BaseException:
            conn.terminate()
            raise
        self._conn = conn
        telemetry.SLOT.set(self._number)
        log.info("slot_taken", slot=self._number)
        return self._number

    @property
    def number(self) -> int:
        """The slot that was taken last."""
        return self._number

    async def _connect(self, url: str) -> asyncpg.Connection:
        named = {"application_name": self._application}
        writes = SessionAttribute.read_write
        return await asyncpg.connect(url, server_settings=named, target_session_attrs=writes)

    @property
    def is_held(self) -> bool:
        """Whether the session that holds the slot is alive, as far as we know."""
        return self._conn is not None and not self._conn.is_closed()

    async def look(self) -> bool:
        """Ask whether the session is alive and its server takes writes, as those of the others."""
        if self._conn is not None:
            with suppress(*FAULTS):
                if await self._conn.fetchval(TAKES_NO_WRITES, timeout=10) == "off":
                    return True
            self._conn.terminate()
        return False

    async def release(self) -> None:
        """Let another worker have it."""
        if self._conn is not None:
            # A session that does not end in time is cut off.
            with suppress(TimeoutError, OSError, asyncpg.PostgresError):
                await self._conn.close(timeout=2)


async def _lowest_free(conn: asyncpg.Connection) -> int:
    for number in range(SLOTS):
        if await conn.fetchval(TRY_SLOT, number):
            return number
    raise RuntimeError(f"all {SLOTS} slots are taken")
