"""The plan of every statement that an answer takes, as Postgres ran it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import httpx

from services.runtime.postgres import database
from services.runtime.service import Pool, Served
from services.tracking.web.app import site


class Recording:
    """A pool that keeps what it is asked."""

    def __init__(self, pool: Pool) -> None:
        """Nothing asked yet."""
        self._pool = pool
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, text: str, *arguments: Any) -> Any:
        """Rows."""
        self.asked.append((text, arguments))
        return await self._pool.fetch(text, *arguments)

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        """One row."""
        self.asked.append((text, arguments))
        return await self._pool.fetchrow(text, *arguments)

    async def fetchval(self, text: str, *arguments: Any) -> Any:
        """One value."""
        self.asked.append((text, arguments))
        return await self._pool.fetchval(text, *arguments)

    async def execute(self, text: str, *arguments: Any) -> Any:
        """Nothing to explain."""
        return await self._pool.execute(text, *arguments)


async def keep(url: str, folder: Path, asked: Sequence[tuple[str, str]]) -> None:
    """Write the plans of each answer to a file of its own; asked are paths, each with a token."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with database.pool(url, "relais bench", 2, any_plan=True) as pool:
        recording = Recording(pool)
        async with site(Served("tracking", cast(Pool, recording), "amqp://nowhere")) as made:
            transport = httpx.ASGITransport(app=made.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
                for number, (path, token) in enumerate(asked):
                    recording.asked.clear()
                    await client.get(path, headers={"Authorization": f"Bearer {token}"})
                    text = await _explained(pool, path, list(recording.asked))
                    (folder / f"{number:03}.txt").write_text(text)


async def _explained(pool: Pool, path: str, asked: list[tuple[str, tuple[Any, ...]]]) -> str:
    parts = [path]
    for text, arguments in asked:
        rows = await pool.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {text}", *arguments)
        parts.append(text.strip() + "\n\n" + "\n".join(row[0] for row in rows))
    return "\n\n".join(parts) + "\n"
