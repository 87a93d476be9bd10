"""What orders keeps of packages, entities and campaigns, and the cancel of a package."""

from dataclasses import replace

import pytest

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrderState
from contracts.packages import DistributionLevel, PackageEdition
from services.orders.handlers import World
from services.orders.jobs import CANCEL
from services.runtime.decision import Accepted, Unchanged
from services.runtime.service import Jobs
from tests.orders.given import (
    canceled,
    deactivated,
    decide,
    edit,
    life,
    offer,
    order,
    place,
    published,
    registered,
    reinitialized,
    world,
)
from tests.orders.then import outcome_of

LIFE = ("CAT86", 1)
LOCAL = {"distribution_level": "local"}


class TestTheCopyOfAPackage:
    """Made from its events."""

    def test_is_made_of_whatever_comes_first(self) -> None:
        """A state about an unknown package is stored."""
        known = world()
        decide(known, published(version=9))
        assert outcome_of(decide(known, place())) == "ordered"

    @pytest.mark.parametrize("version", [3, 4])
    def test_is_not_rolled_back(self, version: int) -> None:
        """Only a newer version counts."""
        known = world(offer("canceled", version=4))
        assert isinstance(decide(known, published(version=version)), Unchanged)
        assert outcome_of(decide(known, place())) == "not_offered"

    def test_counts_for_the_messages_behind_it(self) -> None:
        """Also its audience, whether it was limited before or not."""
        known = world(offer(version=1))
        decide(known, published(version=2, audience=["OU2"]))
        assert outcome_of(decide(known, place())) == "not_in_audience"
        decide(known, published(version=3, audience=["OU1", "OU2"]))
        assert outcome_of(decide(known, place())) == "ordered"
        decide(known, published(version=4, audience=None))
        assert outcome_of(decide(known, place(order_id="ORD2", entity_id="OU2"))) == "ordered"

    def test_has_the_audience_of_the_tables_where_it_did_not_change(self) -> None:
        """An edit of the label does not replace thousands of rows."""
        known = world(offer(audience=["OU1"]), audience=["OU1"])
        decide(known, published(version=5, audience=["OU1"]))
        assert known.audiences == {}
        assert outcome_of(decide(known, place())) == "ordered"

    def test_has_its_last_audience_when_it_changes_to_and_fro(self) -> None:
        """Within one batch."""
        known = world(offer(audience=["OU1"]), audience=["OU1"])
        decide(known, published(version=5, audience=["OU2"]))
        decide(known, published(version=6, audience=["OU1"]))
        assert known.audiences == {"CAT86": frozenset({"OU1"})}


class TestTheCopyOfAnEntity:
    """Made from its events."""

    def test_is_not_rolled_back(self) -> None:
        """Only a newer version counts."""
        known = world(offer(), inactive=["OU1"])
        assert isinstance(decide(known, registered()), Unchanged)
        assert outcome_of(decide(known, place())) == "entity_inactive"

    def test_counts_for_the_messages_behind_it(self) -> None:
        """An entity may be registered, order, and be deactivated at once."""
        known = world(offer(), entities=[])
        decide(known, registered())
        assert outcome_of(decide(known, place())) == "ordered"
        decide(known, deactivated())
        assert outcome_of(decide(known, place(order_id="ORD2"))) == "entity_inactive"


def jobs(known: World) -> dict[PackageEdition, str]:
    """The jobs that were added, each with its state."""
    assert {job.kind for job in known.jobs.new} <= {CANCEL}
    return {(job.line, job.place): "done" if job.done else "running" for job in known.jobs.new}


def with_cancel(known: World) -> World:
    """The same, and the tables have a cancel of its first edition."""
    return replace(known, jobs=Jobs([(*LIFE, CANCEL.name, True)]))


