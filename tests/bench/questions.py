"""What the bench of lists asks: every list with its filters and orders, and single things."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.tracking.web.roles import Caller, Role

LIST, ONE, SEARCH, PREVIEW = 50.0, 60.0, 80.0, 100.0
"""Milliseconds within which 95 of 100 answers are to come."""

CALLERS = (
    Caller("bench", Role.CENTRAL),
    Caller("bench", Role.LOCAL, "OU7"),
    Caller("reviewer3", Role.REVIEWER),
    Caller("bench", Role.OPERATIONS),
)
"""Who asks; the reviewer is that of twenty entities."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question; `{entity}` and `{package}` in it are others each time."""

    path: str
    goal: float = LIST
    deep: bool = True
    role: Role = Role.CENTRAL

    @property
    def name(self) -> str:
        """As a report calls it."""
        whose = "" if self.role in (Role.CENTRAL, Role.OPERATIONS) else f" ({self.role.value})"
        return self.path.removeprefix("/api/") + whose


def cases() -> Iterator[Case]:
    """Every list with each of its filters and orders, and every single thing."""
    yield from _packages()
    yield from _orders()
    yield from _campaigns()
    yield from _others()
    yield from _own()
    yield from _singles()


def _packages() -> Iterator[Case]:
    for sort in ("newest", "oldest", "label", "modified"):
        yield Case(f"/api/packages?sort={sort}")
        yield Case(f"/api/packages?folder=Region+7/7&sort={sort}")
    for query in (
        *("status=published", "status=rejected", "late=true", "closed=true", "campaign=OP7"),
        *("level=local", "assigned=op7", "level=local&folder=Region+7/7", "from={month}"),
        *("status=published&level=local&assigned=op7", "folder=Region+7/7&status=rejected"),
        *("late=true&status=approved", "closed=true&status=canceled", "level=local&sort=label"),
        *("assigned=op7&sort=label", "campaign=OP7&status=rejected"),
    ):
        yield Case(f"/api/packages?{query}")
    for text in ("season 777", "summer", "CAT777", "CA", "nowhere"):
        yield Case(f"/api/packages?q={text}", SEARCH, deep=False)


def _orders() -> Iterator[Case]:
    for sort in ("newest", "oldest", "modified"):
        yield Case(f"/api/orders?sort={sort}")
        yield Case(f"/api/orders?sort={sort}&status=ordered")
        yield Case(f"/api/orders?sort={sort}&from={{month}}")
    for query in (
        *("status=rejected", "late=true", "entity={entity}", "entity={entity}&sort=oldest"),
        *("entity={entity}&status=ordered", "entity={entity}&late=true", "package=CAT3"),
        *("package=CAT3&sort=oldest", "package=CAT3&status=ordered", "package={package}"),
        *("package=CAT3&late=true", "entity={entity}&package=CAT3", "package=CAT3&from={month}"),
        *("late=true&status=ordered", "late=true&status=approved"),
    ):
        yield Case(f"/api/orders?{query}")
    for text in ("Windows 77", "w", "ORD777", "nowhere", "ORD77&status=rejected", "W&late=true"):
        yield Case(f"/api/orders?q={text}", SEARCH, deep=False)
    yield Case("/api/orders?entity={entity}&q=Windows", SEARCH, deep=False)
    for query in ("q=Windows+7777", "q=Windows+7777&status=rejected", "q=Windows+7777&late=true"):
        yield Case(f"/api/orders?package=CAT3&{query}", SEARCH, deep=False)


def _campaigns() -> Iterator[Case]:
    for query in ("", "sort=unmodified", "status=started", "kind=reference", "kind=child"):
        yield Case(f"/api/campaigns?{query}")
    for query in (
        *("program=Program+7", "program=Program+7&status=started", "package=CAT3", "parent=OP3"),
        *("package=CAT3&status=canceled", "kind=template&status=started", "from={month}"),
    ):
        yield Case(f"/api/campaigns?{query}")
    for text in ("ampaign 77", "OP777", "nowhere"):
        yield Case(f"/api/campaigns?q={text}", SEARCH, deep=False)


