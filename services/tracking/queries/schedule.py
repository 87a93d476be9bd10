"""What will happen by itself, and what people have planned."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from contracts.fields import Id
from services.runtime.service import Pool
from services.tracking.queries import counts
from services.tracking.queries.counts import Counts
from services.tracking.queries.filters import Dated, Yes, chosen
from services.tracking.queries.keyset import INSTANT, TEXT, Scan, Sort
from services.tracking.queries.packages import offered_to

_KEYS = (("t.at", INSTANT), ("t.id", TEXT), ("t.kind", TEXT))
SORTS = {"soonest": Sort(_KEYS), "latest": Sort(_KEYS, descending=True)}
Kind = Literal[
    "approval_deadline",
    "publication",
    "availability",
    "registration_deadline",
    "personalization_deadline",
    "end",
    "command",
]
KINDS: tuple[Kind, ...] = (
    "approval_deadline",
    "publication",
    "availability",
    "registration_deadline",
    "personalization_deadline",
    "end",
    "command",
)
COLUMNS = "t.at, t.kind, t.package_id, t.command_id, t.command_type, t.subject, t.sender"
DUE = """SELECT at, package_id AS id, kind, package_id, NULL::text AS command_id,
       NULL::text AS command_type, NULL::text AS subject, NULL::text AS sender
FROM model.due"""
# Planned commands, and those that RabbitMQ has not taken yet.
PLANNED = """SELECT due_at AS at, command_id AS id, 'command' AS kind,
       CASE WHEN type ~ '^relais[.](package|order)[.]' THEN key END AS package_id,
       command_id, type AS command_type, subject, sender
FROM commands
WHERE state IN ('planned', 'sending') AND (state = 'planned' OR taken_until <= now())"""
AROUND = "LEFT JOIN model.packages AS p ON p.package_id = page.package_id"
MORE = "p.label AS package_label, p.status, p.edition, p.campaign_id"
OVERDUE = "t.at < now() AND t.kind IN ('publication', 'command')"


class Filters(Dated):
    """What will happen, and in which order."""

    kind: Kind | None = None
    package: Id | None = None
    overdue: Annotated[
        Yes | None, Field(description="What should have happened by itself and has not.")
    ] = None
    sort: Literal["soonest", "latest"] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What of it is shown: what is offered to an entity, and the commands of a sender; or all."""

    entity: str | None = None
    sender: str | None = None
    commands: bool = True


async def scan(pool: Pool, filters: Filters, seen: Seen) -> Scan:
    """The rows of the list; what is past is there only with overdue or from."""
    made = _common(filters, seen)
    if filters.kind is not None:
        made.source = f"({PLANNED if filters.kind == 'command' else DUE}) AS t"
    made.equal("t.kind", filters.kind)
    if filters.overdue:
        made.conditions.append(OVERDUE)
    elif filters.since is None:
        made.conditions.append("t.at >= now()")
    return made


def _common(filters: Filters, seen: Seen) -> Scan:
    sort = SORTS[chosen(filters.sort, tuple(SORTS), "where the schedule is asked for")]
    made = Scan(COLUMNS, f"({DUE} UNION ALL {PLANNED}) AS t", sort, AROUND, MORE)
    made.dated(filters.since, filters.until)
    made.equal("t.package_id", filters.package)
    if not seen.commands:
        made.conditions.append("t.kind <> 'command'")
    elif seen.sender is not None:
        made.conditions.append(f"(t.kind <> 'command' OR t.sender = {made.bind(seen.sender)})")
    if seen.entity is not None:
        offers = Scan("", "", sort, arguments=made.arguments)
        offered_to(offers, seen.entity)
        made.conditions.append(
            "(t.kind = 'command' OR EXISTS ("
            "SELECT FROM model.packages AS o WHERE o.package_id = t.package_id AND "
            f"{offers.conditions[0].replace('t.', 'o.')}))"
        )
    return made


async def tabs(pool: Pool, filters: Filters, seen: Seen) -> Counts:
    """How much is to come by kind, and what is overdue."""
    every = _common(filters, seen)
    if filters.since is None:
        every.conditions.append("t.at >= now()")
    most = counts.MOST if seen.entity is None else counts.FOUND
    found = counts.filled(await counts.by_value(pool, every, "t.kind", most), KINDS)
    late = _common(filters.model_copy(update={"since": None, "until": None}), seen)
    late.conditions.append(OVERDUE)
    return {**found, "overdue": await counts.up_to(pool, late)}
