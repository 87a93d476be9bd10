"""Stacks of real workers on the servers of the test run."""

from collections.abc import AsyncIterator

import pytest

from infra.local.servers import Servers
from tests.faults.workers import Workers, clear_broker, drop_databases, worker_stack


@pytest.fixture(scope="package")
def servers(amqp_url: str, postgres_url: str) -> Servers:
    """The servers of this test run."""
    return Servers(amqp_url, postgres_url, ())


@pytest.fixture(scope="package")
async def shared_workers(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workers]:
    """A stack for the tests of this folder in turn; its start costs more than most of them."""
    await clear_broker(servers.amqp_url)
    with worker_stack(servers, tmp_path_factory.mktemp("faults")) as made:
        yield made
    await drop_databases(servers.postgres_url, made.stack.postgres)


@pytest.fixture
async def workers(shared_workers: Workers) -> Workers:
    """One worker of each service, ready."""
    await shared_workers.restore()
    return shared_workers