def _others() -> Iterator[Case]:
    for query in ("", "sort=modified", "active=false", "channel=mailbox"):
        yield Case(f"/api/entities?{query}", deep=False)
    yield Case("/api/entities?q=region 7", SEARCH, deep=False)
    yield from _notifications()
    for query in ("", "sort=latest", "kind=end", "kind=publication", "overdue=true"):
        yield Case(f"/api/schedule?{query}")
    yield Case("/api/packages/CAT10/audience", deep=False)
    yield Case("/api/packages/CAT3/audience")
    yield Case("/api/packages/CAT3/orders")
    for query in ("", "sort=oldest", "service=orders", "reason=failed&type=x"):
        yield Case(f"/api/parked?{query}", deep=False, role=Role.OPERATIONS)
    yield Case("/api/parked/groups", deep=False, role=Role.OPERATIONS)
    for query in (
        *("", "sender=op7", "outcome=refused", "outcome=parked", "state=planned", "subject=ORD7"),
        *("type=relais.order.approve.v1", "type=relais.package.cancel.v1", "from={month}"),
    ):
        yield Case(f"/api/commands?{query}")
    yield Case("/api/workers", deep=False, role=Role.OPERATIONS)


def _notifications() -> Iterator[Case]:
    for query in (
        *("", "sort=oldest", "status=failed", "status=superseded", "kind=package_canceled"),
        *("channel=email&entity={entity}", "entity={entity}", "entity={entity}&status=failed"),
        *(
            "operator=m-durand",
            "order=ORD5",
            "package=CAT3",
        ),
        *("package={package}", "package=CAT3&edition=1", "from={month}", "kind=order_rejected"),
    ):
        yield Case(f"/api/notifications?{query}")


def _own() -> Iterator[Case]:
    """What a local operator and a reviewer see: their own."""
    for path in (
        *("orders", "orders?sort=oldest", "orders?status=ordered", "orders?late=true"),
        *("orders?package=CAT3", "orders?from={month}"),
    ):
        yield Case(f"/api/{path}", role=Role.LOCAL)
        yield Case(f"/api/{path}", role=Role.REVIEWER)
    for role in (Role.LOCAL, Role.REVIEWER):
        yield Case("/api/orders?q=Windows+7777", SEARCH, deep=False, role=role)
    for path in (
        *("offers", "offers?level=local", "packages", "packages?sort=label", "campaigns"),
        *("campaigns?status=canceled", "notifications", "notifications?kind=order_approved"),
        *("schedule", "schedule?kind=end", "entities"),
    ):
        yield Case(f"/api/{path}", role=Role.LOCAL)
    yield Case("/api/offers?q=summer", SEARCH, deep=False, role=Role.LOCAL)


def _singles() -> Iterator[Case]:
    for path in (
        *("packages/{package}", "orders/{order}", "campaigns/OP7", "entities/{entity}"),
        *("notifications/c4ca4238a0b923820dcc509a6f75849b", "parked/orders/3", "commands/c7"),
        *("packages/CAT3/timeline", "packages/CAT3/timeline?kind=package&sort=oldest"),
        *("packages/{package}/timeline", "orders/{order}/timeline", "campaigns/OP7/timeline"),
        *("entities/{entity}/timeline", "why/package/{package}", "why/order/{order}"),
        *("why/campaign/OP7", "why/entity/{entity}", "why/command/c700", "why/parked/orders/3"),
        "why/notification/c4ca4238a0b923820dcc509a6f75849b",
        "packages/CAT5/cancellation",
    ):
        role = Role.OPERATIONS if "parked" in path else Role.CENTRAL
        yield Case(f"/api/{path}", ONE, deep=False, role=role)
    for package in ("{package}", "CAT3", "CAT10", "CAT11"):
        yield Case(f"/api/packages/{package}/cancel-preview", PREVIEW, deep=False)
