"""When the clock of the database is set back, a cancel is stalled when it would have been."""

from datetime import timedelta

import pytest

from contracts.cancellation import CancellationStalled
from services.runtime.tables import clock
from tests.harness import Harness, set_back
from tests.packages.given import creation, life

pytestmark = pytest.mark.servers


class TestAClockThatIsSetBack:
    """Whoever waits hears of it, and nobody too early."""

    async def test_announces_a_cancel_as_stalled_in_time(self, packages: Harness) -> None:
        """Not later by as much as the clock was set back."""
        await packages.send(creation(), life("cancel"))
        await packages.pool.execute("UPDATE cancellations SET due_at = now()")
        await set_back(packages, timedelta(hours=1))
        await packages.sweep("stalled")
        assert not await packages.events(CancellationStalled)

        await clock.sweep(packages.service.set_back).run(packages.work)
        await packages.sweep("stalled")

        assert len(await packages.events(CancellationStalled)) == 1
