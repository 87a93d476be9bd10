"""The HTTP API of tracking as one application."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import APIRouter, FastAPI

from services.runtime.service import Served, Site
from services.tracking.web import broker, hub, problems
from services.tracking.web.api import batch, commands, parked_write, preview, stream, waves
from services.tracking.web.state import State

ROUTERS: Sequence[APIRouter] = (
    commands.router,
    batch.router,
    preview.router,
    stream.router,
    parked_write.router,
    waves.router,
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
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    async with (
        hub.opened(served.amqp_url) as hints,
        broker.opened(served.amqp_url, served.pool, hints) as sender,
    ):
        app.state.tracking = State(served, hints, sender)
        yield Site(app, list, hints.end)
