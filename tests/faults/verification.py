"""Compares tables, events and mailboxes after a cancel with what the dataset requires. Pure.

Everything is counted by what happened, not by message: the same id again is a repeat and harmless,
the same happening under two ids is what must never be.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from contracts.campaigns import CampaignCanceled, ProcessStopped
from contracts.cancellation import (
    CancellationCompleted,
    CancellationEvent,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)
from contracts.message import Event
from contracts.notifications import (
    Notice,
    NotificationEvent,
    NotificationKind,
    NotificationSent,
    NotificationSuperseded,
)
from contracts.orders import OrderPlaced, OrdersCanceled
from contracts.outcomes import CommandRefused
from contracts.packages import PackageCanceled
from tests.faults.dataset import AFTER, FINISHED, STOPPED, Dataset, Fate, Order
from tests.faults.recorder import Recording

EventT = TypeVar("EventT", bound=Event)

SHOWN = 5
CANCELED = NotificationKind.PACKAGE_CANCELED
AVAILABLE = NotificationKind.PACKAGE_AVAILABLE

PUBLISHED_ONCE: tuple[type[PackageCanceled | CancellationEvent], ...] = (
    PackageCanceled,
    PackageOrdersCanceled,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    CancellationCompleted,
)
"""The events that each cancel publishes once."""


@dataclass(slots=True)
class Tables:
    """The rows of a scenario: status and version of orders, status and edition of packages, ..."""

    orders: dict[str, tuple[str, int]]
    packages: dict[str, tuple[str, int]]
    campaigns: dict[str, str]
    processes: dict[tuple[str, str], str]
    ledgers: dict[str, Mapping[str, Any]]
    notified: Counter[tuple[str, str]]


@dataclass(slots=True)
class Verifier:
    """Compares, and remembers what was wrong; lost and twice count happenings."""

    dataset: Dataset
    edition: int
    orders: list[Order]
    tables: Tables
    recorded: Recording
    notices: Recording
    lost: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def compare(self, what: str, wanted: Iterable[Hashable], found: Iterable[Hashable]) -> None:
        """Compare two bags of things."""
        expected, met = Counter(iter(wanted)), Counter(iter(found))
        lacking, extra = expected - met, met - expected
        self.lost += lacking.total()
        self.twice += sum(n for thing, n in extra.items() if thing in expected)
        for word, some in (("lacking", lacking), ("too many", extra)):
            if some:
                self.wrong.append(f"{what}: {some.total()} {word}, {list(some.items())[:SHOWN]}")

    def events_of(self, kind: type[EventT]) -> Iterator[EventT]:
        """The events of a type in this edition, each id once; some know no edition."""
        for envelope in self.recorded.envelopes.values():
            if envelope.type == kind.TYPE:
                event = kind.read(envelope.subject, envelope.data)
                if getattr(event, "edition", self.edition) == self.edition:
                    yield event

    def pairs(self) -> list[tuple[str, str]]:
        """Everybody who is offered a package, with that package."""
        return [(e, package) for package in self.dataset.package_ids for e in self.dataset.audience]


def verify(
    dataset: Dataset,
    edition: int,
    orders: list[Order],
    late: list[Order],
    tables: Tables,
    recorded: Recording,
    notices: Recording,
) -> Verifier:
    """The comparison for the cancel of every package of a dataset; late orders may be refused."""
    taken = [order for order in late if order.order_id in tables.orders]
    found = Verifier(dataset, edition, orders + taken, tables, recorded, notices)
    refused = (event.about for event in found.events_of(CommandRefused))
    found.compare("orders refused", {o.order_id for o in late} - tables.orders.keys(), refused)
    for look in (_orders, _campaigns, _ledger, _notified, _decided, _offered):
        look(found)
    return found


def _orders(found: Verifier) -> None:
    """Each order ended once, in the table and in the events."""
    wanted = {order.order_id: AFTER[order.fate] for order in found.orders}
    mine = ((id, row) for id, row in found.tables.orders.items() if id in wanted)
    found.compare("orders", wanted.items(), mine)
    canceled = ((o.order_id, AFTER[o.fate][1]) for o in found.orders if o.is_open)
    published = (
        (o.order_id, o.version) for event in found.events_of(OrdersCanceled) for o in event.orders
    )
    found.compare("orders published as canceled", canceled, published)
    placed = (event.order_id for event in found.events_of(OrderPlaced))
    found.compare("orders published as placed", wanted, placed)


def _campaigns(found: Verifier) -> None:
    """Each campaign was canceled once, and what ran of it stopped once."""
    campaigns, tables = found.dataset.campaign_ids, found.tables
    stopped = [(campaign, process) for campaign in campaigns for process in STOPPED]
    states = {(campaign, FINISHED): "finished" for campaign in campaigns}
    states |= dict.fromkeys(stopped, "stopped")
    found.compare(
        "campaigns", dict.fromkeys(campaigns, "canceled").items(), tables.campaigns.items()
    )
    found.compare("processes", states.items(), tables.processes.items())
    published = (
        event.campaign_id
        for event in found.events_of(CampaignCanceled)
        if event.canceled_by and event.canceled_by.edition == found.edition
    )
    found.compare("campaigns published as canceled", campaigns, published)
    # A process knows no edition: it has been stopped in each.
    stopped_events = ((p.campaign_id, p.process_id) for p in found.events_of(ProcessStopped))
    found.compare("processes published as stopped", stopped * found.edition, stopped_events)


def _ledger(found: Verifier) -> None:
    """Every report and the completion were published once, with the right counts."""
    packages, tables = found.dataset.package_ids, found.tables
    states = dict.fromkeys(packages, ("canceled", found.edition))
    found.compare("packages", states.items(), tables.packages.items())
    for kind in PUBLISHED_ONCE:
        found.compare(kind.TYPE, packages, (event.package_id for event in found.events_of(kind)))
    wanted = [(package, _counts(found, package)) for package in packages]
    announced = (
        (event.package_id, _reported(event.model_dump()))
        for event in found.events_of(CancellationCompleted)
    )
    stored = ((package, _reported(ledger)) for package, ledger in tables.ledgers.items())
    found.compare("counts published", wanted, announced)
    found.compare("counts stored", wanted, stored)


def _counts(found: Verifier, package: str) -> tuple[int, ...]:
    own = [order for order in found.orders if order.package_id == package]
    open_ = sum(order.is_open for order in own)
    return (open_, len(own) - open_, 1, len(STOPPED), 1, len(found.dataset.audience), 0)


def _reported(ledger: Mapping[str, Any]) -> tuple[int, ...]:
    orders, campaigns, notifications = (
        ledger[of] for of in ("orders", "campaigns", "notifications")
    )
    return (
        orders["canceled"],
        orders["already_final"],
        campaigns["campaigns"],
        campaigns["processes_stopped"],
        campaigns["too_late"],
        notifications["notified"],
        notifications["failed"],
    )


def _notified(found: Verifier) -> None:
    """Each entity concerned got one notice in its mailbox, under one id."""
    doubled = {about: ids for about, ids in _ids(found).items() if len(ids) > 1}
    found.twice += len(doubled)
    if doubled:
        found.wrong.append(f"notices under two ids: {list(doubled.items())[:SHOWN]}")
    wanted = found.pairs()
    found.compare("entities notified in their mailboxes", wanted, _noticed(found, CANCELED))
    found.compare("entities notified by the table", wanted, found.tables.notified.elements())
    sent = _events(found, NotificationSent, CANCELED)
    found.compare("notices published as sent", wanted, sent)


def _decided(found: Verifier) -> None:
    """Each decision about an order was notified to its entity once."""
    wanted = (o.order_id for o in found.orders if o.fate is not Fate.LEFT)
    known = {order.order_id for order in found.orders}
    notified = (about[3] for about in _ids(found) if about[3] in known)
    found.compare("orders whose decision was notified", wanted, notified)


def _offered(found: Verifier) -> None:
    """Each entity was notified of the offer once, unless the cancel came first."""
    notified = set(_noticed(found, AVAILABLE))
    # It may have reached the mailbox before a crash kept the sender from knowing.
    superseded = set(_events(found, NotificationSuperseded, AVAILABLE)) - notified
    found.compare(
        "entities notified of the offer, or not any more", found.pairs(), notified | superseded
    )


def _ids(found: Verifier) -> dict[tuple[Hashable, ...], set[str]]:
    """The ids under which each thing reached each recipient."""
    ids: defaultdict[tuple[Hashable, ...], set[str]] = defaultdict(set)
    for (_, id), envelope in found.notices.envelopes.items():
        notice = Notice.read(envelope.subject, envelope.data)
        package = (notice.package.package_id, notice.package.edition) if notice.package else None
        order = notice.order.order_id if notice.order else None
        ids[notice.kind, notice.recipient.id, package, order].add(id)
    return ids


def _noticed(found: Verifier, kind: NotificationKind) -> Iterator[tuple[str, str]]:
    """Recipient and package of each notice of a kind in the mailboxes."""
    for envelope in found.notices.envelopes.values():
        notice = Notice.read(envelope.subject, envelope.data)
        if notice.package and (notice.kind, notice.package.edition) == (kind, found.edition):
            yield notice.recipient.id, notice.package.package_id


def _events(
    found: Verifier, type_: type[NotificationEvent], kind: NotificationKind
) -> Iterator[tuple[str, str | None]]:
    """Recipient and package of each notification event of a kind."""
    events = (event for event in found.events_of(type_) if event.kind == kind)
    return ((event.recipient_id, event.package_id) for event in events)
