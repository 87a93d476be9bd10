"""Who must hear of what, and when it is no longer news."""

import json
import uuid
from typing import Any

import pytest

from contracts.notifications import Notice, NotificationKind
from contracts.orders import OrderApproved, OrderCanceled, OrderRejected
from contracts.packages import PackageDecided, PackageEdited, PackageRejected, PackageStatus
from services.notifications import domain
from services.notifications.domain import NAMESPACE, Key
from tests.notifications.given import canceled, order, package, published

RECIPIENT = {"type": "entity", "id": "OU1", "label": "Agency OU1"}


class TestId:
    """The id of a notification is made of all that makes it the same notification."""

    def test_is_a_uuid5_of_its_key(self) -> None:
        """Anybody can compute it again."""
        key = Key(NotificationKind.PACKAGE_CANCELED, "CAT86", 2, "")
        name = "package_canceled/CAT86/2//entity/OU1/mailbox"
        expected = uuid.uuid5(NAMESPACE, name).hex
        assert domain.ids_of(key)("entity", "OU1", "mailbox") == expected

    def test_differs_with_each_part(self) -> None:
        """Another kind, subject, edition, happening, recipient or channel is another one."""
        kind = NotificationKind.ORDER_REJECTED
        keys = [
            Key(kind, "ORD1", 1, "2"),
            Key(NotificationKind.ORDER_APPROVED, "ORD1", 1, "2"),
            Key(kind, "ORD2", 1, "2"),
            Key(kind, "ORD1", 2, "2"),
            Key(kind, "ORD1", 1, "3"),
        ]
        recipients = [
            ("entity", "OU1", "mailbox"),
            ("operator", "OU1", "mailbox"),
            ("entity", "OU2", "mailbox"),
            ("entity", "OU1", "email"),
        ]
        ids = {domain.ids_of(key)(*recipient) for key in keys for recipient in recipients}
        assert len(ids) == len(keys) * len(recipients)


class TestNotice:
    """What is written once for all recipients is a notice as the contract has it."""

    def test_of_a_package_says_all_of_it(self) -> None:
        """Package, comment, actor and moment are those of the event."""
        happening = domain.of_package(canceled(), "m.durand")
        notice = _notice(happening.notice)
        assert notice.kind == "package_canceled"
        assert notice.package is not None
        assert (notice.package.package_id, notice.package.edition) == ("CAT86", 1)
        assert (notice.comment, notice.actor) == ("supplier withdrew", "m.durand")
        assert notice.happened_at == canceled().changed_at
        assert notice.order is None

    def test_of_an_order_tells_its_own_edition(self) -> None:
        """The package may have been reinitialized since; its order has not."""
        known = domain.copy_of(published(edition=2))
        notice = _notice(domain.of_order(order(OrderRejected), known, None).notice)
        assert notice.package is not None
        assert notice.package.edition == 1
        assert notice.order is not None
        assert (notice.order.order_id, notice.order.status) == ("ORD29", "rejected")

    def test_of_an_order_of_an_unknown_package_does_without(self) -> None:
        """The package is null; the order is told all the same."""
        assert _notice(domain.of_order(order(OrderApproved), None, None).notice).package is None


def _notice(shared: str | None) -> Notice:
    assert shared is not None
    data = json.loads(shared) | {"notification_id": "a1", "recipient": RECIPIENT}
    return Notice.read("OU1", data)


class TestHappening:
    """Whether the same thing is told once an edition, or once each time."""

    @pytest.mark.parametrize(
        ("event", "happening"),
        [
            (published(4), ""),
            (package(PackageEdited, 6), ""),
            (canceled(5), ""),
            (package(PackageRejected, 3), "3"),
        ],
    )
    def test_of_a_package(self, event: PackageDecided, happening: str) -> None:
        """Being available and being canceled happen once an edition, rejections each time."""
        assert domain.of_package(event, None).key.happening == happening

    @pytest.mark.parametrize("kind", [OrderApproved, OrderRejected, OrderCanceled])
    def test_of_an_order(self, kind: type[OrderApproved | OrderRejected | OrderCanceled]) -> None:
        """Each decision about an order is told."""
        assert domain.of_order(order(kind, 9), None, None).key.happening == "9"


class TestWidened:
    """Whether somebody may have been added to the audience of a published package."""

    @pytest.mark.parametrize(
        ("known", "changes", "widened"),
        [
            ({}, {}, False),
            ({}, {"audience": ["OU2", "OU1"]}, False),
            ({}, {"audience": ["OU1", "OU2", "OU3"]}, True),
            ({}, {"audience": ["OU1", "OU2", "OU3"], "status": "approved"}, False),
            ({"edition": 1}, {"edition": 2}, True),
            (None, {}, True),
        ],
    )
    def test_compares_what_is_known(
        self, known: dict[str, Any] | None, changes: dict[str, Any], widened: bool
    ) -> None:
        """The order of an audience does not matter; an unknown one may be wider."""
        copy = None if known is None else domain.copy_of(published(**known))
        assert domain.is_widened(copy, package(PackageEdited, 6, **changes)) is widened


class TestOver:
    """Whether an edition is no longer to be offered."""

    @pytest.mark.parametrize(
        ("edition", "known", "is_canceled", "over"),
        [
            (1, None, False, False),
            (1, 1, False, False),
            (1, 1, True, True),
            (1, 2, False, True),
            (2, 1, False, False),
        ],
    )
    def test_is_so_when_canceled_or_followed(
        self, edition: int, known: int | None, is_canceled: bool, over: bool
    ) -> None:
        """A cancel ends an edition, and so does the next one."""
        copy = None if known is None else domain.copy_of(published(edition=known))
        assert domain.is_over(copy, ("CAT86", edition), is_canceled) is over


class TestVoid:
    """An approval that comes after the cancel of its package is no longer news."""

    @pytest.mark.parametrize(
        ("kind", "level", "is_canceled", "void"),
        [
            (OrderApproved, "collaborative_simple", True, True),
            (OrderApproved, "collaborative_simple", False, False),
            (OrderApproved, "local", True, False),
            (OrderRejected, "collaborative_simple", True, False),
            (OrderCanceled, "collaborative_simple", True, False),
        ],
    )
    def test_depends_on_what_became_of_the_order(
        self,
        kind: type[OrderApproved | OrderRejected | OrderCanceled],
        level: str,
        is_canceled: bool,
        void: bool,
    ) -> None:
        """Orders of local packages outlive the cancel; refusals stay what they are."""
        known = domain.copy_of(published(distribution_level=level))
        assert domain.is_void(order(kind), known, is_canceled) is void


class TestToldOfCancel:
    """Whom a cancel tells besides those whose orders it cancels."""

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({}, ["OU1", "OU2"]),
            ({"audience": None}, None),
            ({"published_at": None}, []),
            ({"published_at": None, "audience": None}, []),
            ({"distribution_level": "local"}, []),
        ],
    )
    def test_is_the_audience_of_a_published_edition(
        self, changes: dict[str, Any], told: list[str] | None
    ) -> None:
        """Nobody was offered a package that was never published, and of local ones none is told."""
        event = canceled(**changes)
        assert event.status is PackageStatus.CANCELED
        assert domain.told_of_cancel(event) == told
