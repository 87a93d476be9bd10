"""What every list looks at on its way to a page: rows of the page, not of the table.

A table of some ten thousand orders shows what one of ten million would take: no plan may read a
large table from end to end, sort more than some thousand rows, or pass over more than some hundred
rows to a page.  `./run bench lists --plans` shows the same at full size.
"""

import itertools
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.runtime.postgres.database import pool as pool_of
from services.runtime.service import Pool
from services.tracking.queries import (
    campaigns,
    entities,
    notifications,
    offers,
    orders,
    packages,
    parked,
    schedule,
    sent,
)
from services.tracking.queries.filters import Paging
from tests.bench import deep, model, plans
from tests.bench.lists import tokens_of
from tests.bench.model import Sizes

pytestmark = pytest.mark.servers

SIZES = Sizes(orders=40_000, packages=4_000, entities=200, commands=4_000, parked=500)
LARGE = {"orders", "notifications", "history", "audiences"}
MOST_SORTED = 5_000
MOST_TO_A_PAGE = 3_500
"""Rows on the way to a page of 50, among them a thousand ids of one beginning."""

MONTH = {
    "from": (datetime.now(UTC) - timedelta(days=30)).isoformat(),
    "to": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
}
VALUES: dict[str, dict[str, str]] = {
    "packages": {
        "status": "rejected",
        "late": "true",
        "closed": "true",
        "folder": "Region 7/7",
        "level": "local",
        "campaign": "OP7",
        "assigned": "op7",
        "q": "summer",
        **MONTH,
    },
    "orders": {
        "status": "rejected",
        "late": "true",
        "entity": "OU7",
        "package": "CAT3",
        "edition": "1",
        "q": "ORD7",
        **MONTH,
    },
    "campaigns": {
        "status": "canceled",
        "kind": "template",
        "program": "Program 7",
        "package": "CAT3",
        "parent": "OP3",
        "q": "OP77",
        **MONTH,
    },
    "entities": {"active": "false", "channel": "mailbox", "q": "region 7", **MONTH},
    "notifications": {
        "status": "failed",
        "kind": "order_approved",
        "channel": "email",
        "entity": "OU7",
        "operator": "m-durand",
        "package": "CAT3",
        "edition": "1",
        "order": "ORD5",
        **MONTH,
    },
    "schedule": {"kind": "publication", "package": "CAT3", "overdue": "true", **MONTH},
    "offers": {"level": "local", "q": "summer", "entity": "OU7"},
    "parked": {
        "service": "orders",
        "reason": "failed",
        "type": "x",
        "error_kind": "KeyError: …",
        "package": "CAT3",
        **MONTH,
    },
    "commands": {
        "state": "planned",
        "outcome": "refused",
        "type": "x",
        "subject": "ORD7",
        "sender": "op7",
        "batch": "c1",
        **MONTH,
    },
}
FILTERS: dict[str, type[Paging]] = {
    "packages": packages.Filters,
    "orders": orders.Filters,
    "campaigns": campaigns.Filters,
    "entities": entities.Filters,
    "notifications": notifications.Filters,
    "schedule": schedule.Filters,
    "offers": offers.Filters,
    "parked": parked.Filters,
    "commands": sent.Filters,
}
ROLES = {
    **dict.fromkeys(FILTERS, ("central", "local")),
    "orders": ("central", "local", "reviewer"),
    "offers": ("local",),
    "parked": ("operations",),
    "commands": ("central",),
}


def questions(name: str) -> Iterator[dict[str, str]]:
    """Each filter with each order, and each two filters together."""
    values = VALUES[name]
    sorts: list[str | None] = [None, *_sorts(FILTERS[name])]
    for given in ((), *((one,) for one in values)):
        for sort in sorts:
            yield {**{one: values[one] for one in given}, **({"sort": sort} if sort else {})}
    for pair in itertools.combinations(values, 2):
        yield {one: values[one] for one in pair}


def _sorts(filters: type[Paging]) -> list[str]:
    kinds = typing.get_args(filters.model_fields["sort"].annotation)
    return [name for kind in kinds for name in typing.get_args(kind)]


@pytest.fixture
async def seeded(
    database: Callable[[str], Awaitable[str]],
) -> AsyncIterator[tuple[Pool, dict[str, str]]]:
    """A read model of forty thousand orders, and a token of each role."""
    url = await database("tracking")
    await model.fill(url, SIZES)
    tokens = {role.value: token for role, token in (await tokens_of(url)).items()}
    async with pool_of(url, "relais test", 2, any_plan=True) as pool:
        yield pool, tokens


class TestAList:
    """Each, with each filter and order on offer, as each role that may ask."""

    async def test_looks_at_what_it_shows(self, seeded: tuple[Pool, dict[str, str]]) -> None:
        """And refuses what it could not find so."""
        pool, tokens = seeded
        recording = plans.Recording(pool)
        wrong = []
        async with deep.asking(recording) as client:
            for name, roles in ROLES.items():
                for role, params in itertools.product(roles, questions(name)):
                    recording.asked.clear()
                    headers = {"Authorization": f"Bearer {tokens[role]}"}
                    answer = await client.get(f"/api/{name}", params=params, headers=headers)
                    assert answer.status_code in (200, 403, 422), (name, params, answer.text)
                    problems = [await _wrong(pool, one) for one in list(recording.asked)]
                    wrong += [f"{name} {role} {params}: {one}" for one in problems if one]
        assert not wrong, "\n".join(wrong)


async def _wrong(pool: Pool, statement: plans.Statement) -> str | None:
    found = await plans.work(pool, statement)
    walked = [f"{rows} rows of {table}" for table, rows in found.walked if table in LARGE]
    if walked:
        return f"reads {', '.join(walked)} from end to end"
    if found.sorted > MOST_SORTED:
        return f"sorts {found.sorted} rows"
    # Small tables are read as they are.
    rows = found.rows - sum(rows for _, rows in found.walked)
    if "key_0" in statement[0] and rows > MOST_TO_A_PAGE:
        return f"looks at {rows} rows for a page"
    return None


def test_every_filter_has_a_value() -> None:
    """So that one that is added later is tried as well."""
    for name, filters in FILTERS.items():
        fields = {f.alias or n for n, f in filters.model_fields.items()}
        assert fields - {"limit", "cursor", "sort"} == set(VALUES[name]), name
