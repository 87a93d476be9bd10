"""docker-compose.yml cannot derive the services from the code, so it is held to them here."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from ruamel.yaml import YAML

from infra.local import docker
from services.runtime import declared
from tests.architecture.project import ROOT

COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
SERVERS = {"rabbitmq", "postgres", "setup", "web"}


def url(service: str) -> tuple[str, str]:
    """The setting that holds a service's database, and its value: a role and a database."""
    place = f"relais_{service}:${{RELAIS_DATABASE_PASSWORD:-relais}}@postgres/relais_{service}"
    return f"RELAIS_{service.upper()}_POSTGRES_URL", f"postgresql://{place}"


def databases(container: str) -> dict[str, str]:
    """The database URLs that a container is given."""
    environment = COMPOSE[container]["environment"]
    return {name: text for name, text in environment.items() if name.endswith("_POSTGRES_URL")}


def test_runs_one_worker_of_each_service() -> None:
    """A service that nobody runs would let its messages pile up."""
    assert sorted(COMPOSE.keys() - SERVERS) == declared.names()


@pytest.mark.parametrize("service", declared.names())
def test_a_worker_has_its_command_and_its_own_database(service: str) -> None:
    """And the URL of no other service."""
    assert COMPOSE[service]["command"] == ["run", service]
    assert databases(service) == dict([url(service)])


def test_the_api_has_its_command_and_the_database_of_tracking() -> None:
    """It reads the model of tracking, and nothing else."""
    assert COMPOSE["web"]["command"] == ["serve"]
    assert databases("web") == dict([url("tracking")])


def test_setup_has_the_database_of_each_service() -> None:
    """It makes the tables of all."""
    assert databases("setup") == dict(url(service) for service in declared.names())


def test_setup_waits_for_servers_that_start() -> None:
    """Postgres is healthy once it answers over TCP: never while its image makes the databases."""
    command, option, seconds = COMPOSE["setup"]["command"]
    assert (command, option, int(seconds) >= 30) == ("setup", "--wait", True)
    assert "127.0.0.1" in COMPOSE["postgres"]["healthcheck"]["test"]
    for server in COMPOSE["setup"]["depends_on"].values():
        assert server == {"condition": "service_healthy"}


def test_postgres_makes_the_database_of_each_service() -> None:
    """Its script takes the names from there, and lists none itself."""
    script = (ROOT / "infra/postgres/databases.sh").read_text()

    assert COMPOSE["postgres"]["environment"]["RELAIS_SERVICES"].split() == declared.names()
    assert "$RELAIS_SERVICES" in script
    assert not [service for service in declared.names() if service in script]


def test_the_servers_are_those_of_a_machine_with_docker() -> None:
    """`./run` starts the same images where it needs containers."""
    assert (COMPOSE["rabbitmq"]["image"], COMPOSE["postgres"]["image"]) == (
        docker.BROKER,
        docker.DATABASE,
    )


@pytest.mark.parametrize("container", ["rabbitmq", "postgres"])
def test_every_file_that_is_mounted_exists(container: str) -> None:
    """Docker makes an empty folder in place of one that does not."""
    for volume in COMPOSE[container]["volumes"]:
        source = PurePosixPath(volume.partition(":")[0])
        if source.parts[0] not in COMPOSE:
            assert (ROOT / source).is_file()
