"""Every command in every status: where it leads, or why it leads nowhere."""

import pytest

from contracts.orders import OrderCommand, OrderState, OrderStatus
from services.orders.domain import Offer
from tests.orders.given import decide_about, edit, life, offer, order, place
from tests.orders.then import outcome_of

STATUSES = tuple(OrderStatus)
MATRIX = """
in           | ordered        approved       rejected       available      canceled
-------------+-------------------------------------------------------------------------
place        | already_exists already_exists already_exists already_exists already_exists
edit         | ordered        approved       wrong_status   available      wrong_status
edit_nothing | unchanged      unchanged      unchanged      unchanged      unchanged
approve      | approved       unchanged      wrong_status   wrong_status   wrong_status
reject       | rejected       wrong_status   unchanged      wrong_status   wrong_status
cancel       | canceled       canceled       wrong_status   canceled       unchanged
"""
AFTER_THE_CANCEL_OF_ITS_PACKAGE = """
in           | ordered        approved       rejected       available      canceled
-------------+-------------------------------------------------------------------------
place        | already_exists already_exists already_exists already_exists already_exists
edit         | wrong_status   wrong_status   wrong_status   wrong_status   wrong_status
edit_nothing | unchanged      unchanged      unchanged      unchanged      unchanged
approve      | wrong_status   wrong_status   wrong_status   wrong_status   wrong_status
reject       | wrong_status   wrong_status   unchanged      wrong_status   wrong_status
cancel       | unchanged      unchanged      wrong_status   unchanged      unchanged
"""
"""The same from the moment that orders has seen the cancel, though no row has changed yet."""


def cells(matrix: str) -> list[tuple[str, str, str]]:
    """Command, status and outcome of each cell."""
    head, _, *rows = matrix.strip().splitlines()
    statuses = head.partition("|")[2].split()
    assert statuses == list(STATUSES)
    found = []
    for row in rows:
        command, _, outcomes = row.partition("|")
        found += [
            (command.strip(), status, outcome)
            for status, outcome in zip(statuses, outcomes.split(), strict=True)
        ]
    return found


def command_of(name: str, state: OrderState) -> OrderCommand:
    """The command that a row of the matrix stands for."""
    match name:
        case "place":
            return place()
        case "edit":
            return edit(label="Doors")
        case "edit_nothing":
            return edit(label=state.label)
        case _:
            return life(name)


class TestACommand:
    """The one table of an order's life."""

    @pytest.mark.parametrize(("name", "status", "wanted"), cells(MATRIX))
    def test_leads_where_the_table_says(self, name: str, status: str, wanted: str) -> None:
        """Every status meets every command."""
        state = order(status)
        assert outcome_of(decide_about(state, command_of(name, state))) == wanted

    @pytest.mark.parametrize(("name", "status", "wanted"), cells(AFTER_THE_CANCEL_OF_ITS_PACKAGE))
    def test_counts_an_order_of_a_canceled_edition_as_canceled(
        self, name: str, status: str, wanted: str
    ) -> None:
        """Rejected ones stay rejected."""
        state = order(status)
        gone = offer("canceled", canceled_editions=(1,))
        assert outcome_of(decide_about(state, command_of(name, state), gone)) == wanted

    @pytest.mark.parametrize(("name", "status", "wanted"), cells(MATRIX))
    @pytest.mark.parametrize(
        "about",
        [
            offer("being_edited", edition=2),
            offer("canceled", edition=2, canceled_editions=(2,)),
            offer("canceled", edition=3, canceled_editions=(2, 3)),
        ],
        ids=["reinitialized", "canceled later", "canceled twice later"],
    )
    def test_goes_on_for_an_order_of_an_edition_that_was_not_canceled(
        self, about: Offer, name: str, status: str, wanted: str
    ) -> None:
        """A package was reinitialized while it was published; later cancels do not matter."""
        state = order(status)
        assert outcome_of(decide_about(state, command_of(name, state), about)) == wanted
