"""GET /api/workers and /api/lanes: who works, and what waits on the broker."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from contracts.fields import Id, Instant, Text
from contracts.operations import WorkerSeen
from services.tracking.queries import lanes, workers
from services.tracking.queries.progress import progress
from services.tracking.web import faults, lists, single
from services.tracking.web.api import documented
from services.tracking.web.callers import Asks
from services.tracking.web.lists import Page, given
from services.tracking.web.state import Here

router = APIRouter(prefix="/api", tags=["operations"])

ALIVE = 30
"""Seconds within which a worker that lives has said how it is, three times."""


class Worker(WorkerSeen):
    """How a worker was when it last said so."""

    seen_at: Instant
    seconds_ago: float
    alive: Annotated[bool, Field(description="Whether it was seen in the last 30 s.")]


class Lane(BaseModel):
    """A queue of a service; consumers of a lane is 1 where somebody reads it."""

    service: Id | None
    queue: Text
    messages: int
    consumers: int


WORKER: dict[str, Any] = {
    "service": "orders",
    "instance": "host-1:4242",
    "version": "0.1.0",
    "slot": 0,
    "lanes": [0, 1, 2, 3],
    "ready": True,
    "waiting_for": [],
    "started_at": "2026-11-23T08:00:00Z",
    "last_batch_at": "2026-11-23T14:02:31Z",
    "outbox": 0,
    "waiting": 0,
    "parked": 0,
    "seen_at": "2026-11-23T14:02:31Z",
    "seconds_ago": 3.1,
    "alive": True,
}
LANE: dict[str, Any] = {
    "service": "orders",
    "queue": "orders.lane.0",
    "messages": 0,
    "consumers": 1,
}


@router.get(
    "/workers",
    summary="Workers",
    response_model=Page[Worker],
    responses={**documented.listed_at_once(WORKER, {"alive": 6}), **documented.errors()},
)
async def list_workers(
    here: Here, caller: Asks, asked: Annotated[single.Nothing, given(single.Nothing)]
) -> Response:
    """The workers of every service that were seen in the last day."""
    found = [
        Worker(
            **row["state"],
            seen_at=row["seen_at"],
            seconds_ago=row["seconds_ago"],
            alive=row["seconds_ago"] < ALIVE,
        )
        for row in await workers.list_workers(here.pool)
    ]
    alive = sum(worker.alive for worker in found)
    return lists.page(found, {"alive": alive}, await progress(here.pool))


@router.get(
    "/lanes",
    summary="Lanes",
    response_model=Page[Lane],
    responses={**documented.listed_at_once(LANE, {"messages": 0}), **documented.errors(503)},
)
async def list_lanes(
    here: Here, caller: Asks, asked: Annotated[single.Nothing, given(single.Nothing)]
) -> Response:
    """What waits in the queues of every service, as the broker says just now."""
    try:
        found = await lanes.list_lanes(here.served.amqp_url)
    except lanes.FAULTS as error:
        raise faults.away("RabbitMQ", str(error) or "it does not say what waits") from error
    queues = [
        Lane(service=q.service, queue=q.queue, messages=q.messages, consumers=q.consumers)
        for q in found
    ]
    waiting = sum(queue.messages for queue in queues)
    return lists.page(queues, {"messages": waiting}, await progress(here.pool))
