"""Lists as CSV and NDJSON: every row of a filter, in chunks."""

import csv
import io
import json

import pytest

from services.tracking.queries import keyset
from services.tracking.web import lists
from tests.tracking.api import Api
from tests.tracking.web.given import DAY, NOW, order

pytestmark = pytest.mark.servers

CSV = {"Accept": "text/csv"}
NDJSON = {"Accept": "application/x-ndjson, application/json;q=0.5"}


class TestAnExport:
    """Accept: text/csv or application/x-ndjson."""

    async def test_has_every_row_in_the_order_of_the_list(
        self, web: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many chunks that takes."""
        monkeypatch.setattr(keyset, "CHUNK", 3)
        await web.harness.send(
            *(order(id=f"ORD{n}", placed_at=NOW + n // 3 * DAY) for n in range(10)),
            order(id="OTHER", entity_id="OU2"),
        )
        page = (await web.get("/api/orders?entity=OU1")).json()["items"]
        answer = await web.get("/api/orders?entity=OU1", headers=CSV)
        lines = await web.get("/api/orders?entity=OU1&limit=1", headers=NDJSON)
        rows = list(csv.DictReader(io.StringIO(answer.text)))

        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="orders.csv"'
        assert lines.headers["content-type"] == "application/x-ndjson"
        assert [row["order_id"] for row in rows] == [one["order_id"] for one in page]
        assert list(rows[0]) == list(page[0])
        assert [json.loads(line) for line in lines.text.splitlines()] == page

    async def test_holds_no_formula(self, web: Api) -> None:
        """What a spreadsheet would compute is text there."""
        labels = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'say "=1"', "a,b"]
        await web.harness.send(
            *(order(id=f"ORD{n}", label=label) for n, label in enumerate(labels))
        )
        answer = await web.get("/api/orders?sort=oldest", headers=CSV)
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))

        assert [row["label"] for row in rows] == [*(f"'{one}" for one in labels[:6]), *labels[6:]]

    async def test_begins_where_a_cursor_says(self, web: Api) -> None:
        """Who was cut off goes on."""
        await web.harness.send(*(order(id=f"ORD{n}") for n in range(5)))
        first = (await web.get("/api/orders?limit=2")).json()
        answer = await web.get(f"/api/orders?limit=2&cursor={first['next']}", headers=NDJSON)

        assert len(answer.text.splitlines()) == 3

    async def test_is_of_a_kind_that_is_offered(self, web: Api) -> None:
        """Others are refused with those that are."""
        answer = await web.get("/api/orders", headers={"Accept": "application/xml"})

        assert answer.status_code == 406
        assert "text/csv" in answer.json()["detail"]


class TestWhatIsAccepted:
    """The header Accept."""

    @pytest.mark.parametrize(
        ("accept", "wanted"),
        [
            ("", lists.JSON),
            ("*/*", lists.JSON),
            ("text/csv", lists.CSV),
            ("text/csv;q=0.1, application/json", lists.JSON),
            ("application/x-ndjson, */*;q=0.1", lists.NDJSON),
            ("text/html, text/*;q=0.8", lists.CSV),
            ("application/json;q=0, text/csv;q=0.1", lists.CSV),
            ("text/csv;q=high", lists.CSV),
        ],
    )
    def test_says_what_is_sent(self, accept: str, wanted: str) -> None:
        """The best of what is offered."""
        assert lists.accepted(accept) == wanted
