"""GET /api/packages."""

import itertools
from typing import Any

import pytest

from contracts.packages import (
    PackageCanceled,
    PackageCreated,
    PackageEvent,
    PackagePublished,
    PackageSubmitted,
)
from tests.tracking.api import Api
from tests.tracking.web.given import DAY, FAR_AHEAD, NOW, campaign, order, package
from tests.tracking.web.walk import there_and_back

pytestmark = pytest.mark.servers

KINDS = (PackageCreated, PackageSubmitted, PackagePublished, PackageCanceled)
STATUS: dict[type[PackageEvent], str] = {PackageSubmitted: "pending_approval"}


def some() -> list[PackageEvent]:
    """Packages in four statuses, three folders and two levels, some of the same moment."""
    found = []
    for n in range(24):
        kind = KINDS[n % 4]
        found.append(
            package(
                kind,
                f"CAT{n}",
                status=STATUS.get(kind, package(kind).status),
                label=f"{'abcdef'[n % 6]} sales_{n}",
                folder=[None, "France", "Spain"][n % 3],
                distribution_level=["local", "collaborative_simple"][n % 2],
                campaign_id=f"OP{n % 5}",
                starts_at=NOW + DAY * n if n % 4 < 2 else NOW,
                ends_at=FAR_AHEAD if n % 8 < 4 else NOW + DAY,
                created_at=NOW + DAY * (n // 3),
                changed_at=NOW + DAY * (n * 7 % 24),
            )
        )
    return found


SORTS: dict[str, Any] = {
    "newest": lambda p: (p.created_at, p.package_id),
    "oldest": lambda p: (p.created_at, p.package_id),
    "label": lambda p: (p.label.lower(), p.package_id),
    "modified": lambda p: (p.changed_at, p.package_id),
}
FILTERS: dict[str, Any] = {
    "": lambda p: True,
    "status=published": lambda p: p.status == "published",
    "folder=France": lambda p: p.folder == "France",
    "folder=France&status=canceled": lambda p: p.folder == "France" and p.status == "canceled",
    "level=local": lambda p: p.distribution_level == "local",
    "q=LES_1": lambda p: "les_1" in p.label.lower(),
    "q=CAT1": lambda p: p.package_id.startswith("CAT1"),
    "q=CA": lambda p: True,
}


class TestTheList:
    """Filters, orders and pages."""

    async def test_has_what_is_asked_for_in_the_order_asked_for(self, web: Api) -> None:
        """Every filter with every order, there and back in pages of five."""
        known = some()
        await web.harness.send(*known)
        for (filter, fits), (sort, key) in itertools.product(FILTERS.items(), SORTS.items()):
            params = {
                "sort": sort,
                "limit": "5",
                **dict(p.split("=") for p in filter.split("&") if p),
            }
            met = await there_and_back(web, "/api/packages", "package_id", params=params)
            wanted = sorted(filter_(known, fits), key=key, reverse=sort in ("newest", "modified"))
            assert met == [p.package_id for p in wanted], (filter, sort)

    async def test_of_late_ones_begins_with_the_longest(self, web: Api) -> None:
        """And what is late is a question of the moment."""
        await web.harness.send(
            *(package(PackageCreated, f"CAT{n}", starts_at=NOW - DAY * n) for n in range(3)),
            package(PackageCreated, "CAT8", starts_at=FAR_AHEAD - DAY),
            package(PackagePublished, "CAT9"),
        )
        met = await there_and_back(
            web, "/api/packages", "package_id", params={"late": "true", "limit": "2"}
        )
        counts = (await web.get("/api/packages")).json()["counts"]

        assert met == ["CAT2", "CAT1", "CAT0"]
        assert (counts["late"], counts["being_edited"], counts["closed"]) == (3, 4, 0)

    async def test_counts_by_status_whatever_tab_is_shown(self, web: Api) -> None:
        """Exactly where they are counted as they change, else one by one."""
        await web.harness.send(*some())
        for filter in (
            {},
            {"folder": "France"},
            {"level": "local"},
            {"folder": "Spain", "q": "abc"},
        ):
            every = (await web.get("/api/packages", params=filter)).json()
            one = (await web.get("/api/packages", params={**filter, "status": "canceled"})).json()
            assert one["counts"] == every["counts"]
            assert one["counts"]["canceled"] == len(one["items"])
            statuses = [s for s in every["counts"] if s not in ("late", "closed")]
            assert sum(every["counts"][s] for s in statuses) == len(every["items"])

    async def test_names_the_campaign_and_counts_the_orders_of_each(self, web: Api) -> None:
        """Of its present edition."""
        await web.harness.send(
            campaign(label="Summer"), package(edition=2), order(), order(id="ORD2", edition=2)
        )
        (item,) = (await web.get("/api/packages")).json()["items"]

        assert item["campaign_label"] == "Summer"
        assert item["orders"] == {"ordered": 1}

    async def test_is_for_a_local_operator_what_is_offered_to_it(self, web: Api) -> None:
        """Published, begun, not closed, and for its entity."""
        await web.harness.send(
            package(id="ALL"),
            package(id="OURS", audience=["OU1", "OU2"]),
            package(id="THEIRS", audience=["OU2"]),
            package(id="LATER", starts_at=FAR_AHEAD - DAY),
            package(id="OVER", registration_deadline=NOW - DAY),
            package(PackageCreated, "DRAFT"),
        )
        answer = await web.get("/api/packages", role="local", entity="OU1")
        met = {one["package_id"]: one["orders"] for one in answer.json()["items"]}
        hidden = [
            (await web.get(f"/api/packages/{id}", role="local", entity="OU1")).status_code
            for id in ("ALL", "OURS", "THEIRS", "LATER", "OVER", "DRAFT", "NONE")
        ]

        assert met == {"ALL": None, "OURS": None}
        assert hidden == [200, 200, 404, 404, 404, 404, 404]
        assert answer.json()["counts"]["published"] == 2
        assert answer.json()["counts"]["being_edited"] == 0


def filter_(known: list[PackageEvent], fits: Any) -> list[PackageEvent]:
    """Those that fit."""
    return [one for one in known if fits(one)]


class TestWhatCannotBeAsked:
    """422 says all that is wrong, and what would be accepted."""

    async def test_is_said_all_at_once(self, web: Api) -> None:
        """Each parameter by its name."""
        answer = await web.get(
            "/api/packages?status=lost&limit=0&limit=0&form=2026&from=2026-11-23&cursor="
        )
        told = {e["field"]: e["message"] for e in answer.json()["errors"]}

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert "'being_edited'" in told["status"] or "being_edited" in told["status"]
        assert told["form"].startswith("is not a parameter here; those are")
        assert "offset" in told["from"]
        assert told["limit"]

    async def test_is_an_order_that_no_index_serves(self, web: Api) -> None:
        """Those that it does are named."""
        answer = await web.get("/api/packages?campaign=OP13&sort=label")

        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {
                "field": "sort",
                "message": "must be one of newest, oldest where packages of one campaign are asked "
                "for, not 'label'",
            }
        ]

    async def test_is_a_page_of_another_list(self, web: Api) -> None:
        """Or with other filters, or of somebody else, or made up."""
        await web.harness.send(*some())
        first = (await web.get("/api/packages?limit=2")).json()
        for query in (
            f"limit=2&status=published&cursor={first['next']}",
            f"sort=oldest&cursor={first['next']}",
            "cursor=AAAA",
            "cursor=é",
            f"cursor={first['next'][:-2]}AA",
        ):
            answer = await web.get(f"/api/packages?{query}")
            assert answer.status_code == 422, query
            assert [e["field"] for e in answer.json()["errors"]] == ["cursor"]

        other = await web.get(f"/api/packages?limit=3&cursor={first['next']}")
        assert other.status_code == 200


class TestOnePackage:
    """GET /api/packages/{id}."""

    async def test_is_its_state_with_its_version_as_tag(self, web: Api) -> None:
        """And nothing is sent to who has it."""
        await web.harness.send(package(audience=["OU1", "OU2"], folder="France"))
        answer = await web.get("/api/packages/CAT86")
        again = await web.get("/api/packages/CAT86", headers={"If-None-Match": '"4"'})
        other = await web.get("/api/packages/CAT86", headers={"If-None-Match": '"3"'})

        assert answer.headers["etag"] == '"4"'
        assert answer.json()["limited_to"] == {"entities": 2}
        assert answer.json()["folder"] == "France"
        assert (again.status_code, again.content) == (304, b"")
        assert other.status_code == 200

    async def test_is_asked_for_by_an_id(self, web: Api) -> None:
        """What is none is told so."""
        answer = await web.get("/api/packages/a%20b")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "package_id"
