"""GET /api/orders, and those of one package."""

import itertools
from typing import Any

import pytest

from contracts.orders import (
    OrderApproved,
    OrderCanceled,
    OrderPlaced,
    OrderRef,
    OrdersCanceled,
    OrdersPlaced,
)
from services.tracking.queries import beginnings
from tests.tracking.api import Api
from tests.tracking.web.given import DAY, FAR_AHEAD, NOW, entity, order, package
from tests.tracking.web.walk import there_and_back

pytestmark = pytest.mark.servers

KINDS = (OrderPlaced, OrderApproved, OrderCanceled)


def some() -> list[Any]:
    """Orders in three statuses, of two packages, three entities and two editions."""
    return [
        order(
            KINDS[n % 3],
            f"ORD{n}",
            package_id=f"CAT{n % 2}",
            entity_id=f"OU{n % 3}" if n % 4 else "OU0",
            edition=1 + n % 5 // 4,
            label=f"{'Windows' if n % 3 else 'Doors'} {n}",
            placed_at=NOW + DAY * (n // 3),
            changed_at=NOW + DAY * (n * 7 % 24),
        )
        for n in range(24)
    ]


SORTS: dict[str, Any] = {
    "newest": lambda o: (o.placed_at, o.order_id),
    "oldest": lambda o: (o.placed_at, o.order_id),
    "modified": lambda o: (o.changed_at, o.order_id),
}
ALWAYS = ("newest", "oldest")
FILTERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "": (lambda o: True, tuple(SORTS)),
    "status=approved": (lambda o: o.status == "approved", tuple(SORTS)),
    "entity=OU1": (lambda o: o.entity_id == "OU1", ALWAYS),
    "package=CAT1": (lambda o: o.package_id == "CAT1" and o.edition == 1, ALWAYS),
    "package=CAT1&edition=2": (lambda o: o.package_id == "CAT1" and o.edition == 2, ALWAYS),
    "package=CAT0&entity=OU0&status=canceled": (
        lambda o: (
            (o.package_id, o.entity_id, o.status, o.edition) == ("CAT0", "OU0", "canceled", 1)
        ),
        ALWAYS,
    ),
    "entity=OU0&q=DOO": (lambda o: o.entity_id == "OU0" and o.label.startswith("Doo"), ALWAYS),
}


