"""Who and what the story is about, in the numbers asked for. Pure.

An entity orders a collaborative package once in each of its editions: that is the rule
`already_ordered`, and no command gets past it.  Where more open orders are asked for than there are
entities, the rest is imported into the orders table, as from the system that was there before.
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

MOST_ENTITIES = 50_000
"""An audience has at most so many."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the story is: open orders that the cancel meets, entities, and their mailboxes."""

    orders: int
    entities: int
    mailboxes: int


@dataclass(frozen=True, slots=True)
class Part:
    """One package of the story: its campaign, and who orders it, by order number and entity."""

    package: CreatePackage
    campaign: CreateCampaign
    finished: tuple[str, ...]
    """Processes of the campaign that end before the cancel: it is too late to stop them."""
    orders: tuple[tuple[int, str], ...]
    imported: tuple[tuple[int, str], ...] = ()
    """Approved orders that no command placed; they belong to the first life."""

    @property
    def id(self) -> str:
        """The id of the package."""
        return self.package.package_id

    @property
    def is_local(self) -> bool:
        """Whether the cancel leaves its orders and its campaign as they are."""
        return self.package.distribution_level == DistributionLevel.LOCAL


@dataclass(frozen=True, slots=True)
class Cast:
    """The whole story's people and things."""

    actor: str
    comment: str
    entities: tuple[RegisterEntity, ...]
    parts: tuple[Part, ...]
    order_id: str
    approve_every: int
    comment_of_rejection: str

    @property
    def entity_ids(self) -> list[str]:
        """Every entity."""
        return [entity.entity_id for entity in self.entities]

    @property
    def leaver(self) -> str:
        """The entity that is deactivated before the cancel, and must be told of it all the same."""
        return self.entities[-1].entity_id

    @property
    def mailboxes(self) -> list[str]:
        """The mailboxes that the entities read."""
        return sorted({entity.mailbox or entity.entity_id for entity in self.entities})

    @property
    def collaborative(self) -> list[Part]:
        """The parts whose cancel cancels orders, stops processes and is told to entities."""
        return [part for part in self.parts if not part.is_local]

    def places(self, part: Part, edition: int) -> list[PlaceOrder]:
        """The orders of one life of a package that stay open."""
        return [self._place(part, n, entity, edition) for n, entity in part.orders]

    def rejected(self, part: Part, edition: int) -> list[PlaceOrder]:
        """The order of a life that is rejected, so that its entity orders again."""
        if part.is_local or not part.orders:
            return []
        n, entity = part.orders[0]
        return [self._place(part, n, entity, edition, "-rejected")]

    def rejections(self, part: Part, edition: int) -> list[RejectOrder]:
        """What rejects it."""
        return [
            RejectOrder(order_id=o.order_id, package_id=part.id, comment=self.comment_of_rejection)
            for o in self.rejected(part, edition)
        ]

    def imports(self, part: Part) -> list[tuple[str, str]]:
        """Order and entity of what is imported."""
        return [(self.order_id.format(n=n), entity) for n, entity in part.imported]

    def approvals(self, part: Part, edition: int) -> list[ApproveOrder]:
        """What approves every so-manieth order."""
        chosen = self.places(part, edition)[:: self.approve_every]
        return [ApproveOrder(order_id=order.order_id, package_id=part.id) for order in chosen]

    def order_commands(self, part: Part, edition: int) -> list[OrderCommand]:
        """All that happens to the orders of one life, in order."""
        return [
            *self.rejected(part, edition),
            *self.rejections(part, edition),
            *self.places(part, edition),
            *self.approvals(part, edition),
        ]

    def _place(self, part: Part, n: int, entity: str, edition: int, more: str = "") -> PlaceOrder:
        life = "" if edition == 1 else f"-{edition}"
        id = f"{self.order_id.format(n=n)}{life}{more}"
        return PlaceOrder(order_id=id, package_id=part.id, entity_id=entity, label=f"Order {n}")


def read() -> dict[str, Any]:
    """The story as its file tells it."""
    return tomllib.loads(resources.files(__package__).joinpath("story.toml").read_text())


def cast(story: dict[str, Any], sizes: Sizes, now: datetime) -> Cast:
    """Fill the story in."""
    entities = tuple(_entities(story["entities"], sizes))
    return Cast(
        actor=story["actor"],
        comment=story["comment"],
        entities=entities,
        parts=tuple(_parts(story, sizes, [entity.entity_id for entity in entities], now)),
        order_id=story["orders"]["id"],
        approve_every=story["orders"]["approve_every"],
        comment_of_rejection=story["orders"]["comment_of_rejection"],
    )


def _entities(told: dict[str, Any], sizes: Sizes) -> Iterator[RegisterEntity]:
    named = told["names"]
    for n in range(1, sizes.entities + 1):
        label = named[n - 1] if n <= len(named) else told["label"].format(n=n)
        yield RegisterEntity(
            entity_id=told["id"].format(n=n),
            label=label,
            mailbox=told["mailbox"].format(n=(n - 1) % sizes.mailboxes + 1),
        )


def _parts(
    story: dict[str, Any], sizes: Sizes, entities: Sequence[str], now: datetime
) -> Iterator[Part]:
    large, *small = story["packages"]
    # The last one is deactivated before the cancel, and told of it all the same.
    few = list(dict.fromkeys([*entities[: story["entities"]["few"] - 1], entities[-1]]))
    left, first, parts = sizes.orders, 1, []
    for number, told in enumerate(small, start=2):
        is_local = told["distribution_level"] == DistributionLevel.LOCAL
        # Entities may order a local package more than once: two of them do so.
        takers = few[:2] if is_local else few
        count = told["orders"] if is_local else min(told["orders"], len(few), left)
        left -= 0 if is_local else count
        parts.append(_part(story, told, number, _orders(first, count, takers), few, now))
        first += count
    orders = _orders(first, left, entities)
    yield _part(story, large, 1, orders, None, now, placed=len(entities))
    yield from parts


def _orders(first: int, count: int, entities: Sequence[str]) -> tuple[tuple[int, str], ...]:
    return tuple((first + i, entities[i % len(entities)]) for i in range(count))


def _part(
    story: dict[str, Any],
    told: dict[str, Any],
    number: int,
    orders: tuple[tuple[int, str], ...],
    audience: Sequence[str] | None,
    now: datetime,
    placed: int | None = None,
) -> Part:
    """A package and what belongs to it; orders past those placed are imported."""
    level = DistributionLevel(told["distribution_level"])
    is_local = level == DistributionLevel.LOCAL
    campaign = story["template" if is_local else "reference"]
    dates = {name: now + timedelta(days=days) for name, days in _days(story["package"])}
    campaign_id = campaign["id"].format(n=number)
    return Part(
        package=CreatePackage(
            package_id=told["id"],
            label=told["label"],
            distribution_level=level,
            campaign_id=campaign_id,
            audience=list(audience) if audience else None,
            several_orders=True if is_local else None,
            reviewers=story["package"]["reviewers"],
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


def _days(told: dict[str, Any]) -> Iterator[tuple[str, float]]:
    return ((name, told[days]) for name, days in DATES.items())
