"""Where the thousandth page of a list begins, without a walk through those before it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import httpx

from services.runtime.postgres import database
from services.runtime.service import Pool, Served
from services.tracking.queries import keyset
from services.tracking.queries.keyset import Found, Position, Scan
from services.tracking.web.app import site
from services.tracking.web.limits import Rates

PAGE = 50
DEEP = 1_000 * PAGE


@asynccontextmanager
async def asking(pool: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API in this process."""
    async with site(Served("tracking", cast(Pool, pool), "amqp://nowhere")) as made:
        made.app.state.access.rates = Rates(1_000_000)  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app=made.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            yield client


async def pages(url: str, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The thousandth pages of these first ones, or the last; asked are paths with their tokens."""
    found = {}
    async with (
        database.pool(url, "relais bench", 2, any_plan=True) as pool,
        asking(pool) as client,
    ):
        with _leaping():
            for path, token in asked:
                headers = {"Authorization": f"Bearer {token}"}
                answer = await client.get(path, headers=headers)
                assert answer.status_code == 200, f"{path}: {answer.text}"
                if (cursor := answer.json()["next"]) is not None:
                    found[path, token] = f"{path}{'&' if '?' in path else '?'}cursor={cursor}"
    return found


@contextmanager
def _leaping() -> Iterator[None]:
    """Let a page be followed by the thousandth while the block lasts."""
    usual = keyset.page

    async def leap(pool: Pool, scan: Scan, position: Position | None, limit: int) -> Found:
        rows = (await usual(pool, scan, position, DEEP)).rows
        if len(rows) <= limit:
            return Found([], None, None)
        last = rows[-1] if len(rows) == DEEP else rows[-limit - 1]
        return Found([], Position("next", keyset.keys_of(scan, last)), None)

    keyset.page = leap
    try:
        yield
    finally:
        keyset.page = usual
