"""What will happen by itself, and what people have planned."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.fields import Id
from services.runtime.service import Pool
from services.tracking.queries import counts
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Yes, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort
from services.tracking.queries.packages import offered_to

_KEYS = (("t.at", INSTANT), ("t.package_id", TEXT), ("t.kind", TEXT))
SORTS = {"soonest": Sort(_KEYS), "latest": Sort(_KEYS, descending=True)}
Kind = Literal[
    "approval_deadline",
    "publication",
    "availability",
    "registration_deadline",
    "personalization_deadline",
    "end",
]
KINDS: tuple[Kind, ...] = (
    "approval_deadline",
    "publication",
    "availability",
    "registration_deadline",
    "personalization_deadline",
    "end",
)
COLUMNS = "t.at, t.kind, t.package_id"
SOURCE = "model.due AS t"
AROUND = "JOIN model.packages AS p ON p.package_id = page.package_id"
MORE = "p.label AS package_label, p.status, p.edition, p.campaign_id"
OVERDUE = "t.at < now() AND t.kind = 'publication'"


class Filters(Dated):
    """What will happen, and in which order."""

    kind: Kind | None = None
    package: Id | None = None
    overdue: Annotated[
        Yes | None, Field(description="What should have happened by itself and has not.")
    ] = None
    sort: Literal["soonest", "latest"] | None = None


async def scan(pool: Pool, filters: Filters, entity: str | None) -> Scan:
    """The rows of the list; what is past is there only with overdue or from."""
    made = _common(filters, entity)
    made.equal("t.kind", filters.kind)
    if filters.overdue:
        made.conditions.append(OVERDUE)
    elif filters.since is None:
        made.conditions.append("t.at >= now()")
    return made


def _common(filters: Filters, entity: str | None) -> Scan:
    sort = SORTS[chosen(filters.sort, tuple(SORTS), "where the schedule is asked for")]
    made = Scan(COLUMNS, SOURCE, sort, AROUND, MORE)
    made.dated(filters.since, filters.until)
    made.equal("t.package_id", filters.package)
    if entity is not None:
        offers = Scan("", "", sort, arguments=made.arguments)
        offered_to(offers, entity)
        made.conditions.append(
            "EXISTS (SELECT FROM model.packages AS o WHERE o.package_id = t.package_id AND "
            f"{offers.conditions[0].replace('t.', 'o.')})"
        )
    return made


async def tabs(pool: Pool, filters: Filters, entity: str | None) -> Counts:
    """How much is to come by kind, and what is overdue."""
    every = _common(filters, entity)
    if filters.since is None:
        every.conditions.append("t.at >= now()")
    most = counts.MOST if entity is None else counts.FOUND
    found = counts.filled(await counts.by_value(pool, every, "t.kind", most), KINDS)
    late = _common(filters.model_copy(update={"since": None, "until": None}), entity)
    late.conditions.append(OVERDUE)
    return {**found, "overdue": await counts.up_to(pool, late)}


PLANNED = """
SELECT command_id, type, subject, actor, due_at FROM commands
WHERE state IN ('planned', 'sending') AND due_at IS NOT NULL
ORDER BY due_at, command_id LIMIT 200
"""