class TestACancelOfAPackage:
    """As orders hears of it."""

    def test_closes_the_package_and_adds_a_job(self) -> None:
        """Reports come from the sweep."""
        known = world(offer())
        assert decide(known, canceled()) == Accepted()
        assert jobs(known) == {LIFE: "running"}
        assert outcome_of(decide(known, place())) == "not_offered"

    def test_counts_for_the_messages_behind_it(self) -> None:
        """An order placed before is as good as canceled."""
        known = world(offer())
        decide(known, place())
        decide(known, canceled())
        assert outcome_of(decide(known, life("approve"))) == "wrong_status"
        assert outcome_of(decide(known, life("cancel"))) == "unchanged"

    def test_counts_whatever_the_copy_says(self) -> None:
        """Before the copy, or long after it has moved on."""
        early, late = world(), world(offer("published", version=9, edition=2))
        for known in (early, late):
            decide(known, canceled())
            assert jobs(known) == {LIFE: "running"}
        decide(early, published(version=4))
        assert outcome_of(decide(early, place())) == "not_offered"
        assert outcome_of(decide(late, place())) == "ordered"

    def test_is_remembered_when_the_copy_moves_on(self) -> None:
        """Its orders count as canceled until they are."""
        known = world(offer("published", version=9, edition=2), orders=[order()])
        decide(known, canceled())
        decide(known, published(version=10, edition=2))
        assert outcome_of(decide(known, life("approve"))) == "wrong_status"

    def test_counts_once_an_edition(self) -> None:
        """Under whatever id it comes again."""
        known = world(offer())
        decide(known, canceled())
        assert isinstance(decide(known, canceled()), Unchanged)
        again = with_cancel(world(offer("canceled", version=5, canceled_editions=(1,))))
        assert isinstance(decide(again, canceled()), Unchanged)
        assert jobs(again) == {}

    def test_of_a_later_edition_has_a_job_of_its_own(self) -> None:
        """The first one's is done and stays."""
        known = with_cancel(world(offer("published", version=9, edition=2, canceled_editions=(1,))))
        decide(known, canceled(version=10, edition=2))
        assert jobs(known) == {("CAT86", 2): "running"}


class TestACancelOfALocalPackage:
    """It leaves the list; what was made of it stays."""

    def canceled(self, *orders: OrderState) -> World:
        """A world in which a local package was just canceled."""
        known = world(offer(distribution_level=DistributionLevel.LOCAL), orders=orders)
        decide(known, canceled(**LOCAL))
        return known

    def test_reports_zeros_at_once(self) -> None:
        """There is nothing to do."""
        known = world(offer(distribution_level=DistributionLevel.LOCAL))
        decision = decide(known, canceled(**LOCAL))
        assert isinstance(decision, Accepted)
        progress, report = decision.events
        assert isinstance(progress, CancellationProgressed)
        assert (progress.service, progress.done, progress.expected) == ("orders", 0, 0)
        assert isinstance(report, PackageOrdersCanceled)
        assert (report.canceled, report.already_final) == (0, 0)
        assert jobs(known) == {LIFE: "done"}

    @pytest.mark.parametrize("name", ["approve", "reject", "cancel"])
    def test_leaves_orders_to_be_decided(self, name: str) -> None:
        """One by one."""
        known = self.canceled(order())
        assert outcome_of(decide(known, life(name))) in {"approved", "rejected", "canceled"}

    def test_takes_no_new_orders(self) -> None:
        """Not even where several are allowed."""
        assert outcome_of(decide(self.canceled(), place())) == "not_offered"

    def test_leaves_orders_also_when_the_next_edition_is_collaborative(self) -> None:
        """The level is any field of a package that is edited."""
        known = self.canceled(order())
        decide(known, reinitialized(distribution_level="collaborative_simple"))
        assert outcome_of(decide(known, edit(label="Doors"))) == "ordered"
        assert outcome_of(decide(known, life("approve"))) == "approved"

    def test_is_told_by_the_cancel_and_not_by_the_copy(self) -> None:
        """The copy may be of another edition by now, and of another level."""
        collaborative = world(offer("being_edited", version=9, edition=2))
        decide(collaborative, canceled(**LOCAL))
        assert jobs(collaborative) == {LIFE: "done"}
        local = DistributionLevel.LOCAL
        known = world(offer("being_edited", version=9, edition=2, distribution_level=local))
        decide(known, canceled())
        assert jobs(known) == {LIFE: "running"}
