"""How far cancels have got, from their events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast, get_args

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
"""The events that show how far a cancel has got."""

Report = OrdersReport | CampaignsReport | NotificationsReport


def _reports() -> Iterator[tuple[str, type[Report]]]:
    for name, info in CancellationCompleted.model_fields.items():
        if info.annotation in get_args(Report):
            yield name, cast(type[Report], info.annotation)


REPORTS: dict[str, type[Report]] = dict(_reports())
"""By service what it reports, as the completion of a cancel lists them."""


@dataclass(slots=True)
class Part:
    """One service's part of a cancel."""

    done: int = 0
    expected: int = 0
    report: Report | None = None


def empty_parts() -> dict[str, Part]:
    """A part for each service that reports, without anything done."""
    return {name: Part() for name in REPORTS}


@dataclass(slots=True)
class Cancel:
    """The cancel of one edition of a package; edition 0 until its first event."""

    package_id: str
    edition: int = 0
    parts: dict[str, Part] = field(default_factory=empty_parts)
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
            self.parts = empty_parts()

    def take(self, event: CancellationEvent) -> None:
        """Apply an event; events may come twice, late and in any order."""
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
            case PackageOrdersCanceled() | PackageCampaignsCanceled() | PackageEntitiesNotified():
                self.parts[_service(event)].report = event

    def complete(self, event: CancellationCompleted) -> None:
        """Apply the event that every service is done."""
        for name in REPORTS:
            self.parts[name].report = getattr(event, name)
        self.seconds = event.seconds


def together(cancels: Iterable[Cancel]) -> dict[str, Part]:
    """The parts of several cancels added up; a part has a report once all have one."""
    sums = empty_parts()
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
    kind = REPORTS[_service(reports[0])]
    return kind(**{n: sum(getattr(report, n) for report in reports) for n in kind.model_fields})


def _service(report: Report) -> str:
    return next(name for name, kind in REPORTS.items() if isinstance(report, kind))


def describe(part: Part) -> str:
    """A service's part as text: `12 of 60`, then what it reports."""
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
    table.add_column()
    table.add_column(min_width=max(map(len, parts)))
    for name, part in parts.items():
        mark = Text("✓", "green") if part.report else Text("·", "dim")
        total, done = (1.0, 1.0) if part.report else (float(part.expected or 1), float(part.done))
        table.add_row(mark, name, ProgressBar(total, done, width=8), describe(part))
    return Group(table, Text(f"  {title}", style="dim")) if title else Group(table)
