"""Every statement of the runtime is one that its tables understand."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import services.runtime
from services.runtime.postgres import database

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def statements() -> Iterator[tuple[str, str]]:
    """Name and text of each upper-case constant that is SQL."""
    for found in pkgutil.walk_packages(services.runtime.__path__, "services.runtime."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            texts = value.values() if isinstance(value, dict) else (value,)
            for text in texts if name.isupper() else ():
                if isinstance(text, str) and text.split()[:1] and text.split()[0] in VERBS:
                    yield f"{found.name}.{name}", text


@pytest.mark.servers
@pytest.mark.parametrize(("name", "text"), sorted(set(statements())))
async def test_a_statement_can_be_prepared(database_url: str, name: str, text: str) -> None:
    """Against the schema that the migrations make."""
    async with database.connect(database_url, "probe") as conn:
        await conn.prepare(text)


def test_statements_are_found() -> None:
    """Otherwise nothing would be prepared."""
    assert len(set(statements())) > 20
