"""Compares the services' tables and the mailboxes with what is expected of the scenario."""

from dataclasses import dataclass, field, replace

from contracts.campaigns import CampaignCanceled, ProcessStopped
from contracts.cancellation import CancellationCompleted
from contracts.notifications import NotificationSent
from contracts.packages import PackageCanceled
from services.cli.demo import expected, tables
from services.cli.demo.expected import Expected, Notice, Rows
from services.cli.demo.mailboxes import Read
from services.cli.demo.scenario import Scenario
from services.cli.demo.steps import Steps


@dataclass(slots=True)
class Report:
    """The differences found so far; a line is what was compared, expected and found."""

    lost: int = 0
    twice: int = 0
    repeats: int = 0
    wrong: list[str] = field(default_factory=list)
    lines: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as expected."""
        return not (self.lost or self.twice or self.wrong)

    def rows(self, what: str, wanted: Rows, found: Rows) -> None:
        """Compare the rows of a table; a row in another state than expected is lost."""
        missing, extra = wanted - found, found - wanted
        self.lost += missing.total()
        self.twice += max(extra.total() - missing.total(), 0)
        self.wrong += [f"{what}: {n} missing of {key}" for key, n in missing.items()]
        self.wrong += [f"{what}: {n} too many of {key}" for key, n in extra.items()]
        self.lines.append((what, wanted.total(), found.total()))

    def count(self, what: str, wanted: int, found: int) -> None:
        """Compare how often something was done."""
        self.lost += max(wanted - found, 0)
        self.twice += max(found - wanted, 0)
        if wanted != found:
            self.wrong.append(f"{what}: {found:,}, and {wanted:,} was expected")
        self.lines.append((what, wanted, found))

    def notices(self, what: str, wanted: set[Notice], read: Read, *, crashed: bool) -> None:
        """Compare the mailboxes; a repeat under the same id is allowed after a crash."""
        missing, extra = wanted - read.ids.keys(), read.ids.keys() - wanted
        doubled = sum(len(ids) - 1 for ids in read.ids.values())
        self.lost += len(missing)
        self.twice += doubled
        self.repeats += read.repeats
        self.wrong += [f"{what}: lost {notice}" for notice in sorted(missing, key=str)[:20]]
        self.wrong += [f"{what}: unexpected {notice}" for notice in sorted(extra, key=str)[:20]]
        if read.unreadable:
            self.wrong.append(f"{what}: {read.unreadable} messages are no notices")
        if read.repeats and not crashed:
            self.wrong.append(f"{what}: {read.repeats} repeats, though no worker was killed")
        self.lines.append((what, len(wanted), len(wanted) - len(missing) + len(extra)))


async def of_cancel(steps: Steps, *, crashed: bool) -> Report:
    """After the cancel: everything of the first edition."""
    scenario, report = steps.scenario, Report()
    after = expected.after_cancel(scenario, 1)
    wanted = expected.before_cancel(scenario, 1).notices | after.notices
    await _tables(report, steps, replace(after, notices=wanted))
    await _ledger(report, steps, after)
    report.notices("notices in the mailboxes", wanted, steps.read, crashed=crashed)
    await _announced(report, steps, after, len(wanted))
    return report


async def of_second_edition(
    steps: Steps, again: Scenario, first: Report, *, crashed: bool
) -> Report:
    """After the second edition began: the first is unchanged, and neither changed the other."""
    scenario, report = steps.scenario, Report()
    old, new = expected.after_cancel(scenario, 1), expected.before_cancel(again, 2)
    both = Expected(
        notices=expected.before_cancel(scenario, 1).notices | old.notices | new.notices,
        orders=old.orders + new.orders,
        packages=_replaced(old.packages, new.packages),
        campaigns=_replaced(old.campaigns, new.campaigns),
        processes=_replaced(old.processes, new.processes),
    )
    await _tables(report, steps, both)
    wanted = both.notices
    report.notices("notices in the mailboxes", wanted, steps.read, crashed=crashed)
    report.repeats -= first.repeats
    await _announced(report, steps, old, len(wanted))
    return report


def _replaced(old: Rows, new: Rows) -> Rows:
    """The rows of both; a thing that has a new row has no old one."""
    renewed = {key[0] for key in new}
    return new + type(old)({key: n for key, n in old.items() if key[0] not in renewed})


async def _tables(report: Report, steps: Steps, wanted: Expected) -> None:
    pools = steps.driver.pools
    for what, service, statement, rows in (
        ("packages", "packages", tables.PACKAGES, wanted.packages),
        ("orders", "orders", tables.ORDERS, wanted.orders),
        ("campaigns", "campaigns", tables.CAMPAIGNS, wanted.campaigns),
        ("processes", "campaigns", tables.PROCESSES, wanted.processes),
    ):
        report.rows(
            f"{what} in the right state", rows, await tables.rows(pools, service, statement)
        )
    sent = await tables.rows(pools, "notifications", tables.NOTIFICATIONS)
    report.rows("notifications sent", _sent(wanted), sent)
    again = await tables.changed_twice(pools)
    report.count("orders changed more often than asked", 0, again)


def _sent(wanted: Expected) -> Rows:
    """The rows that these notices have in the notifications table."""
    rows: Rows = Rows()
    for kind, _, package, edition, _ in wanted.notices:
        rows[kind, package, edition, "sent"] += 1
    return rows


async def _ledger(report: Report, steps: Steps, after: Expected) -> None:
    """Compare the reports that packages has stored with those expected."""
    rows = await steps.driver.pools["packages"].fetch(tables.LEDGER)
    report.count(
        "cancels complete", len(steps.scenario.plans), sum(row["complete"] for row in rows)
    )
    notified = len(after.notices)
    collaborative = {plan.id for plan in steps.scenario.collaborative}
    canceled = sum(n for key, n in after.orders.items() if key[2] == "canceled")
    rejected = sum(
        n for key, n in after.orders.items() if key[2] == "rejected" and key[0] in collaborative
    )
    campaigns = sum(n for key, n in after.campaigns.items() if key[1] == "canceled")
    stopped = sum(n for key, n in after.processes.items() if key[1] == "stopped")
    ended = sum(n for key, n in after.processes.items() if key[1] == "finished")
    for service, what, wanted in (
        ("orders", "canceled", canceled),
        ("orders", "already_final", rejected),
        ("campaigns", "campaigns", campaigns),
        ("campaigns", "processes_stopped", stopped),
        ("campaigns", "too_late", ended),
        ("notifications", "notified", notified),
        ("notifications", "superseded", 0),
        ("notifications", "failed", 0),
    ):
        found = sum(row[service][what] for row in rows if row[service])
        report.count(f"{service} reported {what}", wanted, found)


async def _announced(report: Report, steps: Steps, after: Expected, sent: int) -> None:
    """Compare how often events were emitted."""
    plans = len(steps.scenario.plans)
    campaigns = sum(n for key, n in after.campaigns.items() if key[1] == "canceled")
    stopped = sum(n for key, n in after.processes.items() if key[1] == "stopped")
    for service, kind, wanted in (
        ("packages", PackageCanceled, plans),
        ("packages", CancellationCompleted, plans),
        ("campaigns", CampaignCanceled, campaigns),
        ("campaigns", ProcessStopped, stopped),
        ("notifications", NotificationSent, sent),
    ):
        emitted = await tables.emitted(steps.driver.pools, service, kind.TYPE)
        report.count(f"{kind.TYPE} announced", wanted, emitted)
