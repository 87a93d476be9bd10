"""What a notice says: whole sentences, whatever is left out."""

import pytest

from contracts.orders import OrderApproved, OrderCanceled, OrderRejected
from services.notifications import wording
from tests.notifications.given import canceled, order, published


class TestPackageWords:
    """What is said of a package names it by label and id."""

    def test_available_says_until_when(self) -> None:
        """The last day to order is that of the registration deadline."""
        words = wording.package_available(published())
        assert words.subject_line == "Spring windows can be ordered"
        assert words.text == (
            "The package Spring windows (CAT86) can be ordered until 28 November 2026."
        )

    def test_available_without_deadline_ends_with_the_package(self) -> None:
        """Without a registration deadline orders are taken until the package ends."""
        words = wording.package_available(published(registration_deadline=None))
        assert words.text.endswith("until 23 December 2026.")

    def test_available_carries_the_message_of_its_maker(self) -> None:
        """A notification message stands in a paragraph of its own."""
        words = wording.package_available(published(notification_message="Order early!"))
        assert words.text.endswith("28 November 2026.\n\nOrder early!")

    @pytest.mark.parametrize(
        ("actor", "comment", "end"),
        [
            ("m.durand", "supplier withdrew", " was canceled by m.durand: supplier withdrew."),
            ("m.durand", "Too late!", " was canceled by m.durand: Too late!"),
            (None, "supplier withdrew", " was canceled: supplier withdrew."),
            ("m.durand", None, " was canceled by m.durand."),
            (None, " ", " was canceled."),
        ],
    )
    def test_canceled_says_by_whom_and_why(
        self, actor: str | None, comment: str | None, end: str
    ) -> None:
        """Who and why are told where they are known, and the sentence ends once."""
        words = wording.package_canceled(canceled(), actor, comment)
        assert words.subject_line == "Spring windows was canceled"
        assert words.text == f"The package Spring windows (CAT86){end}"

    def test_rejected_says_why(self) -> None:
        """The assigned operator reads what the reviewer missed."""
        words = wording.package_rejected(published(), "p.martin", "no price")
        assert (
            words.text == "The package Spring windows (CAT86) was rejected by p.martin: no price."
        )


class TestOrderWords:
    """What is said of an order names it, and the decision as its status does."""

    @pytest.mark.parametrize(
        ("kind", "status"),
        [(OrderApproved, "approved"), (OrderRejected, "rejected"), (OrderCanceled, "canceled")],
    )
    def test_names_the_decision(
        self, kind: type[OrderApproved | OrderRejected | OrderCanceled], status: str
    ) -> None:
        """The status of the order is what was decided."""
        words = wording.order_decided(order(kind), None, None)
        assert words.subject_line == f"Windows for Lyon was {status}"
        assert words.text == f"Your order Windows for Lyon (ORD29) was {status}."
