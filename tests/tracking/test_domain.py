"""What one event makes of one row."""

import pytest

from contracts.notifications import NotificationFailed, NotificationSent, NotificationSnapshot
from contracts.orders import (
    OrderCanceled,
    OrderEdited,
    OrderPlaced,
    OrderRef,
    OrdersCanceled,
    OrderSnapshot,
    OrdersPlaced,
)
from contracts.packages import PackageEdited, PackagePublished, PackageSnapshot, PackageSubmitted
from services.tracking import domain, history
from tests.tracking.given import DAY, NOW, notification, order, origin, package

REF = OrderRef(order_id="ORD1", entity_id="OU1", version=3)
CANCELED = OrdersCanceled(package_id="CAT86", edition=1, orders=[REF])


class TestAnOrder:
    """Told of by events of its own and by packed ones."""

    def test_keeps_its_status_when_a_late_edit_brings_its_comment(self) -> None:
        """The packed cancel is newer than the edit."""
        row = domain.packed_order(None, CANCELED, REF, origin())
        edited = OrderEdited.of(order("ordered", version=2, comment="two please"))
        row = domain.order(row, edited, origin("a-2"))
        assert row.columns["status"] == "canceled"
        assert row.columns["comment"] == "two please"
        assert row.columns["late_from"] is None
        assert row.columns["cause"] == "a-1"

    def test_has_the_earliest_time_of_its_packs_until_it_is_known(self) -> None:
        """When it was placed is told by an event of its own."""
        placed = OrdersPlaced(package_id="CAT86", edition=1, orders=[REF])
        row = domain.packed_order(None, CANCELED, REF, origin(at=NOW))
        row = domain.packed_order(row, placed, REF, origin(at=NOW - DAY))
        assert row.columns["placed_at"] == NOW - DAY
        row = domain.order(row, OrderPlaced.of(order(placed_at=NOW - 2 * DAY)), origin())
        assert row.columns["placed_at"] == NOW - 2 * DAY

    def test_is_late_while_it_waits(self) -> None:
        """From its approval deadline on."""
        row = domain.order(None, OrderPlaced.of(order()), origin())
        assert row.columns["late_from"] == NOW + 2 * DAY
        row = domain.order(row, OrderCanceled.of(order("canceled", version=2)), origin())
        assert row.columns["late_from"] is None

    def test_of_a_status_that_only_newer_services_know_is_kept_as_it_is(self) -> None:
        """It is no reason to park an event."""
        row = domain.order(None, OrderPlaced.of(order("waitlisted")), origin())
        assert row.columns["status"] == "waitlisted"

    def test_has_no_cause_from_a_snapshot(self) -> None:
        """Nothing happens by it."""
        row = domain.order(None, OrderSnapshot.of(order("canceled", version=3)), origin())
        assert row.columns["cause"] is None
        row = domain.packed_order(row, CANCELED, REF, origin("a-7"))
        assert row.columns["cause"] == "a-7"


class TestAPackage:
    """Its derived moments."""

    @pytest.mark.parametrize(
        ("status", "late", "closed"),
        [
            ("being_edited", NOW + DAY, None),
            ("pending_approval", NOW, None),
            ("approved", NOW + DAY, None),
            ("rejected", None, None),
            ("published", None, NOW + 5 * DAY),
            ("canceled", None, None),
            ("archived", None, None),
        ],
    )
    def test_is_late_or_closed_from_a_moment_on(
        self, status: str, late: object, closed: object
    ) -> None:
        """Which depends on its status; one that is not known yet has none."""
        state = package(status, approval_deadline=NOW, registration_deadline=NOW + 5 * DAY)
        row = domain.package(None, PackageSubmitted.of(state), origin())
        assert (row.columns["late_from"], row.columns["closed_from"]) == (late, closed)

    def test_says_what_will_happen_by_itself(self) -> None:
        """By its status."""
        dates = {"available_at": NOW + 2 * DAY, "personalization_deadline": NOW + 3 * DAY}
        published = domain.due(PackagePublished.of(package("published", **dates)))
        assert published == {
            "end": NOW + 30 * DAY,
            "availability": NOW + 2 * DAY,
            "personalization_deadline": NOW + 3 * DAY,
        }
        assert domain.due(PackageEdited.of(package("canceled"))) == {}

    def test_moves_its_audience_only_where_it_is_another(self) -> None:
        """Fifty thousand rows are not written again for a label."""
        row = domain.package(None, PackagePublished.of(package(audience=["OU1"])), origin())
        assert row.audience_moved
        row.audience_moved = False
        again = PackageEdited.of(package(audience=["OU1"], label="New", version=2))
        assert not domain.package(row, again, origin()).audience_moved

    def test_keeps_the_cause_of_its_status_when_it_is_edited(self) -> None:
        """Neither an edit nor a snapshot sets it."""
        row = domain.package(None, PackagePublished.of(package("published")), origin("a-1"))
        row = domain.package(row, PackageEdited.of(package("published", version=2)), origin("a-2"))
        row = domain.package(
            row, PackageSnapshot.of(package("published", version=3)), origin("a-3")
        )
        assert row.columns["cause"] == "a-1"
        assert row.columns["version"] == 3


class TestANotification:
    """It has no version."""

    def test_is_what_its_last_try_came_to(self) -> None:
        """A failure that comes late changes nothing."""
        row = domain.notification(
            None, NotificationSent.of(notification(attempts=2)), origin("a-2")
        )
        late = NotificationFailed.of(notification("failed", attempts=1, error="no"))
        row = domain.notification(row, late, origin("a-1"))
        assert (row.columns["status"], row.columns["cause"]) == ("sent", "a-2")

    def test_has_its_cause_from_the_event_that_a_snapshot_has_overtaken(self) -> None:
        """And its moment."""
        failed = notification("failed", error="no")
        row = domain.notification(None, NotificationSnapshot.of(failed), origin("s-1", NOW + DAY))
        assert row.columns["cause"] is None
        row = domain.notification(row, NotificationFailed.of(failed), origin("a-1", NOW))
        assert (row.columns["cause"], row.columns["at"]) == ("a-1", NOW)


class TestAnErrorKind:
    """What errors of one cause have in common."""

    @pytest.mark.parametrize(
        "error",
        ["KeyError: 'ORD29' of CAT86 at 12", "KeyError: 'ORD30' of CAT7 at 9\nmore"],
    )
    def test_has_no_ids_values_and_numbers(self, error: str) -> None:
        """So that they are one group."""
        assert history.error_kind(error) == "KeyError: … of … at …"
