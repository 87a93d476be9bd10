"""`relais setup`: for whom, and how long it waits."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.cli import failures, setup
from services.cli.problems import UNAVAILABLE, Problem
from services.runtime.postgres import migrate
from services.runtime.settings import ConfigurationError

AMQP_URL = "amqp://u:p@nowhere/"


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services whose queues would have been declared; there is a broker to name, no more."""
    names: list[str] = []

    async def declare(services: list[Any], *_: object) -> None:
        names.extend(service.name for service in services)

    monkeypatch.setenv("RELAIS_AMQP_URL", AMQP_URL)
    monkeypatch.delenv("RELAIS_POSTGRES_URL", raising=False)
    monkeypatch.setattr(setup, "_declare", declare)
    monkeypatch.setattr(setup, "PAUSE", 0.01)
    return names


class TestForOneService:
    """A service that is installed alone has one database, its own."""

    @pytest.mark.servers
    async def test_asks_for_its_database_alone(
        self,
        monkeypatch: pytest.MonkeyPatch,
        declared: list[str],
        database: Callable[[str], Awaitable[str]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The others may not even be there."""
        monkeypatch.setenv("RELAIS_ORDERS_POSTGRES_URL", await database("orders"))

        assert await setup.setup(["orders"], 0) == 0

        assert declared == ["orders"]
        assert "orders: database d_orders" in capsys.readouterr().out

    async def test_has_to_be_installed(self, declared: list[str]) -> None:
        """A typing error is told with the names that there are."""
        with pytest.raises(Problem, match="no service 'order'; there are campaigns"):
            await setup.setup(["order"], 0)

    async def test_is_not_what_happens_without_a_name(self, declared: list[str]) -> None:
        """All that are installed need theirs."""
        with pytest.raises(ConfigurationError, match="no database for campaigns"):
            await setup.setup([], 0)

    async def test_refuses_a_setting_that_is_none(
        self, declared: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would declare another number of lanes than was meant."""
        monkeypatch.setenv("RELAIS_LANE", "16")
        monkeypatch.setenv("RELAIS_ORDERS_POSTGRES_URL", "postgresql://u:p@nowhere/orders")
        with pytest.raises(ConfigurationError, match="did you mean RELAIS_LANES"):
            await setup.setup(["orders"], 0)


class TestWaiting:
    """A server that starts is not there yet, in more than one way."""

    @pytest.mark.parametrize(
        "error",
        [
            ConnectionRefusedError(111, "Connection refused"),
            asyncpg.CannotConnectNowError("the database system is starting up"),
            asyncpg.AdminShutdownError("terminating connection"),
            asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"),
            asyncpg.InvalidCatalogNameError('database "relais_orders" does not exist'),
            asyncpg.TooManyConnectionsError("sorry, too many clients already"),
            asyncpg.TargetServerAttributeNotMatched("None of the hosts match"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_goes_on_while_the_database_is_not_there(
        self, monkeypatch: pytest.MonkeyPatch, declared: list[str], error: Exception
    ) -> None:
        """Each of these is a problem with a message too, for those who do not wait."""
        faults = [error, error]

        async def apply(*_: object) -> list[str]:
            if faults:
                raise faults.pop()
            return []

        monkeypatch.setattr(migrate, "apply", apply)
        monkeypatch.setenv("RELAIS_ORDERS_POSTGRES_URL", "postgresql://u:p@nowhere/orders")

        assert await setup.setup(["orders"], 60) == 0

        problem = failures.explain(error)
        assert problem is not None
        assert problem.exit_code == UNAVAILABLE
