"""Commands that tests of a whole stack begin with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.campaigns import CampaignKind, CreateCampaign
from contracts.client import Client
from contracts.directory import RegisterEntity
from contracts.message import Command
from contracts.outcomes import Outcome
from contracts.packages import (
    ApprovePackage,
    CreatePackage,
    DistributionLevel,
    PublishPackage,
)

LEVEL = DistributionLevel.COLLABORATIVE_SIMPLE


def campaign(id: str) -> CreateCampaign:
    """A reference campaign with one workflow."""
    return CreateCampaign(
        campaign_id=id,
        label="Spring",
        kind=CampaignKind.REFERENCE,
        distribution_level=LEVEL,
        processes=[{"process_id": "WKF1", "kind": "workflow", "label": "Select"}],
    )


def package(id: str, campaign_id: str, audience: list[str]) -> CreatePackage:
    """A package that is offered from yesterday to next month."""
    now = datetime.now(UTC)
    dates: dict[str, Any] = {
        "starts_at": now - timedelta(days=1),
        "available_at": now + timedelta(days=20),
        "ends_at": now + timedelta(days=30),
    }
    return CreatePackage(
        package_id=id,
        label="Garden furniture",
        distribution_level=LEVEL,
        campaign_id=campaign_id,
        audience=audience,
        **dates,
    )


def entities(count: int) -> list[RegisterEntity]:
    """Entities that share the mailbox `west`."""
    return [
        RegisterEntity(entity_id=f"OU{n}", label=f"Agency {n}", mailbox="west")
        for n in range(1, count + 1)
    ]


async def done(upstream: Client, *commands: Command) -> None:
    """Have commands done, one after the other."""
    for command in commands:
        outcome = await upstream.ask(command)
        assert outcome.outcome != Outcome.REFUSED, outcome.message


async def published(upstream: Client, id: str, audience: list[str]) -> None:
    """A published package with a campaign of its own."""
    await done(
        upstream,
        campaign(f"OP-{id}"),
        package(id, f"OP-{id}", audience),
        ApprovePackage(package_id=id),
        PublishPackage(package_id=id),
    )
