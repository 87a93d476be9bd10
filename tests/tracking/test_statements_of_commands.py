"""The SQL of commands, batches, waves and previews against the schema of tracking."""

from collections.abc import Awaitable, Callable

import pytest

from services.tracking import batches, commands, waves
from services.tracking.queries import parked_numbers, preview, subjects
from services.tracking.web import permission
from tests.harness import Harness

ROOMS = (batches, commands, waves, parked_numbers, preview, subjects, permission)
STARTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.mark.servers
async def test_every_statement_is_one_that_the_migrated_schema_understands(
    make_harness: Callable[[str], Awaitable[Harness]],
) -> None:
    """Postgres prepares each."""
    harness = await make_harness("tracking")
    found = [
        text
        for room in ROOMS
        for name, text in vars(room).items()
        if name.isupper() and isinstance(text, str) and text.lstrip().startswith(STARTS)
    ]
    assert len(found) >= 30
    async with harness.pool.acquire() as conn:
        for statement in found:
            await conn.prepare(statement)
