"""The SQL of the reader against its own schema, and how Postgres finds what it asks for."""

import re
from collections.abc import Awaitable, Callable
from types import ModuleType

import pytest

from services.runtime.service import Connection
from services.tracking import checking, cleaning, copying, journal, packed, rebuild, store
from tests.harness import Harness

pytestmark = pytest.mark.servers

MODULES: tuple[ModuleType, ...] = (store, packed, journal, rebuild, copying, cleaning)
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH) ")
WHOLE = {"COUNT_NEXT", "COPIES"}
"""Those that look at all there is."""

BATCH = {
    f"{module.__name__.rpartition('.')[2]}.{name}": text
    for module in MODULES
    for name, text in vars(module).items()
    if name.isupper()
    and not name.startswith("_")
    and isinstance(text, str)
    and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH) ", text)
} | {
    f"{table.name} {name}": text
    for table in store.TABLES
    for name, text in {**table.statements, "copy": copying.statement(table)}.items()
}
"""What a worker asks, by name."""

ALL_ROWS = re.compile(r"Seq Scan on (?!pg_)\w+|Hash Join|Merge Join")


@pytest.fixture
async def tracking(make_harness: Callable[[str], Awaitable[Harness]]) -> Harness:
    """The reader on an empty database, while it is rebuilt."""
    made = await make_harness("tracking")
    async with made.pool.acquire() as conn:
        await conn.execute("CREATE SCHEMA next")
        for row in await conn.fetch(rebuild.COPIES):
            await conn.execute(row[0])
    return made


class TestEveryStatement:
    """Of the reader, of a rebuild, and of the comparison of counts."""

    async def test_is_one_that_the_migrated_schema_understands(self, tracking: Harness) -> None:
        """Postgres prepares each."""
        assert len(BATCH) >= 35
        async with tracking.pool.acquire() as conn:
            for statement in (*BATCH.values(), checking.COMPARE, rebuild.COUNT_NEXT):
                await conn.prepare(statement)

    @pytest.mark.parametrize("name", sorted(BATCH))
    async def test_finds_its_rows_by_key(self, tracking: Harness, name: str) -> None:
        """In the plan that serves every value, made while the tables are empty."""
        async with tracking.pool.acquire() as conn:
            plan = await explain(conn, BATCH[name])
        assert not ALL_ROWS.findall(plan), plan


async def explain(conn: Connection, statement: str) -> str:
    """The generic plan of a statement."""
    numbers = {int(n) for n in re.findall(r"\$(\d+)", statement)}
    values = ", ".join("NULL" for _ in numbers)
    async with conn.transaction():
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE asked AS {statement}")
        try:
            rows = await conn.fetch(f"EXPLAIN EXECUTE asked{f'({values})' if values else ''}")
        finally:
            await conn.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)
