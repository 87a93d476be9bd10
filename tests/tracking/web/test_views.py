"""Saved views, proofs and rebuilds over HTTP."""

from typing import Any

import pytest

from tests.tracking.api import Api

pytestmark = pytest.mark.servers

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


async def save(web: Api, view: dict[str, Any] = LATE, **more: Any) -> Any:
    """The answer to a view that is saved."""
    return await web.request("PUT", "/api/views/late-in-spring", json=view, **more)


class TestAView:
    """A list with its filters, under a name of one's own."""

    async def test_is_found_as_it_was_saved(self, web: Api) -> None:
        """In the list of views and by its name."""
        saved = (await save(web)).json()

        assert saved["version"] == 1
        assert (await web.get("/api/views")).json() == {"items": [saved]}
        one = await web.get("/api/views/late-in-spring")
        assert one.json() == saved
        assert one.headers["etag"] == '"1"'

    async def test_is_replaced_where_nobody_else_has(self, web: Api) -> None:
        """If-Match names the version that was looked at."""
        await save(web)
        again = await save(web, {**LATE, "label": "Late"}, headers={"If-Match": '"1"'})
        third = await save(web, LATE, headers={"If-Match": '"1"'})

        assert (again.json()["version"], again.json()["label"]) == (2, "Late")
        assert third.status_code == 412
        assert third.json()["present"]["version"] == 2

    async def test_is_deleted_once(self, web: Api) -> None:
        """And then it is unknown."""
        await save(web)
        answers = [await web.request("DELETE", "/api/views/late-in-spring") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 404]

    async def test_that_is_wrong_is_refused_with_every_error(self, web: Api) -> None:
        """A problem names each field, its value and what is accepted."""
        answer = await save(web, {"label": " ", "list": "houses", "sort": "x"})

        assert answer.status_code == 422
        assert {e["field"] for e in answer.json()["errors"]} == {"label", "list", "sort"}

    async def test_has_a_version_that_is_a_number(self, web: Api) -> None:
        """If-Match takes one version."""
        answer = await save(web, headers={"If-Match": '"1", "2"'})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "If-Match"


class TestAProof:
    """What `relais proof --json` has printed."""

    async def test_is_kept(self, web: Api) -> None:
        """Newest first, with who sent it in."""
        first = await web.post("/api/proofs", json=REPORT, role="operations")
        second = await web.post("/api/proofs", json={**REPORT, "ok": False}, role="operations")

        assert (first.status_code, first.json()["report"]) == (201, REPORT)
        found = (await web.get("/api/proofs", role="operations")).json()["items"]
        assert found == [second.json(), first.json()]

    async def test_that_is_none_is_refused(self, web: Api) -> None:
        """It names what is missing."""
        answer = await web.post("/api/proofs", json={"ok": "perhaps"}, role="operations")

        assert answer.status_code == 422
        assert {"ok", "since", "services"} <= {e["field"] for e in answer.json()["errors"]}


class TestARebuild:
    """The read model made again, by workers, from the state of all services."""

    async def test_is_asked_for_once_at_a_time(self, web: Api) -> None:
        """Whoever asks while one runs is told how far it is."""
        assert (await web.get("/api/rebuild", role="viewer")).json()["latest"]["state"] == "first"
        asked = await web.post("/api/rebuild", role="operations")
        again = await web.post("/api/rebuild", role="operations")

        assert (asked.status_code, asked.json()["state"]) == (202, "asked")
        assert (again.status_code, again.json()["code"]) == (409, "rebuild_running")
        latest = (await web.get("/api/rebuild", role="viewer")).json()["latest"]
        assert latest["request_id"] == asked.json()["request_id"]