class TestTheList:
    """Filters, orders and pages."""

    async def test_has_what_is_asked_for_in_the_order_asked_for(self, web: Api) -> None:
        """Every filter with every order that is offered, there and back in pages of five."""
        known = some()
        await web.harness.send(package(id="CAT0"), package(id="CAT1"), *known)
        for filter, (fits, offered) in FILTERS.items():
            for sort in offered:
                asked = dict(p.split("=") for p in filter.split("&") if p)
                params = {"sort": sort, "limit": "5", **asked}
                met = await there_and_back(web, "/api/orders", "order_id", params=params)
                wanted = sorted(filter_(known, fits), key=SORTS[sort], reverse=sort != "oldest")
                assert met == [o.order_id for o in wanted], (filter, sort)

    async def test_counts_by_status_whatever_tab_is_shown(self, web: Api) -> None:
        """Exactly where they are counted as they change, else one by one."""
        await web.harness.send(package(id="CAT0"), *some())
        for filter in (
            {},
            {"entity": "OU0"},
            {"package": "CAT0"},
            {"package": "CAT0", "entity": "OU0"},
            {"q": "Win"},
            {"q": "ORD1"},
            {"from": (NOW + DAY).isoformat()},
        ):
            every = (await web.get("/api/orders", params=filter)).json()
            one = (await web.get("/api/orders", params={**filter, "status": "canceled"})).json()
            assert one["counts"] == every["counts"], filter
            assert one["counts"]["canceled"] == len(one["items"]), filter
            total = sum(n for name, n in every["counts"].items() if name != "late")
            assert total == len(every["items"]), filter

    async def test_of_a_text_has_ids_and_labels_that_begin_with_it(self, web: Api) -> None:
        """Each order once, in the order of what was found."""
        await web.harness.send(
            order(id="doors", label="doors"),
            order(id="A1", label="Doors to the left"),
            order(id="A2", label="Windows and doors"),
            order(OrderCanceled, id="doors-2", label="Windows"),
        )
        met = await there_and_back(
            web, "/api/orders", "order_id", params={"q": "doors", "limit": "1"}
        )
        canceled = await web.get("/api/orders?q=doors&status=canceled")

        assert met == ["doors", "A1", "doors-2"]
        assert [one["order_id"] for one in canceled.json()["items"]] == ["doors-2"]

    async def test_of_late_ones_begins_with_the_longest(self, web: Api) -> None:
        """Those whose approval deadline has passed; of one package or entity the oldest."""
        await web.harness.send(
            *(
                order(id=f"ORD{n}", placed_at=NOW - DAY * (n + 1), approval_deadline=NOW - DAY * n)
                for n in range(3)
            ),
            order(id="ORD8", approval_deadline=FAR_AHEAD),
            order(OrderApproved, "ORD9", approval_deadline=NOW - DAY),
        )
        for filter in ({}, {"entity": "OU1"}, {"package": "CAT86"}):
            params = {"late": "true", "limit": "2", **filter}
            met = await there_and_back(web, "/api/orders", "order_id", params=params)
            assert met == ["ORD2", "ORD1", "ORD0"]
            no_others = await web.get("/api/orders", params={**params, "status": "approved"})
            assert no_others.json()["items"] == []
        counts = (await web.get("/api/orders")).json()["counts"]
        assert (counts["late"], counts["ordered"]) == (3, 4)

    async def test_of_a_package_is_that_of_its_present_edition(self, web: Api) -> None:
        """Unless another is asked for."""
        await web.harness.send(package(edition=2), order(), order(id="ORD2", edition=2))
        present = (await web.get("/api/packages/CAT86/orders")).json()
        first = (await web.get("/api/packages/CAT86/orders?edition=1")).json()
        none = await web.get("/api/packages/CAT87/orders")

        assert [one["order_id"] for one in present["items"]] == ["ORD2"]
        assert [one["order_id"] for one in first["items"]] == ["ORD1"]
        assert present["counts"]["ordered"] == first["counts"]["ordered"] == 1
        assert none.status_code == 404

    async def test_has_orders_of_which_only_packed_events_are_known(self, web: Api) -> None:
        """They have no label yet."""
        refs = [OrderRef(order_id="ORD1", entity_id="OU1", version=2)]
        await web.harness.send(OrdersPlaced(package_id="CAT86", edition=1, orders=refs))
        (item,) = (await web.get("/api/orders")).json()["items"]
        one = await web.get("/api/orders/ORD1")

        assert (item["label"], item["status"]) == (None, "approved")
        assert one.json()["order_id"] == "ORD1"
        assert one.headers["etag"] == '"2"'

    async def test_has_a_status_that_only_a_newer_service_knows(self, web: Api) -> None:
        """Nothing disappears from the list because it is new."""
        await web.harness.send(order(status="frozen"))
        page = (await web.get("/api/orders")).json()

        assert [one["status"] for one in page["items"]] == ["frozen"]
        assert page["counts"]["frozen"] == 1


def filter_(known: list[Any], fits: Any) -> list[Any]:
    """Those that fit."""
    return [one for one in known if fits(one)]


