"""Every statement of the campaigns against its migrated schema."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.campaigns import store
from tests.harness import Harness

STATEMENTS = {
    name: value for name, value in vars(store).items() if name.isupper() and isinstance(value, str)
}
README = Path(store.__file__).with_name("README.md")


@pytest.mark.servers
@pytest.mark.parametrize("name", STATEMENTS)
async def test_is_prepared(name: str, make_harness: Callable[[str], Awaitable[Harness]]) -> None:
    """Postgres accepts the statement: every table and column that it names is there."""
    campaigns = await make_harness("campaigns")
    async with campaigns.pool.acquire() as conn:
        await conn.prepare(STATEMENTS[name])


@pytest.mark.servers
async def test_of_the_readme_is_one_as_well(
    make_harness: Callable[[str], Awaitable[Harness]],
) -> None:
    """What operators are told to ask can be asked."""
    campaigns = await make_harness("campaigns")
    found = re.findall(r"`(SELECT [^`]*)`", README.read_text())
    assert len(found) >= 2
    for statement in found:
        await campaigns.pool.fetch(statement)
