"""The HTTP API of tracking in this process, beside the workers of a whole stack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from infra.local.stack import Stack
from services.runtime.postgres import database
from services.runtime.service import Served
from tests.tracking.api import Api, asking


@asynccontextmanager
async def api_beside(running: Stack, amqp_url: str | None = None) -> AsyncIterator[Api]:
    """The API on the database of the stack's tracking."""
    async with database.pool(running.postgres["tracking"], "relais test", any_plan=True) as pool:
        served = Served("tracking", pool, amqp_url or running.amqp_url)
        async with asking(served) as made:
            yield made


def envelope(name: str, subject: str, **data: Any) -> dict[str, Any]:
    """A command as a client posts it, without what may be absent."""
    type = f"relais.{name}.v1"
    return {"specversion": "1.0", "type": type, "subject": subject, "data": data}
