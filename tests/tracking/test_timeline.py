"""What happened to a thing, on histories that the services themselves have made."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.directory import UpdateEntity
from contracts.orders import EditOrder, PlaceOrder
from contracts.packages import CancelPackage, EditPackage
from tests.tracking.api import Api, api
from tests.tracking.installation import (
    Installation,
    Template,
    entities,
    installation,
    published,
)

pytestmark = pytest.mark.servers

PLACE = PlaceOrder(order_id="ORD29", package_id="CAT86", entity_id="OU3", label="20 posters")
CANCEL = CancelPackage(package_id="CAT86", comment="supplier withdrew")


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


async def timeline(here: Installation, asks: Api, path: str, **parameters: Any) -> dict[str, Any]:
    """A page of something of this story."""
    response = await asks.get(here.named(f"/api/{path}/timeline"), params=parameters)
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

        page = await timeline(here, asks, "orders/ORD29")

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
        page = await timeline(here, asks, "orders/ORD30")
        assert types(page) == ["order.placed"]

    async def test_of_a_package_folds_what_came_of_it(self, here: Installation, asks: Api) -> None:
        """One row for all notices, one for all orders; and each field that was changed."""
        await here.do(PLACE)
        edit = EditPackage(package_id="CAT86", label="Posters", folder="Spring")
        await here.do(edit)
        await here.do(CANCEL)

        page = await timeline(here, asks, "packages/CAT86", sort="oldest", limit=200)

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
        whole = await timeline(here, asks, "packages/CAT86", limit=200)
        for sort in ("newest", "oldest"):
            found: list[str] = []
            cursor = None
            while True:
                asked: dict[str, str] = {"cursor": cursor} if cursor else {}
                page = await timeline(here, asks, "packages/CAT86", limit=2, sort=sort, **asked)
                found += [one["id"] for one in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
            ids = [one["id"] for one in whole["items"]]
            assert found == (ids if sort == "newest" else ids[::-1])
            back = await timeline(
                here, asks, "packages/CAT86", limit=2, sort=sort, cursor=page["prev"]
            )
            rest = len(page["items"])
            assert [one["id"] for one in back["items"]] == found[-rest - 2 : -rest]

    async def test_takes_filters(self, here: Installation, asks: Api) -> None:
        """By who, by kind of thing, by edition."""
        await here.do(PLACE)
        await here.do(CANCEL, actor="a.lee")
        mine = await timeline(here, asks, "packages/CAT86", actor="m.durand", kind="package")
        assert types(mine) == ["package.published", "package.approved", "package.created"]
        assert types(await timeline(here, asks, "packages/CAT86", edition=2)) == []
        assert types(await timeline(here, asks, "packages/CAT86", kind="orders")) == [
            "orders.canceled"
        ]

    async def test_of_an_entity_tells_its_changes(self, here: Installation, asks: Api) -> None:
        """Field by field, in the order of its state."""
        label = f"Lyon {here.named('CAT1')}"
        await here.do(UpdateEntity(entity_id="OU3", label=label, email=f"{label[5:]}@b.c"))
        page = await timeline(here, asks, "entities/OU3")
        assert [one["field"] for one in page["items"][0]["changes"]] == ["label", "email"]

    async def test_of_campaigns_begins_with_their_creation(
        self, here: Installation, asks: Api
    ) -> None:
        """What was done to them with others is told of the package."""
        assert types(await timeline(here, asks, "campaigns/OP13")) == ["campaign.created"]

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
    async def test_answers_odd_questions_in_order(
        self, here: Installation, asks: Api, path: str, status: int
    ) -> None:
        """With a problem that names the field."""
        place, _, query = path.partition("?")
        response = await asks.get(here.named(f"/api/{place}/timeline?{query}"))
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"

    async def test_takes_no_cursor_of_another_list(self, here: Installation, asks: Api) -> None:
        """It would begin at a place that the reader has not seen."""
        page = await timeline(here, asks, "packages/CAT86", limit=1)
        for path, sort in (("campaigns/OP13", "newest"), ("packages/CAT86", "oldest")):
            asked = {"cursor": page["next"], "sort": sort}
            response = await asks.get(here.named(f"/api/{path}/timeline"), params=asked)
            assert response.status_code == 422

    async def test_is_for_local_operators_where_it_is_theirs(
        self, here: Installation, asks: Api
    ) -> None:
        """Their own order, and nobody else's."""
        await here.do(PLACE)
        for entity, status in (("OU3", 200), ("OU4", 404)):
            path = here.named("/api/orders/ORD29/timeline")
            response = await asks.get(path, role="local", entity=entity)
            assert response.status_code == status
