"""The transaction of a peer on asyncpg, with a pool as large as what it does at once."""

from typing import Any

import asyncpg

from tests.bench.peers.effect import AT_ONCE, POSTGRES_URL, effect


class Database:
    """A pool, opened when it is first needed: frameworks make their own event loop."""

    def __init__(self) -> None:
        """Nothing is opened."""
        self._pool: Any = None

    async def open(self) -> None:
        """Connect."""
        self._pool = await asyncpg.create_pool(POSTGRES_URL, min_size=AT_ONCE, max_size=AT_ONCE)

    async def handle(self, body: bytes) -> tuple[int, tuple[Any, ...]]:
        """Do the transaction of one message; the outbox row and its values."""
        statements = effect(body)
        async with self._pool.acquire() as conn, conn.transaction():
            for statement, values in statements[:-1]:
                await conn.execute(statement, *values)
            statement, event = statements[-1]
            row = await conn.fetchval(statement, *event)
        return row, event

    async def forget(self, row: int) -> None:
        """Delete an outbox row that was published."""
        await self._pool.execute("DELETE FROM outbox WHERE id = $1", row)