class TestATextAmongManyOrders:
    """Those of a package or an entity that has more of them than are looked at one by one."""

    async def test_is_found_among_all_where_few_begin_so(
        self, web: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By id or label; counts are of what is shown."""
        monkeypatch.setattr(beginnings, "FEW", 2)
        await web.harness.send(
            package(),
            *(
                order(id=f"ORD{n}", label=f"{'Doors' if n == 3 else 'Windows'} {n}")
                for n in range(5)
            ),
            order(id="ORD9", package_id="CAT1", label="doors"),
        )
        for params, wanted in (
            ({"package": "CAT86", "q": "doo"}, ["ORD3"]),
            ({"entity": "OU1", "q": "doo"}, ["ORD3", "ORD9"]),
            ({"package": "CAT86", "q": "ORD4", "status": "ordered"}, ["ORD4"]),
            ({"package": "CAT86", "q": "ORD4", "status": "canceled"}, []),
        ):
            page = (await web.get("/api/orders", params={"sort": "oldest", **params})).json()
            assert [one["order_id"] for one in page["items"]] == wanted, params
        assert page["counts"]["ordered"] == 1

    async def test_is_to_be_longer_where_many_begin_so(
        self, web: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else each would have to be looked at."""
        monkeypatch.setattr(beginnings, "FEW", 2)
        await web.harness.send(package(), *(order(id=f"ORD{n}") for n in range(3)))
        answer = await web.get("/api/orders?package=CAT86&q=Win")

        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["field"] == "q"
        assert "must be longer: more than 2 orders begin with 'Win'" in error["message"]


class TestWhoSeesWhat:
    """A local operator sees its own entity's, a reviewer those that it reviews."""

    async def test_of_a_local_operator_is_its_own(self, web: Api) -> None:
        """Others are not found, and web for them by entity is refused."""
        await web.harness.send(package(), order(), order(id="ORD2", entity_id="OU2"))
        how: dict[str, Any] = {"role": "local", "entity": "OU1"}
        page = (await web.get("/api/orders", **how)).json()
        of_package = (await web.get("/api/packages/CAT86/orders", **how)).json()
        others = await web.get("/api/orders?entity=OU2", **how)
        found = [(await web.get(f"/api/orders/{id}", **how)).status_code for id in ("ORD1", "ORD2")]

        assert [one["order_id"] for one in page["items"]] == ["ORD1"]
        assert [one["order_id"] for one in of_package["items"]] == ["ORD1"]
        assert page["counts"]["ordered"] == of_package["counts"]["ordered"] == 1
        assert others.status_code == 403
        assert found == [200, 404]

    async def test_of_a_reviewer_are_those_of_the_entities_it_reviews(self, web: Api) -> None:
        """Which name it among their reviewers."""
        reviewers = [{"id": "dev", "label": "Dev"}]
        await web.harness.send(
            entity(id="OU1", order_reviewers=reviewers),
            entity(id="OU2"),
            order(),
            order(id="ORD2", entity_id="OU2"),
        )
        page = (await web.get("/api/orders", role="reviewer")).json()
        found = [
            (await web.get(f"/api/orders/{id}", role="reviewer")).status_code
            for id in ("ORD1", "ORD2")
        ]
        others = await web.get("/api/orders?entity=OU2", role="reviewer")

        assert [one["order_id"] for one in page["items"]] == ["ORD1"]
        assert found == [200, 404]
        assert others.status_code == 403


class TestWhatCannotBeAsked:
    """What no index serves is refused, with what is offered."""

    async def test_is_named(self, web: Api) -> None:
        """The parameter, and what would do."""
        for query, field in (
            ("entity=OU1&sort=modified", "sort"),
            ("q=abc&sort=newest", "sort"),
            ("edition=1", "edition"),
            ("q=abc&from=2026-11-23T09:00:00Z", "from"),
            ("late=yes", "late"),
            ("late=true&package=CAT86&sort=longest", "sort"),
            ("package=a%20b", "package"),
        ):
            answer = await web.get(f"/api/orders?{query}")
            assert answer.status_code == 422, query
            assert [e["field"] for e in answer.json()["errors"]] == [field]


def test_the_filters_are_all_tried() -> None:
    """Each field of the query is in some filter above."""
    named = {p.split("=")[0] for f in FILTERS for p in f.split("&")} - {""}

    assert named | {"late", "from", "to"} >= {"status", "entity", "package", "edition", "q"}
    assert len(list(itertools.chain(FILTERS))) == 7


async def test_canceled_orders_of_a_pack_are_found_by_status(web: Api) -> None:
    """A pack moves the status of each."""
    refs = [OrderRef(order_id=f"ORD{n}", entity_id="OU1", version=2) for n in range(3)]
    await web.harness.send(
        *(order(id=f"ORD{n}") for n in range(3)),
        OrdersCanceled(package_id="CAT86", edition=1, orders=refs),
    )
    page = (await web.get("/api/orders?status=canceled")).json()

    assert len(page["items"]) == page["counts"]["canceled"] == 3
