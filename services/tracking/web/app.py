"""The HTTP API of tracking as one application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.runtime.service import Pool, Served, Site
from services.tracking.web import problems


@dataclass(slots=True)
class State:
    """What routes work with."""

    served: Served

    @property
    def pool(self) -> Pool:
        """The database of tracking."""
        return self.served.pool


def _state(request: Request) -> State:
    state: State = request.app.state.tracking
    return state


Here = Annotated[State, Depends(_state)]
"""A parameter of a route: what it works with."""


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
    yield Site(app, list)
