"""What tests of campaigns begin with, and a way to decide one message without a database."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.campaigns import (
    CampaignCommand,
    CampaignState,
    CancelCampaign,
    CanceledBy,
    CreateCampaign,
    ProcessState,
    ReinitializeCampaign,
    ReportProcess,
    StartCampaign,
)
from contracts.envelope import Envelope
from contracts.message import Body
from contracts.packages import PackageCanceled, PackageReinitialized, PackageState
from services.campaigns import handlers
from services.campaigns.domain import LifeCommand
from services.campaigns.transitions import Campaign
from services.campaigns.world import World
from services.runtime.decision import Decision, Loaded, Received
from services.runtime.tables.jobs import Jobs

EARLIER = datetime(2026, 11, 22, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ACTOR = "m.durand"


def creation(
    campaign_id: str = "OP13", processes: Iterable[str] = (), **given: Any
) -> CreateCampaign:
    """The command that makes a reference campaign with workflows of these ids."""
    specs = [{"process_id": id, "kind": "workflow", "label": f"Step {id}"} for id in processes]
    terms: dict[str, Any] = {
        "campaign_id": campaign_id,
        "label": "Winter windows",
        "kind": "reference",
        "distribution_level": "collaborative_by_form",
        "processes": specs,
    }
    return CreateCampaign(**(terms | given))


def start(campaign_id: str = "OP13") -> StartCampaign:
    """The command that starts a campaign."""
    return StartCampaign(campaign_id=campaign_id)


def cancel(campaign_id: str = "OP13") -> CancelCampaign:
    """The command that cancels a campaign."""
    return CancelCampaign(campaign_id=campaign_id, comment="supplier withdrew")


def reinitialize(campaign_id: str = "OP13") -> ReinitializeCampaign:
    """The command that lets a canceled campaign return."""
    return ReinitializeCampaign(campaign_id=campaign_id)


def report(
    process_id: str, status: str, campaign_id: str = "OP13", detail: str | None = None
) -> ReportProcess:
    """What an engine says of a process."""
    return ReportProcess.model_validate(
        {
            "campaign_id": campaign_id,
            "process_id": process_id,
            "status": status,
            "detail": detail,
        }
    )


LIFE: dict[str, Callable[[], LifeCommand]] = {
    "start": start,
    "cancel": cancel,
    "reinitialize": reinitialize,
}
"""The commands that move a campaign, by their name on the wire."""


def life(name: str) -> LifeCommand:
    """One of LIFE about OP13."""
    return LIFE[name]()


def campaign(
    status: str = "being_edited",
    processes: Iterable[str] = (),
    by: tuple[str, int] | None = None,
    **changes: Any,
) -> Campaign:
    """A reference campaign of version 4; by is the package and edition that canceled it."""
    state: dict[str, Any] = {
        "campaign_id": "OP13",
        "label": "Winter windows",
        "kind": "reference",
        "distribution_level": "collaborative_by_form",
        "status": status,
        "version": 4,
        "process_ids": list(processes) or None,
        "canceled_at": EARLIER if status == "canceled" else None,
        "changed_at": EARLIER,
    }
    canceled_by = CanceledBy(package_id=by[0], edition=by[1]) if by else None
    return Campaign(CampaignState(**(state | changes)), None, canceled_by)


def process(process_id: str, status: str = "pending", **changes: Any) -> ProcessState:
    """A workflow of OP13, of version 2."""
    state: dict[str, Any] = {
        "process_id": process_id,
        "campaign_id": "OP13",
        "kind": "workflow",
        "label": f"Step {process_id}",
        "status": status,
        "version": 2,
        "changed_at": EARLIER,
    }
    return ProcessState(**(state | changes))


def package(package_id: str = "CAT86", edition: int = 1, **changes: Any) -> PackageState:
    """A collaborative package with the campaign OP13."""
    state: dict[str, Any] = {
        "package_id": package_id,
        "label": "Winter windows",
        "distribution_level": "collaborative_by_form",
        "campaign_id": "OP13",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=30),
        "status": "published",
        "edition": edition,
        "version": 5 * edition,
        "created_at": EARLIER,
        "changed_at": EARLIER,
    }
    return PackageState(**(state | changes))


def package_canceled(
    package_id: str = "CAT86", edition: int = 1, **changes: Any
) -> PackageCanceled:
    """A package was withdrawn."""
    return PackageCanceled.of(package(package_id, edition, status="canceled", **changes))


def package_reinitialized(package_id: str = "CAT86", edition: int = 2) -> PackageReinitialized:
    """A package begins this edition."""
    return PackageReinitialized.of(package(package_id, edition, status="being_edited"))


def world(campaigns: Iterable[Campaign] = (), processes: Iterable[ProcessState] = ()) -> World:
    """A world of these campaigns, and of all their processes."""
    return World(
        locked=frozenset(),
        campaigns=Loaded((c.id, c) for c in campaigns),
        processes=Loaded(((p.campaign_id, p.process_id), p) for p in processes),
        busy=set(),
        jobs=Jobs(),
    )


def received(body: Body, actor: str | None = ACTOR) -> Received:
    """A message as the service sees it."""
    envelope = Envelope(
        specversion="1.0",
        id="1",
        source="/test",
        type=body.wire_type,
        subject=body.subject,
        actor=actor,
    )
    return Received(envelope, body, NOW)


def decide(
    command: CampaignCommand,
    campaign: Campaign | None = None,
    processes: Iterable[ProcessState] = (),
) -> Decision:
    """Decide one command about at most one campaign."""
    return handlers.handle(world([campaign] if campaign else [], processes), received(command))
