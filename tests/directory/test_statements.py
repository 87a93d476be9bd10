"""Every statement of the directory against its migrated schema."""

from collections.abc import Awaitable, Callable

import pytest

from services.directory import store
from tests.harness import Harness

STATEMENTS = {
    name: value for name, value in vars(store).items() if name.isupper() and isinstance(value, str)
}


@pytest.mark.servers
@pytest.mark.parametrize("name", STATEMENTS)
async def test_is_prepared(name: str, make_harness: Callable[[str], Awaitable[Harness]]) -> None:
    """Postgres accepts the statement: every table and column that it names is there."""
    directory = await make_harness("directory")
    async with directory.pool.acquire() as conn:
        await conn.prepare(STATEMENTS[name])
