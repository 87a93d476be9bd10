"""What happened to a thing, on histories that the services themselves have made."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from contracts.directory import UpdateEntity
from contracts.orders import EditOrder, PlaceOrder
from contracts.packages import CancelPackage, EditPackage
from tests.harness import Harness
from tests.tracking.api import Api, api
from tests.tracking.installation import Installation, installed, published

pytestmark = pytest.mark.servers

PLACE = PlaceOrder(order_id="ORD29", package_id="CAT86", entity_id="OU3", label="20 posters")
CANCEL = CancelPackage(package_id="CAT86", comment="supplier withdrew")


@pytest.fixture
async def here(
    make_harness: Callable[[str], Awaitable[Harness]], amqp_url: str
) -> AsyncIterator[Installation]:
    """All services, with a package that OU3 and OU4 may order."""
    async with installed(make_harness, amqp_url) as installation:
        await published(installation)
        yield installation


@pytest.fixture
async def asks(here: Installation) -> AsyncIterator[Api]:
    """The API of tracking."""
    async with api(here.tracking) as client:
        yield client


async def timeline(asks: Api, path: str, **parameters: Any) -> dict[str, Any]:
    """A page."""
    response = await asks.get(f"/api/{path}/timeline", params=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def types(page: dict[str, Any]) -> list[str]:
    """What happened, in the order of the page."""
    return [one["type"].removeprefix("relais.").removesuffix(".v1") for one in page["items"]]


class TestTimeline:
    """GET .../timeline."""

    async def test_of_an_order_has_what_was_done_to_many(
        self, here: Installation, asks: Api
    ) -> None:
        """The cancel of its package is part of its story, and what changed stands beside it."""
        await here.do(PLACE)
        label = EditOrder(order_id="ORD29", package_id="CAT86", label="30 posters")
        await here.do(label, actor="a.lee")
        await here.do(CANCEL)

        page = await timeline(asks, "orders/ORD29")

        assert types(page) == ["orders.canceled", "order.edited", "order.placed"]
        canceled, edited, placed = page["items"]
        assert edited["changes"] == [{"field": "label", "old": "20 posters", "new": "30 posters"}]
        assert (edited["actor"], edited["service"], edited["version"]) == ("a.lee", "orders", 2)
        assert placed["changes"] == []
        assert canceled["count"] == 1

    async def test_of_an_order_has_nothing_of_others(self, here: Installation, asks: Api) -> None:
        """One that was canceled before is not canceled again with its package."""
        await here.do(PLACE)
        other = PlaceOrder(order_id="ORD30", package_id="CAT86", entity_id="OU4", label="x")
        await here.do(other)
        page = await timeline(asks, "orders/ORD30")
        assert types(page) == ["order.placed"]

    async def test_of_a_package_folds_what_came_of_it(self, here: Installation, asks: Api) -> None:
        """One row for all notices, one for all orders; and each field that was changed."""
        await here.do(PLACE)
        edit = EditPackage(package_id="CAT86", label="Posters", folder="Spring")
        await here.do(edit)
        await here.do(CANCEL)

        page = await timeline(asks, "packages/CAT86", sort="oldest", limit=200)

        found = types(page)
        assert found[:3] == ["package.created", "package.approved", "package.published"]
        assert found.count("orders.canceled") == 1
        by_type = dict(zip(found, page["items"], strict=True))
        assert by_type["notification.sent"]["count"] >= 2
        assert by_type["package.canceled"]["comment"] == "supplier withdrew"
        assert by_type["package.edited"]["changes"] == [
            {"field": "label", "old": "Spring posters", "new": "Posters"},
            {"field": "folder", "old": None, "new": "Spring"},
        ]

    async def test_is_walked_in_pages(self, here: Installation, asks: Api) -> None:
        """Each event once, both ways round, whatever the size of a page."""
        await here.do(CANCEL)
        whole = await timeline(asks, "packages/CAT86", limit=200)
        for sort in ("newest", "oldest"):
            found: list[str] = []
            cursor: str | None = None
            while True:
                asked: dict[str, Any] = {"cursor": cursor} if cursor else {}
                page = await timeline(asks, "packages/CAT86", limit=2, sort=sort, **asked)
                found += [one["id"] for one in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
            ids = [one["id"] for one in whole["items"]]
            assert found == (ids if sort == "newest" else ids[::-1])

    async def test_takes_filters(self, here: Installation, asks: Api) -> None:
        """By who, by kind of thing, by edition."""
        await here.do(PLACE)
        await here.do(CANCEL, actor="a.lee")
        mine = await timeline(asks, "packages/CAT86", actor="m.durand", kind="package")
        assert types(mine) == ["package.published", "package.approved", "package.created"]
        assert types(await timeline(asks, "packages/CAT86", edition=2)) == []
        some = await timeline(asks, "packages/CAT86", kind=["orders", "campaign"])
        assert set(types(some)) == {"orders.canceled", "campaign.canceled"}

    async def test_of_an_entity_tells_its_changes(self, here: Installation, asks: Api) -> None:
        """Field by field, in the order of its state."""
        await here.do(UpdateEntity(entity_id="OU3", label="Lyon", email="a@b.c"))
        page = await timeline(asks, "entities/OU3")
        assert [one["field"] for one in page["items"][0]["changes"]] == ["label", "email"]

    async def test_of_campaigns_begins_with_their_creation(
        self, here: Installation, asks: Api
    ) -> None:
        """What was done to them with others is told of the package."""
        assert types(await timeline(asks, "campaigns/OP13")) == ["campaign.created"]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("packages/NONE", 404),
            ("orders/NONE", 404),
            ("packages/CAT86?limit=201", 422),
            ("packages/CAT86?limit=x", 422),
            ("packages/CAT86?cursor=x", 422),
            ("packages/CAT86?kind=nothing", 422),
            ("packages/CAT86?edition=99999999999", 422),
            ("packages/CAT86?actor=%00", 422),
            ("packages/%00", 422),
        ],
    )
    async def test_answers_odd_questions_in_order(self, asks: Api, path: str, status: int) -> None:
        """With a problem that names the field."""
        place, _, query = path.partition("?")
        response = await asks.get(f"/api/{place}/timeline?{query}")
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"

    async def test_takes_no_cursor_of_another_list(self, here: Installation, asks: Api) -> None:
        """It would begin at a place that the reader has not seen."""
        page = await timeline(asks, "packages/CAT86", limit=1)
        for path, more in (("campaigns/OP13", {}), ("packages/CAT86", {"sort": "oldest"})):
            asked = {"cursor": page["next"], **more}
            response = await asks.get(f"/api/{path}/timeline", params=asked)
            assert response.status_code == 422

    async def test_is_for_local_operators_where_it_is_theirs(
        self, here: Installation, asks: Api
    ) -> None:
        """Their own order, and nobody else's."""
        await here.do(PLACE)
        for entity, status in (("OU3", 200), ("OU4", 404)):
            response = await asks.get("/api/orders/ORD29/timeline", role="local", entity=entity)
            assert response.status_code == status
