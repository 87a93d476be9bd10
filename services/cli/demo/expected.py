"""What the scenario must leave behind, computed before it runs. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.cli.demo.scenario import Plan, Scenario

Notice = tuple[str, str, str, int, str | None]
"""What a notice is about: kind, recipient, package, edition and order."""

Rows = Counter[tuple[object, ...]]
"""How many rows of a table have these values."""


@dataclass(slots=True)
class Expected:
    """What one edition of every package must leave in the tables and in the mailboxes."""

    notices: set[Notice] = field(default_factory=set)
    packages: Rows = field(default_factory=Counter)
    orders: Rows = field(default_factory=Counter)
    campaigns: Rows = field(default_factory=Counter)
    processes: Rows = field(default_factory=Counter)


def before_cancel(scenario: Scenario, edition: int) -> Expected:
    """After publishing, ordering and approving; in the second edition no campaign is started."""
    found = Expected()
    for plan in scenario.plans:
        found.packages[plan.id, edition, "published"] += 1
        found.notices.update(_until_canceled(scenario, plan, edition))
        approved = len(scenario.approvals(plan, edition))
        found.orders[plan.id, edition, "approved"] += approved + _imported(plan, edition)
        found.orders[plan.id, edition, "ordered"] += len(plan.orders) - approved
        found.orders[plan.id, edition, "rejected"] += len(scenario.rejected(plan, edition))
        started = edition == 1 and not plan.is_local
        found.campaigns[plan.campaign.campaign_id, "started" if started else "being_edited"] += 1
        for process in plan.campaign.processes or ():
            has_ended = not plan.is_local and process.process_id in plan.finished
            status = "finished" if has_ended else "running" if started else "pending"
            found.processes[plan.campaign.campaign_id, status] += 1
    return _plain(found)


def after_cancel(scenario: Scenario, edition: int) -> Expected:
    """After every package was canceled."""
    found = Expected()
    for plan in scenario.plans:
        found.packages[plan.id, edition, "canceled"] += 1
        if not plan.is_local:
            found.notices.update(_of_cancel(scenario, plan, edition))
            _cancel(found, scenario, plan, edition)
    before = before_cancel(scenario, edition)
    for plan in scenario.plans:
        if plan.is_local:
            _add_unchanged(found, before, plan)
    return _plain(found)


def _cancel(found: Expected, scenario: Scenario, plan: Plan, edition: int) -> None:
    found.orders[plan.id, edition, "canceled"] += len(plan.orders) + _imported(plan, edition)
    found.orders[plan.id, edition, "rejected"] += len(scenario.rejected(plan, edition))
    campaign = plan.campaign.campaign_id
    found.campaigns[campaign, "canceled"] += 1
    processes = len(plan.campaign.processes or ())
    found.processes[campaign, "finished"] += len(plan.finished)
    found.processes[campaign, "stopped"] += processes - len(plan.finished)


def _add_unchanged(found: Expected, before: Expected, plan: Plan) -> None:
    """The cancel of a local package changes neither its orders nor its campaign."""
    campaign = plan.campaign.campaign_id
    found.orders.update({key: n for key, n in before.orders.items() if key[0] == plan.id})
    found.campaigns.update({key: n for key, n in before.campaigns.items() if key[0] == campaign})
    found.processes.update({key: n for key, n in before.processes.items() if key[0] == campaign})


def _until_canceled(scenario: Scenario, plan: Plan, edition: int) -> Iterator[Notice]:
    for entity in plan.package.audience or scenario.entity_ids:
        yield ("package_available", entity, plan.id, edition, None)
    by_order = {o.order_id: o.entity_id for o in scenario.places(plan, edition)}
    for approval in scenario.approvals(plan, edition):
        recipient = by_order[approval.order_id]
        yield ("order_approved", recipient, plan.id, edition, approval.order_id)
    for order in scenario.rejected(plan, edition):
        yield ("order_rejected", order.entity_id, plan.id, edition, order.order_id)


def _of_cancel(scenario: Scenario, plan: Plan, edition: int) -> Iterator[Notice]:
    """To the audience, else to all that are active at the cancel; and to all with an open order."""
    notified = set(plan.package.audience or scenario.entity_ids)
    if plan.package.audience is None:
        notified.discard(scenario.deactivated)
    notified |= {entity for _, entity in plan.orders}
    for entity in notified:
        yield ("package_canceled", entity, plan.id, edition, None)


def _imported(plan: Plan, edition: int) -> int:
    return len(plan.imported) if edition == 1 else 0


def _plain(found: Expected) -> Expected:
    """Without the counts that are zero."""
    for rows in (found.packages, found.orders, found.campaigns, found.processes):
        for key in [key for key, count in rows.items() if not count]:
            del rows[key]
    return found
