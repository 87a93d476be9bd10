"""Which of several refusals is told, and how."""

from typing import Any

import pytest

from contracts.sentences import last_change
from services.runtime.decision import Unchanged, Unknown
from tests.orders.given import (
    DAY,
    NOW,
    decide,
    decide_about,
    documents,
    edit,
    life,
    offer,
    order,
    world,
)
from tests.orders.then import outcome_of, refused

CHANGED = last_change(NOW - DAY, None)


class TestTheOrderOfChecks:
    """Which of several refusals of a change is told."""

    @pytest.mark.parametrize("command", [edit(label="x"), *map(life, ("approve", "cancel"))])
    def test_what_is_unknown_comes_first(self, command: Any) -> None:
        """And it waits, whether the package is known or not."""
        for known in (world(), world(offer())):
            decision = decide(known, command)
            assert isinstance(decision, Unknown)
            assert decision.code == "unknown_order"

    def test_an_order_of_another_package_is_unknown_for_good(self) -> None:
        """It will never become one of the package named."""
        decision = decide(world(offer(), orders=[order(package_id="CAT1")]), life("approve"))
        assert not isinstance(decision, Unknown)
        refusal = refused(decision)
        assert (refusal.code, refusal.version) == ("unknown_order", 4)
        assert "CAT1" in refusal.message

    @pytest.mark.parametrize(
        ("name", "status"),
        [("approve", "approved"), ("reject", "rejected"), ("cancel", "canceled")],
    )
    def test_unchanged_comes_before_the_version(self, name: str, status: str) -> None:
        """Who asks for what is already so is not told to read again."""
        decision = decide_about(order(status), life(name, expected_version=3))
        assert isinstance(decision, Unchanged)
        assert decision.version == 4

    @pytest.mark.parametrize(
        "command", [life("approve", expected_version=3), edit(label="x", expected_version=3)]
    )
    def test_the_version_comes_before_the_status(self, command: Any) -> None:
        """The present version is told."""
        refusal = refused(decide_about(order("canceled"), command))
        assert (refusal.code, refusal.version) == ("version_conflict", 4)

    def test_the_status_comes_before_the_documents(self) -> None:
        """What cannot be edited needs no counting."""
        command = edit(documents=documents(3))
        decision = decide_about(order("rejected"), command, offer(max_documents=1))
        assert outcome_of(decision) == "wrong_status"

    def test_a_cancel_of_the_package_counts_as_one_of_the_order(self) -> None:
        """Its version is still the one of the row."""
        gone = offer("canceled", canceled_editions=(1,))
        decision = decide_about(order("approved"), life("cancel", expected_version=1), gone)
        assert isinstance(decision, Unchanged)
        assert decision.version == 4


class TestSayingWhoWasFirst:
    """A command that comes too late is told when and by whom the order was changed."""

    def test_of_what_is_so_already(self) -> None:
        """The operator sees whose decision it was."""
        decision = decide_about(order("canceled", canceled_at=NOW, changed_by="j"), life("cancel"))
        assert isinstance(decision, Unchanged)
        assert decision.message == f"order ORD1 is canceled already, {CHANGED} by j"

    def test_of_what_its_package_takes_along(self) -> None:
        """The cancel counts from the moment it is seen; the order itself is changed later."""
        known = world(offer(canceled_editions=(1,)), orders=[order(edition=1)])
        decision = decide(known, life("cancel"))
        assert isinstance(decision, Unchanged)
        assert decision.message == (
            "order ORD1 is canceled already, with its package, whose cancel is on the way to it"
        )


class TestARefusal:
    """What is said to the person who reads it."""

    def test_names_the_thing_its_value_and_what_would_do(self) -> None:
        """In one sentence, without a stop."""
        message = refused(decide_about(order("rejected"), life("cancel"))).message
        assert message == (
            f"order ORD1 is rejected, {CHANGED}; "
            "order.cancel is accepted from approved, available, ordered"
        )
