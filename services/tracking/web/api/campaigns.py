"""GET /api/campaigns: the list, and one with its processes."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.campaigns import (
    CampaignKind,
    CampaignState,
    CampaignStatus,
    CanceledBy,
    ProcessState,
)
from contracts.fields import Id, Instant, Name, Text, Version
from contracts.packages import DistributionLevel
from services.runtime.service import Row
from services.tracking.queries import campaigns
from services.tracking.queries.campaigns import Filters
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.own import own
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/campaigns", tags=["campaigns"])

CampaignId = Annotated[Id, Path(examples=["OP13"])]


class CampaignItem(BaseModel):
    """A campaign in a list."""

    campaign_id: Id
    label: Name
    kind: CampaignKind
    distribution_level: DistributionLevel
    program: Name | None
    status: CampaignStatus
    version: Version
    package_id: Id | None
    order_id: Id | None
    parent_id: Id | None
    canceled_by: Annotated[
        CanceledBy | None, Field(description="The package whose cancel canceled it last.")
    ]
    changed_at: Instant
    changed_by: Text | None


class Process(ProcessState):
    """A process of a campaign, and what set its status."""

    cause: Text | None
    caused_by: Text | None
    caused_at: datetime | None
    caused_actor: Text | None


class Campaign(CampaignState):
    """Everything that is known of a campaign, with its processes, and what set its status."""

    package_label: Name | None
    entity_id: Annotated[Id | None, Field(description="Of the order that it was made for.")]
    canceled_by: CanceledBy | None
    reinitialized_at: datetime | None
    cause: Annotated[Text | None, Field(description="The event that set the present status.")]
    caused_by: Annotated[Text | None, Field(description="The message that this came of.")]
    caused_at: datetime | None
    caused_actor: Text | None
    processes: list[Process]


ITEM: dict[str, Any] = {
    "campaign_id": "OP13",
    "label": "Summer",
    "kind": "reference",
    "distribution_level": "collaborative_by_campaign",
    "program": "Sales",
    "status": "canceled",
    "version": 4,
    "package_id": None,
    "order_id": None,
    "parent_id": None,
    "canceled_by": {"package_id": "CAT86", "edition": 2},
    "changed_at": "2026-11-23T14:02:42Z",
    "changed_by": "m.durand",
}
COUNTS: dict[str, int | str] = {"being_edited": 3, "started": 21, "finished": 7, "canceled": 1}


async def items(rows: list[Row]) -> list[CampaignItem]:
    """Rows of the list."""
    return [CampaignItem(**dict(row)) for row in rows]


@router.get(
    "",
    summary="Campaigns",
    response_model=Page[CampaignItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_campaigns(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """Campaigns by kind, status, package, parent and text; for a local operator its own."""
    entity = own(caller)
    return await lists.answer(
        here,
        request,
        lists.List(
            "campaigns",
            asked,
            scan=lambda pool: campaigns.scan(pool, asked, entity),
            counts=lambda pool: campaigns.tabs(pool, asked, entity),
            items=items,
            columns=CampaignItem,
            own=entity,
        ),
    )


CAMPAIGN = {
    **ITEM,
    "starts_at": None,
    "ends_at": None,
    "max_documents": None,
    "process_ids": ["DM6"],
    "canceled_at": "2026-11-23T14:02:42Z",
    "package_label": None,
    "entity_id": None,
    "reinitialized_at": None,
    "cause": "5d0c7a1b2c3d4e5f6a7b-1",
    "caused_by": "5d0c7a1b2c3d4e5f6a7b-0",
    "caused_at": "2026-11-23T14:02:42Z",
    "caused_actor": "m.durand",
    "processes": [
        {
            "process_id": "DM6",
            "campaign_id": "OP13",
            "kind": "delivery",
            "label": "Mail to customers",
            "channel": "email",
            "status": "stopped",
            "version": 3,
            "detail": None,
            "changed_at": "2026-11-23T14:02:42Z",
            "cause": "5d0c7a1b2c3d4e5f6a7b-2",
            "caused_by": "5d0c7a1b2c3d4e5f6a7b-0",
            "caused_at": "2026-11-23T14:02:42Z",
            "caused_actor": "m.durand",
        }
    ],
}


@router.get(
    "/{campaign_id}",
    summary="One campaign",
    response_model=Campaign,
    responses={**documented.one(CAMPAIGN), **documented.errors(404)},
)
async def get_campaign(
    here: Here,
    caller: Asks,
    campaign_id: CampaignId,
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """Everything that is known of one campaign, and of its processes."""
    row = await campaigns.find(here.pool, campaign_id, own(caller))
    if row is None:
        raise single.missing("campaign", campaign_id)
    processes = await campaigns.processes(here.pool, row)
    more = {name: row[name] for name in Campaign.model_fields if name in row}
    campaign = Campaign.model_validate({**row["state"], **more, "processes": processes})
    # Versions only rise, and so does their sum.
    version = f"{campaign.version}.{sum(p['version'] for p in processes)}"
    return single.answer(campaign, version, if_none_match)
