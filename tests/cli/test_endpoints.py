"""How commands find the stack to talk to."""

import json
from pathlib import Path

import pytest

from services.cli import endpoints
from services.cli.failures import explain
from services.cli.problems import MISCONFIGURED, UNAVAILABLE, Problem
from services.runtime import declared
from services.runtime.settings import ConfigurationError


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a file says anything."""
    for name in ("RELAIS_AMQP_URL", "RELAIS_POSTGRES_URL"):
        monkeypatch.delenv(name, raising=False)
    for service in declared.names():
        monkeypatch.delenv(f"RELAIS_{service.upper()}_POSTGRES_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(endpoints, "PROJECT", tmp_path)


def write(folder: Path, text: str) -> None:
    """Leave what `./run up` leaves."""
    path = folder / endpoints.WRITTEN
    path.parent.mkdir(parents=True)
    path.write_text(text)


class TestFind:
    """Where a command looks."""

    def test_goes_by_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One server's URL is enough for every service's database."""
        monkeypatch.setenv("RELAIS_AMQP_URL", "amqp://here")
        monkeypatch.setenv("RELAIS_POSTGRES_URL", "postgresql://there/postgres")
        found = endpoints.find("orders", "packages")
        assert found.amqp_url == "amqp://here"
        assert found.postgres["orders"] == "postgresql://there/relais_orders"

    def test_asks_for_no_database_that_is_not_wanted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who only sends needs none, and who looks at one service needs one."""
        monkeypatch.setenv("RELAIS_AMQP_URL", "amqp://here")
        monkeypatch.setenv("RELAIS_ORDERS_POSTGRES_URL", "postgresql://there/mine")
        assert endpoints.find().postgres == {}
        assert endpoints.find("orders").postgres == {"orders": "postgresql://there/mine"}

    def test_goes_by_the_file_of_a_running_stack(self, tmp_path: Path) -> None:
        """Beside `./run up` nothing has to be set."""
        written = {"amqp_url": "amqp://up", "http_url": None, "postgres": {"orders": "pg://up"}}
        write(tmp_path, json.dumps(written))
        found = endpoints.find()
        assert (found.amqp_url, found.postgres) == ("amqp://up", {"orders": "pg://up"})

    def test_never_mixes_both(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A broker of one stack with the databases of another would only confuse."""
        write(tmp_path, json.dumps({"amqp_url": "amqp://up", "postgres": {}}))
        monkeypatch.setenv("RELAIS_POSTGRES_URL", "postgresql://there/postgres")
        with pytest.raises(ConfigurationError, match="RELAIS_AMQP_URL is not set"):
            endpoints.find()

    def test_says_what_to_do_when_there_is_neither(self) -> None:
        """Who has no stack is told how to start one."""
        with pytest.raises(Problem, match=r"start one with \./run up") as caught:
            endpoints.find()
        assert caught.value.exit_code == UNAVAILABLE

    def test_says_so_when_the_file_is_broken(self, tmp_path: Path) -> None:
        """Half a file is an error of its own, not of the stack."""
        write(tmp_path, "{")
        with pytest.raises(Problem, match="cannot be read"):
            endpoints.find()


class TestExplain:
    """Errors as sentences."""

    def test_gives_configuration_its_code(self) -> None:
        """A wrong setting is exit code 78."""
        problem = explain(ConfigurationError("RELAIS_LANES: too many"))
        assert problem is not None
        assert (str(problem), problem.exit_code) == ("RELAIS_LANES: too many", MISCONFIGURED)

    def test_gives_an_absent_server_its_code(self) -> None:
        """A server that is not there is exit code 69."""
        problem = explain(ConnectionRefusedError(111, "Connection refused"))
        assert problem is not None
        assert problem.exit_code == UNAVAILABLE

    def test_leaves_bugs_alone(self) -> None:
        """What nobody can explain keeps its traceback."""
        assert explain(ZeroDivisionError()) is None
