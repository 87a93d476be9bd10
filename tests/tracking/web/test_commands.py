"""What the API says of a command before anything is sent, on a database alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from contracts.directory import EntityRegistered
from contracts.orders import OrderApproved
from services.tracking.web import broker
from tests.harness import Harness
from tests.notifications import given
from tests.tracking.api import Api, api
from tests.tracking.web.whole import envelope, somebody

pytestmark = pytest.mark.servers

CANCEL = envelope("package.cancel", "CAT86", comment="supplier withdrew")

WRONG: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"source": "/upstream/erp"}, {}, "source"),
    ({"actor": "somebody"}, {}, "actor"),
    ({"id": "one"}, {"Idempotency-Key": "two"}, "id"),
    ({"id": ""}, {}, "id"),
    ({}, {"Idempotency-Key": "x" * 129}, "Idempotency-Key"),
    ({}, {"If-Match": '"1", "2"'}, "If-Match"),
    ({}, {"If-Match": "*"}, "If-Match"),
    ({}, {"If-Match": 'W/"1"'}, "If-Match"),
    ({}, {"If-Match": '"99999999999"'}, "If-Match"),
    ({}, {"Prefer": "wait=soon"}, "Prefer"),
    (
        {"data": {"comment": "c", "expected_version": 3}},
        {"If-Match": '"4"'},
        "data.expected_version",
    ),
    ({"data": {"comment": " "}}, {}, "data.comment"),
    ({"data": {"comment": "c", "commment": "d"}}, {}, "data.commment"),
    ({"data": {"comment": "c", "expected_version": 2**70}}, {}, "data.expected_version"),
    ({"type": "relais.package.cancle.v1"}, {}, "type"),
    ({"type": 3}, {}, "type"),
]
"""What a request changes, its headers, and the field that is named."""


@pytest.fixture
async def asked(
    make_harness: Callable[[str], Awaitable[Harness]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The API with the package CAT86, and no RabbitMQ."""
    monkeypatch.setattr(broker, "PATIENCE", 0.05)
    monkeypatch.setattr(broker, "BULK_PATIENCE", 0.05)
    harness = await make_harness("tracking")
    await harness.send(given.published(ends_at=given.NOW + 3650 * given.DAY))
    async with api(harness, "amqp://127.0.0.1:9") as made:
        yield made


