"""Every statement of notifications against its migrated schema."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from services.notifications import jobs, outbound, store
from tests.desk import Desk

STATEMENTS = {
    f"{room.__name__.rpartition('.')[2]}.{name}": value
    for room in (store, jobs, outbound)
    for name, value in vars(room).items()
    if name.isupper() and isinstance(value, str)
}


@pytest.mark.servers
async def test_statements_are_prepared(desk: Callable[[str], Awaitable[Desk]]) -> None:
    """Postgres accepts each statement: every table and column that it names is there."""
    notifications = await desk("notifications")
    refused = {}
    async with notifications.pool.acquire() as conn:
        for name, statement in STATEMENTS.items():
            try:
                await conn.prepare(statement)
            except asyncpg.PostgresError as error:
                refused[name] = str(error)
    assert refused == {}
    assert len(STATEMENTS) > 20
