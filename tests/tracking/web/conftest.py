"""The HTTP API on a fresh database, with the settings that a test chooses."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from argon2 import PasswordHasher

from services.tracking import settings
from services.tracking.web import operators
from tests.harness import Harness
from tests.tracking.api import Api, api


@pytest.fixture
async def harness(make_harness: Callable[[str], Awaitable[Harness]]) -> Harness:
    """The reader whose database the API answers from."""
    return await make_harness("tracking")


@pytest.fixture
async def web(harness: Harness) -> AsyncIterator[Api]:
    """The API with its usual settings, whose read model has nothing yet."""
    async with api(harness) as made:
        yield made


@pytest.fixture(autouse=True)
def hashes_fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """To guess a password of a test is easy anyway."""
    monkeypatch.setattr(operators, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    operators._of_nobody.cache_clear()
    yield
    operators._of_nobody.cache_clear()


Configure = Callable[..., None]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Gives settings, such as `streams=2`, to the API that is made next."""

    def give(**given: object) -> None:
        for name, value in given.items():
            monkeypatch.setenv(f"RELAIS_{name.upper()}", str(value))
        settings.load.cache_clear()

    yield give
    settings.load.cache_clear()
