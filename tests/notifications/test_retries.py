"""Failed notifications that an operator wants tried again, and how notifications stand."""

from typing import Any

import pytest

from contracts.notifications import (
    NotificationFailed,
    NotificationSent,
    NotificationSnapshot,
    NotificationStatus,
    NotificationSuperseded,
    RetryNotifications,
)
from contracts.operations import RequestSnapshot
from contracts.packages import PackageReinitialized, PackageStatus
from services.notifications import delivery, wakes
from services.runtime.decision import Answer
from services.runtime.messages import operations
from services.runtime.tables import jobs
from tests.conftest import PieceSizes
from tests.harness import Emitted
from tests.notifications.given import canceled, orders_report, package, published
from tests.notifications.harness import BrokerHarness, NotificationsHarness

pytestmark = pytest.mark.servers


async def failed(harness: NotificationsHarness, *entities: str, cancel: bool = False) -> list[str]:
    """Notifications about CAT86 that have failed, since their entities were unknown; their ids."""
    names = list(entities) or ["OU1"]
    await harness.send(published(audience=names))
    if cancel:
        await harness.send(canceled(audience=names), orders_report())
    await harness.fan_out()
    await harness.age(60)
    await harness.sweep(wakes.SEND, wakes.SEND)
    found = [e for e in await harness.inner.emitted() if isinstance(e.body, NotificationFailed)]
    return [e.body.notification_id for e in found if isinstance(e.body, NotificationFailed)]


async def ask(harness: NotificationsHarness, **data: Any) -> Answer:
    """The answer to a retry of notifications about CAT86."""
    return await harness.inner.ask(RetryNotifications(package_id="CAT86", **data))


async def states(harness: NotificationsHarness) -> list[tuple[str, str, int]]:
    """What was said of notifications since: the kind of event, status and attempts."""
    found = await harness.inner.emitted()
    kinds = (NotificationSent, NotificationFailed, NotificationSuperseded, NotificationSnapshot)
    return [
        (type(e.body).__name__, e.body.status, e.body.attempts)
        for e in found
        if isinstance(e.body, kinds)
    ]


