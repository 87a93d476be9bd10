"""Prove from the services' own tables that no message was lost: what was emitted, was handled.

Each service stores what it has emitted, in runs of ids, and what it has handled, in its inbox.
The proof is the difference between the two, for every service that reads a type, id by id.
"""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import names
from services.cli.endpoints import Endpoints
from services.cli.problems import USAGE, Problem
from services.runtime.amqp import broker, topology
from services.runtime.postgres import database
from services.runtime.postgres.database import Pool, Row
from services.runtime.service import Service, installed

Services = Mapping[str, Service]

IDS_AT_ONCE = 20_000
ADDED_LATER = timedelta(minutes=10)
"""What is set up so long after the first service was added to a running installation."""
SETTLED = timedelta(minutes=1)
"""By then the queues of a service that was added are bound."""
LISTED = 1_000
"""Missing messages that are listed by id; all are counted."""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Missing:
    """A message that its sender has emitted and a reader has not handled."""

    sender: str
    reader: str
    type: str
    id: str


@dataclass(slots=True)
class Standing:
    """The counts of one service: what it emitted and handled, and what is not done yet."""

    emitted: int = 0
    handled: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    outbox: int = 0
    waiting: int = 0
    queued: int = 0
    parked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing here and nothing is left to be done."""
        return not (self.missing or self.outbox or self.waiting or self.queued)


@dataclass(slots=True)
class Proof:
    """The counts of every service since a moment; missing lists the first missing messages."""

    since: datetime
    services: dict[str, Standing]
    missing: list[Missing] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every message was handled once, refused or parked, by all who read it."""
        return all(standing.is_complete for standing in self.services.values())


def as_dict(found: Proof) -> dict[str, Any]:
    """A proof as plain values."""
    services = {name: asdict(standing) for name, standing in found.services.items()}
    missing = [asdict(one) for one in found.missing]
    return {"ok": found.ok, "since": found.since, "services": services, "missing": missing}


def moment(text: str, now: datetime | None = None) -> datetime:
    """The start of a window: a time ago such as 30m, or an RFC 3339 time."""
    now = now or datetime.now(UTC)
    try:
        if ago := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text):
            found = now - timedelta(**{UNITS[ago[2]]: float(ago[1])})
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        found = datetime.min
    if found.tzinfo is None or found > now:
        raise Problem(
            f"--since {text!r} must be a time ago, such as 90s, 30m, 24h or 7d, "
            "or a past time with its offset, such as 2026-11-23T09:00:00Z",
            USAGE,
        )
    return found


async def prove(stack: Endpoints, since: datetime, wait: float) -> Proof:
    """The proof; messages on their way get so many seconds to arrive."""
    services = installed()
    until = time.monotonic() + wait
    async with AsyncExitStack() as opened:
        pools = {
            name: await opened.enter_async_context(
                database.pool(stack.postgres[name], "relais proof", size=2, reads_all=True)
            )
            for name in services
        }
        while True:
            found = await compare(services, pools, since)
            await _count_queued(found, services, stack.amqp_url)
            if found.ok or time.monotonic() > until:
                return found
            await asyncio.sleep(0.3)


async def compare(services: Services, pools: Mapping[str, Pool], since: datetime) -> Proof:
    """The counts in the tables, right now."""
    standings = {name: await _standing(pool, since) for name, pool in pools.items()}
    found = Proof(since, standings)
    begun = await _begun(pools)
    for sender in services:
        async for runs in _emitted(pools[sender], since):
            standings[sender].emitted += sum(run["count"] for run in runs)
            await _check(found, sender, runs, services, pools, begun)
    return found


BEGUN = "SELECT min(applied_at) FROM schema_migrations"


async def _begun(pools: Mapping[str, Pool]) -> dict[str, datetime]:
    """From when on each service reads: one that was added later got its copies by snapshots."""
    made = {name: await pool.fetchval(BEGUN) for name, pool in pools.items()}
    first = min(made.values())
    return {
        name: at + SETTLED if at > first + ADDED_LATER else datetime.min.replace(tzinfo=UTC)
        for name, at in made.items()
    }


async def _count_queued(found: Proof, services: Services, amqp_url: str) -> None:
    """Add what the broker still holds for each service."""
    async with broker.connected(amqp_url, "relais proof") as connection:
        for name, service in services.items():
            every = topology.Reader(name, frozenset(), frozenset(), lanes=0)
            queues = [*await topology.surplus(connection, every), names.dead(name), *service.drains]
            async with connection.channel() as channel:
                declared = [await channel.declare_queue(queue, passive=True) for queue in queues]
            counts = [queue.declaration_result.message_count or 0 for queue in declared]
            found.services[name].queued = sum(counts)


HANDLED = "SELECT outcome, count(*) AS count FROM inbox WHERE received_at >= $1 GROUP BY outcome"
PARKED = """
SELECT number, reason, type, source, id, error FROM kept WHERE kind = 'parked' ORDER BY number
"""
LEFT = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM kept WHERE kind = 'waiting') AS waiting
"""


async def _standing(pool: Pool, since: datetime) -> Standing:
    left = await pool.fetchrow(LEFT)
    assert left is not None
    return Standing(
        handled={row["outcome"]: row["count"] for row in await pool.fetch(HANDLED, since)},
        outbox=left["outbox"],
        waiting=left["waiting"],
        parked=[dict(row) for row in await pool.fetch(PARKED)],
    )


EMITTED = "SELECT run, type, count, at FROM emitted WHERE at >= $1"


async def _emitted(pool: Pool, since: datetime) -> AsyncIterator[list[Row]]:
    """What a service has emitted, in portions of about so many ids."""
    portion: list[Row] = []
    ids = 0
    async with pool.acquire() as conn, conn.transaction():
        async for run in conn.cursor(EMITTED, since, prefetch=5_000):
            portion.append(run)
            ids += run["count"]
            if ids >= IDS_AT_ONCE:
                yield portion
                portion, ids = [], 0
    if portion:
        yield portion


async def _check(
    found: Proof,
    sender: str,
    runs: Sequence[Row],
    services: Services,
    pools: Mapping[str, Pool],
    begun: Mapping[str, datetime],
) -> None:
    """Add what the readers of these runs lack."""
    by_type: dict[str, list[Row]] = defaultdict(list)
    for run in runs:
        by_type[run["type"]].append(run)
    for reader, service in services.items():
        read = [
            run
            for kind, those in by_type.items()
            if kind in service.routes
            for run in those
            if run["at"] >= begun[reader]
        ]
        for row in await _lacking(pools[reader], sender, read):
            found.services[reader].missing += 1
            if len(found.missing) < LISTED:
                found.missing.append(Missing(sender, reader, row["type"], row["id"]))


LACKING = """
SELECT m.type, m.id
FROM (SELECT r.type, r.run || '-' || n AS id
      FROM unnest($2::text[], $3::text[], $4::int[]) AS r (run, type, count)
      CROSS JOIN LATERAL generate_series(0, r.count - 1) AS n) m
WHERE NOT EXISTS (SELECT FROM inbox i WHERE i.source = $1 AND i.id = m.id)
  AND NOT EXISTS (SELECT FROM kept k WHERE k.source = $1 AND k.id = m.id)
"""


async def _lacking(pool: Pool, sender: str, runs: Sequence[Row]) -> list[Row]:
    """The messages of these runs that a reader has neither handled nor parked."""
    if not runs:
        return []
    return await pool.fetch(
        LACKING,
        names.source(sender),
        [run["run"] for run in runs],
        [run["type"] for run in runs],
        [run["count"] for run in runs],
    )
