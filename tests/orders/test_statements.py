"""The SQL of orders against its own schema."""

import re
from pathlib import Path

import pytest

from services.orders import store
from tests.harness import Harness

STATEMENTS = {
    name: text for name, text in vars(store).items() if name.isupper() and isinstance(text, str)
}
README = Path(store.__file__).with_name("README.md")


@pytest.mark.servers
class TestEveryStatement:
    """The upper-case constants of the store."""

    async def test_is_one_that_the_migrated_schema_understands(self, orders: Harness) -> None:
        """Postgres prepares each."""
        assert len(STATEMENTS) >= 13
        async with orders.pool.acquire() as conn:
            for statement in STATEMENTS.values():
                await conn.prepare(statement)

    async def test_of_the_readme_is_one_as_well(self, orders: Harness) -> None:
        """What operators are told to ask can be asked."""
        found = re.findall(r"`(SELECT [^`]*)`", README.read_text())
        assert len(found) >= 5
        for statement in found:
            await orders.pool.fetch(statement)