class TestARetry:
    """Failed notifications are pending again, and are tried."""

    async def test_says_that_it_is_pending_and_then_sent(
        self, broker_harness: BrokerHarness
    ) -> None:
        """Attempts rise with each state, so that readers know which is newer."""
        (id,) = await failed(broker_harness)
        await broker_harness.register("OU1")

        answer = await ask(broker_harness, notification_ids=[id])
        await broker_harness.deliver()

        assert answer.outcome == "accepted"
        assert answer.message == "1 of 1 notifications of CAT86 are tried again"
        assert await states(broker_harness) == [
            ("NotificationSnapshot", "pending", 1),
            ("NotificationSent", "sent", 2),
        ]
        ((letter, _),) = await broker_harness.read("OU1")
        assert letter.id == id

    async def test_is_caused_by_the_command(self, harness: NotificationsHarness) -> None:
        """With the package as its key."""
        (id,) = await failed(harness)
        retry = RetryNotifications(package_id="CAT86", notification_ids=[id])
        await harness.send(retry, id="retry-1")
        (told,) = [
            e for e in await harness.inner.emitted() if isinstance(e.body, NotificationSnapshot)
        ]
        assert isinstance(told, Emitted)
        assert (told.envelope.causationid, told.envelope.partitionkey) == ("retry-1", "CAT86")

    async def test_of_all_is_of_the_present_edition(
        self, harness: NotificationsHarness, piece_sizes: PieceSizes
    ) -> None:
        """In pieces, where there are many; an older edition only where it is named."""
        await failed(harness, "OU1", "OU2", "OU3")
        await harness.send(
            package(
                PackageReinitialized, 5, edition=2, status=PackageStatus.BEING_EDITED, audience=None
            )
        )
        piece_sizes(2)
        answer = await ask(harness, failed=True)
        assert answer == Answer(
            "unchanged", message="no notification of CAT86, edition 2, has failed"
        )
        answer = await ask(harness, failed=True, edition=1)
        assert answer.message == "all failed notifications of CAT86, edition 1, are tried again"
        assert await harness.inner.sweep(jobs.SWEEP) > 2
        assert {row["status"] for row in await harness.rows()} == {"pending"}
        assert await harness.running() == 0

    async def test_that_goes_on_is_not_begun_twice(
        self, harness: NotificationsHarness, piece_sizes: PieceSizes
    ) -> None:
        """Neither in one batch nor later."""
        await failed(harness, "OU1", "OU2")
        piece_sizes(1)
        retry = RetryNotifications(package_id="CAT86", failed=True)
        assert await harness.outcomes(retry, retry) == ["accepted", "unchanged"]
        assert await harness.outcomes(retry) == ["unchanged"]

    async def test_of_ids_that_nobody_knows_is_refused(self, harness: NotificationsHarness) -> None:
        """By name; those that have failed are tried all the same."""
        (id,) = await failed(harness)
        answer = await ask(harness, notification_ids=["nobody"])
        assert (answer.outcome, answer.code) == ("refused", "wrong_status")
        assert "CAT86 has no failed notification nobody" in (answer.message or "")
        (answer,) = await harness.send(  # type: ignore[assignment]
            RetryNotifications(package_id="CAT86", notification_ids=["nobody", id])
        )
        assert answer.outcome == "accepted"
        assert answer.message == (
            "1 of 2 notifications of CAT86 are tried again; CAT86 has no failed notification nobody"
        )

    async def test_of_what_is_to_be_tried_anyway_is_unchanged(
        self, harness: NotificationsHarness
    ) -> None:
        """Two operators may ask at once."""
        (id,) = await failed(harness)
        retry = RetryNotifications(package_id="CAT86", notification_ids=[id])
        assert await harness.outcomes(retry, retry) == ["accepted", "unchanged"]
        assert await harness.outcomes(retry) == ["unchanged"]

    async def test_of_an_edition_to_come_is_invalid(self, harness: NotificationsHarness) -> None:
        """It names the present one."""
        await failed(harness)
        answer = await ask(harness, failed=True, edition=7)
        assert (answer.outcome, answer.code) == ("refused", "invalid")
        assert answer.message == (
            "data.edition must be at most 1, the present edition of CAT86, not 7"
        )

    async def test_of_an_unknown_package_waits_for_it(self, harness: NotificationsHarness) -> None:
        """And is refused once it has waited."""
        answer = await ask(harness, failed=True)
        assert (answer.outcome, answer.code) == ("refused", "unknown_package")

    async def test_begins_a_new_series_of_tries(self, broker_harness: BrokerHarness) -> None:
        """As many as at first, with the same pauses, though its attempts go on rising."""
        await broker_harness.register("OU1")
        await broker_harness.send(published(audience=["OU1"]))
        await broker_harness.fan_out()
        await broker_harness.fill("OU1")
        for _ in range(delivery.TRIES):
            await broker_harness.sweep(wakes.SEND)
            await broker_harness.age(100_000)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"]) == ("failed", delivery.TRIES)
        await ask(broker_harness, failed=True)
        for _ in range(delivery.TRIES - 1):
            await broker_harness.sweep(wakes.SEND)
            await broker_harness.age(100_000)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"]) == ("pending", 2 * delivery.TRIES)
        await broker_harness.sweep(wakes.SEND)
        (row,) = await broker_harness.rows()
        assert (row["status"], row["attempts"]) == ("failed", 2 * delivery.TRIES + 1)

    async def test_leaves_a_cancel_complete(self, broker_harness: BrokerHarness) -> None:
        """What was reported stays so; nothing is counted or reported again."""
        await failed(broker_harness, "OU1", cancel=True)
        (before,) = await broker_harness.pool.fetch("SELECT * FROM cancels")
        assert before["completed_at"] is not None
        await broker_harness.register("OU1")
        await ask(broker_harness, failed=True)
        await broker_harness.deliver()

        (after,) = await broker_harness.pool.fetch("SELECT * FROM cancels")
        assert (after["completed_at"], after["tried"]) == (before["completed_at"], before["tried"])
        assert await broker_harness.reports() == []
        ((_, notice),) = await broker_harness.read("OU1")
        assert notice.kind == "package_canceled"


class TestASnapshot:
    """Every notification as it is."""

    async def test_has_those_that_are_pending_too(
        self, harness: NotificationsHarness, piece_sizes: PieceSizes
    ) -> None:
        """With the ids that their recipients know, each once."""
        ids = await failed(harness, "OU1", "OU2")
        await ask(harness, notification_ids=[ids[0]])
        await harness.inner.emitted()
        piece_sizes(1)

        await harness.inner.ask(RequestSnapshot(service="notifications", request_id="r"))
        await harness.inner.sweep(operations.SWEEP)

        told = await harness.inner.events(NotificationSnapshot)
        assert sorted(one.notification_id for one in told) == sorted(ids)
        assert sorted((one.status, one.attempts) for one in told) == [
            (NotificationStatus.FAILED, 0),
            (NotificationStatus.PENDING, 1),
        ]
