"""What a cancel would do, before it does; and the token that holds a cancel to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from contracts.campaigns import (
    CampaignReinitialized,
    CampaignStarted,
    ProcessFinished,
    ProcessStopped,
)
from contracts.directory import EntityRegistered
from contracts.orders import OrderApproved, OrderRef, OrderRejected, OrdersPlaced
from contracts.packages import PackageReinitialized
from services.tracking.queries.preview import Figures, has_drifted
from services.tracking.web import broker
from tests.harness import Harness
from tests.notifications import given
from tests.packages import given as packages
from tests.tracking.api import Api, api
from tests.tracking.web.given import campaign, process
from tests.tracking.web.whole import envelope, somebody


def figures(orders: int, edition: int = 1) -> Figures:
    """Figures of CAT86."""
    return Figures("CAT86", edition, 4, orders)


class TestDrift:
    """Orders that moved by over one percent and ten."""

    @pytest.mark.parametrize(
        ("then", "now", "drifted"),
        [
            (figures(100), figures(100), False),
            (figures(100), figures(110), False),
            (figures(100), figures(111), True),
            (figures(100), figures(89), True),
            (figures(4_000), figures(4_040), False),
            (figures(4_000), figures(4_041), True),
            (figures(0), figures(11), True),
            (figures(0), figures(10), False),
            (figures(5), figures(5, edition=2), True),
        ],
    )
    def test_is_more_than_both(self, then: Figures, now: Figures, drifted: bool) -> None:
        """Or that of another edition."""
        assert has_drifted(then, now) is drifted


@pytest.fixture
async def asked(
    make_harness: Callable[[str], Awaitable[Harness]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The API with CAT86, which has an approved order of OU1 and a rejected one of OU2."""
    monkeypatch.setattr(broker, "PATIENCE", 0.05)
    harness = await make_harness("tracking")
    await harness.send(
        given.published(ends_at=given.NOW + 3650 * given.DAY),
        packages.campaign_created("OP13"),
        given.entity(EntityRegistered, "OU1"),
        given.order(OrderApproved),
        given.order(OrderRejected, order_id="ORD30", entity_id="OU2"),
    )
    async with api(harness, "amqp://127.0.0.1:9") as made:
        yield made


async def preview(asked: Api) -> dict[str, Any]:
    """The preview of CAT86."""
    answer = await asked.get("/api/packages/CAT86/cancel-preview")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.servers
class TestAPreview:
    """GET /api/packages/{id}/cancel-preview."""

    async def test_tells_what_would_end_and_who_would_be_told(self, asked: Api) -> None:
        """OU2 is invited and not registered: nothing reaches it."""
        found = await preview(asked)

        assert found["orders"] == {
            "by_status": {"approved": 1, "rejected": 1},
            "to_cancel": 1,
            "stay": 1,
        }
        assert found["entities"] == {
            "to_notify": 2,
            "without_channel": 1,
            "without_channel_ids": ["OU2"],
        }
        assert found["campaigns"] == {"to_cancel": 1, "reference": "OP13"}
        assert found["shared_with"] == []

    async def test_counts_processes_that_nobody_has_started(self, asked: Api) -> None:
        """No event tells of them, or that they wait again; the state of their campaign does."""
        processes = ["P1", "P2", "P3", "P4"]
        later = given.NOW + given.DAY
        await asked.harness.send(
            campaign(CampaignStarted, status="started", version=2, process_ids=processes),
            process(id="P2", status="running"),
            process(ProcessFinished, id="P3", status="finished"),
            process(ProcessStopped, id="P4", status="stopped"),
        )
        assert (await preview(asked))["processes"] == {"to_stop": 2, "too_late": 1}

        await asked.harness.send(
            campaign(
                CampaignReinitialized,
                status="being_edited",
                version=3,
                process_ids=processes,
                changed_at=later,
            )
        )
        assert (await preview(asked))["processes"] == {"to_stop": 3, "too_late": 1}

    async def test_of_a_package_of_another_level_or_end(self, asked: Api) -> None:
        """A local package, and one that is canceled already, end nothing."""
        await asked.harness.send(given.canceled(), given.published(8, package_id="CAT87"))
        await asked.harness.send(given.published(5, package_id="CAT88", distribution_level="local"))

        for id in ("CAT86", "CAT88"):
            found = (await asked.get(f"/api/packages/{id}/cancel-preview")).json()
            assert found["orders"]["to_cancel"] == found["entities"]["to_notify"] == 0
            assert found["campaigns"]["to_cancel"] == 0
        shared = (await asked.get("/api/packages/CAT87/cancel-preview")).json()["shared_with"]
        assert [one["package_id"] for one in shared] == ["CAT88"]

    async def test_is_not_for_everybody_nor_of_everything(self, asked: Api) -> None:
        """403, 404 and 422."""
        for role, status in (("local", 403), ("reviewer", 403), ("viewer", 200)):
            path = "/api/packages/CAT86/cancel-preview"
            assert (await asked.get(path, **somebody(role))).status_code == status
        assert (await asked.get("/api/packages/CAT99/cancel-preview")).status_code == 404
        assert (await asked.get("/api/packages/a%00b/cancel-preview")).status_code == 422


