"""What the tables, the events and the mailboxes say of a cancel, against what the plan says. Pure.

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
from tests.faults.plan import AFTER, FINISHED, STOPPED, Fate, Order, Plan
from tests.faults.tap import Heard

EventT = TypeVar("EventT", bound=Event)

SHOWN = 5
CANCELED = NotificationKind.PACKAGE_CANCELED
AVAILABLE = NotificationKind.PACKAGE_AVAILABLE

ANNOUNCED: tuple[type[PackageCanceled | CancellationEvent], ...] = (
    PackageCanceled,
    PackageOrdersCanceled,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    CancellationCompleted,
)
"""What is said once of each cancel."""


@dataclass(slots=True)
class Tables:
    """The rows of one world: status and version of orders, status and edition of packages, ..."""

    orders: dict[str, tuple[str, int]]
    packages: dict[str, tuple[str, int]]
    campaigns: dict[str, str]
    processes: dict[tuple[str, str], str]
    ledgers: dict[str, Mapping[str, Any]]
    notified: Counter[tuple[str, str]]


@dataclass(slots=True)
class Judge:
    """Compares, and remembers what was wrong; lost and twice count happenings."""

    plan: Plan
    edition: int
    orders: list[Order]
    tables: Tables
    heard: Heard
    notices: Heard
    lost: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def same(self, what: str, wanted: Iterable[Hashable], found: Iterable[Hashable]) -> None:
        """Compare two bags of things."""
        expected, met = Counter(iter(wanted)), Counter(iter(found))
        lacking, extra = expected - met, met - expected
        self.lost += lacking.total()
        self.twice += sum(n for thing, n in extra.items() if thing in expected)
        for word, some in (("lacking", lacking), ("too many", extra)):
            if some:
                self.wrong.append(f"{what}: {some.total()} {word}, {list(some.items())[:SHOWN]}")

    def said(self, kind: type[EventT]) -> Iterator[EventT]:
        """The events of a type in this edition, each id once; some know no edition."""
        for envelope in self.heard.envelopes.values():
            if envelope.type == kind.TYPE:
                event = kind.read(envelope.subject, envelope.data)
                if getattr(event, "edition", self.edition) == self.edition:
                    yield event

    def pairs(self) -> list[tuple[str, str]]:
        """Everybody who is offered a package, with that package."""
        return [(e, package) for package in self.plan.package_ids for e in self.plan.audience]


def judge(
    plan: Plan,
    edition: int,
    orders: list[Order],
    late: list[Order],
    tables: Tables,
    heard: Heard,
    notices: Heard,
) -> Judge:
    """The judgment of the cancel of every package of a plan; late orders may have been refused."""
    taken = [order for order in late if order.order_id in tables.orders]
    found = Judge(plan, edition, orders + taken, tables, heard, notices)
    refused = (event.about for event in found.said(CommandRefused))
    found.same("orders refused", {o.order_id for o in late} - tables.orders.keys(), refused)
    for look in (_orders, _campaigns, _ledger, _told, _decided, _offered):
        look(found)
    return found


def _orders(found: Judge) -> None:
    """Each order ended once, and was said to be."""
    wanted = {order.order_id: AFTER[order.fate] for order in found.orders}
    mine = ((id, row) for id, row in found.tables.orders.items() if id in wanted)
    found.same("orders", wanted.items(), mine)
    canceled = ((o.order_id, AFTER[o.fate][1]) for o in found.orders if o.is_open)
    said = ((o.order_id, o.version) for event in found.said(OrdersCanceled) for o in event.orders)
    found.same("orders said to be canceled", canceled, said)
    placed = (event.order_id for event in found.said(OrderPlaced))
    found.same("orders said to be placed", wanted, placed)


def _campaigns(found: Judge) -> None:
    """Each campaign was canceled once, and what ran of it stopped once."""
    campaigns, tables = found.plan.campaign_ids, found.tables
    stopped = [(campaign, process) for campaign in campaigns for process in STOPPED]
    states = {(campaign, FINISHED): "finished" for campaign in campaigns}
    states |= dict.fromkeys(stopped, "stopped")
    found.same("campaigns", dict.fromkeys(campaigns, "canceled").items(), tables.campaigns.items())
    found.same("processes", states.items(), tables.processes.items())
    said = (
        event.campaign_id
        for event in found.said(CampaignCanceled)
        if event.canceled_by and event.canceled_by.edition == found.edition
    )
    found.same("campaigns said to be canceled", campaigns, said)
    # A process knows no edition: it has been stopped in each.
    said_of_processes = ((p.campaign_id, p.process_id) for p in found.said(ProcessStopped))
    found.same("processes said to be stopped", stopped * found.edition, said_of_processes)


def _ledger(found: Judge) -> None:
    """Every report was said once with the right counts, and so was the completion."""
    packages, tables = found.plan.package_ids, found.tables
    states = dict.fromkeys(packages, ("canceled", found.edition))
    found.same("packages", states.items(), tables.packages.items())
    for kind in ANNOUNCED:
        found.same(kind.TYPE, packages, (event.package_id for event in found.said(kind)))
    wanted = [(package, _counts(found, package)) for package in packages]
    announced = (
        (event.package_id, _reported(event.model_dump()))
        for event in found.said(CancellationCompleted)
    )
    kept = ((package, _reported(ledger)) for package, ledger in tables.ledgers.items())
    found.same("counts announced", wanted, announced)
    found.same("counts kept", wanted, kept)


def _counts(found: Judge, package: str) -> tuple[int, ...]:
    own = [order for order in found.orders if order.package_id == package]
    open_ = sum(order.is_open for order in own)
    return (open_, len(own) - open_, 1, len(STOPPED), 1, len(found.plan.audience), 0)


def _reported(ledger: Mapping[str, Any]) -> tuple[int, ...]:
    orders, campaigns, told = (ledger[of] for of in ("orders", "campaigns", "notifications"))
    return (
        orders["canceled"],
        orders["already_final"],
        campaigns["campaigns"],
        campaigns["processes_stopped"],
        campaigns["too_late"],
        told["notified"],
        told["failed"],
    )


def _told(found: Judge) -> None:
    """Each entity concerned was told once in its mailbox, under one id."""
    doubled = {about: ids for about, ids in _ids(found).items() if len(ids) > 1}
    found.twice += len(doubled)
    if doubled:
        found.wrong.append(f"notices under two ids: {list(doubled.items())[:SHOWN]}")
    wanted = found.pairs()
    found.same("entities told in their mailboxes", wanted, _noticed(found, CANCELED))
    found.same("entities told by the table", wanted, found.tables.notified.elements())
    sent = _events(found, NotificationSent, CANCELED)
    found.same("notices said to be sent", wanted, sent)


def _decided(found: Judge) -> None:
    """Each decision about an order was told to its entity once."""
    wanted = (o.order_id for o in found.orders if o.fate is not Fate.LEFT)
    known = {order.order_id for order in found.orders}
    told = (about[3] for about in _ids(found) if about[3] in known)
    found.same("orders whose decision was told", wanted, told)


def _offered(found: Judge) -> None:
    """Each was told of the offer once, unless the cancel came first."""
    told = set(_noticed(found, AVAILABLE))
    # It may have reached the mailbox before a crash kept the sender from knowing.
    superseded = set(_events(found, NotificationSuperseded, AVAILABLE)) - told
    found.same("entities told of the offer, or not any more", found.pairs(), told | superseded)


def _ids(found: Judge) -> dict[tuple[Hashable, ...], set[str]]:
    """The ids under which each thing reached each recipient."""
    ids: defaultdict[tuple[Hashable, ...], set[str]] = defaultdict(set)
    for (_, id), envelope in found.notices.envelopes.items():
        notice = Notice.read(envelope.subject, envelope.data)
        package = (notice.package.package_id, notice.package.edition) if notice.package else None
        order = notice.order.order_id if notice.order else None
        ids[notice.kind, notice.recipient.id, package, order].add(id)
    return ids


def _noticed(found: Judge, kind: NotificationKind) -> Iterator[tuple[str, str]]:
    """Who was told such a thing of which package, from the mailboxes."""
    for envelope in found.notices.envelopes.values():
        notice = Notice.read(envelope.subject, envelope.data)
        if notice.package and (notice.kind, notice.package.edition) == (kind, found.edition):
            yield notice.recipient.id, notice.package.package_id


def _events(
    found: Judge, type_: type[NotificationEvent], kind: NotificationKind
) -> Iterator[tuple[str, str | None]]:
    """Whom notifications says such a thing of."""
    events = (event for event in found.said(type_) if event.kind == kind)
    return ((event.recipient_id, event.package_id) for event in events)
