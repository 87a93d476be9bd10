"""The plan of every statement that an answer takes, as Postgres ran it, and what it looked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.runtime.postgres import database
from services.runtime.service import Connection, Pool
from tests.bench import deep

Statement = tuple[str, tuple[Any, ...]]


class Recording:
    """A pool, or one of its connections, that keeps what it is asked."""

    def __init__(self, asks: Pool | Connection, asked: list[Statement] | None = None) -> None:
        """Nothing asked yet."""
        self._asks = asks
        self.asked = [] if asked is None else asked

    async def fetch(self, text: str, *arguments: Any) -> Any:
        """Rows."""
        self.asked.append((text, arguments))
        return await self._asks.fetch(text, *arguments)

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        """One row."""
        self.asked.append((text, arguments))
        return await self._asks.fetchrow(text, *arguments)

    async def fetchval(self, text: str, *arguments: Any) -> Any:
        """One value."""
        self.asked.append((text, arguments))
        return await self._asks.fetchval(text, *arguments)

    async def execute(self, text: str, *arguments: Any) -> Any:
        """Nothing to explain."""
        return await self._asks.execute(text, *arguments)

    def transaction(self, **options: Any) -> Any:
        """That of the connection."""
        return self._asks.transaction(**options)  # type: ignore[union-attr]

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Recording"]:
        """A connection whose statements are kept too."""
        async with self._asks.acquire() as conn:  # type: ignore[union-attr]
            yield Recording(conn, self.asked)


@dataclass(frozen=True, slots=True)
class Work:
    """How much a statement looked at: rows, pages, the rows of its largest sort; and how long."""

    rows: int = 0
    pages: int = 0
    sorted: int = 0
    milliseconds: float = 0.0
    walked: tuple[tuple[str, int], ...] = ()
    """Tables that were read from end to end, with their rows."""

    def __add__(self, other: "Work") -> "Work":
        """Both, one after the other."""
        return Work(
            self.rows + other.rows,
            self.pages + other.pages,
            max(self.sorted, other.sorted),
            self.milliseconds + other.milliseconds,
            self.walked + other.walked,
        )


async def work(asks: Pool, statement: Statement) -> Work:
    """What a statement takes, when it is run again."""
    text, arguments = statement
    form = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
    (found,) = await asks.fetchval(f"{form} {text}", *arguments)
    nodes = list(_nodes(found["Plan"]))
    scans = [node for node in nodes if node["Node Type"].endswith(("Scan", "Scan on"))]
    tables = [node for node in scans if "Relation Name" in node]
    sorts = [node for node in nodes if node["Node Type"] == "Sort"]
    return Work(
        rows=sum(map(_looked_at, tables)),
        pages=found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"],
        sorted=max((_given(node["Plans"][0]) for node in sorts), default=0),
        milliseconds=found["Planning Time"] + found["Execution Time"],
        walked=tuple(
            (node["Relation Name"], _looked_at(node))
            for node in tables
            if node["Node Type"] == "Seq Scan"
        ),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _given(node: dict[str, Any]) -> int:
    return int(node["Actual Rows"] * node["Actual Loops"])


def _looked_at(node: dict[str, Any]) -> int:
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    each = node["Actual Rows"] + sum(node.get(name, 0) for name in removed)
    return int(each * node["Actual Loops"])


async def keep(url: str, folder: Path, asked: Sequence[tuple[str, str]]) -> None:
    """Write the plans of each answer to a file of its own, and to `summary.txt` what they took.

    asked are paths, each with a token.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    lines = []
    async with database.pool(url, "relais bench", 2, any_plan=True) as pool:
        recording = Recording(pool)
        async with deep.asking(recording) as client:
            for number, (path, token) in enumerate(asked):
                recording.asked.clear()
                await client.get(path, headers={"Authorization": f"Bearer {token}"})
                statements = list(recording.asked)
                total = sum([await work(pool, one) for one in statements], Work())
                lines.append(
                    f"{total.milliseconds:7.1f} ms {total.rows:8} rows {total.pages:8} pages "
                    f"{total.sorted:8} sorted {number:03} {path}"
                )
                (folder / f"{number:03}.txt").write_text(await _explained(pool, path, statements))
                (folder / "summary.txt").write_text("\n".join(sorted(lines, reverse=True)) + "\n")


async def _explained(pool: Pool, path: str, asked: Sequence[Statement]) -> str:
    parts = [path]
    for text, arguments in asked:
        rows = await pool.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {text}", *arguments)
        parts.append(text.strip() + "\n\n" + "\n".join(row[0] for row in rows))
    return "\n\n".join(parts) + "\n"
