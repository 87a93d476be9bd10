"""Commands over HTTP, through RabbitMQ and the services, to what the read model shows."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.client import Client
from contracts.orders import PlaceOrder
from infra.local.stack import Stack
from tests.eventually import eventually
from tests.system import given
from tests.system.conftest import running, upstream
from tests.tracking.api import Api
from tests.tracking.web.whole import api_beside, envelope

__all__ = ["running", "upstream"]

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

WAIT = {"Prefer": "wait=20"}


@pytest.fixture
async def api(running: Stack) -> AsyncIterator[Api]:
    """The API beside the stack."""
    async with api_beside(running) as made:
        yield made


def unique(prefix: str) -> str:
    """An id that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:8]}"


async def offered(api: Api, upstream: Client, orders: int = 0) -> str:
    """A published package with so many orders, that the read model shows."""
    package = unique("CAT")
    entities = [f"{package}-{n}" for n in range(orders or 1)]
    for entity in given.entities(len(entities)):
        await given.done(upstream, entity.model_copy(update={"entity_id": entities.pop()}))
    names = [f"{package}-{n}" for n in range(orders or 1)]
    await given.published(upstream, package, names)
    for n in range(orders):
        await given.done(
            upstream,
            PlaceOrder(
                order_id=f"ORD-{package}-{n}",
                package_id=package,
                entity_id=f"{package}-{n}",
                label="An order",
            ),
        )

    async def shown() -> bool:
        found = await api.get(f"/api/packages/{package}/cancel-preview")
        return (
            found.status_code == 200
            and found.json()["status"] == "published"
            and found.json()["orders"]["to_cancel"] == orders
        )

    await eventually(shown, timeout=20)
    return package


async def send(api: Api, body: dict[str, Any], **headers: str) -> Any:
    """The answer to a command that is waited for."""
    return await api.post("/api/commands", json=body, headers={**WAIT, **headers})


class TestACommand:
    """POST /api/commands."""

    async def test_is_answered_with_its_outcome_and_version(
        self, api: Api, upstream: Client
    ) -> None:
        """And by then the read model shows what it has done."""
        package = await offered(api, upstream)

        answer = await send(api, envelope("package.cancel", package, comment="supplier withdrew"))

        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["state"], body["outcome"]) == ("decided", "accepted")
        assert answer.headers["etag"] == f'"{body["version"]}"'
        assert answer.headers["location"] == f"/api/commands/{body['id']}"
        shown = (await api.get(f"/api/packages/{package}/cancel-preview")).json()
        assert (shown["status"], shown["version"]) == ("canceled", body["version"])

    async def test_again_has_the_same_answer_and_other_content_is_refused(
        self, api: Api, upstream: Client
    ) -> None:
        """The id is the identity of a command."""
        package = await offered(api, upstream)
        cancel = envelope("package.cancel", package, comment="supplier withdrew")
        key = {"Idempotency-Key": unique("id")}

        first = await send(api, cancel, **key)
        again = await send(api, cancel, **key)
        other = await send(api, envelope("package.cancel", package, comment="other"), **key)

        assert first.status_code == 200
        assert again.json() == first.json()
        assert (other.status_code, other.json()["code"]) == (409, "id_reused")

    async def test_that_is_refused_is_a_problem_with_what_is_there_now(
        self, api: Api, upstream: Client
    ) -> None:
        """Each refusal has the status that HTTP has for it."""
        package = await offered(api, upstream)
        stale = await send(
            api, envelope("package.cancel", package, comment="c"), **{"If-Match": '"1"'}
        )
        wrong = await send(api, envelope("package.submit", package))
        unknown = await send(api, envelope("campaign.start", unique("OP")))
        locked = await send(api, envelope("package.edit", package, approval_period_days=9))

        assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
        assert stale.json()["present"]["status"] == "published"
        assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_status")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_campaign")
        assert (locked.status_code, locked.json()["code"]) == (422, "field_locked")
        assert locked.json()["errors"][0]["field"] == "data.approval_period_days"

    async def test_that_changes_nothing_is_no_problem(self, api: Api, upstream: Client) -> None:
        """Two people may cancel at once."""
        package = await offered(api, upstream)
        cancel = envelope("package.cancel", package, comment="c")
        await send(api, cancel)

        again = await send(api, cancel)

        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")

    async def test_that_is_not_waited_for_is_decided_as_well(
        self, api: Api, upstream: Client
    ) -> None:
        """Its answer is stored, whoever has gone."""
        package = await offered(api, upstream)
        cancel = envelope("package.cancel", package, comment="c")
        key = {"Idempotency-Key": unique("id")}

        sent = await api.post("/api/commands", json=cancel, headers=key)

        assert sent.status_code == 202

        async def decided() -> bool:
            again = await api.post("/api/commands", json=cancel, headers=key)
            body = again.json()
            return body["outcome"] == "accepted" and body["visible_at"] is not None

        await eventually(decided)


class TestAPlannedCommand:
    """With a time or a delay."""

    async def test_is_sent_by_a_worker_when_it_is_due(self, api: Api, upstream: Client) -> None:
        """Whatever process has taken it."""
        package = await offered(api, upstream)
        cancel = envelope("package.cancel", package, comment="c")
        key = {"Idempotency-Key": unique("id")}

        planned = await api.post("/api/commands?delay=0.2", json=cancel, headers=key)

        assert (planned.status_code, planned.json()["state"]) == (202, "planned")

        async def canceled() -> bool:
            shown = await api.get(f"/api/packages/{package}/cancel-preview")
            return bool(shown.json()["status"] == "canceled")

        await eventually(canceled, timeout=20)
        late = await api.request("DELETE", f"/api/commands/{key['Idempotency-Key']}")
        assert (late.status_code, late.json()["code"]) == (409, "wrong_status")


class TestABatch:
    """One command for many orders."""

    async def test_sends_what_its_dry_run_has_fixed(self, api: Api, upstream: Client) -> None:
        """Which says before how many change, are so already, and are refused."""
        package = await offered(api, upstream, orders=3)
        first = f"ORD-{package}-0"
        await send(api, envelope("order.cancel", first, package_id=package))
        ask = {"filter": {"package": package}, "command": "order.cancel", "comment": "all"}

        dry = await api.post("/api/commands/batch", json={**ask, "dry_run": True})

        assert dry.status_code == 200, dry.text
        body = dry.json()
        assert (body["total"], body["changes"], body["already"]) == (3, 2, 1)
        assert body["reasons"][0]["examples"] == [first]

        sent = await api.post("/api/commands/batch", json={"batch_id": body["batch_id"]})

        assert sent.status_code == 202, sent.text

        async def canceled() -> bool:
            shown = await api.get(f"/api/packages/{package}/cancel-preview")
            return bool(shown.json()["orders"]["by_status"] == {"canceled": 3})

        await eventually(canceled, timeout=20)
        again = await api.post("/api/commands/batch", json={"batch_id": body["batch_id"]})
        assert again.status_code == 202
