"""Walks through lists as a client does: page by page, there and back."""

import itertools
from typing import Any

from tests.tracking.api import Api


async def pages(web: Api, path: str, **how: Any) -> list[dict[str, Any]]:
    """Every page of a list, from the first to the last."""
    found = []
    cursor: str | None = ""
    while cursor is not None:
        given = {**how.get("params", {}), **({"cursor": cursor} if cursor else {})}
        answer = await web.get(path, **{**how, "params": given})
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        cursor = found[-1]["next"]
        assert len(found) < 1_000
    return found


async def there_and_back(web: Api, path: str, id: str, **how: Any) -> list[str]:
    """The ids of a list; the way back gives the same pages."""
    there = await pages(web, path, **how)
    assert there[0]["prev"] is None
    for page, after in itertools.pairwise(there):
        given = {**how.get("params", {}), "cursor": after["prev"]}
        back = (await web.get(path, **{**how, "params": given})).json()
        assert [one[id] for one in back["items"]] == [one[id] for one in page["items"]]
    return [one[id] for page in there for one in page["items"]]
