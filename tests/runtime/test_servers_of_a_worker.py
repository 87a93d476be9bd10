"""A worker and its servers: where they are away or others, as it starts, works and ends."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from contracts import hosts
from tests.eventually import eventually
from tests.faults.proxy import proxied
from tests.runtime.environment import Environment, recording_events
from tests.runtime.probe import Add
from tests.runtime.running import RunWorker

pytestmark = pytest.mark.servers


class TestItsStart:
    """It connects to both before it begins."""

    @pytest.mark.parametrize("kind", ["amqp_url", "database_url"])
    async def test_can_be_stopped_while_it_connects(
        self, run_worker: RunWorker, env: Environment, kind: str
    ) -> None:
        """In order, and without the patience that it has for a server."""
        async with proxied(getattr(env, kind)) as proxy:
            proxy.hold()
            async with run_worker(**{kind: proxy.url}) as worker:
                await eventually(lambda: proxy.accepted)
                worker.worker.stop()
                async with asyncio.timeout(hosts.PATIENCE / 2):
                    await worker.running

    async def test_can_be_stopped_before_it_begins(self, run_worker: RunWorker) -> None:
        """A signal may come first."""
        async with run_worker() as worker:
            worker.worker.stop()
            await worker.running

    async def test_needs_a_server_that_takes_writes(
        self, run_worker: RunWorker, env: Environment
    ) -> None:
        """It ends, and says so, where its server only reads."""
        name = await env.db.fetchval("SELECT current_database()")
        await env.db.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            async with run_worker() as worker:
                with pytest.raises(asyncpg.TargetServerAttributeNotMatched):
                    await worker.running
        finally:
            await env.db.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


class TestItsServers:
    """They may be others than at its start, where the files of its secrets name others."""

    async def test_are_read_at_each_connection(
        self,
        run_worker: RunWorker,
        env: Environment,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        """No restart is needed for a new password, user or host."""
        database = f"RELAIS_{env.service.name.upper()}_POSTGRES_URL"
        urls = {"RELAIS_AMQP_URL": env.amqp_url, database: env.database_url}
        async with AsyncExitStack() as stack:
            old = {n: await stack.enter_async_context(proxied(url)) for n, url in urls.items()}
            for name, proxy in old.items():
                (tmp_path / name).write_text(proxy.url)
                monkeypatch.delenv(name, raising=False)
                monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
            async with run_worker() as worker:
                await worker.ready()
                for proxy in old.values():
                    proxy.refuse()
                await eventually(lambda: worker.is_unready("consumes no lane"), timeout=60)

                for name, url in urls.items():
                    (tmp_path / name).write_text(url)

                await worker.ready()
                async with recording_events(env) as recorder:
                    await env.send(Add(thing_id="A"))
                    await eventually(lambda: recorder.deliveries)


class TestItsEnd:
    """It finishes what it has in hand, and no more."""

    @pytest.mark.parametrize("kind", ["amqp_url", "database_url"])
    async def test_does_not_wait_for_a_server_that_is_away(
        self, run_worker: RunWorker, env: Environment, kind: str
    ) -> None:
        """With nothing in hand there is nothing to finish."""
        async with (
            proxied(getattr(env, kind)) as proxy,
            run_worker(**{kind: proxy.url}, drain_seconds=60) as worker,
        ):
            await worker.ready()
            proxy.hold()
            proxy.cut()
            await eventually(lambda: worker.is_unready("consumes no lane"), timeout=60)

            worker.worker.stop()

            async with asyncio.timeout(hosts.PATIENCE * 2):
                await worker.running
