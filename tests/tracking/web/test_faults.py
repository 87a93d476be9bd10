"""What goes wrong in an answer: servers that are away, and faults of our own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.client import NoBroker
from services.runtime.service import installed
from services.tracking.web import callers
from tests.eventually import eventually
from tests.faults.proxy import Proxy, proxied
from tests.harness import Harness, open_harness
from tests.tracking.api import Api, api
from tests.tracking.web.conftest import Configure

pytestmark = pytest.mark.servers

ME = "/api/me"


def serve(web: Api, work: Callable[[], Any]) -> None:
    """Let GET /api/lanes do some work."""
    web.app.router.routes[:] = [
        route for route in web.app.router.routes if "lanes" not in str(route)
    ]
    web.app.add_api_route("/api/lanes", work)


async def ask(web: Api) -> Any:
    """The answer to it."""
    return await web.get("/api/lanes", role="operations")


class TestAFaultOfOurs:
    """It is told with an id, and the log has the rest."""

    async def test_is_a_problem_with_an_id_that_the_log_has(self, web: Api) -> None:
        """Never a traceback."""

        async def fail() -> None:
            raise KeyError("secret detail")

        serve(web, fail)
        with capture_logs() as logs:
            answer = await ask(web)

        assert answer.status_code == 500
        body = answer.json()
        assert body["code"] == "fault"
        assert "secret" not in answer.text
        (entry,) = [entry for entry in logs if entry["event"] == "request_failed"]
        assert entry["fault"] == body["fault"]
        assert body["fault"] in body["detail"]

    async def test_is_answered_with_the_headers_of_all(self, web: Api) -> None:
        """Browsers are careful with each answer of ours."""

        async def fail() -> None:
            raise KeyError

        serve(web, fail)
        for answer in (
            await ask(web),
            await web.get(ME),
            await web.client.get("/nowhere"),
        ):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


class TestAServerThatIsAway:
    """It is named, and all goes on by itself once it is back."""

    async def test_may_be_the_broker(self, web: Api) -> None:
        """The database is not blamed for it."""

        async def fail() -> None:
            raise NoBroker("no RabbitMQ answers")

        serve(web, fail)
        answer = await ask(web)

        assert answer.status_code == 503
        assert answer.json()["away"] == ["RabbitMQ"]
        assert answer.headers["Retry-After"]

    async def test_may_be_the_database(
        self, configured: Configure, behind: tuple[Harness, Proxy]
    ) -> None:
        """Connections are cut and refused, or nothing says a word; each ends by itself."""
        configured(answer_seconds=1)
        harness, proxy = behind
        async with api(harness) as web:
            assert (await web.get(ME)).status_code == 200

            proxy.refuse()
            answer = await web.get(ME)
            assert (answer.status_code, answer.json()["away"]) == (503, ["Postgres"])
            await proxy.accept()
            await eventually(lambda: is_well(web))

            proxy.hold()
            answer = await web.get(ME)
            assert (answer.status_code, answer.json()["away"]) == (503, ["Postgres"])
            assert "no answer within 1 s" in answer.json()["detail"]
            proxy.release()
            await eventually(lambda: is_well(web))

    async def test_is_not_the_database_where_that_answers(
        self, configured: Configure, harness: Harness
    ) -> None:
        """Whoever waits too long for something else waits for the broker."""
        configured(answer_seconds=1)

        async def wait() -> None:
            await asyncio.Event().wait()

        async with api(harness) as web:
            serve(web, wait)
            assert (await ask(web)).json()["away"] == ["RabbitMQ"]


@pytest.fixture
async def behind(
    database: Callable[[str], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Harness, Proxy]]:
    """A database whose connections can be cut; each request looks into it."""
    monkeypatch.setattr(callers, "KNOWN_FOR", 0.0)
    async with proxied(await database("tracking")) as proxy:
        harness = await open_harness(installed()["tracking"], proxy.url)
        yield harness, proxy
        await harness.close()


async def is_well(web: Api) -> bool:
    """Whether the API answers again."""
    return (await web.get(ME)).status_code == 200
