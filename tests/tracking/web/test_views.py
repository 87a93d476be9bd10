"""Saved views and proofs over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.harness import Harness
from tests.tracking.api import Api, api

pytestmark = pytest.mark.servers

MakeHarness = Callable[[str], Awaitable[Harness]]
LATE = {"label": "Late in spring", "list": "packages", "filter": {"late": "true"}}
STANDING = {
    "emitted": 3,
    "handled": {"accepted": 2},
    "missing": 0,
    "outbox": 0,
    "waiting": 0,
    "queued": 0,
    "parked": [],
}
REPORT = {
    "ok": True,
    "since": "2026-11-26T00:00:00Z",
    "missing": [],
    "services": {"orders": STANDING},
}


@pytest.fixture
async def http(make_harness: MakeHarness) -> AsyncIterator[Api]:
    """The API on an empty database."""
    async with api(await make_harness("tracking")) as made:
        yield made


async def save(http: Api, view: dict[str, Any] = LATE, **more: Any) -> Any:
    """The answer to a view that is saved."""
    return await http.request("PUT", "/api/views/late-in-spring", json=view, **more)


class TestAView:
    """A list with its filters, under a name of one's own."""

    async def test_is_found_as_it_was_saved(self, http: Api) -> None:
        """In the list of views and by its name."""
        saved = (await save(http)).json()

        assert saved["version"] == 1
        assert (await http.get("/api/views")).json() == {"items": [saved]}
        one = await http.get("/api/views/late-in-spring")
        assert one.json() == saved
        assert one.headers["etag"] == '"1"'

    async def test_is_replaced_where_nobody_else_has(self, http: Api) -> None:
        """If-Match names the version that was looked at."""
        await save(http)
        again = await save(http, {**LATE, "label": "Late"}, headers={"If-Match": '"1"'})
        third = await save(http, LATE, headers={"If-Match": '"1"'})

        assert (again.json()["version"], again.json()["label"]) == (2, "Late")
        assert third.status_code == 412
        assert third.json()["present"]["version"] == 2

    async def test_is_deleted_once(self, http: Api) -> None:
        """And then it is unknown."""
        await save(http)
        answers = [await http.request("DELETE", "/api/views/late-in-spring") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 404]

    async def test_that_is_wrong_is_refused_with_every_error(self, http: Api) -> None:
        """A problem names each field, its value and what is accepted."""
        answer = await save(http, {"label": " ", "list": "houses", "sort": "x"})

        assert answer.status_code == 422
        assert {e["field"] for e in answer.json()["errors"]} == {"label", "list", "sort"}

    async def test_has_a_version_that_is_a_number(self, http: Api) -> None:
        """If-Match takes one version."""
        answer = await save(http, headers={"If-Match": '"1", "2"'})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "If-Match"


class TestAProof:
    """What `relais proof --json` has printed."""

    async def test_is_kept(self, http: Api) -> None:
        """Newest first, with who sent it in."""
        first = await http.post("/api/proofs", json=REPORT, role="operations")
        second = await http.post("/api/proofs", json={**REPORT, "ok": False}, role="operations")

        assert (first.status_code, first.json()["report"]) == (201, REPORT)
        found = (await http.get("/api/proofs", role="operations")).json()["items"]
        assert found == [second.json(), first.json()]

    async def test_that_is_none_is_refused(self, http: Api) -> None:
        """It names what is missing."""
        answer = await http.post("/api/proofs", json={"ok": "perhaps"}, role="operations")

        assert answer.status_code == 422
        assert {"ok", "since", "services"} <= {e["field"] for e in answer.json()["errors"]}
