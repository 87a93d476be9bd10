"""The lists of campaigns, entities, notifications, schedule, offers, commands and parked ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.campaigns import (
    CampaignCanceled,
    CampaignCreated,
    CampaignReinitialized,
    ProcessStopped,
)
from contracts.cancellation import (
    CancellationCompleted,
    CancellationProgressed,
    PackageOrdersCanceled,
)
from contracts.directory import EntityDeactivated
from contracts.notifications import NotificationFailed, NotificationSent
from contracts.operations import WorkerSeen
from contracts.outcomes import CommandRefused, MessageParked, MessageReleased
from contracts.packages import PackageApproved, PackageCanceled
from tests.tracking.api import Api
from tests.tracking.web.given import (
    DAY,
    FAR_AHEAD,
    LONG_AGO,
    NOW,
    campaign,
    entity,
    notification,
    order,
    package,
    process,
)
from tests.tracking.web.walk import there_and_back
from tests.tracking.web.whole import envelope

pytestmark = pytest.mark.servers

LOCAL: dict[str, Any] = {"role": "local", "entity": "OU1"}
OPERATIONS: dict[str, Any] = {"role": "operations"}


class TestCampaigns:
    """GET /api/campaigns."""

    async def test_are_listed_by_kind_status_package_and_text(self, web: Api) -> None:
        """Those changed last first, those of one package or parent by id."""
        await web.harness.send(
            *(campaign(id=f"OP{n}", changed_at=NOW + DAY * n) for n in range(4)),
            campaign(CampaignCanceled, "OP7", status="canceled", kind="template", program="Sales"),
            campaign(id="OU1_OP8", kind="child", package_id="CAT86", parent_id="OP1"),
        )
        for params, wanted in (
            ({}, ["OP3", "OP2", "OP1", "OU1_OP8", "OP7", "OP0"]),
            ({"sort": "unmodified", "kind": "reference"}, ["OP0", "OP1", "OP2", "OP3"]),
            ({"status": "canceled"}, ["OP7"]),
            ({"program": "Sales"}, ["OP7"]),
            ({"package": "CAT86"}, ["OU1_OP8"]),
            ({"parent": "OP1"}, ["OU1_OP8"]),
            ({"q": "summer op", "kind": "template"}, ["OP7"]),
        ):
            params = {"limit": "2", **params}
            met = await there_and_back(web, "/api/campaigns", "campaign_id", params=params)
            assert met == wanted, params
        counts = (await web.get("/api/campaigns?kind=reference")).json()["counts"]
        assert counts["being_edited"] == 4

    async def test_of_a_local_operator_are_those_made_for_its_orders(self, web: Api) -> None:
        """And only those."""
        await web.harness.send(
            campaign(),
            campaign(id="OU1_OP8", kind="child", order_id="ORD1"),
            campaign(id="OU2_OP9", kind="child", order_id="ORD2"),
            order(),
            order(id="ORD2", entity_id="OU2"),
        )
        page = (await web.get("/api/campaigns", **LOCAL)).json()
        found = [
            (await web.get(f"/api/campaigns/{id}", **LOCAL)).status_code
            for id in ("OU1_OP8", "OU2_OP9", "OP13")
        ]

        assert [one["campaign_id"] for one in page["items"]] == ["OU1_OP8"]
        assert found == [200, 404, 404]

    async def test_of_one_are_its_processes_as_they_are_now(self, web: Api) -> None:
        """One that stopped before the campaign was reinitialized waits again."""
        await web.harness.send(
            campaign(CampaignCreated),
            process(ProcessStopped, "DM1", changed_at=NOW + DAY),
            process(ProcessStopped, "DM2", changed_at=NOW + 3 * DAY),
            process(id="DM3"),
            campaign(
                CampaignReinitialized,
                version=3,
                status="being_edited",
                changed_at=NOW + 2 * DAY,
            ),
        )
        one = (await web.get("/api/campaigns/OP13")).json()

        met = {p["process_id"]: p["status"] for p in one["processes"]}
        assert met == {"DM1": "pending", "DM2": "stopped", "DM3": "running"}


class TestEntities:
    """GET /api/entities."""

    async def test_are_listed_with_what_they_have(self, web: Api) -> None:
        """By label or date of change."""
        await web.harness.send(
            entity(id="OU1", label="Lyon"),
            entity(id="OU2", label="arles", channels=["email"], email="a@example.org"),
            entity(EntityDeactivated, "OU3", label="Metz", active=False),
            order(),
            notification(NotificationFailed, error="550"),
        )
        met = await there_and_back(web, "/api/entities", "entity_id", params={"limit": "1"})
        page = (await web.get("/api/entities?q=lyo")).json()
        inactive = (await web.get("/api/entities?active=false&sort=modified")).json()
        by_channel = (await web.get("/api/entities?channel=email")).json()

        assert met == ["OU2", "OU1", "OU3"]
        assert page["items"][0]["orders"] == {"ordered": 1}
        assert page["items"][0]["notifications"] == {"failed": 1}
        assert [one["entity_id"] for one in inactive["items"]] == ["OU3"]
        assert inactive["counts"] == {"active": 2, "inactive": 1}
        assert by_channel["counts"] == {"active": 1, "inactive": 0}

    async def test_of_a_local_operator_is_its_own(self, web: Api) -> None:
        """Others are not found."""
        await web.harness.send(entity(), entity(id="OU2"))
        page = (await web.get("/api/entities", **LOCAL)).json()
        found = [
            (await web.get(f"/api/entities/{id}", **LOCAL)).status_code for id in ("OU1", "OU2")
        ]

        assert [one["entity_id"] for one in page["items"]] == ["OU1"]
        assert found == [200, 404]


class TestNotifications:
    """GET /api/notifications."""

    async def test_are_listed_by_whom_and_what_they_tell(self, web: Api) -> None:
        """The newest first."""
        await web.harness.send(
            package(),
            entity(label="Lyon"),
            order(),
            *(notification(id=f"N{n}", sent_at=NOW + DAY * n) for n in range(3)),
            notification(NotificationFailed, "N4", recipient_id="OU2", sent_at=None, error="550"),
            notification(id="N5", kind="order_approved", order_id="ORD1", sent_at=LONG_AGO),
            notification(
                id="N6",
                recipient_type="operator",
                recipient_id="p-martin",
                package_id=None,
                edition=None,
                sent_at=LONG_AGO,
                channel="email",
            ),
        )
        for params, wanted in (
            ({"status": "sent", "entity": "OU1"}, ["N2", "N1", "N0", "N5"]),
            ({"status": "failed"}, ["N4"]),
            ({"kind": "order_approved"}, ["N5"]),
            ({"package": "CAT86", "edition": "1", "entity": "OU2"}, ["N4"]),
            ({"operator": "p-martin"}, ["N6"]),
            ({"operator": "p-martin", "channel": "email", "sort": "oldest"}, ["N6"]),
            ({"order": "ORD1"}, ["N5"]),
            ({"order": "ORD9"}, []),
        ):
            params = {"limit": "2", **params}
            met = await there_and_back(web, "/api/notifications", "notification_id", params=params)
            assert met == wanted, params
        of_both = await web.get("/api/notifications?operator=p-martin&kind=order_approved")
        assert of_both.status_code == 422
        page = (await web.get("/api/notifications?entity=OU1")).json()
        assert page["counts"] == {"pending": 0, "sent": 4, "failed": 0, "superseded": 0}
        assert page["items"][0]["recipient_label"] == "Lyon"
        one = await web.get("/api/notifications/N4")
        assert one.json()["error"] == "550"
        hidden = await web.get("/api/notifications/N4", **LOCAL)
        assert hidden.status_code == 404
        own = (await web.get("/api/notifications", **LOCAL)).json()
        assert {n["recipient_id"] for n in own["items"]} == {"OU1"}


class TestTheSchedule:
    """GET /api/schedule."""

    async def test_has_what_will_happen_the_soonest_first(self, web: Api) -> None:
        """What should have happened and has not is overdue."""
        ahead = FAR_AHEAD - 10 * DAY
        await web.harness.send(
            package(id="CAT1", registration_deadline=ahead, available_at=ahead + DAY),
            package(PackageApproved, "CAT2", starts_at=ahead + 2 * DAY),
            package(PackageApproved, "CAT3"),
        )
        page = (await web.get("/api/schedule")).json()
        overdue = (await web.get("/api/schedule?overdue=true")).json()
        own = (await web.get("/api/schedule", **LOCAL)).json()
        met = await there_and_back(web, "/api/schedule", "kind", params={"limit": "1"})

        kinds = ["registration_deadline", "availability", "publication", "end"]
        assert [one["kind"] for one in page["items"]] == met == kinds
        assert [one["package_id"] for one in overdue["items"]] == ["CAT3"]
        assert page["counts"]["overdue"] == 1
        assert {one["package_id"] for one in own["items"]} == {"CAT1"}

    async def test_has_commands_that_are_planned(self, web: Api) -> None:
        """For who may withdraw them; one that was withdrawn will not happen."""
        await web.harness.send(entity(), package(), order())
        end = envelope("package.cancel", "CAT86", comment="c")
        cancel = envelope("order.cancel", "ORD1", package_id="CAT86")
        moment = "/api/commands?at=" + (datetime.now(UTC) + DAY).isoformat()[:19] + "Z"
        for id, body, who in (("P1", end, {}), ("P2", cancel, LOCAL), ("P3", end, {})):
            key = {"Idempotency-Key": id}
            assert (await web.post(moment, json=body, headers=key, **who)).status_code == 202
        await web.request("DELETE", "/api/commands/P3")
        await web.harness.pool.execute("UPDATE commands SET sender = 'ou1' WHERE command_id = 'P2'")

        async def planned(**who: Any) -> list[str]:
            found = (await web.get("/api/schedule?kind=command", **who)).json()
            assert found["counts"]["command"] == len(found["items"])
            return [one["command_id"] for one in found["items"]]

        page = (await web.get("/api/schedule?package=CAT86")).json()
        ends = [(one["kind"], one["command_id"], one["package_label"]) for one in page["items"]]
        label = "Summer sales CAT86"
        assert ends == [("command", "P1", label), ("command", "P2", label), ("end", None, label)]
        met = await there_and_back(web, "/api/schedule", "kind", params={"limit": "1"})
        assert met == ["command", "command", "end"]
        assert await planned() == ["P1", "P2"]
        assert await planned(role="viewer") == []
        # The names of all callers of a test are the same: dev.
        assert await planned(role="operations") == ["P1", "P2"]
        assert await planned(**LOCAL) == ["P1"]


class TestOffers:
    """GET /api/offers."""

    async def test_are_what_an_entity_may_order_now(self, web: Api) -> None:
        """With the order that it has; the one that ends first comes first."""
        await web.harness.send(
            package(id="CAT1"),
            package(id="CAT2", ends_at=FAR_AHEAD - DAY, audience=["OU1"]),
            package(id="CAT3", audience=["OU2"]),
            package(id="CAT4", starts_at=FAR_AHEAD - DAY),
            order(package_id="CAT1"),
        )
        page = (await web.get("/api/offers", **LOCAL)).json()
        of_another = (await web.get("/api/offers", role="local", entity="OU2")).json()
        others = await web.get("/api/offers?entity=OU2", **LOCAL)
        found = [
            (await web.get(f"/api/offers/{id}", **LOCAL)).status_code for id in ("CAT1", "CAT3")
        ]

        assert [one["package_id"] for one in page["items"]] == ["CAT2", "CAT1"]
        assert page["items"][1]["ordered"] == {"order_id": "ORD1", "status": "ordered"}
        assert page["counts"] == {"offered": 2}
        assert [one["package_id"] for one in of_another["items"]] == ["CAT1", "CAT3"]
        assert others.status_code == 403
        assert found == [200, 404]


class TestTheLedgerOfACancel:
    """GET /api/packages/{id}/cancellation."""

    async def test_says_who_is_done_and_who_is_waited_for(self, web: Api) -> None:
        """Of the latest cancel, or of the edition asked for."""
        of = {"package_id": "CAT86", "edition": 2}
        await web.harness.send(
            package(PackageCanceled, edition=2, decision_comment="supplier withdrew"),
            CancellationProgressed(**of, service="orders", done=3, expected=4),
            MessageParked(
                service="orders",
                number=7,
                reason="failed",
                message_id="m",
                package_id="CAT86",
                type="relais.package.canceled.v1",
                error="KeyError: 'OU3'",
                attempts=3,
                parked_at=NOW,
                body="{}",
                body_bytes=2,
            ),
            order(edition=2),
        )
        ledger = (await web.get("/api/packages/CAT86/cancellation")).json()
        groups = (await web.get("/api/parked/groups", **OPERATIONS)).json()
        await web.harness.send(PackageOrdersCanceled(**of, canceled=4, already_final=0))
        later = (await web.get("/api/packages/CAT86/cancellation?edition=2")).json()

        assert ledger["comment"] == "supplier withdrew"
        assert ledger["orders"] == {"done": 3, "expected": 4, "report": None}
        assert ledger["waiting_for"] == ["orders", "campaigns", "notifications"]
        assert [one["number"] for one in ledger["parked"]] == [7]
        (group,) = groups["items"]
        assert group["harm"]["text"] == "1 order is live because of this; 1 cancel waits for it"
        assert later["orders"]["done"] == 4
        assert later["waiting_for"] == ["campaigns", "notifications"]
        for path in ("CAT86/cancellation?edition=1", "CAT87/cancellation"):
            assert (await web.get(f"/api/packages/{path}")).status_code == 404

    async def test_of_one_that_is_complete_waits_for_nobody(self, web: Api) -> None:
        """It has the three reports."""
        report = {
            "orders": {"canceled": 1, "already_final": 0},
            "campaigns": {"campaigns": 1, "processes_stopped": 2, "too_late": 0},
            "notifications": {"notified": 1, "superseded": 0, "failed": 0},
        }
        done = CancellationCompleted(package_id="CAT86", edition=1, seconds=2.5, **report)
        await web.harness.send(package(PackageCanceled), done)
        answer = await web.get("/api/packages/CAT86/cancellation")
        ledger = answer.json()
        known = {"If-None-Match": answer.headers["etag"]}
        again = await web.get("/api/packages/CAT86/cancellation", headers=known)

        assert (ledger["waiting_for"], ledger["seconds"]) == ([], 2.5)
        assert ledger["campaigns"]["report"]["processes_stopped"] == 2
        assert again.status_code == 304


class TestTheAudience:
    """GET /api/packages/{id}/audience."""

    async def test_says_who_has_ordered_and_who_was_told(self, web: Api) -> None:
        """All active entities where it is not limited."""
        await web.harness.send(
            entity(label="Lyon"),
            entity(id="OU2"),
            entity(EntityDeactivated, "OU3", active=False),
            package(audience=["OU1", "OU4"]),
            package(id="CAT87"),
            order(),
            notification(),
        )
        limited = (await web.get("/api/packages/CAT86/audience")).json()
        everybody = await there_and_back(
            web, "/api/packages/CAT87/audience", "entity_id", params={"limit": "1"}
        )

        lyon, unknown = limited["items"]
        assert lyon["order"] == {"order_id": "ORD1", "status": "ordered"}
        assert lyon["told"]["status"] == "sent"
        assert (unknown["entity_id"], unknown["label"], unknown["order"]) == ("OU4", None, None)
        assert limited["counts"] == {"entities": 2}
        assert everybody == ["OU1", "OU2"]
        own = (await web.get("/api/packages/CAT86/audience", **LOCAL)).json()
        assert [one["entity_id"] for one in own["items"]] == ["OU1"]

    async def test_shows_a_reviewer_no_order_of_others_and_no_notification(self, web: Api) -> None:
        """The table of rights has both of them as their own, or not at all."""
        reviewers = ({"id": "dev", "label": "Dev"},)
        await web.harness.send(
            entity(),
            entity(id="OU2", order_reviewers=reviewers),
            package(),
            order(),
            order(id="ORD2", entity_id="OU2"),
            notification(),
        )

        found = (await web.get("/api/packages/CAT86/audience", role="reviewer")).json()["items"]

        assert [one["order"] for one in found] == [None, {"order_id": "ORD2", "status": "ordered"}]
        assert [one["told"] for one in found] == [None, None]


def parked(number: int, **more: Any) -> MessageParked:
    """A message that orders has parked."""
    usual: dict[str, Any] = {
        "service": "orders",
        "number": number,
        "reason": "failed",
        "message_id": f"m{number}",
        "type": "relais.order.place.v1",
        "package_id": "CAT86",
        "attempts": 3,
        "error": f"KeyError: 'OU{number}'",
        "parked_at": NOW + timedelta(seconds=number),
        "body": "{}",
        "body_bytes": 2,
    }
    return MessageParked(**(usual | more))


class TestParkedMessages:
    """GET /api/parked."""

    async def test_are_listed_until_they_are_released(self, web: Api) -> None:
        """One is found ever after."""
        await web.harness.send(
            *(parked(n) for n in range(1, 4)),
            parked(9, reason="crashed", package_id=None),
            MessageReleased(service="orders", number=2, how="discarded", comment="old"),
        )
        met = await there_and_back(
            web, "/api/parked", "number", params={"limit": "1"}, **OPERATIONS
        )
        crashed = (await web.get("/api/parked?reason=crashed&sort=oldest", **OPERATIONS)).json()
        groups = (await web.get("/api/parked/groups?service=orders", **OPERATIONS)).json()["items"]
        one = (await web.get("/api/parked/orders/2", **OPERATIONS)).json()

        assert list(map(int, met)) == [9, 3, 1]
        assert crashed["counts"] == {"parked": 1}
        assert [(g["reason"], g["count"]) for g in groups] == [("crashed", 1), ("failed", 2)]
        assert (one["how"], one["comment"], one["body"]) == ("discarded", "old", "{}")
        assert (await web.get("/api/parked/orders/10", **OPERATIONS)).status_code == 404
        assert (await web.get("/api/parked/orders/ten", **OPERATIONS)).status_code == 422


class TestCommands:
    """GET /api/commands."""

    async def test_of_others_that_came_to_nothing_are_listed(self, web: Api) -> None:
        """With what was wrong."""
        refused = CommandRefused(
            about="CAT86",
            command_type="relais.package.cancel.v1",
            code="wrong_status",
            message="CAT86 is canceled",
            errors=[],
        )
        await web.harness.pool.execute(
            "INSERT INTO commands (command_id, type, subject, state, created_at, outcome, code) "
            "SELECT 'c' || n, 'relais.package.cancel.v1', $1, 'decided', now(), 'refused', $2 "
            "FROM generate_series(1, 3) AS n",
            refused.about,
            refused.code,
        )
        met = await there_and_back(web, "/api/commands", "command_id", params={"limit": "2"})
        page = (await web.get("/api/commands?outcome=refused&subject=CAT86")).json()
        none = (await web.get("/api/commands", role="reviewer")).json()
        one = (await web.get("/api/commands/c1")).json()

        assert met == ["c3", "c2", "c1"]
        assert page["counts"]["decided"] == 3
        assert none["items"] == []
        assert one["code"] == "wrong_status"


class TestWorkers:
    """GET /api/workers, and how far behind the read model is."""

    async def test_are_listed_with_what_they_last_said(self, web: Api) -> None:
        """And the read model is as old as what they said took to come."""
        before = (await web.get("/api/packages")).json()
        await web.harness.send(
            WorkerSeen(
                service="orders",
                instance="host:1",
                version="1",
                slot=0,
                lanes=[0],
                ready=True,
                waiting_for=[],
                started_at=NOW,
                last_batch_at=None,
                outbox=0,
                waiting=0,
                parked=0,
            )
        )
        (worker,) = (await web.get("/api/workers", **OPERATIONS)).json()["items"]
        after = (await web.get("/api/packages")).json()

        assert (worker["instance"], worker["alive"]) == ("host:1", True)
        assert (before["as_of"], before["behind"]) == (None, None)
        assert after["behind"] < 60

    async def test_are_waited_for_no_longer_than_the_broker_answers(self, web: Api) -> None:
        """503 says who is away."""
        answer = await web.get("/api/lanes", **OPERATIONS)

        assert answer.status_code == 503
        assert (answer.json()["code"], answer.json()["away"]) == ("unavailable", ["RabbitMQ"])


async def test_what_was_told_twice_is_there_once(web: Api) -> None:
    """Notifications that were sent to an entity are those of the latest try."""
    await web.harness.send(
        notification(NotificationFailed, attempts=1), notification(NotificationSent, attempts=2)
    )
    page = (await web.get("/api/notifications")).json()

    assert [one["status"] for one in page["items"]] == ["sent"]
