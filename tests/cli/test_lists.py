"""Lists of things on a terminal, as JSON and as CSV; and single things."""

import asyncio
import json

import pytest
from starlette.responses import Response
from typer.testing import CliRunner

from services.cli import lists, things
from services.cli.lists import manner
from services.cli.problems import Problem
from services.cli.questions import app
from tests.cli.small_api import SmallApi, page

CAT86 = {
    "package_id": "CAT86",
    "label": "Spring\n[red]posters",
    "status": "published",
    "edition": 2,
    "campaign_id": "OP13",
    "folder": None,
    "changed_at": "2026-11-23T14:02:41.123Z",
}
DAY = "2026-01-01T00:00:00Z"
USUAL = manner(None, all_=False, as_json=False, as_csv=False)


class TestLists:
    """`relais packages` and its like."""

    async def test_are_tables(self, small: SmallApi, capsys: pytest.CaptureFixture[str]) -> None:
        """A row for each, its text as it is, and what else there is."""
        small.page("/api/packages", [CAT86], next="more", published=1, late=0)
        await lists.show(
            lists.PACKAGES,
            {"status": "published"},
            manner(1, all_=False, as_json=False, as_csv=False),
        )
        told = capsys.readouterr()
        assert "CAT86" in told.out
        assert "Spring\\n[red]posters" in told.out
        assert "2026-11-23 14:02:41" in told.out
        assert told.err == "published 1, late 0; there are more: --limit N or --all shows them\n"
        assert small.asked[0][2] == {"status": "published", "limit": "1"}

    async def test_say_what_was_looked_for_in_vain(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A filter that matches nothing is not an installation without packages."""
        small.page("/api/packages", [])
        await lists.show(lists.PACKAGES, {"folder": "x", "q": None}, USUAL)
        await lists.show(lists.PACKAGES, {}, USUAL)
        assert capsys.readouterr().out == "no packages with folder x\nthere are no packages\n"

    async def test_are_json_of_all_pages(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One array, whatever the number of pages."""
        small.answer("/api/packages", page([CAT86], next="c"), page([CAT86]))
        await lists.show(lists.PACKAGES, {}, manner(None, all_=True, as_json=True, as_csv=False))
        assert json.loads(capsys.readouterr().out) == [CAT86, CAT86]
        small.page("/api/packages", [])
        await lists.show(lists.PACKAGES, {}, manner(None, all_=True, as_json=True, as_csv=False))
        assert json.loads(capsys.readouterr().out) == []

    async def test_are_csv_as_the_api_writes_it(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """At most so many rows, where one may take several lines."""
        text = 'id,label\r\nA,"one\r\ntwo, ""x"""\r\nB,b\r\nC,c\r\n'
        small.answer("/api/orders", Response(text, media_type="text/csv"))
        await lists.show(lists.ORDERS, {}, manner(2, all_=False, as_json=False, as_csv=True))
        assert capsys.readouterr().out == 'id,label\nA,"one\ntwo, ""x"""\nB,b\n'

    @pytest.mark.parametrize(
        "wrong", [{"limit": 3, "all_": True}, {"as_json": True, "as_csv": True}]
    )
    def test_take_no_contradictions(self, wrong: dict[str, bool]) -> None:
        """Nothing that was said is passed over."""
        given = {"limit": None, "all_": False, "as_json": False, "as_csv": False, **wrong}
        with pytest.raises(Problem, match="not both"):
            manner(**given)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("arguments", "path", "filters"),
        [
            (
                [
                    "packages",
                    "--late",
                    "--folder",
                    "F",
                    "-q",
                    "x",
                    "--from",
                    "2026-01-01T00:00:00Z",
                ],
                "/api/packages",
                {"late": "true", "folder": "F", "q": "x", "from": "2026-01-01T00:00:00Z"},
            ),
            (
                ["orders", "--status", "ordered", "--package", "CAT86", "--edition", "2"],
                "/api/orders",
                {"status": "ordered", "package": "CAT86", "edition": "2"},
            ),
            (["campaigns", "--kind", "child"], "/api/campaigns", {"kind": "child"}),
            (["entities", "--inactive"], "/api/entities", {"active": "false"}),
            (["notifications", "list", "--failed"], "/api/notifications", {"status": "failed"}),
        ],
    )
    async def test_pass_filters_on(
        self, small: SmallApi, arguments: list[str], path: str, filters: dict[str, str]
    ) -> None:
        """Each option is a parameter of the API."""
        small.page(path, [])
        ran = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"])
        assert ran.exit_code == 0, ran.output
        assert small.asked[-1][1:3] == (path, {**filters, "limit": "50"})


class TestThings:
    """`relais show`, `why`, `preview` and `workers`."""

    async def test_are_found_whatever_they_are(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nobody has to say that ORD29 is an order."""
        small.answer("/api/orders/ORD29", {"order_id": "ORD29", "status": "canceled", "label": "x"})
        await things.show("ORD29", as_json=False)
        out = capsys.readouterr().out
        assert out.splitlines()[0] == "order ORD29"
        assert "  status: canceled" in out

    async def test_that_are_not_there_are_named(self, small: SmallApi) -> None:
        """With the kinds that were looked for."""
        with pytest.raises(Problem, match=r"no package, order, .* has the id 'NONE'"):
            await things.show("NONE", as_json=False)
        with pytest.raises(Problem, match="no process or parked has the id 'A/B'"):
            await things.why("A/B", as_json=False)

    async def test_say_why_they_are_so(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One sentence, then the steps, the root first."""
        hop = {
            "at": "2026-11-23T14:02:41Z",
            "sentence": "packages canceled CAT86",
            "comment": "supplier withdrew",
        }
        answer = {"sentence": "ORD29 is canceled because ...", "chain": [hop], "remark": None}
        small.answer("/api/why/order/ORD29", answer)
        await things.why("ORD29", as_json=False)
        assert capsys.readouterr().out.splitlines() == [
            "ORD29 is canceled because ...",
            "  1. 2026-11-23 14:02:41  packages canceled CAT86: supplier withdrew",
        ]

    async def test_foresee_a_cancel(
        self, small: SmallApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Line by line as in the dialog of the console."""
        small.answer(
            "/api/packages/CAT86/cancel-preview",
            {
                "package_id": "CAT86",
                "label": "Summer",
                "status": "published",
                "edition": 2,
                "orders": {"by_status": {"ordered": 1200}, "to_cancel": 4120, "stay": 37},
                "entities": {"to_notify": 312, "without_channel": 4},
                "campaigns": {"to_cancel": 21, "reference": "OP13"},
                "processes": {"to_stop": 41, "too_late": 3},
                "shared_with": [{"package_id": "CAT90", "label": "Autumn"}],
            },
        )
        await things.preview("CAT86", as_json=False)
        out = capsys.readouterr().out
        assert "orders: 4,120 would be canceled, 37 stay (1,200 ordered)" in out
        assert "OP13 also serves CAT90 (Autumn), which would lose its campaign" in out

    async def test_list_workers(self, small: SmallApi, capsys: pytest.CaptureFixture[str]) -> None:
        """What a worker waits for stands below."""
        row = {"service": "orders", "instance": "a-1", "ready": False, "lanes": [0, 3]}
        small.page("/api/workers", [{**row, "waiting_for": ["RabbitMQ does not answer"]}])
        await things.workers(as_json=False)
        out = capsys.readouterr().out
        assert "0, 3" in out
        assert "orders a-1: RabbitMQ does not answer" in out
