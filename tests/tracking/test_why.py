"""Why a thing is as it is, on histories that the services themselves have made."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.campaigns import CancelCampaign, ReinitializeCampaign, ReportProcess, StartCampaign
from contracts.directory import DeactivateEntity, RegisterEntity
from contracts.message import Command
from contracts.orders import ApproveOrder, CancelOrder, EditOrder, PlaceOrder, RejectOrder
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    EditPackage,
    ReinitializePackage,
    SubmitPackage,
)
from tests.tracking.api import Api, api
from tests.tracking.installation import (
    Installation,
    Template,
    entities,
    installation,
    package,
    published,
)

pytestmark = pytest.mark.servers

PLACE = PlaceOrder(order_id="ORD29", package_id="CAT86", entity_id="OU3", label="20 posters")
PLACE_OTHER = PlaceOrder(order_id="ORD30", package_id="CAT86", entity_id="OU4", label="5 posters")
CANCEL = CancelPackage(package_id="CAT86", comment="supplier withdrew")


@dataclass(frozen=True)
class Case:
    """What people do, and what is said of one thing afterwards; `TIME` stands for a moment."""

    name: str
    commands: list[Command]
    asked: str
    sentence: str
    chain: list[str]
    actor: str | None = "m.durand"
    remark: str | None = None
    counts: list[int] = field(default_factory=list)


ASKED = "m.durand sent the command ID"
CASES = [
    Case(
        "an order canceled with its package",
        [PLACE, PLACE_OTHER, CANCEL],
        "order/ORD29",
        "ORD29 is canceled because m.durand canceled CAT86 at TIME: supplier withdrew",
        [ASKED, "packages canceled CAT86", "orders canceled 2 orders of CAT86"],
        counts=[1, 1, 2],
    ),
    Case(
        "an order canceled directly",
        [PLACE, CancelOrder(order_id="ORD29", package_id="CAT86", comment="no need")],
        "order/ORD29",
        "ORD29 is canceled because m.durand canceled it at TIME: no need",
        [ASKED, "orders canceled ORD29"],
    ),
    Case(
        "an order of nobody in particular, without a comment",
        [PLACE, CancelOrder(order_id="ORD29", package_id="CAT86")],
        "order/ORD29",
        "ORD29 is canceled because somebody canceled it at TIME",
        ["somebody sent the command ID", "orders canceled ORD29"],
        actor=None,
    ),
    Case(
        "an order that waits, though it was edited",
        [PLACE, EditOrder(order_id="ORD29", package_id="CAT86", label="30 posters")],
        "order/ORD29",
        "ORD29 waits for approval because m.durand placed it at TIME",
        [ASKED, "orders took the order ORD29"],
    ),
    Case(
        "an order that was approved",
        [PLACE, ApproveOrder(order_id="ORD29", package_id="CAT86", comment="fine")],
        "order/ORD29",
        "ORD29 is approved because m.durand approved it at TIME: fine",
        [ASKED, "orders approved ORD29"],
    ),
    Case(
        "an order that was rejected stays so when its package is canceled",
        [PLACE, RejectOrder(order_id="ORD29", package_id="CAT86", comment="too many"), CANCEL],
        "order/ORD29",
        "ORD29 is rejected because m.durand rejected it at TIME: too many",
        [ASKED, "orders rejected ORD29"],
    ),
    Case(
        "a package",
        [CANCEL],
        "package/CAT86",
        "CAT86 is canceled because m.durand canceled it at TIME: supplier withdrew",
        [ASKED, "packages canceled CAT86"],
    ),
    Case(
        "a package that was edited since it was published",
        [EditPackage(package_id="CAT86", label="Other posters")],
        "package/CAT86",
        "CAT86 is published because m.durand published it at TIME",
        [ASKED, "packages published CAT86"],
    ),
    Case(
        "a package that is edited again",
        [CANCEL, ReinitializePackage(package_id="CAT86")],
        "package/CAT86",
        "CAT86 is being edited because m.durand reinitialized it at TIME",
        [ASKED, "packages reinitialized CAT86"],
    ),
    Case(
        "a package that waits for approval",
        [CANCEL, ReinitializePackage(package_id="CAT86"), SubmitPackage(package_id="CAT86")],
        "package/CAT86",
        "CAT86 waits for approval because m.durand submitted it at TIME",
        [ASKED, "packages submitted CAT86 for approval"],
    ),
    Case(
        "a campaign canceled with its package",
        [CANCEL],
        "campaign/OP13",
        "OP13 is canceled because m.durand canceled CAT86 at TIME: supplier withdrew",
        [ASKED, "packages canceled CAT86", "campaigns canceled a campaign of CAT86"],
    ),
    Case(
        "a campaign canceled by another package that shares it",
        [package("CAT90"), CancelPackage(package_id="CAT90", comment="double")],
        "campaign/OP13",
        "OP13 is canceled because m.durand canceled CAT90 at TIME: double",
        [ASKED, "packages canceled CAT90", "campaigns canceled a campaign of CAT90"],
    ),
    Case(
        "a campaign canceled directly",
        [CancelCampaign(campaign_id="OP13", comment="no money")],
        "campaign/OP13",
        "OP13 is canceled because m.durand canceled it at TIME",
        [ASKED, "campaigns canceled OP13"],
    ),
    Case(
        "a campaign that returned with its package",
        [CANCEL, ReinitializePackage(package_id="CAT86")],
        "campaign/OP13",
        "OP13 is being edited because m.durand reinitialized CAT86 at TIME",
        [ASKED, "packages reinitialized CAT86", "campaigns reinitialized a campaign of CAT86"],
    ),
    Case(
        "a process stopped with its package",
        [StartCampaign(campaign_id="OP13"), CANCEL],
        "process/OP13/WKF7",
        "OP13/WKF7 is stopped because m.durand canceled CAT86 at TIME: supplier withdrew",
        [ASKED, "packages canceled CAT86", "campaigns stopped a process for CAT86"],
    ),
    Case(
        "a process that its engine reported",
        [
            StartCampaign(campaign_id="OP13"),
            ReportProcess(campaign_id="OP13", process_id="WKF7", status="failed"),
        ],
        "process/OP13/WKF7",
        "OP13/WKF7 has failed because m.durand reported that it had failed at TIME",
        [ASKED, "campaigns noted that a process of OP13 had failed"],
    ),
    Case(
        "a process that nobody has started yet",
        [],
        "process/OP13/WKF7",
        "OP13/WKF7 waits to be started because m.durand created OP13 at TIME",
        [ASKED, "campaigns created OP13"],
    ),
    Case(
        "a process that waits again",
        [
            StartCampaign(campaign_id="OP13"),
            CancelCampaign(campaign_id="OP13", comment="wait"),
            ReinitializeCampaign(campaign_id="OP13"),
        ],
        "process/OP13/WKF7",
        "OP13/WKF7 waits to be started because m.durand reinitialized OP13 at TIME",
        [ASKED, "campaigns reinitialized OP13"],
    ),
    Case(
        "an entity",
        [RegisterEntity(entity_id="OU9", label="Nice"), DeactivateEntity(entity_id="OU9")],
        "entity/OU9",
        "OU9 is inactive because m.durand deactivated it at TIME",
        [ASKED, "directory deactivated OU9"],
    ),
]


def told(text: str) -> str:
    """A sentence, with its moments and ids replaced by words."""
    text = re.sub(r"\d\d:\d\d:\d\d( on \d+ \w+ \d+)?", "TIME", text)
    return re.sub(r"\b[0-9a-f]{32}\b", "ID", text)


@pytest.fixture(scope="module")
async def everything(
    postgres_url: str, templates: Template, amqp_url: str
) -> AsyncIterator[Installation]:
    """All services; OU3 and OU4 are registered."""
    async with installation(postgres_url, templates, amqp_url) as made:
        await entities(made)
        yield made


@pytest.fixture
async def here(everything: Installation) -> Installation:
    """The same, with a package that OU3 and OU4 may order, and nothing else that is CAT86."""
    everything.begin()
    await published(everything)
    return everything


@pytest.fixture
async def asks(everything: Installation) -> AsyncIterator[Api]:
    """The API of tracking."""
    async with api(everything.tracking) as client:
        yield client


async def why(here: Installation, asks: Api, path: str, **who: Any) -> dict[str, Any]:
    """The answer of the API about something of this story, with the ids that tests have."""
    response = await asks.get(f"/api/why/{here.named(path)}", **who)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = json.loads(here.told(response.text))
    return found


class TestWhy:
    """The chain of causes of a thing."""

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    async def test_begins_with_who_asked(self, here: Installation, asks: Api, case: Case) -> None:
        """The sentence tells the root, the chain each part, and both stay right after a rebuild."""
        for command in case.commands:
            answer = await here.do(command, actor=case.actor)
            assert answer.outcome == "accepted", answer

        found = await why(here, asks, case.asked)

        assert told(found["sentence"]) == case.sentence
        assert [told(hop["sentence"]) for hop in found["chain"]] == case.chain
        assert found["remark"] == case.remark
        if case.counts:
            assert [hop["count"] for hop in found["chain"]] == case.counts
        moments = [hop["at"] for hop in found["chain"]]
        assert moments == sorted(moments)

    async def test_names_the_command_that_was_sent_over_http(
        self, here: Installation, asks: Api
    ) -> None:
        """Of such a command all is known, also who sent it where its event does not say."""
        await here.run(
            """INSERT INTO commands (command_id, type, subject, actor, data, state, created_at)
               VALUES ('c1', 'relais.package.cancel.v1', 'CAT86', 'a.lee',
                       '{"comment": "supplier withdrew"}', 'sent', now())"""
        )
        await here.do(CANCEL, id="c1", actor=None)

        found = await why(here, asks, "package/CAT86")

        assert told(found["sentence"]) == (
            "CAT86 is canceled because a.lee canceled it at TIME: supplier withdrew"
        )
        assert found["chain"][0]["sentence"] == "a.lee asked for package.cancel of CAT86"
        told_of = await why(here, asks, "command/c1")
        assert told(told_of["sentence"]) == (
            "package.cancel of CAT86 was accepted because a.lee sent package.cancel for CAT86 at "
            "TIME: supplier withdrew"
        )

    async def test_says_where_its_records_begin(self, here: Installation, asks: Api) -> None:
        """What happened before tracking was installed is not made up."""
        await here.do(PLACE)
        await here.do(CANCEL)
        await here.run("DELETE FROM history WHERE package_id = 'CAT86'")

        found = await why(here, asks, "order/ORD29")

        assert told(found["sentence"]) == "ORD29 is canceled since TIME"
        assert found["chain"] == []
        assert found["remark"] == "What caused this is older than the records of tracking."

    async def test_finds_the_root_where_a_step_is_missing(
        self, here: Installation, asks: Api
    ) -> None:
        """One of a fan-out has no row of its own, yet it belongs to the command at the root."""
        await here.do(PLACE)
        await here.do(CANCEL)
        await here.run(
            """UPDATE history SET causationid = '00000000000000000000-7'
               WHERE kind = 'orders' AND package_id = 'CAT86'"""
        )

        found = await why(here, asks, "order/ORD29")

        assert told(found["sentence"]) == (
            "ORD29 is canceled because m.durand canceled CAT86 at TIME: supplier withdrew"
        )
        assert "not recorded one by one" in found["remark"]

    async def test_is_known_after_a_rebuild(self, here: Installation, asks: Api) -> None:
        """Rows made of snapshots do not know their causes, the history does."""
        await here.do(CANCEL)
        await here.run(
            """UPDATE model.packages SET cause = NULL, caused_by = NULL, cause_version = 0
               WHERE package_id = 'CAT86'"""
        )
        found = await why(here, asks, "package/CAT86")
        assert told(found["sentence"]).endswith("m.durand canceled it at TIME: supplier withdrew")

    async def test_tells_of_a_command_that_was_refused(self, here: Installation, asks: Api) -> None:
        """With the sentence that its sender got."""
        answer = await here.do(ApprovePackage(package_id="CAT86"), id="c2")
        assert answer.outcome in ("refused", "unchanged")
        found = await why(here, asks, "command/c2")
        assert found["status"] == answer.outcome
        assert here.told(str(answer.message)) in found["sentence"]

    async def test_tells_of_a_parked_message(self, here: Installation, asks: Api) -> None:
        """What it was, what went wrong, and who sent it."""
        await here.run(
            """INSERT INTO parked (service, number, reason, message_id, type, error, parked_at)
               VALUES ('orders', 7, 'failed', 'erp-1', 'relais.order.place.v1', 'KeyError: 3',
                       now())"""
        )
        found = await why(here, asks, "parked/orders/7", role="operations")
        assert found["sentence"].startswith("message orders 7 is parked (failed: KeyError: 3)")
        assert found["chain"][0]["id"] == "erp-1"

    async def test_tells_of_notices(self, here: Installation, asks: Api) -> None:
        """Whether they were caused by the package itself or by the orders canceled with it."""
        await here.do(PLACE)
        await here.do(CANCEL)
        for owner in ("OU3", "OU4"):
            id = await here.run(
                f"""SELECT notification_id FROM model.notifications
                    WHERE kind = 'package_canceled' AND recipient_id = '{owner}'
                      AND package_id = 'CAT86'"""
            )
            found = await why(here, asks, f"notification/{id}", role="local", entity=owner)
            assert told(found["sentence"]) == (
                f"the notice package_canceled to {owner} was sent because m.durand canceled CAT86 "
                "at TIME: supplier withdrew"
            )
            assert found["remark"] is None

    async def test_is_told_to_local_operators_of_what_is_theirs(
        self, here: Installation, asks: Api
    ) -> None:
        """Of another's order they do not even learn that it is there."""
        await here.do(PLACE)
        for entity, status in (("OU3", 200), ("OU4", 404)):
            path = here.named("/api/why/order/ORD29")
            response = await asks.get(path, role="local", entity=entity)
            assert response.status_code == status
        path = here.named("/api/why/package/CAT86")
        response = await asks.get(path, role="local", entity="OU3")
        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("order/NONE", 404),
            ("orders/ORD29", 422),
            ("process/WKF7", 422),
            ("parked/orders/x", 422),
            ("parked/orders/1", 404),
            ("parked/orders/99999999999999999999", 422),
            ("order/%00", 422),
            ("command/%F0%9F%98%80", 404),
            ("order/" + "x" * 5000, 404),
        ],
    )
    async def test_answers_odd_questions_in_order(self, asks: Api, path: str, status: int) -> None:
        """With a problem, whatever is asked."""
        response = await asks.get(f"/api/why/{path}")
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
