"""GET /api/entities: the list, and one."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.directory import Channel, EntityState
from contracts.fields import Id, Instant, Name, Text, Version
from services.runtime.service import Pool, Row
from services.tracking.queries import entities
from services.tracking.queries.entities import Filters
from services.tracking.web import lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.own import own
from services.tracking.web.state import Here

router = APIRouter(prefix="/api/entities", tags=["entities"])

EntityId = Annotated[Id, Path(examples=["OU3"])]


class EntityItem(BaseModel):
    """An entity in a list, with its orders and notifications by status."""

    entity_id: Id
    label: Name
    active: bool
    mailbox: Id
    channels: list[Channel]
    version: Version
    changed_at: Instant
    orders: dict[str, int]
    notifications: Annotated[
        dict[str, int], Field(description="Of those that failed an operator should know.")
    ]


class Entity(EntityState):
    """Everything that is known of an entity, and what set its status."""

    cause: Annotated[Text | None, Field(description="The event that set the present status.")]
    caused_by: Annotated[Text | None, Field(description="The message that this came of.")]
    caused_at: datetime | None
    caused_actor: Text | None


ITEM: dict[str, Any] = {
    "entity_id": "OU3",
    "label": "Lyon",
    "active": True,
    "mailbox": "OU3",
    "channels": ["mailbox"],
    "version": 2,
    "changed_at": "2026-10-01T08:00:00Z",
    "orders": {"ordered": 3, "available": 12},
    "notifications": {"sent": 40, "failed": 1},
}
COUNTS: dict[str, int | str] = {"active": 4800, "inactive": 12}


async def items(pool: Pool, rows: list[Row]) -> list[EntityItem]:
    """Rows of the list with the figures of each."""
    figures = await entities.figures(pool, [row["entity_id"] for row in rows])
    return [EntityItem(**dict(row), **figures[row["entity_id"]]) for row in rows]


@router.get(
    "",
    summary="Entities",
    response_model=Page[EntityItem],
    responses={**documented.listed(ITEM, COUNTS), **documented.errors(406)},
)
async def list_entities(
    here: Here, request: Request, caller: Asks, asked: Annotated[Filters, given(Filters)]
) -> Response:
    """Entities by label, channel and text; for a local operator its own."""
    entity = own(caller)
    return await lists.answer(
        here,
        request,
        lists.List(
            "entities",
            asked,
            scan=lambda pool: entities.scan(pool, asked, entity),
            counts=lambda pool: entities.tabs(pool, asked, entity),
            items=partial(items, here.pool),
            columns=EntityItem,
            own=entity,
        ),
    )


ENTITY = {
    **{k: v for k, v in ITEM.items() if k not in ("orders", "notifications")},
    "email": "lyon@example.org",
    "language": "fr",
    "webhook_url": None,
    "notify": None,
    "order_reviewers": [{"id": "p-martin", "label": "Paule Martin", "email": None}],
    "campaign_reviewers": None,
    "cause": "5d0c7a1b2c3d4e5f6a7b-1",
    "caused_by": "4f7c",
    "caused_at": "2026-10-01T08:00:00Z",
    "caused_actor": "m.durand",
}


@router.get(
    "/{entity_id}",
    summary="One entity",
    response_model=Entity,
    responses={**documented.one(ENTITY), **documented.errors(404)},
)
async def get_entity(
    here: Here,
    caller: Asks,
    entity_id: EntityId,
    asked: Annotated[single.Nothing, given(single.Nothing)],
    if_none_match: single.IfNoneMatch = None,
) -> Response:
    """Everything that is known of one entity; its version is the ETag."""
    row = await entities.find(here.pool, entity_id) if own(caller) in (None, entity_id) else None
    if row is None:
        raise single.missing("entity", entity_id)
    causes = {name: row[name] for name in ("cause", "caused_by", "caused_at", "caused_actor")}
    entity = Entity.model_validate({**row["state"], **causes})
    return single.answer(entity, entity.version, if_none_match)
