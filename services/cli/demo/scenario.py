"""The data of the scenario: entities, packages and orders, as many as asked for. Pure.

An entity orders a collaborative package once in each of its editions: that is the rule
`already_ordered`, and no command gets past it.  Where more open orders are asked for than there are
entities, the rest is imported into the orders table, as from an earlier system.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from contracts.campaigns import CampaignKind, CreateCampaign
from contracts.directory import RegisterEntity
from contracts.orders import ApproveOrder, OrderCommand, PlaceOrder, RejectOrder
from contracts.packages import CreatePackage, DistributionLevel


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the scenario is: open orders at the cancel, entities, and their mailboxes."""

    orders: int
    entities: int
    mailboxes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One package with its campaign, and its orders as pairs of number and entity."""

    package: CreatePackage
    campaign: CreateCampaign
    finished: tuple[str, ...]
    """Processes of the campaign that end before the cancel: it is too late to stop them."""
    orders: tuple[tuple[int, str], ...]
    imported: tuple[tuple[int, str], ...] = ()
    """Approved orders that no command placed; they belong to the first edition."""

    @property
    def id(self) -> str:
        """The id of the package."""
        return self.package.package_id

    @property
    def is_local(self) -> bool:
        """Whether the cancel leaves its orders and its campaign as they are."""
        return self.package.distribution_level == DistributionLevel.LOCAL


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that the steps need."""

    actor: str
    comment: str
    entities: tuple[RegisterEntity, ...]
    plans: tuple[Plan, ...]
    order_id: str
    approve_every: int
    comment_of_rejection: str

    @property
    def entity_ids(self) -> list[str]:
        """Every entity."""
        return [entity.entity_id for entity in self.entities]

    @property
    def deactivated(self) -> str:
        """The entity that is deactivated before the cancel, and must be notified all the same."""
        return self.entities[-1].entity_id

    @property
    def mailboxes(self) -> list[str]:
        """The mailboxes that the entities read."""
        return sorted({entity.mailbox or entity.entity_id for entity in self.entities})

    @property
    def collaborative(self) -> list[Plan]:
        """The plans whose cancel cancels orders, stops processes and notifies entities."""
        return [plan for plan in self.plans if not plan.is_local]

    def places(self, plan: Plan, edition: int) -> list[PlaceOrder]:
        """The orders of one edition of a package that stay open."""
        return [self._place(plan, n, entity, edition) for n, entity in plan.orders]

    def rejected(self, plan: Plan, edition: int) -> list[PlaceOrder]:
        """The order of an edition that is rejected, so that its entity orders again."""
        if plan.is_local or not plan.orders:
            return []
        n, entity = plan.orders[0]
        return [self._place(plan, n, entity, edition, "-rejected")]

    def rejections(self, plan: Plan, edition: int) -> list[RejectOrder]:
        """The command that rejects it."""
        return [
            RejectOrder(order_id=o.order_id, package_id=plan.id, comment=self.comment_of_rejection)
            for o in self.rejected(plan, edition)
        ]

    def imports(self, plan: Plan) -> list[tuple[str, str]]:
        """The imported orders as pairs of id and entity."""
        return [(self.order_id.format(n=n), entity) for n, entity in plan.imported]

    def approvals(self, plan: Plan, edition: int) -> list[ApproveOrder]:
        """The commands that approve one order of every approve_every."""
        chosen = self.places(plan, edition)[:: self.approve_every]
        return [ApproveOrder(order_id=order.order_id, package_id=plan.id) for order in chosen]

    def order_commands(self, plan: Plan, edition: int) -> list[OrderCommand]:
        """All commands for the orders of one edition, in order."""
        return [
            *self.rejected(plan, edition),
            *self.rejections(plan, edition),
            *self.places(plan, edition),
            *self.approvals(plan, edition),
        ]

    def _place(self, plan: Plan, n: int, entity: str, edition: int, more: str = "") -> PlaceOrder:
        suffix = "" if edition == 1 else f"-{edition}"
        id = f"{self.order_id.format(n=n)}{suffix}{more}"
        return PlaceOrder(order_id=id, package_id=plan.id, entity_id=entity, label=f"Order {n}")


