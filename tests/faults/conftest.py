"""Stacks of real workers on the servers of the test run."""

from collections.abc import AsyncIterator

import pytest

from infra.local.servers import Servers
from tests.faults import crew as crews
from tests.faults.crew import Crew


@pytest.fixture(scope="package")
def servers(amqp_url: str, postgres_url: str) -> Servers:
    """The servers of this test run."""
    return Servers(amqp_url, postgres_url, ())


@pytest.fixture(scope="package")
async def hired(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crew]:
    """A stack for the tests of this folder in turn; its start costs more than most of them."""
    await crews.clear(servers.amqp_url)
    with crews.crew(servers, tmp_path_factory.mktemp("faults")) as made:
        yield made
    await crews.drop(servers.postgres_url, made.stack.postgres)


@pytest.fixture
async def crew(hired: Crew) -> Crew:
    """One worker of each service, ready."""
    await hired.restore()
    return hired