@pytest.mark.servers
class TestACancelWithAToken:
    """POST /api/commands?preview=..."""

    async def test_is_refused_where_the_figures_have_moved(self, asked: Api) -> None:
        """With both."""
        token = (await preview(asked))["preview"]
        refs = [OrderRef(order_id=f"N{n}", entity_id=f"E{n}", version=1) for n in range(11)]
        await asked.harness.send(OrdersPlaced(package_id="CAT86", edition=1, orders=refs))
        cancel = envelope("package.cancel", "CAT86", comment="c")

        answer = await asked.post(f"/api/commands?preview={token}", json=cancel)

        assert (answer.status_code, answer.json()["code"]) == (409, "preview_drifted")
        assert answer.json()["shown"]["orders"] == 1
        assert answer.json()["present"]["orders"] == 12
        planned = await asked.post(f"/api/commands?preview={token}&delay=60", json=cancel)
        assert planned.status_code == 409

    async def test_is_sent_where_they_have_not(self, asked: Api) -> None:
        """503 here, where there is no RabbitMQ."""
        token = (await preview(asked))["preview"]
        cancel = envelope("package.cancel", "CAT86", comment="c")

        assert (await asked.post(f"/api/commands?preview={token}", json=cancel)).status_code == 503
        planned = await asked.post(f"/api/commands?preview={token}&delay=60", json=cancel)
        assert planned.status_code == 202
        kept = await asked.harness.pool.fetchval(
            "SELECT preview FROM commands WHERE state = 'planned'"
        )
        assert kept == {"package_id": "CAT86", "edition": 1, "version": 4, "orders": 1}

    async def test_is_refused_in_another_edition(self, asked: Api) -> None:
        """The token is about a life of the package."""
        token = (await preview(asked))["preview"]
        await asked.harness.send(
            given.package(PackageReinitialized, 9, edition=2, status="being_edited")
        )

        cancel = envelope("package.cancel", "CAT86", comment="c")
        answer = await asked.post(f"/api/commands?preview={token}", json=cancel)

        assert answer.json()["code"] == "preview_drifted"

    async def test_takes_no_other_token(self, asked: Api) -> None:
        """Nor one of another package, or for another command."""
        token = (await preview(asked))["preview"]
        cancel = envelope("package.cancel", "CAT87", comment="c")

        for query, body in (
            (token, cancel),
            (token[:-2], envelope("package.cancel", "CAT86", comment="c")),
            (token, envelope("package.publish", "CAT86")),
        ):
            answer = await asked.post(f"/api/commands?preview={query}", json=body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "preview"