def read() -> dict[str, Any]:
    """The texts and numbers of the scenario, from its file."""
    return tomllib.loads(resources.files(__package__).joinpath("scenario.toml").read_text())


def build(texts: dict[str, Any], sizes: Sizes, now: datetime) -> Scenario:
    """The scenario in these sizes."""
    entities = tuple(_entities(texts["entities"], sizes))
    return Scenario(
        actor=texts["actor"],
        comment=texts["comment"],
        entities=entities,
        plans=tuple(_plans(texts, sizes, [entity.entity_id for entity in entities], now)),
        order_id=texts["orders"]["id"],
        approve_every=texts["orders"]["approve_every"],
        comment_of_rejection=texts["orders"]["comment_of_rejection"],
    )


def _entities(given: dict[str, Any], sizes: Sizes) -> Iterator[RegisterEntity]:
    named = given["names"]
    for n in range(1, sizes.entities + 1):
        label = named[n - 1] if n <= len(named) else given["label"].format(n=n)
        yield RegisterEntity(
            entity_id=given["id"].format(n=n),
            label=label,
            mailbox=given["mailbox"].format(n=(n - 1) % sizes.mailboxes + 1),
        )


def _plans(
    texts: dict[str, Any], sizes: Sizes, entities: Sequence[str], now: datetime
) -> Iterator[Plan]:
    large, *small = texts["packages"]
    # The last one is deactivated before the cancel, and notified all the same.
    few = list(dict.fromkeys([*entities[: texts["entities"]["few"] - 1], entities[-1]]))
    left, first, plans = sizes.orders, 1, []
    for number, given in enumerate(small, start=2):
        is_local = given["distribution_level"] == DistributionLevel.LOCAL
        # Entities may order a local package more than once: two of them do so.
        takers = few[:2] if is_local else few
        count = given["orders"] if is_local else min(given["orders"], len(few), left)
        left -= 0 if is_local else count
        plans.append(_plan(texts, given, number, _orders(first, count, takers), few, now))
        first += count
    orders = _orders(first, left, entities)
    yield _plan(texts, large, 1, orders, None, now, placed=len(entities))
    yield from plans


def _orders(first: int, count: int, entities: Sequence[str]) -> tuple[tuple[int, str], ...]:
    return tuple((first + i, entities[i % len(entities)]) for i in range(count))


def _plan(
    texts: dict[str, Any],
    given: dict[str, Any],
    number: int,
    orders: tuple[tuple[int, str], ...],
    audience: Sequence[str] | None,
    now: datetime,
    placed: int | None = None,
) -> Plan:
    """A package and what belongs to it; orders past those placed are imported."""
    level = DistributionLevel(given["distribution_level"])
    is_local = level == DistributionLevel.LOCAL
    campaign = texts["template" if is_local else "reference"]
    dates = {name: now + timedelta(days=days) for name, days in _days(texts["package"])}
    campaign_id = campaign["id"].format(n=number)
    return Plan(
        package=CreatePackage(
            package_id=given["id"],
            label=given["label"],
            distribution_level=level,
            campaign_id=campaign_id,
            audience=list(audience) if audience else None,
            several_orders=True if is_local else None,
            reviewers=texts["package"]["reviewers"],
            **dates,
        ),
        campaign=CreateCampaign(
            campaign_id=campaign_id,
            label=campaign["label"].format(n=number),
            kind=CampaignKind.TEMPLATE if is_local else CampaignKind.REFERENCE,
            distribution_level=level,
            program=campaign.get("program"),
            processes=campaign["processes"],
        ),
        finished=tuple(campaign.get("finished", ())),
        orders=orders[:placed],
        imported=orders[placed:] if placed is not None else (),
    )


DATES = {
    "starts_at": "days_to_start",
    "registration_deadline": "days_to_registration_deadline",
    "available_at": "days_to_availability",
    "ends_at": "days_to_end",
}


def _days(given: dict[str, Any]) -> Iterator[tuple[str, float]]:
    return ((name, given[days]) for name, days in DATES.items())
