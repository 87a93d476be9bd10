"""Commands that are due are sent once in effect, whatever the number of workers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts import names
from contracts.packages import CancelPackage
from services.runtime.amqp import broker, topology
from services.runtime.service import broker as servers
from services.tracking import commands, planned
from services.tracking.commands import Asked
from tests.eventually import eventually
from tests.harness import Harness
from tests.notifications import given
from tests.runtime.environment import Recorder, recording_queue

pytestmark = pytest.mark.servers

SWEEP = planned.NAME


@pytest.fixture
async def sent(amqp_url: str) -> AsyncIterator[Recorder]:
    """Every cancel of a package that is published."""
    async with broker.connected(amqp_url, "planned test") as connection:
        await topology.apply(connection, [])
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=False, auto_delete=True)
        await queue.bind(names.COMMANDS, CancelPackage.TYPE)
        async with recording_queue(amqp_url, queue.name) as recorder:
            yield recorder


@pytest.fixture
async def workers(
    make_harnesses: Callable[[str], Awaitable[tuple[Harness, Harness]]], amqp_url: str
) -> tuple[Harness, Harness]:
    """Two workers of tracking on one database."""
    found = await make_harnesses("tracking")
    for one in found:
        one.work.amqp_url = amqp_url
    return found


def cancel(id: str, **changes: Any) -> Asked:
    """A cancel of CAT86 that is due."""
    command = CancelPackage(package_id="CAT86", comment="supplier withdrew")
    usual: dict[str, Any] = {"due_at": given.NOW - given.DAY}
    return Asked(id, command, "m.durand", **(usual | changes))


async def states(harness: Harness) -> dict[str, str]:
    """The state of each command."""
    rows = await harness.pool.fetch("SELECT command_id, state FROM commands")
    return {row["command_id"]: row["state"] for row in rows}


async def overdue(harness: Harness) -> None:
    """Let what is planned be due, and every lease be over."""
    await harness.pool.execute(
        "UPDATE commands SET due_at = now() - interval '1 s', taken_until = NULL"
    )


class TestACommandThatIsDue:
    """The sweep `planned`."""

    async def test_is_sent_with_its_id_and_its_sender(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """As it would have been at once."""
        await commands.add(workers[0].pool, [cancel("one", correlationid="why")])
        await overdue(workers[0])

        await workers[0].sweep(SWEEP)

        assert await eventually(sent.envelopes)
        [found] = sent.envelopes()
        assert (found.id, found.source, found.actor) == ("one", commands.SOURCE, "m.durand")
        assert (found.correlationid, found.data) == ("why", {"comment": "supplier withdrew"})
        assert await states(workers[0]) == {"one": "sent"}

    async def test_is_not_sent_before(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """Nor one that somebody is sending."""
        later = cancel("later", due_at=given.NOW + 36500 * given.DAY)
        await commands.add(workers[0].pool, [later, cancel("now", due_at=None)])

        await workers[0].sweep(SWEEP)

        assert await states(workers[0]) == {"later": "planned", "now": "sending"}
        assert not sent.envelopes()

    async def test_is_sent_again_with_the_same_id_where_its_process_ended(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """The lease is over, and the same id has no second effect."""
        await commands.add(workers[0].pool, [cancel("now", due_at=None)])
        await overdue(workers[0])

        await workers[1].sweep(SWEEP)

        assert [one.id for one in await eventually(sent.envelopes)] == ["now"]
        assert await states(workers[0]) == {"now": "sent"}

    async def test_is_taken_by_one_worker(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """However many look at once."""
        await commands.add(workers[0].pool, [cancel(f"{n:02}") for n in range(40)])
        await overdue(workers[0])

        await asyncio.gather(*(worker.sweep(SWEEP) for worker in workers))

        await eventually(lambda: len(sent.envelopes()) >= 40)
        assert sorted(one.id for one in sent.envelopes()) == [f"{n:02}" for n in range(40)]
        assert set((await states(workers[0])).values()) == {"sent"}

    async def test_waits_for_rabbitmq(self, workers: tuple[Harness, Harness]) -> None:
        """Its row says so, and it is taken up again at once."""
        workers[0].work.amqp_url = "amqp://127.0.0.1:9"
        await commands.add(workers[0].pool, [cancel("one")])
        await overdue(workers[0])

        with pytest.raises(servers.Unavailable):
            await workers[0].sweep(SWEEP)

        row = await workers[0].pool.fetchrow("SELECT * FROM commands")
        assert row is not None
        assert row["state"] == "sending"
        assert "127.0.0.1:9" in row["message"]
        assert row["taken_until"] - row["due_at"] < timedelta(seconds=30)

    async def test_withdrawn_is_not_sent(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """Nor is one that was sent withdrawn."""
        await commands.add(workers[0].pool, [cancel("one"), cancel("two")])
        assert await commands.withdraw(workers[0].pool, "one", "no")
        await overdue(workers[0])

        await workers[0].sweep(SWEEP)

        assert [one.id for one in await eventually(sent.envelopes)] == ["two"]
        assert not await commands.withdraw(workers[0].pool, "two", "no")
        assert await states(workers[0]) == {"one": "withdrawn", "two": "sent"}


class TestAPlannedCancelWithFigures:
    """It does what was shown, or nothing."""

    async def test_is_withdrawn_where_they_have_moved(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """With the reason."""
        await workers[0].send(given.published())
        figures = {"package_id": "CAT86", "edition": 1, "version": 4, "orders": 100}
        await commands.add(workers[0].pool, [cancel("one", preview=figures)])
        await overdue(workers[0])

        await workers[0].sweep(SWEEP)

        assert await states(workers[0]) == {"one": "withdrawn"}
        message = await workers[0].pool.fetchval("SELECT message FROM commands")
        assert "showed 100 open orders" in message
        assert not sent.envelopes()

    async def test_is_sent_where_they_have_not(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """Ten orders more or less are none."""
        await workers[0].send(given.published())
        figures = {"package_id": "CAT86", "edition": 1, "version": 4, "orders": 10}
        await commands.add(workers[0].pool, [cancel("one", preview=figures)])
        await overdue(workers[0])

        await workers[0].sweep(SWEEP)

        assert [one.id for one in await eventually(sent.envelopes)] == ["one"]

    async def test_is_sent_where_it_may_have_been_already(
        self, workers: tuple[Harness, Harness], sent: Recorder
    ) -> None:
        """Its own effect is no drift."""
        await workers[0].send(given.published(), given.canceled())
        figures = {"package_id": "CAT86", "edition": 1, "version": 4, "orders": 100}
        await commands.add(workers[0].pool, [cancel("one", preview=figures)])
        await workers[0].pool.execute("UPDATE commands SET state = 'sending'")
        await overdue(workers[0])

        await workers[0].sweep(SWEEP)

        assert [one.id for one in await eventually(sent.envelopes)] == ["one"]
