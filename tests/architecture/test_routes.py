"""Who reads what: a command about business has one reader, and nobody waits for what none says."""

from collections import Counter

import pytest

from contracts import catalogue, names
from contracts.operations import ServiceCommand
from services.runtime.service import OPERATIONS, installed
from tests.architecture.project import services

SERVICES = installed()


def test_every_service_is_installed() -> None:
    """Its folder, its entry point and its name are one."""
    assert sorted(SERVICES) == services()


OF_EVERY_SERVICE = {
    type_ for type_, body in catalogue.COMMANDS.items() if issubclass(body, ServiceCommand)
}


@pytest.mark.parametrize("type_", sorted(catalogue.COMMANDS.keys() - OF_EVERY_SERVICE))
def test_a_command_is_read_by_one_service(type_: str) -> None:
    """By none it would have no effect, by two it would have two answers."""
    readers = [name for name, service in SERVICES.items() if type_ in service.routes]

    assert len(readers) == 1


@pytest.mark.parametrize("type_", sorted(OF_EVERY_SERVICE))
def test_a_command_about_the_work_of_a_service_is_read_by_every_one(type_: str) -> None:
    """The one that its subject names answers it; the runtime reads it for all."""
    assert type_ in OPERATIONS
    assert all(type_ in service.commands for service in SERVICES.values())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_reads_what_is_in_the_catalogue(name: str) -> None:
    """Under the name that is on the wire, as the class that the catalogue has for it."""
    known = {**catalogue.COMMANDS, **catalogue.EVENTS}

    for type_, body in SERVICES[name].routes.items():
        assert known.get(type_) is body


def test_what_no_lane_takes_has_one_reader() -> None:
    """It is kept once, and its sender is told once."""
    drained = Counter(queue for service in SERVICES.values() for queue in service.drains)

    assert drained == {names.UNROUTED: 1}
