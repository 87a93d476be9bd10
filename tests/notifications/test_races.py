"""Consumers, fan-outs and senders that meet at one package: all go on, and nobody is told twice."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest

from contracts.message import Body
from contracts.orders import OrderApproved
from contracts.packages import PackageEdited
from services.runtime import telemetry
from services.runtime.tables import jobs
from tests import locks
from tests.eventually import eventually
from tests.notifications.given import canceled, order, orders_report, pack, package, published
from tests.notifications.harness import (
    BrokerHarness,
    NotificationsHarness,
    fan_out_by_sweep,
    recipients,
    with_broker,
)

pytestmark = pytest.mark.servers

Pair = tuple[NotificationsHarness, NotificationsHarness]

AUDIENCE = [f"OU{number}" for number in range(1, 8)]


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Why something was done again, such as a deadlock or a conflict."""
    found: list[BaseException] = []
    monkeypatch.setattr(telemetry, "fault", lambda _what, _attempt, error: found.append(error))
    return found


async def meet(harness: NotificationsHarness, *works: Callable[[], Awaitable[object]]) -> None:
    """Begin the second while the first waits in front of the notifications; then let both go."""
    first, second = works
    async with harness.pool.acquire() as conn, asyncio.TaskGroup() as tasks, conn.transaction():
        await locks.hold_writers(conn, "notifications")
        tasks.create_task(_await(first))
        await eventually(lambda: locks.is_one_waiting(conn))
        tasks.create_task(_await(second))
        await eventually(lambda: locks.are_two_waiting(conn))


async def _await(work: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        await work()


class TestConsumerAndSweep:
    """Both are in the middle of their transactions, whichever began first."""

    @pytest.mark.parametrize("consumer_first", [True, False])
    @pytest.mark.parametrize(
        ("running", "news", "told"),
        [
            ([canceled(audience=AUDIENCE)], [pack(AUDIENCE[::-1])], 7),
            ([published(audience=AUDIENCE)], [canceled(audience=AUDIENCE), pack(["OU9"])], 8),
            (
                [published(audience=AUDIENCE[2:])],
                [package(PackageEdited, 5, audience=AUDIENCE), order(OrderApproved)],
                0,
            ),
            (
                [pack(["OU9"]), published(3, audience=AUDIENCE), canceled(audience=AUDIENCE)],
                [canceled(audience=AUDIENCE), pack(AUDIENCE), orders_report(7)],
                8,
            ),
        ],
        ids=["a_pack", "a_cancel", "a_wider_audience", "the_same_cancel"],
    )
    async def test_wait_for_each_other_in_one_order(
        self,
        pair: Pair,
        faults: list[BaseException],
        monkeypatch: pytest.MonkeyPatch,
        running: Sequence[Body],
        news: Sequence[Body],
        told: int,
        *,
        consumer_first: bool,
    ) -> None:
        """Neither locks the other out, and each recipient has one notification of each kind."""
        fan_out_by_sweep(monkeypatch, piece=3)
        one, two = pair
        await one.send(*running)
        works = [lambda: one.send(*news), two.add_piece]
        await meet(one, *(works if consumer_first else works[::-1]))
        await two.fan_out()
        assert faults == []
        rows = await one.rows()
        keys = [(row["kind"], row["recipient_id"]) for row in rows]
        assert len(keys) == len(set(keys))
        assert len(await one.rows(kind="package_canceled")) == told
        expected = await one.pool.fetchval("SELECT coalesce(sum(expected), 0) FROM cancels")
        assert expected == told
        assert await one.running() == 0


class TestManyAtOnce:
    """Two workers hear, fan out, send and report, all at the same time."""

    async def test_lock_nobody_out(
        self,
        pair: Pair,
        amqp_url: str,
        faults: list[BaseException],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """No deadlock, no conflict, everybody is told of each cancel once, and it is reported."""
        monkeypatch.setattr(jobs, "PIECE", 2)
        monkeypatch.setattr(jobs, "SMALLEST_PIECE", 2)
        one, two = (worker.inner for worker in pair)
        async with with_broker(one, amqp_url) as first, with_broker(two, amqp_url) as second:
            await first.register(*AUDIENCE, mailbox="north")
            for number in range(15):
                monkeypatch.setattr(jobs, "FIRST_PIECES", (0, 2, 500)[number % 3])
                package_id = f"CAT{number}"
                events = self._events(package_id)
                random.Random(number).shuffle(events)
                await asyncio.gather(
                    self._hear(first, events[::2]),
                    self._hear(second, events[1::2]),
                    self._sweep(first),
                    self._sweep(second),
                )
                await self._check(first, package_id)
        assert faults == []

    def _events(self, package_id: str) -> list[Body]:
        return [
            published(4, package_id=package_id, audience=AUDIENCE[2:5]),
            package(PackageEdited, 5, package_id=package_id, audience=AUDIENCE[1:]),
            package(PackageEdited, 6, package_id=package_id, audience=AUDIENCE),
            canceled(7, package_id=package_id, audience=AUDIENCE[::-1]),
            pack(AUDIENCE[:4], package_id=package_id),
            pack(AUDIENCE[::-1], first=5, package_id=package_id),
            orders_report(11, package_id=package_id),
        ]

    async def _hear(self, worker: BrokerHarness, events: Sequence[Body]) -> None:
        for event in events:
            await worker.send(event)

    async def _sweep(self, worker: BrokerHarness) -> None:
        for _ in range(4):
            await worker.deliver()

    async def _check(self, first: BrokerHarness, package_id: str) -> None:
        await first.age(6)
        await first.deliver()
        told = recipients(await first.rows(package_id=package_id, kind="package_canceled"))
        assert told == AUDIENCE
        reports = [r for r in await first.reports() if r.package_id == package_id]
        assert [(r.notified, r.failed) for r in reports] == [(7, 0)]
        letters = await first.read("north")
        kinds = [(notice.kind, notice.recipient.id) for _, notice in letters]
        assert len(kinds) == len(set(kinds))
