"""The scenario of the demo: its data, what is expected of it, and how the two are compared."""

import io
from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest
from rich.console import Console

from contracts.packages import DistributionLevel
from services.cli.demo import expected, scenario
from services.cli.demo.expected import Notice, Rows
from services.cli.demo.mailboxes import Read
from services.cli.demo.output import Output
from services.cli.demo.report import Report
from services.cli.demo.scenario import Scenario, Sizes

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def built(orders: int = 60, entities: int = 20, mailboxes: int = 8) -> Scenario:
    """The scenario in these sizes."""
    return scenario.build(scenario.read(), Sizes(orders, entities, mailboxes), NOW)


class TestScenario:
    """Its entities, packages and orders."""

    def test_has_every_distribution_level(self) -> None:
        """Each kind of package is canceled at least once."""
        levels = {plan.package.distribution_level for plan in built().plans}
        assert levels == set(DistributionLevel)

    @pytest.mark.parametrize(
        ("orders", "entities"), [(0, 2), (3, 2), (12, 2), (60, 20), (100, 7), (999, 10)]
    )
    def test_has_as_many_open_orders_as_asked_for(self, orders: int, entities: int) -> None:
        """The cancel meets just so many, however they are spread."""
        plans = built(orders, entities).collaborative
        assert sum(len(plan.orders) + len(plan.imported) for plan in plans) == orders

    @pytest.mark.parametrize(("orders", "entities"), [(3, 2), (60, 20), (100, 7), (999, 10)])
    def test_orders_a_collaborative_package_once_per_entity(
        self, orders: int, entities: int
    ) -> None:
        """The rule already_ordered allows no more; the rest is imported."""
        for plan in built(orders, entities).collaborative:
            takers = [entity for _, entity in plan.orders]
            assert len(takers) == len(set(takers))

    def test_gives_every_order_an_id_of_its_own(self) -> None:
        """Also across packages and editions."""
        made = built()
        ids = [o.order_id for p in made.plans for e in (1, 2) for o in made.places(p, e)]
        ids += [o.order_id for p in made.plans for e in (1, 2) for o in made.rejected(p, e)]
        assert len(ids) == len(set(ids))

    def test_shares_mailboxes_evenly(self) -> None:
        """A gateway's mailbox serves many entities."""
        counts = Counter(entity.mailbox for entity in built(entities=20, mailboxes=8).entities)
        assert set(counts.values()) == {2, 3}
        assert len(counts) == 8


class TestExpected:
    """What it must leave behind."""

    def test_cancels_every_open_order_of_collaborative_packages(self) -> None:
        """Rejected ones stay, and so does all of a local package."""
        made = built()
        orders = expected.after_cancel(made, 1).orders
        canceled = sum(n for key, n in orders.items() if key[2] == "canceled")
        assert canceled == 60
        assert {key[2] for key in orders if key[0] == "CAT90"} == {"ordered", "approved"}

    def test_notifies_the_audience_and_whoever_ordered(self) -> None:
        """A deactivated entity is notified if it is in the audience or has ordered."""
        made = built(orders=8, entities=20)
        notices = expected.after_cancel(made, 1).notices
        of_deactivated = {package for _, who, package, _, _ in notices if who == made.deactivated}
        assert of_deactivated == {"CAT87", "CAT88", "CAT89"}

    def test_leaves_no_trace_of_a_cancel_in_a_second_edition(self) -> None:
        """Its campaign is being edited again, and what had finished stays so."""
        found = expected.before_cancel(built(), 2)
        assert {key[1] for key in found.campaigns} == {"being_edited"}
        assert {key[1] for key in found.processes} == {"pending", "finished"}
        assert "package_canceled" not in {kind for kind, *_ in found.notices}


def notice(id: str, kind: str = "package_canceled", order: str | None = None) -> bytes:
    """A notice as it lies in a mailbox."""
    data = {
        "kind": kind,
        "recipient": {"type": "entity", "id": "OU1", "label": "Lyon"},
        "package": {"package_id": "CAT86", "edition": 1},
        "order": {"order_id": order} if order else None,
    }
    return orjson.dumps({"id": id, "data": data})


ABOUT: Notice = ("package_canceled", "OU1", "CAT86", 1, None)


class TestRead:
    """How the notices of a mailbox are counted."""

    def test_counts_the_same_id_again_as_a_repeat(self) -> None:
        """A repeat is harmless: readers delete it by its id."""
        read = Read()
        for id in ("a", "a"):
            read.take(notice(id))
        assert (read.ids, read.repeats) == ({ABOUT: {"a"}}, 1)

    def test_counts_two_ids_of_one_notice_as_two(self) -> None:
        """A reader cannot recognise the second as a repeat: that is twice."""
        read = Read()
        for id in ("a", "b"):
            read.take(notice(id))
        report = Report()
        report.notices("notices", {ABOUT}, read, crashed=True)
        assert (report.twice, report.lost, report.ok) == (1, 0, False)

    def test_counts_what_is_no_notice(self) -> None:
        """Something else in a mailbox is an error of its own."""
        read = Read()
        read.take(b'{"id": "a", "data": {}}')
        assert read.unreadable == 1


class TestReport:
    """What is compared, and what the differences are called."""

    def test_is_right_when_all_is_as_expected(self) -> None:
        """Nothing lost, nothing twice, nothing wrong."""
        read = Read()
        read.take(notice("a"))
        report = Report()
        report.notices("notices", {ABOUT}, read, crashed=False)
        report.rows("orders", Rows({("a",): 2}), Rows({("a",): 2}))
        report.count("said", 1, 1)
        assert report.ok

    def test_counts_what_did_not_arrive_as_lost(self) -> None:
        """An entity that was not notified is one lost."""
        report = Report()
        report.notices("notices", {ABOUT}, Read(), crashed=False)
        assert (report.lost, report.twice) == (1, 0)

    def test_counts_a_row_left_as_it_was_as_lost(self) -> None:
        """An order that is still open was not reached."""
        report = Report()
        report.rows("orders", Rows({("canceled",): 2}), Rows({("canceled",): 1, ("ordered",): 1}))
        assert (report.lost, report.twice) == (1, 0)

    def test_counts_a_row_too_many_as_twice(self) -> None:
        """Two rows for one thing are one too many."""
        report = Report()
        report.rows("orders", Rows({("canceled",): 1}), Rows({("canceled",): 2}))
        assert (report.lost, report.twice) == (0, 1)

    def test_allows_repeats_only_after_a_crash(self) -> None:
        """Without one there is no reason for a repeat."""
        read = Read()
        for _ in range(2):
            read.take(notice("a"))
        for crashed in (True, False):
            report = Report()
            report.notices("notices", {ABOUT}, read, crashed=crashed)
            assert report.ok is crashed

    def test_is_wrong_about_what_nobody_expected(self) -> None:
        """A notice to somebody who is not concerned is an error too."""
        read = Read()
        read.take(notice("a", kind="order_canceled", order="ORD1"))
        report = Report()
        report.notices("notices", set(), read, crashed=False)
        assert not report.ok


class TestOutput:
    """The progress on a terminal."""

    def test_folds_what_is_long_under_its_beginning(self) -> None:
        """A line past the edge of a terminal breaks words and loses its indent."""
        out = Console(width=80, file=io.StringIO(), record=True)
        output = Output(out)
        output.line("word " * 40)
        with output.step("word " * 40):
            pass
        lines = out.export_text().splitlines()
        assert max(map(len, lines)) <= 80
        assert {line[:2] for line in lines} == {"  "}
        assert {line.split()[0] for line in lines} == {"word", "✓"}
