"""How far cancels have got, as their events tell it."""

import asyncio
import io
import itertools
from typing import Any

from rich.console import Console

from contracts.cancellation import (
    CampaignsReport,
    CancellationCompleted,
    CancellationEvent,
    CancellationProgressed,
    NotificationsReport,
    OrdersReport,
    PackageOrdersCanceled,
)
from services.cli import cancels, showing
from services.cli.cancels import Cancel
from services.cli.demo.following import Following

ORDERS = OrdersReport(canceled=3, already_final=1)
COMPLETED: dict[str, Any] = {
    "orders": ORDERS,
    "campaigns": CampaignsReport(campaigns=1, processes_stopped=4, too_late=1),
    "notifications": NotificationsReport(notified=5, superseded=0, failed=0),
    "seconds": 1.5,
}


def progressed(done: int, expected: int, edition: int = 1) -> CancellationProgressed:
    """Orders has got so far."""
    return CancellationProgressed(
        package_id="CAT86", edition=edition, service="orders", done=done, expected=expected
    )


def completed(package_id: str = "CAT86", edition: int = 1) -> CancellationCompleted:
    """Everybody is done."""
    return CancellationCompleted(package_id=package_id, edition=edition, **COMPLETED)


class TestCancel:
    """One cancel."""

    def test_ends_the_same_in_any_order(self) -> None:
        """Events come late, twice and reordered."""
        events: list[CancellationEvent] = [
            progressed(0, 3),
            progressed(3, 3),
            PackageOrdersCanceled(package_id="CAT86", edition=1, canceled=3, already_final=1),
            completed(),
        ]
        for order in itertools.permutations([*events, events[1]]):
            cancel = Cancel("CAT86")
            for event in order:
                cancel.take(event)
            assert cancel.is_complete
            assert (cancel.parts["orders"].done, cancel.parts["orders"].expected) == (3, 3)
            assert cancel.parts["orders"].report is not None

    def test_of_a_newer_edition_begins_anew(self) -> None:
        """A package is canceled again after it was reinitialized."""
        cancel = Cancel("CAT86")
        cancel.take(completed())
        cancel.take(progressed(1, 2, edition=2))
        assert not cancel.is_complete
        assert cancel.parts["orders"].report is None

    def test_ignores_what_is_said_of_an_older_edition(self) -> None:
        """What is late must not touch a newer life."""
        cancel = Cancel("CAT86")
        cancel.take(progressed(1, 2, edition=2))
        cancel.take(completed(edition=1))
        assert not cancel.is_complete


class TestTogether:
    """Several cancels added up."""

    def test_has_a_report_once_each_has_one(self) -> None:
        """Until the last has reported, its service is still waited for."""
        one, two = Cancel("CAT86"), Cancel("CAT87")
        one.take(completed())
        assert cancels.together([one, two])["orders"].report is None
        two.take(completed("CAT87"))
        added = cancels.together([one, two])
        assert added["orders"].report == OrdersReport(canceled=6, already_final=2)
        assert cancels.describe(added["notifications"]) == "10 notified, 0 superseded, 0 failed"


class TestPicture:
    """A cancel on a terminal."""

    def test_fits_a_terminal(self) -> None:
        """Each service has one line, also where it has much to tell."""
        cancel = Cancel("CAT86")
        cancel.take(completed())
        cancel.parts["campaigns"].report = CampaignsReport(
            campaigns=5, processes_stopped=120, too_late=120
        )
        out = Console(width=80, file=io.StringIO(), record=True)
        out.print(cancels.picture("", cancel.parts))
        lines = out.export_text().splitlines()
        assert len(lines) == 3
        assert lines[1].rstrip().endswith("5 canceled, 120 processes stopped, 120 too late")

    async def test_ends_with_the_last_state(self) -> None:
        """What stays on the screen is the end, not the picture before it."""
        follower = Following(["CAT86"])
        screen = io.StringIO()
        out = Console(width=80, file=screen, force_terminal=True)
        headline = lambda: showing.title(follower.cancels["CAT86"])  # noqa: E731
        shown = asyncio.create_task(showing.show(follower, headline, out))
        await asyncio.sleep(0)
        follower.take(progressed(1, 3))
        await asyncio.sleep(0)
        follower.take(completed())
        await shown
        assert "complete after 1.50 s" in screen.getvalue().rpartition("cancel of CAT86")[2]

    def test_waits_for_packages_where_all_have_reported(self) -> None:
        """Between the last report and the end nobody is missing but packages itself."""
        cancel = Cancel("CAT86", edition=1)
        for part in cancel.parts.values():
            part.report = ORDERS
        assert showing.title(cancel).endswith("waiting for packages to close it")
