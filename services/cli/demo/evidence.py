"""Takes the evidence out of every service's tables and the mailboxes, and judges it."""

from dataclasses import replace

from contracts.campaigns import CampaignCanceled, ProcessStopped
from contracts.cancellation import CancellationCompleted
from contracts.notifications import NotificationSent
from contracts.packages import PackageCanceled
from services.cli.demo import expected, tables
from services.cli.demo.acts import Story
from services.cli.demo.cast import Cast
from services.cli.demo.expected import Expected, Rows
from services.cli.demo.verdict import Verdict


async def of_cancel(story: Story, *, crashed: bool) -> Verdict:
    """After the cancel: everything of the first life."""
    cast, verdict = story.cast, Verdict()
    after = expected.after_cancel(cast, 1)
    wanted = expected.before_cancel(cast, 1).notices | after.notices
    await _tables(verdict, story, replace(after, notices=wanted))
    await _ledger(verdict, story, after)
    verdict.notices("notices in the mailboxes", wanted, story.read, crashed=crashed)
    await _said(verdict, story, after, len(wanted))
    return verdict


async def of_second_life(story: Story, encore: Cast, first: Verdict, *, crashed: bool) -> Verdict:
    """After the second life began: the first one is as it was, and neither touched the other."""
    cast, verdict = story.cast, Verdict()
    old, new = expected.after_cancel(cast, 1), expected.before_cancel(encore, 2)
    both = Expected(
        notices=expected.before_cancel(cast, 1).notices | old.notices | new.notices,
        orders=old.orders + new.orders,
        packages=_replaced(old.packages, new.packages),
        campaigns=_replaced(old.campaigns, new.campaigns),
        processes=_replaced(old.processes, new.processes),
    )
    await _tables(verdict, story, both)
    wanted = both.notices
    verdict.notices("notices in the mailboxes", wanted, story.read, crashed=crashed)
    verdict.repeats -= first.repeats
    await _said(verdict, story, old, len(wanted))
    return verdict


def _replaced(old: Rows, new: Rows) -> Rows:
    """The rows of both; a thing that has a new row has no old one."""
    renewed = {key[0] for key in new}
    return new + type(old)({key: n for key, n in old.items() if key[0] not in renewed})


async def _tables(verdict: Verdict, story: Story, wanted: Expected) -> None:
    pools = story.stage.pools
    for what, service, statement, rows in (
        ("packages", "packages", tables.PACKAGES, wanted.packages),
        ("orders", "orders", tables.ORDERS, wanted.orders),
        ("campaigns", "campaigns", tables.CAMPAIGNS, wanted.campaigns),
        ("processes", "campaigns", tables.PROCESSES, wanted.processes),
    ):
        verdict.rows(
            f"{what} in the right state", rows, await tables.rows(pools, service, statement)
        )
    told = await tables.rows(pools, "notifications", tables.NOTIFICATIONS)
    verdict.rows("notifications sent", _sent(wanted), told)
    again = await tables.changed_twice(pools)
    verdict.count("orders changed more often than asked", 0, again)


def _sent(wanted: Expected) -> Rows:
    """The rows that these notices have in the notifications table."""
    rows: Rows = Rows()
    for kind, _, package, edition, _ in wanted.notices:
        rows[kind, package, edition, "sent"] += 1
    return rows


async def _ledger(verdict: Verdict, story: Story, after: Expected) -> None:
    """Compare what packages was told by the others with what must have been."""
    rows = await story.stage.pools["packages"].fetch(tables.LEDGER)
    verdict.count("cancels complete", len(story.cast.parts), sum(row["complete"] for row in rows))
    notified = len(after.notices)
    collaborative = {part.id for part in story.cast.collaborative}
    canceled = sum(n for key, n in after.orders.items() if key[2] == "canceled")
    rejected = sum(
        n for key, n in after.orders.items() if key[2] == "rejected" and key[0] in collaborative
    )
    campaigns = sum(n for key, n in after.campaigns.items() if key[1] == "canceled")
    stopped = sum(n for key, n in after.processes.items() if key[1] == "stopped")
    ended = sum(n for key, n in after.processes.items() if key[1] == "finished")
    for service, field, wanted in (
        ("orders", "canceled", canceled),
        ("orders", "already_final", rejected),
        ("campaigns", "campaigns", campaigns),
        ("campaigns", "processes_stopped", stopped),
        ("campaigns", "too_late", ended),
        ("notifications", "notified", notified),
        ("notifications", "superseded", 0),
        ("notifications", "failed", 0),
    ):
        found = sum(row[service][field] for row in rows if row[service])
        verdict.count(f"{service} reported {field}", wanted, found)


async def _said(verdict: Verdict, story: Story, after: Expected, sent: int) -> None:
    """Compare how often things were announced."""
    parts = len(story.cast.parts)
    campaigns = sum(n for key, n in after.campaigns.items() if key[1] == "canceled")
    stopped = sum(n for key, n in after.processes.items() if key[1] == "stopped")
    for service, kind, wanted in (
        ("packages", PackageCanceled, parts),
        ("packages", CancellationCompleted, parts),
        ("campaigns", CampaignCanceled, campaigns),
        ("campaigns", ProcessStopped, stopped),
        ("notifications", NotificationSent, sent),
    ):
        said = await tables.said(story.stage.pools, service, kind.TYPE)
        verdict.count(f"{kind.TYPE} announced", wanted, said)
