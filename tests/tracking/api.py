"""The HTTP API of tracking in this process: requests in, answers out, on a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from services.runtime.service import Pool, Served
from services.tracking.web import tokens
from services.tracking.web.app import site
from services.tracking.web.limits import Rates
from services.tracking.web.roles import Caller, Role
from tests.harness import Harness


class Api:
    """Asks in the name of callers with a role."""

    def __init__(
        self, client: httpx.AsyncClient, pool: Pool, app: FastAPI, harness: Harness | None = None
    ) -> None:
        self.client = client
        self.pool = pool
        self.app = app
        self._harness = harness
        self._tokens: dict[tuple[str, str | None], str] = {}

    @property
    def harness(self) -> Harness:
        """The reader that fills the tables, where no worker does."""
        assert self._harness is not None
        return self._harness

    async def token(self, role: str = "central", entity: str | None = None) -> str:
        """A token of somebody with this role, whose name is dev."""
        if (role, entity) not in self._tokens:
            made = await tokens.add(self.pool, Caller("dev", Role(role), entity))
            self._tokens[role, entity] = made.secret
        return self._tokens[role, entity]

    async def request(
        self,
        method: str,
        path: str,
        *,
        role: str | None = "central",
        entity: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """The answer to one request; role None sends no token."""
        given = dict(headers or {})
        if role is not None:
            given["Authorization"] = f"Bearer {await self.token(role, entity)}"
        return await self.client.request(method, path, headers=given, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """The answer to a GET."""
        return await self.request("GET", path, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        """The answer to a POST."""
        return await self.request("POST", path, **more)


@asynccontextmanager
async def api(
    harness: Harness, amqp_url: str = "amqp://nowhere", *, limited: bool = False
) -> AsyncIterator[Api]:
    """The API on the database of a harness; unless it is limited one may ask as fast as one can."""
    served = Served("tracking", harness.pool, amqp_url)
    async with asking(served, harness, limited=limited) as made:
        yield made


@asynccontextmanager
async def asking(
    served: Served, harness: Harness | None = None, *, limited: bool = False
) -> AsyncIterator[Api]:
    """The API on any database and broker."""
    async with site(served) as made:
        assert isinstance(made.app, FastAPI)
        if not limited:
            made.app.state.access.rates = Rates(1_000_000)
        transport = httpx.ASGITransport(app=made.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://relais") as client:
            yield Api(client, served.pool, made.app, harness)
