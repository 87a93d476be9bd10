"""How far cancels have got, as their events tell it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from contracts.cancellation import (
    CampaignsReport,
    CancellationCompleted,
    CancellationEvent,
    CancellationProgressed,
    CancellationStalled,
    NotificationsReport,
    OrdersReport,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)

EVENTS = (
    CancellationProgressed,
    PackageOrdersCanceled,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    CancellationStalled,
    CancellationCompleted,
)
"""What tells how a cancel goes."""

SERVICES = ("orders", "campaigns", "notifications")
Report = OrdersReport | CampaignsReport | NotificationsReport


@dataclass(slots=True)
class Part:
    """One service's part of a cancel."""

    done: int = 0
    expected: int = 0
    report: Report | None = None


@dataclass(slots=True)
class Cancel:
    """The cancel of one edition of a package; edition 0 until its first event."""

    package_id: str
    edition: int = 0
    parts: dict[str, Part] = field(default_factory=lambda: {name: Part() for name in SERVICES})
    seconds: float | None = None
    stalled: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every service is done with it."""
        return self.seconds is not None

    def begin(self, edition: int) -> None:
        """Start from nothing where this edition is a newer one."""
        if edition > self.edition:
            self.edition, self.seconds, self.stalled = edition, None, False
            self.parts = {name: Part() for name in SERVICES}

    def take(self, event: CancellationEvent) -> None:
        """Note what an event says; they may come twice, late and in any order."""
        if event.edition < self.edition:
            return
        self.begin(event.edition)
        match event:
            case CancellationProgressed(service=service, done=done, expected=expected):
                part = self.parts.setdefault(service, Part())
                part.done, part.expected = max(part.done, done), max(part.expected, expected)
            case CancellationCompleted() as completed:
                self.complete(completed)
            case CancellationStalled():
                self.stalled = True
            case PackageOrdersCanceled():
                self.parts["orders"].report = event
            case PackageCampaignsCanceled():
                self.parts["campaigns"].report = event
            case PackageEntitiesNotified():
                self.parts["notifications"].report = event

    def complete(self, event: CancellationCompleted) -> None:
        """Note that every service is done."""
        self.parts["orders"].report = event.orders
        self.parts["campaigns"].report = event.campaigns
        self.parts["notifications"].report = event.notifications
        self.seconds = event.seconds


def together(cancels: Iterable[Cancel]) -> dict[str, Part]:
    """The parts of several cancels added up; a part has a report once all have one."""
    sums = {name: Part() for name in SERVICES}
    for name, total in sums.items():
        reports = []
        for cancel in cancels:
            part = cancel.parts[name]
            total.done += part.done
            total.expected += part.expected
            reports.append(part.report)
        total.report = _added([report for report in reports if report], len(reports))
    return sums


def _added(reports: list[Report], wanted: int) -> Report | None:
    if len(reports) < wanted or not reports:
        return None
    first = reports[0]
    fields = _kind(first).model_fields
    return _kind(first)(**{n: sum(getattr(report, n) for report in reports) for n in fields})


def _kind(report: Report) -> type[Report]:
    for kind in (OrdersReport, CampaignsReport, NotificationsReport):
        if isinstance(report, kind):
            return kind
    raise TypeError(f"no report: {report!r}")


def told(part: Part) -> str:
    """A service's part in words: `12 of 60`, then what it reports."""
    if part.report is None:
        return f"{part.done:,} of {part.expected:,}" if part.expected else "waiting"
    match part.report:
        case OrdersReport(canceled=canceled, already_final=final):
            return f"{canceled:,} canceled, {final:,} already final"
        case CampaignsReport(campaigns=campaigns, processes_stopped=stopped, too_late=late):
            return f"{campaigns:,} canceled, {stopped:,} processes stopped, {late:,} too late"
        case NotificationsReport(notified=notified, superseded=superseded, failed=failed):
            return f"{notified:,} notified, {superseded:,} superseded, {failed:,} failed"


def picture(title: str, parts: dict[str, Part]) -> Group:
    """The parts as bars, for a terminal."""
    table = Table(box=None, show_header=False, padding=(0, 1), collapse_padding=True)
    for name, part in parts.items():
        mark = "[green]✓[/]" if part.report else "[dim]·[/]"
        total, done = (1.0, 1.0) if part.report else (float(part.expected or 1), float(part.done))
        table.add_row(mark, name, ProgressBar(total, done, width=12), told(part))
    return Group(table, Text(f"  {title}", style="dim")) if title else Group(table)
