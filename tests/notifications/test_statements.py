"""Every statement of notifications against its migrated schema."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from services.notifications import cancels, outbound, states, store
from tests.harness import Harness

VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}
STATEMENTS = {
    f"{room.__name__.rpartition('.')[2]}.{name}": value
    for room in (store, cancels, outbound, states)
    for name, value in vars(room).items()
    if name.isupper() and isinstance(value, str) and value.split()[0] in VERBS
}


@pytest.mark.servers
async def test_statements_are_prepared(make_harness: Callable[[str], Awaitable[Harness]]) -> None:
    """Postgres accepts each statement: every table and column that it names is there."""
    notifications = await make_harness("notifications")
    refused = {}
    async with notifications.pool.acquire() as conn:
        for name, statement in STATEMENTS.items():
            try:
                await conn.prepare(statement)
            except asyncpg.PostgresError as error:
                refused[name] = str(error)
    assert refused == {}
    assert len(STATEMENTS) > 20
