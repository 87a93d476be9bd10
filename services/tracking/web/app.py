"""The HTTP API of tracking as one application."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import APIRouter, FastAPI

from services.runtime.service import Served, Site
from services.tracking.web import problems
from services.tracking.web.api import proofs, views
from services.tracking.web.state import State

ROUTERS: Sequence[APIRouter] = (views.router, proofs.router)
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
    app.state.tracking = State(served)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    yield Site(app, list)
