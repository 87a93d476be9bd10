"""An API for commands that ask one."""

from collections.abc import AsyncIterator

import pytest

from tests.cli.small_api import TOKEN, SmallApi, serving


@pytest.fixture
async def small(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallApi]:
    """A small API that the environment names."""
    async with serving() as found:
        monkeypatch.setenv("RELAIS_API_URL", found.url)
        monkeypatch.setenv("RELAIS_API_TOKEN", TOKEN)
        yield found
