"""The ledger of a cancel: who has reported, and when it is complete."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.cancellation import (
    CampaignsReport,
    CancellationCompleted,
    NotificationsReport,
    OrdersReport,
)
from services.packages import handlers, ledger
from services.packages.handlers import World
from services.packages.ledger import Cancellation, Report
from services.runtime.decision import Accepted, Unchanged
from tests.packages.given import cancellation, package, received, reports, world

ALL = reports(canceled=5, already_final=2, campaigns=1, processes_stopped=3, notified=7, failed=1)
AGAIN = reports(canceled=9, campaigns=9, notified=9)
"""What the services reported, and other counts that they would never report."""


def canceling() -> World:
    """A package whose cancel nobody has reported on."""
    return world([package("canceled")], ledgers=[cancellation(complete=False)])


def completions(known: World, *heard: Report) -> list[CancellationCompleted]:
    """What is announced while these are heard."""
    events = []
    for report in heard:
        decision = handlers.handle(known, received(report))
        assert isinstance(decision, Accepted | Unchanged)
        events += list(decision.events) if isinstance(decision, Accepted) else []
    assert all(isinstance(event, CancellationCompleted) for event in events)
    return [event for event in events if isinstance(event, CancellationCompleted)]


class TestTheThreeReports:
    """One of orders, one of campaigns, one of notifications."""

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_complete_a_cancel_in_any_order(self, order: tuple[int, ...]) -> None:
        """The third one does, and hands on the counts of each."""
        known = canceling()
        first, second, third = (ALL[place] for place in order)
        assert not completions(known, first, second)
        (completed,) = completions(known, third)
        assert completed.orders == OrdersReport(canceled=5, already_final=2)
        assert completed.campaigns == CampaignsReport(campaigns=1, processes_stopped=3, too_late=0)
        assert completed.notifications == NotificationsReport(notified=7, superseded=0, failed=1)
        assert completed.seconds == 3600

    @given(st.lists(st.sampled_from(ALL + AGAIN), max_size=12))
    def test_complete_a_cancel_once(self, heard: list[Report]) -> None:
        """Whatever is repeated, and in which order: the first of each kind counts."""
        known = canceling()
        announced = completions(known, *heard)
        kinds = {type(report) for report in heard}
        assert len(announced) == (1 if len(kinds) == 3 else 0)
        for completed in announced:
            first = next(r for r in heard if type(r) is type(ALL[0]))
            assert completed.orders.model_dump().items() <= first.model_dump().items()

    def test_concern_one_edition(self) -> None:
        """Those of another one fill nothing."""
        known = canceling()
        assert not completions(known, *reports(edition=2), *reports("CAT1"))
        untouched = known.ledgers.get(("CAT86", 1))
        assert untouched == cancellation(complete=False)

    def test_never_take_negative_time(self) -> None:
        """The clock of one worker may be behind that of another."""
        late = Cancellation("CAT86", 1, started_at=received(ALL[0]).now.replace(year=2027))
        known = world([package("canceled")], ledgers=[late])
        (completed,) = completions(known, *ALL)
        assert completed.seconds == 0


class TestAStalledCancel:
    """One that takes too long."""

    @pytest.mark.parametrize("missing", [{0}, {1}, {2}, {0, 2}, {0, 1, 2}])
    def test_says_whom_it_waits_for(self, missing: set[int]) -> None:
        """And what the others reported."""
        known = canceling()
        completions(known, *(report for at, report in enumerate(ALL) if at not in missing))
        cancel = known.ledgers.get(("CAT86", 1))
        assert cancel is not None
        emitted = ledger.stalled(cancel)
        names = ("orders", "campaigns", "notifications")
        assert emitted.waiting_for == [name for at, name in enumerate(names) if at in missing]
        for name in names:
            assert (getattr(emitted, name) is None) == (name in emitted.waiting_for)