def fields(answer: Any) -> set[str]:
    """The fields that a problem names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return {error["field"] for error in answer.json()["errors"]}


class TestACommandThatIsNotValid:
    """422, with every error at once, and no row."""

    async def test_names_every_field_at_once(self, asked: Api) -> None:
        """Of the envelope, of its data and of the headers."""
        body = {"specversion": "2", "type": "relais.package.cancel.v1", "subject": "a b"}
        answer = await asked.post(
            "/api/commands",
            json={**body, "source": "", "data": {"wrong": 1}},
            headers={"If-Match": 'W/"7"'},
        )

        assert answer.status_code == 422
        named = {"specversion", "subject", "source", "If-Match", "data.wrong", "data.comment"}
        assert fields(answer) >= named

    async def test_names_the_field(self, asked: Api) -> None:
        """And says what it is and what is accepted."""
        for change, headers, field in WRONG:
            answer = await asked.post("/api/commands", json={**CANCEL, **change}, headers=headers)

            assert answer.status_code == 422, (change, headers, answer.text)
            assert field in fields(answer)
        assert await asked.harness.pool.fetchval("SELECT count(*) FROM commands") == 0

    async def test_is_one_where_the_body_is_no_envelope(self, asked: Api) -> None:
        """Whatever it is."""
        for body in (b"", b"{", b"[]", b"[1,2]", b"null", b"\xff", b"1", b'{"a":}'):
            assert (await asked.post("/api/commands", content=body)).status_code == 422

    async def test_is_too_large_past_a_mebibyte(self, asked: Api) -> None:
        """It is not read to its end."""
        answer = await asked.post("/api/commands", content=b" " * (1024 * 1024 + 1))

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def test_has_no_version_to_match_where_none_is_known(self, asked: Api) -> None:
        """campaign.start has no expected_version."""
        answer = await asked.post(
            "/api/commands", json=envelope("campaign.start", "OP13"), headers={"If-Match": '"1"'}
        )

        assert fields(answer) == {"If-Match"}

    async def test_is_one_where_its_time_or_preview_is_none(self, asked: Api) -> None:
        """A planned command lies in the future, and not too far."""
        for query in (
            "at=2026-01-01",
            "at=2020-01-01T00:00:00Z",
            "at=2099-01-01T00:00:00Z",
            "delay=x",
            "delay=-1",
            "delay=999999999",
            "delay=1&at=2099-01-01T00:00:00Z",
            "preview=none",
            "preview=%00",
            "dely=10",
            "delay=10&delay=20",
        ):
            answer = await asked.post(f"/api/commands?{query}", json=CANCEL)

            assert answer.status_code == 422, (query, answer.text)


class TestACommandThatSomebodyMayNotSend:
    """403, or 404 where it is about what is not theirs to know."""

    @pytest.mark.parametrize("role", ["viewer", "reviewer", "local", "operations"])
    async def test_is_forbidden(self, asked: Api, role: str) -> None:
        """A package is canceled by central."""
        answer = await asked.post("/api/commands", json=CANCEL, **somebody(role))

        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    async def test_is_that_about_an_order_of_another_entity(self, asked: Api) -> None:
        """A local operator orders for its own entity."""
        await asked.harness.send(given.order(OrderApproved))
        cancel = envelope("order.cancel", "ORD29", package_id="CAT86")

        other = await asked.post("/api/commands/check", json=cancel, role="local", entity="OU2")
        own = await asked.post("/api/commands/check", json=cancel, role="local", entity="OU1")

        assert (other.status_code, other.json()["code"]) == (404, "unknown_order")
        assert "OU1" not in other.text
        assert (own.status_code, own.json()["outcome"]) == (200, "accepted")


class TestACommandWhileRabbitMQIsAway:
    """503 that names it; the row stays."""

    async def test_is_kept_and_sent_later(self, asked: Api) -> None:
        """A worker takes it up: see test_planned."""
        answer = await asked.post(
            "/api/commands", json=CANCEL, headers={"Idempotency-Key": "key-1"}
        )

        assert (answer.status_code, answer.json()["away"]) == (503, ["RabbitMQ"])
        assert "127.0.0.1:9" in answer.json()["detail"]
        row = await asked.harness.pool.fetchrow("SELECT * FROM commands")
        assert row is not None
        assert (row["command_id"], row["state"], row["actor"]) == ("key-1", "sending", "dev")
        assert row["taken_until"] <= await asked.harness.pool.fetchval("SELECT now()")
        assert "RabbitMQ" in row["message"]

    async def test_can_be_withdrawn_until_then(self, asked: Api) -> None:
        """Not while somebody is trying to send it, and once it is withdrawn nobody does."""
        key = {"Idempotency-Key": "key-1"}
        answer = await asked.post("/api/commands", json=CANCEL, headers=key)
        assert "DELETE withdraws it" in answer.json()["detail"]

        pool = asked.harness.pool
        await pool.execute("UPDATE commands SET taken_until = now() + interval '1 minute'")
        held = await asked.request("DELETE", "/api/commands/key-1")
        assert (held.status_code, held.json()["present"]) == (409, {"state": "sending"})

        await pool.execute("UPDATE commands SET taken_until = now()")
        withdrawn = await asked.request("DELETE", "/api/commands/key-1")
        assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
        assert "RabbitMQ had not confirmed it" in withdrawn.json()["message"]
        again = await asked.post("/api/commands", json=CANCEL, headers=key)
        assert (again.status_code, again.json()["state"]) == (202, "withdrawn")

    async def test_can_be_planned(self, asked: Api) -> None:
        """What is due later needs no RabbitMQ now; it can be withdrawn, once."""
        key = {"Idempotency-Key": "key-1"}
        planned = await asked.post("/api/commands?delay=60", json=CANCEL, headers=key)
        again = await asked.post("/api/commands?delay=60", json=CANCEL, headers=key)

        assert (planned.status_code, planned.json()["state"]) == (202, "planned")
        assert again.json() == planned.json()
        for _ in range(2):
            withdrawn = await asked.request("DELETE", "/api/commands/key-1")
            assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")

    async def test_of_another_is_not_there(self, asked: Api) -> None:
        """Who may not see a command cannot withdraw it."""
        await asked.post(
            "/api/commands?delay=60", json=CANCEL, headers={"Idempotency-Key": "key-1"}
        )
        await asked.harness.pool.execute("UPDATE commands SET sender = 'm.durand'")

        assert (await asked.request("DELETE", "/api/commands/key-1")).status_code == 200
        local = await asked.request("DELETE", "/api/commands/key-1", role="local", entity="OU1")
        assert local.status_code == 404
        assert (await asked.request("DELETE", "/api/commands/none")).status_code == 404
        assert (await asked.request("DELETE", "/api/commands/a%00b")).status_code == 404


class TestACheck:
    """POST /api/commands/check."""

    async def test_says_what_would_become_of_a_command(self, asked: Api) -> None:
        """As far as the read model can tell, and as of when; nothing is stored or sent."""
        for command, outcome, code in [
            (CANCEL, "accepted", None),
            (envelope("package.publish", "CAT86"), "unchanged", None),
            (envelope("package.submit", "CAT86"), "refused", "wrong_status"),
            (envelope("package.edit", "CAT86", label="Other"), "accepted", None),
            (envelope("package.edit", "CAT86", campaign_id="OP1"), "refused", "field_locked"),
            (
                envelope("package.cancel", "CAT86", comment="c", expected_version=1),
                "refused",
                "version_conflict",
            ),
            (envelope("package.cancel", "CAT99", comment="c"), "refused", "unknown_package"),
            (envelope("order.cancel", "ORD1", package_id="CAT86"), "refused", "unknown_order"),
            (
                envelope("order.place", "ORD1", package_id="CAT86", entity_id="OU9", label="x"),
                "refused",
                "unknown_entity",
            ),
            (envelope("entity.register", "OU9", label="x"), "accepted", None),
            (envelope("campaign.start", "OP99"), "refused", "unknown_campaign"),
        ]:
            answer = await asked.post("/api/commands/check", json=command)

            assert answer.status_code == 200, answer.text
            found = answer.json()
            assert (found["outcome"], found["code"]) == (outcome, code), command
            assert found["as_of"]
        assert await asked.harness.pool.fetchval("SELECT count(*) FROM commands") == 0


class TestABatch:
    """POST /api/commands/batch."""

    async def test_that_is_not_valid_sends_nothing(self, asked: Api) -> None:
        """Not even those of its commands that are."""
        bodies: list[dict[str, Any]] = [
            {},
            {"filter": {}, "command": "order.cancel"},
            {"filter": {"package": "CAT86"}, "command": "package.cancel"},
            {"filter": {"package": "CAT86"}, "command": "order.reject"},
            {"filter": {"package": "CAT86"}},
            {"filter": {"status": ["none"]}, "command": "order.cancel"},
            {"filter": {"packages": "CAT86"}, "command": "order.cancel"},
            {"commands": []},
            {"commands": [CANCEL, {**CANCEL, "data": {}}]},
            {"commands": [CANCEL], "batch_id": "1"},
        ]
        for body in bodies:
            answer = await asked.post("/api/commands/batch", json=body)

            assert answer.status_code == 422, (body, answer.text)
        assert await asked.harness.pool.fetchval("SELECT count(*) FROM commands") == 0

    async def test_takes_no_id_that_was_used_for_something_else(self, asked: Api) -> None:
        """Neither for one of its commands nor for itself; nothing of it is sent."""
        await asked.post("/api/commands?delay=60", json={**CANCEL, "id": "ID-1"})
        other = envelope("package.publish", "CAT86")
        for commands in (
            [{**other, "id": "ID-2"}, {**other, "id": "ID-1"}],
            [{**other, "id": "ID-2"}, {**CANCEL, "id": "ID-2"}],
        ):
            answer = await asked.post("/api/commands/batch", json={"commands": commands})
            assert (answer.status_code, answer.json()["code"]) == (409, "id_reused"), commands
        mending = {"service": "orders", "numbers": [1]}
        await asked.post("/api/commands?delay=60", json={**CANCEL, "id": "ID-3.0"})
        answer = await asked.post(
            "/api/parked/retry",
            json=mending,
            headers={"Idempotency-Key": "ID-3"},
            role="operations",
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "id_reused")
        assert await asked.harness.pool.fetchval("SELECT count(*) FROM commands") == 2

    async def test_of_a_filter_takes_no_id_of_another_batch(self, asked: Api) -> None:
        """The same request again is the same batch; with another command, or of another, none."""
        body = {"filter": {"package": "CAT86"}, "command": "order.cancel", "dry_run": True}
        key = {"Idempotency-Key": "BATCH"}
        first = await asked.post("/api/commands/batch", json=body, headers=key)
        again = await asked.post("/api/commands/batch", json=body, headers=key)
        comment = {**body, "comment": "another"}
        other = await asked.post("/api/commands/batch", json=comment, headers=key)
        await asked.harness.pool.execute("UPDATE batches SET sender = 'm.durand'")
        foreign = await asked.post("/api/commands/batch", json=body, headers=key)

        assert (first.status_code, again.status_code) == (200, 200)
        for answer in (other, foreign):
            assert (answer.status_code, answer.json()["code"]) == (409, "id_reused")

    async def test_of_somebody_else_is_not_there(self, asked: Api) -> None:
        """A dry run belongs to who made it."""
        answer = await asked.post("/api/commands/batch", json={"batch_id": "none"})

        assert answer.status_code == 404

    async def test_of_commands_can_be_tried_dry(self, asked: Api) -> None:
        """With the reasons of those that would be refused."""
        commands = [CANCEL, envelope("package.cancel", "CAT99", comment="c")]

        answer = await asked.post(
            "/api/commands/batch", json={"commands": commands, "dry_run": True}
        )

        assert answer.status_code == 200
        body = answer.json()
        assert (body["total"], body["changes"], body["refused"]) == (2, 1, 1)
        assert body["reasons"][0]["code"] == "unknown_package"

    async def test_while_rabbitmq_is_away_is_kept(self, asked: Api) -> None:
        """The rows are there for a worker."""
        answer = await asked.post("/api/commands/batch", json={"commands": [CANCEL]})

        assert answer.status_code == 503
        states = await asked.harness.pool.fetch("SELECT state FROM commands")
        assert [row["state"] for row in states] == ["sending"]


class TestABatchOfSomebodyWithALimit:
    """A local operator and a reviewer have their own orders."""

    async def test_is_about_these_alone(self, asked: Api) -> None:
        """Whatever the filter says."""
        await asked.harness.send(
            given.order(OrderApproved),
            given.order(OrderApproved, order_id="ORD30", entity_id="OU2"),
            given.entity(EntityRegistered, "OU2", order_reviewers=[{"id": "dev", "label": "Dev"}]),
        )
        body = {"filter": {"package": "CAT86"}, "command": "order.cancel", "dry_run": True}
        reject = {**body, "command": "order.reject", "comment": "no"}

        local = await asked.post("/api/commands/batch", json=body, role="local", entity="OU1")
        reviewer = await asked.post("/api/commands/batch", json=reject, role="reviewer")
        central = await asked.post("/api/commands/batch", json=body)

        assert (local.json()["total"], local.json()["changes"]) == (1, 1)
        assert reviewer.json()["reasons"][0]["examples"] == ["ORD30"]
        assert central.json()["total"] == 2

    async def test_is_forbidden_where_the_command_is(self, asked: Api) -> None:
        """As one alone would be."""
        body = {"filter": {"package": "CAT86"}, "command": "order.approve", "dry_run": True}

        for role in ("local", "viewer", "operations"):
            answer = await asked.post("/api/commands/batch", json=body, **somebody(role))
            assert answer.status_code == 403
