"""What must come of the story, counted before it is told. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.cli.demo.cast import Cast, Part

Notice = tuple[str, str, str, int, str | None]
"""What a notice is about: kind, recipient, package, edition and order."""

Rows = Counter[tuple[object, ...]]
"""How many rows of a table have these values."""


@dataclass(slots=True)
class Expected:
    """What one life of every package must leave in the tables and in the mailboxes."""

    notices: set[Notice] = field(default_factory=set)
    packages: Rows = field(default_factory=Counter)
    orders: Rows = field(default_factory=Counter)
    campaigns: Rows = field(default_factory=Counter)
    processes: Rows = field(default_factory=Counter)


def before_cancel(cast: Cast, edition: int) -> Expected:
    """After publishing, ordering and approving; at the second time nothing has been started."""
    found = Expected()
    for part in cast.parts:
        found.packages[part.id, edition, "published"] += 1
        found.notices.update(_until_canceled(cast, part, edition))
        approved = len(cast.approvals(part, edition))
        found.orders[part.id, edition, "approved"] += approved + _imported(part, edition)
        found.orders[part.id, edition, "ordered"] += len(part.orders) - approved
        found.orders[part.id, edition, "rejected"] += len(cast.rejected(part, edition))
        started = edition == 1 and not part.is_local
        found.campaigns[part.campaign.campaign_id, "started" if started else "being_edited"] += 1
        for process in part.campaign.processes or ():
            has_ended = not part.is_local and process.process_id in part.finished
            status = "finished" if has_ended else "running" if started else "pending"
            found.processes[part.campaign.campaign_id, status] += 1
    return _plain(found)


def after_cancel(cast: Cast, edition: int) -> Expected:
    """After every package was canceled."""
    found = Expected()
    for part in cast.parts:
        found.packages[part.id, edition, "canceled"] += 1
        if not part.is_local:
            found.notices.update(_of_cancel(cast, part, edition))
            _cancel(found, cast, part, edition)
    kept = before_cancel(cast, edition)
    for part in cast.parts:
        if part.is_local:
            _keep(found, kept, part)
    return _plain(found)


def _cancel(found: Expected, cast: Cast, part: Part, edition: int) -> None:
    found.orders[part.id, edition, "canceled"] += len(part.orders) + _imported(part, edition)
    found.orders[part.id, edition, "rejected"] += len(cast.rejected(part, edition))
    campaign = part.campaign.campaign_id
    found.campaigns[campaign, "canceled"] += 1
    processes = len(part.campaign.processes or ())
    found.processes[campaign, "finished"] += len(part.finished)
    found.processes[campaign, "stopped"] += processes - len(part.finished)


def _keep(found: Expected, kept: Expected, part: Part) -> None:
    """A local package takes nothing with it."""
    campaign = part.campaign.campaign_id
    found.orders.update({key: n for key, n in kept.orders.items() if key[0] == part.id})
    found.campaigns.update({key: n for key, n in kept.campaigns.items() if key[0] == campaign})
    found.processes.update({key: n for key, n in kept.processes.items() if key[0] == campaign})


def _until_canceled(cast: Cast, part: Part, edition: int) -> Iterator[Notice]:
    for entity in part.package.audience or cast.entity_ids:
        yield ("package_available", entity, part.id, edition, None)
    by_order = {o.order_id: o.entity_id for o in cast.places(part, edition)}
    for approval in cast.approvals(part, edition):
        recipient = by_order[approval.order_id]
        yield ("order_approved", recipient, part.id, edition, approval.order_id)
    for order in cast.rejected(part, edition):
        yield ("order_rejected", order.entity_id, part.id, edition, order.order_id)


def _of_cancel(cast: Cast, part: Part, edition: int) -> Iterator[Notice]:
    """The audience, else who is active at the cancel; and whoever had an order canceled."""
    told = set(part.package.audience or cast.entity_ids)
    if part.package.audience is None:
        told.discard(cast.leaver)
    told |= {entity for _, entity in part.orders}
    for entity in told:
        yield ("package_canceled", entity, part.id, edition, None)


def _imported(part: Part, edition: int) -> int:
    return len(part.imported) if edition == 1 else 0


def _plain(found: Expected) -> Expected:
    """Without what is expected nowhere."""
    for rows in (found.packages, found.orders, found.campaigns, found.processes):
        for key in [key for key, count in rows.items() if not count]:
            del rows[key]
    return found
