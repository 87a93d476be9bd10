"""The rules of editing and deciding orders, each with its refusal."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.orders import (
    OrderApproved,
    OrderCanceled,
    OrderEdited,
    OrderRejected,
)
from contracts.packages import DistributionLevel
from services.orders.domain import Offer
from services.runtime.decision import Unchanged
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
from tests.orders.then import event_of, outcome_of

SECOND = timedelta(seconds=1)
LOCAL = DistributionLevel.LOCAL


class TestEditing:
    """order.edit."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"label": "Doors"},
            {"comment": "three please"},
            {"comment": None},
            {"parameters": {"size": 3}},
            {"parameters": None},
            {"documents": documents(1)},
            {"documents": None},
            {"label": "Doors", "comment": None, "parameters": {"a": [1]}, "documents": None},
        ],
    )
    def test_changes_what_it_names(self, changes: dict[str, Any]) -> None:
        """And nothing else than these."""
        state = order("approved", comment="two", parameters={"size": 2}, documents=documents(2))
        event = event_of(decide_about(state, edit(**changes)))
        assert isinstance(event, OrderEdited)
        moved = {"version": 5, "changed_at": NOW, "changed_by": "m.durand"}
        assert event.state.model_dump() == state.model_dump() | changes | moved

    def test_of_nothing_is_unchanged(self) -> None:
        """Before the version and the status are looked at."""
        state = order("canceled", parameters={"size": 2})
        for command in (
            edit(expected_version=1),
            edit(label="Windows", parameters={"size": 2}, expected_version=1),
        ):
            decision = decide_about(state, command)
            assert isinstance(decision, Unchanged)
            assert decision.version == 4

    @pytest.mark.parametrize(
        ("old", "new", "outcome"),
        [
            (1, True, "ordered"),
            (0, False, "ordered"),
            ([{"a": 0.0}], [{"a": False}], "ordered"),
            ([1, 2], [2, 1], "ordered"),
            (None, False, "ordered"),
            (1, 1.0, "unchanged"),
            ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "unchanged"),
        ],
    )
    def test_compares_parameters_as_json(self, old: Any, new: Any, outcome: str) -> None:
        """True is not 1, whatever Python says of them, and keys have no order."""
        state = order(parameters={"opt_in": old})
        assert outcome_of(decide_about(state, edit(parameters={"opt_in": new}))) == outcome

    @pytest.mark.parametrize(("count", "fits"), [(2, True), (3, False)])
    @pytest.mark.parametrize(("own", "campaigns"), [(2, 9), (None, 2)])
    def test_takes_as_many_documents_as_placing(
        self, own: int | None, campaigns: int, count: int, fits: bool
    ) -> None:
        """Of the package, else of its campaign."""
        known = world(offer(max_documents=own), orders=[order()], limits={"OP13": campaigns})
        decision = decide(known, edit(documents=documents(count)))
        assert outcome_of(decision) == ("ordered" if fits else "too_many_documents")

    def test_of_something_else_does_not_count_documents_again(self) -> None:
        """The limit may have become lower since."""
        state = order(documents=documents(5))
        decision = decide_about(state, edit(label="Doors"), offer(max_documents=2))
        assert outcome_of(decision) == "ordered"

    def test_goes_on_after_the_dates_of_the_package(self) -> None:
        """Only placing is bound to them."""
        known = world(offer(registration_deadline=NOW - DAY), orders=[order()])
        assert outcome_of(decide(known, edit(label="Doors"), NOW + 99 * DAY)) == "ordered"


class TestDeciding:
    """order.approve, order.reject and order.cancel."""

    def test_keeps_the_comment_of_the_order(self) -> None:
        """That of the decision goes beside it."""
        state = order(comment="two please")
        event = event_of(decide_about(state, life("reject", comment="not this year")))
        assert isinstance(event, OrderRejected)
        assert (event.comment, event.decision_comment) == ("two please", "not this year")

    def test_tells_when(self) -> None:
        """And by whom."""
        approved = event_of(decide_about(order(), life("approve", comment="fine")))
        assert isinstance(approved, OrderApproved)
        assert (approved.approved_at, approved.version) == (NOW, 5)
        assert (approved.changed_by, approved.decision_comment) == ("m.durand", "fine")
        canceled = event_of(decide_about(order("available"), life("cancel")))
        assert isinstance(canceled, OrderCanceled)
        assert (canceled.canceled_at, canceled.decision_comment) == (NOW, None)

    @pytest.mark.parametrize("name", ["approve", "reject", "cancel"])
    def test_of_a_local_order_goes_on_after_the_cancel(self, name: str) -> None:
        """Orders of a local package stay as they are."""
        about = offer("canceled", distribution_level=LOCAL)
        decision = decide_about(order(), life(name), about)
        assert outcome_of(decision) in {"approved", "rejected", "canceled"}


class TestACancelOfALaterEdition:
    """Of a package that was reinitialized while it was published."""

    @pytest.mark.parametrize(
        "about", [offer("canceled", edition=2, canceled_editions=(2,)), offer(edition=2)]
    )
    def test_leaves_the_orders_before_to_be_decided_one_by_one(self, about: Offer) -> None:
        """They are of another life."""
        assert outcome_of(decide_about(order(), life("approve"), about)) == "approved"
        assert outcome_of(decide_about(order("approved"), edit(label="x"), about)) == "approved"
