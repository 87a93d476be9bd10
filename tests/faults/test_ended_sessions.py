"""What the driver raises while the server ends sessions is an outage, whatever class it has."""

import asyncio
import random
from secrets import token_hex

import asyncpg
import pytest

from services.runtime.postgres import database
from services.runtime.postgres.database import Pool

pytestmark = pytest.mark.servers

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
TIMES = 150


class TestSessionsThatTheServerEnds:
    """A pool at work while every session of it is ended again and again."""

    async def test_fail_for_a_transient_reason(self, postgres_url: str) -> None:
        """No error of it is held against the work: not before, in or after a transaction."""
        name = f"faults_{token_hex(4)}"
        errors: list[BaseException] = []
        over = asyncio.Event()
        async with database.pool(postgres_url, name, size=4) as pool, asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(work(pool, over, errors))
            await end_sessions(postgres_url, name)
            over.set()
        assert errors
        assert [error for error in errors if not database.is_transient(error)] == []


async def work(pool: Pool, over: asyncio.Event, errors: list[BaseException]) -> None:
    """Run statements of changing texts, alone and in transactions, until it is over."""
    while not over.is_set():
        try:
            await pool.execute(f"SELECT {random.random()}")
            async with pool.acquire() as conn, conn.transaction():
                await conn.fetch(f"SELECT {random.random()}, $1::int", 1)
                await conn.executemany("SELECT $1::int", [(1,), (2,)])
        except Exception as error:
            errors.append(error)


async def end_sessions(postgres_url: str, name: str) -> None:
    """End every session of the pool, again and again."""
    admin = await asyncpg.connect(postgres_url)
    try:
        for _ in range(TIMES):
            await admin.execute(END, name)
    finally:
        await admin.close()
