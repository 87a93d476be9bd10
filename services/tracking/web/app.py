"""The HTTP API of tracking as one application."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import APIRouter, Depends, FastAPI

from services.runtime.service import Served, Site
from services.tracking import settings
from services.tracking.web import broker, callers, hub, problems, rights, signin
from services.tracking.web.api import (
    batch,
    campaigns,
    cancellations,
    commands,
    documented,
    entities,
    notifications,
    offers,
    orders,
    packages,
    parked,
    parked_write,
    preview,
    proofs,
    rebuild,
    schedule,
    sent,
    stream,
    timeline,
    views,
    waves,
    why,
    workers,
)
from services.tracking.web.faults import Faults
from services.tracking.web.limits import Limits
from services.tracking.web.state import State

ROUTERS: Sequence[APIRouter] = (
    signin.router,
    packages.router,
    preview.router,
    cancellations.router,
    orders.router,
    campaigns.router,
    entities.router,
    notifications.router,
    schedule.router,
    offers.router,
    commands.router,
    batch.router,
    sent.router,
    # Its paths are more special than those of single messages.
    waves.router,
    parked.router,
    parked_write.router,
    workers.router,
    stream.router,
    why.router,
    timeline.router,
    views.router,
    proofs.router,
    rebuild.router,
)
"""One for each module of the API."""


@asynccontextmanager
async def site(served: Served) -> AsyncIterator[Site]:
    """The application while the block lasts."""
    app = FastAPI(
        title="Relais",
        version=metadata.version("relais"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(rights.check)],
        responses=documented.everywhere(),
    )
    config = settings.load()
    app.state.access = await callers.opened(served.pool, config)
    problems.install(app)
    # The last one added sees a request first.
    # A body gets a part of the time, or its sender's slowness would be taken for ours.
    app.add_middleware(
        Limits, request_bytes=config.request_bytes, seconds=config.answer_seconds * 0.75
    )
    app.add_middleware(Faults, pool=served.pool, answer_seconds=config.answer_seconds)
    for router in ROUTERS:
        app.include_router(router)
    async with (
        hub.opened(served.amqp_url) as hints,
        broker.opened(served.amqp_url, served.pool, hints) as sender,
    ):
        app.state.tracking = State(served, hints, sender)
        yield Site(app, list, hints.end)
