"""The SQL of packages against its own schema."""

import pytest

from services.packages import store
from tests.desk import Desk

STATEMENTS = {name: text for name, text in vars(store).items() if name.isupper()}


@pytest.mark.servers
class TestEveryStatement:
    """The upper-case constants of the store."""

    async def test_is_one_that_the_migrated_schema_understands(self, packages: Desk) -> None:
        """Postgres prepares each."""
        assert len(STATEMENTS) >= 9
        async with packages.pool.acquire() as conn:
            for statement in STATEMENTS.values():
                await conn.prepare(statement)
