"""Deletes what is older than anybody asks for: handled messages, emitted runs, attempts."""

from collections.abc import Awaitable
from datetime import timedelta

from services.runtime.postgres.database import Pool
from services.runtime.tables.sweeper import Sweep
from services.runtime.tables.transaction import Work

CHUNK = 5_000

# Arrays, not joins: with statistics that are behind, a join of a chunk with its table took minutes.
# A row whose message is still parked stays: a retry must find what was answered.
CLEAN_INBOX = """
DELETE FROM inbox
WHERE ctid = ANY (ARRAY(
    SELECT i.ctid FROM inbox i
    WHERE i.received_at < now() - $1::interval
      AND NOT EXISTS (SELECT 1 FROM kept k WHERE k.source = i.source AND k.id = i.id)
    ORDER BY i.received_at LIMIT $2))
"""
CLEAN_EMITTED = """
DELETE FROM emitted
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM emitted WHERE at < now() - $1::interval ORDER BY at LIMIT $2))
"""
# What a worker that died had begun, and nobody was given again.
CLEAN_ATTEMPTS = """
DELETE FROM attempts
WHERE digest = ANY (ARRAY(
    SELECT digest FROM attempts WHERE last < now() - $1::interval LIMIT $2))
"""
CLEAN = (CLEAN_INBOX, CLEAN_EMITTED, CLEAN_ATTEMPTS)
ONE_CLEANER = "SELECT pg_try_advisory_xact_lock(hashtext('relais.cleaner'))"


async def clean(pool: Pool, age: timedelta) -> bool:
    """Delete one chunk of what is older; returns whether there is more. One worker at a time."""
    async with pool.acquire() as conn, conn.transaction():
        if not await conn.fetchval(ONE_CLEANER):
            return False
        done = [await conn.execute(statement, age, CHUNK) for statement in CLEAN]
    return any(status.endswith(f" {CHUNK}") for status in done)


def sweep(days: int) -> Sweep:
    """The sweep that deletes what is older than so many days, a chunk a second."""

    def run(work: Work) -> Awaitable[bool]:
        return clean(work.pool, timedelta(days=days))

    return Sweep("clean", run, every=600, pause=1)
