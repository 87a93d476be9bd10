"""The SQL of orders against its own schema."""

import pytest

from services.orders import store
from tests.desk import Desk

STATEMENTS = {
    name: text for name, text in vars(store).items() if name.isupper() and isinstance(text, str)
}


@pytest.mark.servers
class TestEveryStatement:
    """The upper-case constants of the store."""

    async def test_is_one_that_the_migrated_schema_understands(self, orders: Desk) -> None:
        """Postgres prepares each."""
        assert len(STATEMENTS) >= 18
        async with orders.pool.acquire() as conn:
            for statement in STATEMENTS.values():
                await conn.prepare(statement)
