"""When the clock of the database is set back, everybody who was to be told is told, and soon."""

from datetime import timedelta

import pytest

from contracts.directory import EntityDeactivated
from services.runtime.tables import clock
from tests.harness import set_back
from tests.notifications.given import canceled, entity, published
from tests.notifications.harness import NotificationsHarness

pytestmark = pytest.mark.servers

HOUR = timedelta(hours=1)


async def look(harness: NotificationsHarness) -> None:
    """Look at the clock as each worker does every second."""
    await clock.sweep(harness.inner.service.set_back).run(harness.inner.work)


async def told(harness: NotificationsHarness) -> list[str]:
    """Who has a notification."""
    return [row["recipient_id"] for row in await harness.rows()]


class TestAClockThatIsSetBack:
    """Nothing waits for the length of the step, and nobody is forgotten."""

    async def test_leaves_those_active_who_were(self, harness: NotificationsHarness) -> None:
        """Also those whose first moment lies ahead by the new clock."""
        await harness.register("OU1", "OU2")
        await harness.send(entity(EntityDeactivated, "OU2", version=2, active=False))
        await set_back(harness.inner, HOUR)

        await look(harness)
        await harness.send(published(audience=None))
        await harness.fan_out()

        assert await told(harness) == ["OU1"]

    @pytest.mark.usefixtures("by_sweep")
    async def test_leaves_a_fan_out_its_recipients(self, harness: NotificationsHarness) -> None:
        """Those who were active when it began, whoever came or went since."""
        await harness.register("OU1", "OU2")
        await harness.send(published(audience=None))
        assert await harness.running() == 1
        await set_back(harness.inner, HOUR)

        await look(harness)
        await harness.send(entity(EntityDeactivated, "OU1", version=2, active=False))
        await harness.register("OU3")
        await harness.fan_out()

        assert await told(harness) == ["OU1", "OU2"]

    async def test_lets_no_notification_wait(self, harness: NotificationsHarness) -> None:
        """Its next try comes when it would have come, and so does the end of its patience."""
        await harness.send(canceled(audience=["OU9"]))
        await harness.fan_out()
        before = await harness.rows()
        await set_back(harness.inner, HOUR)
        held = "SELECT count(*) FROM rounds WHERE taken_until > now() + interval '30 minutes'"
        assert await harness.pool.fetchval(held) == 16

        await look(harness)

        assert await harness.pool.fetchval(held) == 0
        assert [row["added_at"] for row in await harness.rows()] == [
            row["added_at"] for row in before
        ]
