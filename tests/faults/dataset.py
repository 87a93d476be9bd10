"""The data of a scenario: who orders what, and what a cancel must leave behind. Pure.

Every id starts with the dataset's token, so that scenarios can share a stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from contracts.campaigns import (
    CampaignKind,
    CreateCampaign,
    ProcessKind,
    ProcessSpec,
    ProcessStatus,
    ReportProcess,
    StartCampaign,
)
from contracts.directory import RegisterEntity
from contracts.message import Command
from contracts.orders import ApproveOrder, CancelOrder, OrderCommand, PlaceOrder, RejectOrder
from contracts.packages import (
    ApprovePackage,
    CreatePackage,
    DistributionLevel,
    PackageCommand,
    PublishPackage,
    SubmitPackage,
)

MAILBOXES = 2
FINISHED = "DM1"
STOPPED = ("DM2", "WKF1", "WKF2")
DAY = timedelta(days=1)


class Fate(StrEnum):
    """What becomes of an order before the cancel."""

    LEFT = "left"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


FATES = (Fate.LEFT, Fate.APPROVED, Fate.LEFT, Fate.REJECTED, Fate.APPROVED, Fate.WITHDRAWN)
"""Dealt out to the orders of a package in turn."""

OPEN = frozenset({Fate.LEFT, Fate.APPROVED})
"""Those that the cancel of the package ends."""

BEFORE = {
    Fate.LEFT: ("ordered", 1),
    Fate.APPROVED: ("approved", 2),
    Fate.REJECTED: ("rejected", 2),
    Fate.WITHDRAWN: ("canceled", 2),
}
AFTER = BEFORE | {Fate.LEFT: ("canceled", 2), Fate.APPROVED: ("canceled", 3)}
"""Status and version of an order."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order of one edition of a package."""

    order_id: str
    package_id: str
    entity_id: str
    fate: Fate

    @property
    def is_open(self) -> bool:
        """Whether the cancel of the package ends it."""
        return self.fate in OPEN

    def commands(self) -> Iterator[OrderCommand]:
        """What makes it, and what becomes of it."""
        order, package = self.order_id, self.package_id
        yield PlaceOrder(
            order_id=order, package_id=package, entity_id=self.entity_id, label="An order"
        )
        match self.fate:
            case Fate.APPROVED:
                yield ApproveOrder(order_id=order, package_id=package)
            case Fate.REJECTED:
                yield RejectOrder(order_id=order, package_id=package, comment="not this one")
            case Fate.WITHDRAWN:
                yield CancelOrder(order_id=order, package_id=package)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Entities, packages that all but the last entity are offered, and a campaign for each.

    The last ones of the audience order late or nothing, and are notified of the cancel too.
    """

    token: str
    entities: int = 14
    packages: int = 1
    late: int = 1

    @property
    def entity_ids(self) -> list[str]:
        """Every entity."""
        return [f"{self.token}-OU{n}" for n in range(self.entities)]

    @property
    def audience(self) -> list[str]:
        """Those who are offered the packages."""
        return self.entity_ids[:-1]

    @property
    def package_ids(self) -> list[str]:
        """Every package."""
        return [f"{self.token}-CAT{n}" for n in range(self.packages)]

    @property
    def campaign_ids(self) -> list[str]:
        """The campaign of each package."""
        return [f"{self.token}-OP{n}" for n in range(self.packages)]

    @property
    def mailboxes(self) -> list[str]:
        """The mailboxes that the entities share."""
        return [f"{self.token}-box{n}" for n in range(MAILBOXES)]

    def orders(self, edition: int) -> list[Order]:
        """The orders of one life of every package."""
        return [
            Order(f"{package}-ORD{n}-{edition}", package, entity, FATES[n % len(FATES)])
            for package in self.package_ids
            for n, entity in enumerate(self.audience[: -self.late])
        ]

    def late_orders(self, edition: int) -> list[Order]:
        """The orders of one life that may come before its cancel, or after."""
        return [
            Order(f"{package}-LATE{n}-{edition}", package, entity, Fate.LEFT)
            for n, entity in enumerate(self.audience[-self.late :])
            for package in self.package_ids
        ]

    def registrations(self) -> list[Command]:
        """What makes the entities known."""
        return [
            RegisterEntity(
                entity_id=entity, label=f"Agency {n}", mailbox=self.mailboxes[n % MAILBOXES]
            )
            for n, entity in enumerate(self.entity_ids)
        ]

    def campaigns(self) -> list[Command]:
        """What makes campaigns whose processes run, but for one that has finished."""
        return [command for campaign in self.campaign_ids for command in _campaign(campaign)]

    def packages_made(self) -> list[Command]:
        """What makes packages and brings them to their audience."""
        ids = zip(self.package_ids, self.campaign_ids, strict=True)
        made: list[Command] = [self._package(package, campaign) for package, campaign in ids]
        return made + [command for package in self.package_ids for command in publication(package)]

    def _package(self, package_id: str, campaign_id: str) -> CreatePackage:
        now = datetime.now(UTC)
        return CreatePackage(
            package_id=package_id,
            label="An offer",
            distribution_level=DistributionLevel.COLLABORATIVE_SIMPLE,
            campaign_id=campaign_id,
            audience=self.audience,
            starts_at=now - DAY,
            ends_at=now + 90 * DAY,
        )


def _campaign(campaign_id: str) -> Iterator[Command]:
    yield CreateCampaign(
        campaign_id=campaign_id,
        label="A campaign",
        kind=CampaignKind.REFERENCE,
        distribution_level=DistributionLevel.COLLABORATIVE_SIMPLE,
        processes=[
            ProcessSpec(process_id=id, kind=ProcessKind.WORKFLOW, label=id)
            for id in (FINISHED, *STOPPED)
        ],
    )
    yield StartCampaign(campaign_id=campaign_id)
    yield ReportProcess(campaign_id=campaign_id, process_id=FINISHED, status=ProcessStatus.FINISHED)


def publication(package_id: str) -> Iterator[PackageCommand]:
    """What brings a package from being edited to its audience."""
    yield SubmitPackage(package_id=package_id)
    yield ApprovePackage(package_id=package_id)
    yield PublishPackage(package_id=package_id)
