"""Parked messages are tried again wave by wave, until too many of one fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from contracts.outcomes import MessageParked, MessageReleased
from services.tracking import waves
from tests.harness import Harness
from tests.notifications import given
from tests.tracking.api import Api, api
from tests.tracking.web.whole import somebody

pytestmark = pytest.mark.servers

OPERATIONS = "operations"


@pytest.fixture
async def asked(make_harness: Callable[[str], Awaitable[Harness]]) -> AsyncIterator[Api]:
    """The API of a reader that has seen ten parked messages of orders."""
    harness = await make_harness("tracking")
    await harness.send(*(parked(number) for number in range(1, 11)))
    async with api(harness) as made:
        yield made


def parked(number: int, attempts: int = 1, **changes: Any) -> MessageParked:
    """A message that orders keeps."""
    usual: dict[str, Any] = {
        "service": "orders",
        "number": number,
        "reason": "failed",
        "type": "relais.order.place.v1",
        "error": "KeyError: 'x'",
        "attempts": attempts,
        "parked_at": given.NOW,
        "body": "{}",
        "body_bytes": 2,
    }
    return MessageParked(**(usual | changes))


def released(*numbers: int) -> list[MessageReleased]:
    """These are parked no more."""
    return [MessageReleased(service="orders", number=n, how="handled") for n in numbers]


async def begun(asked: Api, **changes: Any) -> str:
    """Waves of four with no pause."""
    body = {"service": "orders", "size": 4, "pause": 0, "stop_at_percent": 30, **changes}
    answer = await asked.post("/api/parked/waves", json=body, role=OPERATIONS)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/parked/waves/{answer.json()['id']}"
    return str(answer.json()["id"])


async def step(asked: Api) -> None:
    """One step of what is due, whenever it is."""
    await asked.harness.pool.execute("UPDATE waves SET next_at = now()")
    assert await asked.harness.piece(waves.NAME)


async def shown(asked: Api, id: str) -> dict[str, Any]:
    """How far the waves are."""
    answer = await asked.get(f"/api/parked/waves/{id}", role=OPERATIONS)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def tried(asked: Api) -> list[list[int]]:
    """The numbers of each command that has been asked for."""
    rows = await asked.harness.pool.fetch(
        "SELECT data, state FROM commands WHERE type = 'relais.parked.retry.v1' ORDER BY command_id"
    )
    assert all(row["state"] == "planned" for row in rows)
    return [row["data"]["numbers"] for row in rows]


class TestWaves:
    """The sweep `waves`."""

    async def test_try_some_at_a_time_until_all_were_tried(self, asked: Api) -> None:
        """The next ones when those before are answered."""
        id = await begun(asked)
        await step(asked)
        assert await tried(asked) == [[1, 2, 3, 4]]

        await asked.harness.send(*released(1, 2, 3))
        await step(asked)
        assert (await shown(asked, id))["released"] == 0

        await asked.harness.send(parked(4, attempts=2))
        await step(asked)
        assert (await shown(asked, id))["released"] == 3
        for numbers in ((5, 6, 7, 8), (9, 10)):
            await step(asked)
            await asked.harness.send(*released(*numbers))
            await step(asked)
        await step(asked)

        assert await tried(asked) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
        found = await shown(asked, id)
        assert (found["state"], found["released"], found["parked_again"]) == ("done", 9, 1)
        assert (found["total"], found["wave"]) == (10, 3)

    async def test_stop_where_too_many_of_one_fail(self, asked: Api) -> None:
        """Whatever is left stays parked, and was not tried."""
        id = await begun(asked)
        await step(asked)
        again = [parked(3, attempts=2), parked(4, attempts=2)]
        await asked.harness.send(*released(1, 2), *again)

        await step(asked)

        found = await shown(asked, id)
        assert found["state"] == "stopped"
        assert found["remark"] == "wave 1: 2 of 4 were parked again, more than 30 %"
        await asked.harness.pool.execute("UPDATE waves SET next_at = now()")
        assert not await asked.harness.piece(waves.NAME)

    async def test_leave_what_was_parked_after_the_click(self, asked: Api) -> None:
        """And what has another cause."""
        await asked.harness.send(
            parked(11, parked_at=given.NOW + 36500 * given.DAY), parked(12, reason="crashed")
        )
        await begun(asked, size=1000, reason="failed")

        await step(asked)

        assert await tried(asked) == [list(range(1, 11))]
        listed = (await asked.get("/api/parked/waves", role=OPERATIONS)).json()["items"]
        assert [one["total"] for one in listed] == [10]

    async def test_are_begun_once_under_an_id(self, asked: Api) -> None:
        """The same request again begins nothing new; another one needs another id."""
        key = {"Idempotency-Key": "W1"}
        body = {"service": "orders", "size": 4, "pause": 0.5}

        async def begin(**changes: Any) -> Any:
            given = {**body, **changes}
            return await asked.post("/api/parked/waves", json=given, headers=key, role=OPERATIONS)

        first, again, other = await begin(), await begin(), await begin(size=5)

        assert (first.status_code, first.json()["id"]) == (202, "W1")
        assert again.json() == first.json()
        assert (other.status_code, other.json()["code"]) == (409, "id_reused")

    async def test_stop_when_told_to(self, asked: Api) -> None:
        """Once."""
        id = await begun(asked)

        stopped = await asked.request("DELETE", f"/api/parked/waves/{id}", role=OPERATIONS)
        again = await asked.request("DELETE", f"/api/parked/waves/{id}", role=OPERATIONS)

        assert (stopped.status_code, stopped.json()["state"]) == (200, "stopped")
        assert (again.status_code, again.json()["code"]) == (409, "wrong_status")

    async def test_stop_where_nobody_answers(self, asked: Api) -> None:
        """A service that is away is not asked for more."""
        id = await begun(asked)
        await step(asked)
        await asked.harness.pool.execute("UPDATE waves SET asked_at = now() - interval '1 day'")

        await step(asked)

        found = await shown(asked, id)
        assert found["state"] == "stopped"
        assert "without an answer" in found["remark"]

    async def test_are_for_operations(self, asked: Api) -> None:
        """Others may not mend."""
        for role in ("central", "local", "reviewer", "viewer"):
            body = {"service": "orders"}
            answer = await asked.post("/api/parked/waves", json=body, **somebody(role))
            assert answer.status_code == 403
        assert (
            await asked.get("/api/parked/waves/none", role="local", entity="OU1")
        ).status_code == 403
        none = await asked.get("/api/parked/waves/none", role=OPERATIONS)
        assert none.status_code == 404

    @pytest.mark.parametrize(
        "change", [{"size": 0}, {"size": 1001}, {"pause": -1}, {"stop_at_percent": 101}, {"x": 1}]
    )
    async def test_have_limits(self, asked: Api, change: dict[str, Any]) -> None:
        """With a problem that names the field."""
        answer = await asked.post(
            "/api/parked/waves", json={"service": "orders", **change}, role=OPERATIONS
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == next(iter(change))


class TestMending:
    """POST /api/parked/retry, discard, replace and /api/notifications/retry, as commands."""

    @pytest.mark.parametrize(
        ("path", "body", "data"),
        [
            (
                "parked/retry",
                {"service": "orders", "numbers": [1, 2]},
                {"numbers": [1, 2]},
            ),
            (
                "parked/discard",
                {"service": "orders", "filter": {"error_kind": "KeyError: …"}, "comment": "old"},
                {"numbers": list(range(1, 11)), "comment": "old"},
            ),
            (
                "parked/replace",
                {
                    "service": "orders",
                    "number": 1,
                    "comment": "typo",
                    "body": {
                        "specversion": "1.0",
                        "id": "1",
                        "source": "/s",
                        "type": "relais.package.submit.v1",
                        "subject": "CAT86",
                    },
                },
                None,
            ),
            (
                "notifications/retry",
                {"package_id": "CAT86", "failed": True},
                {"failed": True},
            ),
        ],
    )
    async def test_is_stored_as_a_command(
        self,
        asked: Api,
        path: str,
        body: dict[str, Any],
        data: dict[str, Any] | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Which a worker sends, here where RabbitMQ is away."""
        monkeypatch.setattr("services.tracking.web.broker.BULK_PATIENCE", 0.05)
        answer = await asked.post(f"/api/{path}", json=body, role=OPERATIONS)

        assert answer.status_code == 503, answer.text
        row = await asked.harness.pool.fetchrow("SELECT * FROM commands")
        assert row is not None
        assert row["state"] == "sending"
        assert data is None or row["data"] == data

    async def test_of_all_of_a_reason_names_the_click(
        self, asked: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is parked later is not meant."""
        monkeypatch.setattr("services.tracking.web.broker.BULK_PATIENCE", 0.05)
        body = {"service": "orders", "filter": {"reason": "failed"}}
        await asked.post("/api/parked/retry", json=body, role=OPERATIONS)

        data = await asked.harness.pool.fetchval("SELECT data FROM commands")
        assert data["all_of"]["reason"] == "failed"
        assert data["all_of"]["until"]

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("parked/retry", {"service": "orders"}, "body"),
            ("parked/retry", {"service": "orders", "numbers": [0]}, "numbers.0"),
            ("parked/discard", {"service": "orders", "numbers": [1]}, "comment"),
            (
                "parked/retry",
                {"service": "orders", "filter": {"error_kind": "none"}},
                "filter",
            ),
            (
                "parked/replace",
                {"service": "orders", "number": 1, "comment": "c", "body": "{"},
                "body",
            ),
            (
                "parked/replace",
                {"service": "orders", "number": 1, "comment": "c", "body": {"id": "1"}},
                "body.source",
            ),
            ("notifications/retry", {"package_id": "CAT86"}, "data"),
        ],
    )
    async def test_that_is_not_valid_names_the_field(
        self, asked: Api, path: str, body: dict[str, Any], field: str
    ) -> None:
        """And nothing is stored."""
        answer = await asked.post(f"/api/{path}", json=body, role=OPERATIONS)

        assert answer.status_code == 422, answer.text
        assert field in {e["field"] for e in answer.json()["errors"]} | {"data"}
        assert await asked.harness.pool.fetchval("SELECT count(*) FROM commands") == 0

    async def test_is_for_operations(self, asked: Api) -> None:
        """Others may not."""
        body = {"service": "orders", "numbers": [1]}
        for role in ("central", "local", "reviewer", "viewer"):
            answer = await asked.post("/api/parked/retry", json=body, **somebody(role))
            assert answer.status_code == 403
