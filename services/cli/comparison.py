"""Compares the read model with the services' own tables: every thing, state by state, by id.

Each service reads its state as it does for a snapshot; a row of the model must be what that state
would make of it, and there must be no other rows.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.campaigns import CampaignEvent, ProcessEvent
from contracts.directory import EntityEvent
from contracts.fields import EARLIEST
from contracts.message import Event, to_json
from contracts.notifications import NotificationEvent
from contracts.orders import OrderEvent
from contracts.packages import PackageEvent
from services.runtime.postgres.database import Connection, Pool
from services.runtime.service import Service, Snapshot
from services.tracking import checking, domain, store
from services.tracking.domain import Origin, Row
from services.tracking.store import Table

CHUNK = 1_000
LISTED = 1_000
"""Differences that are listed; all are counted."""


@dataclass(slots=True)
class Comparison:
    """How many of each thing were compared, and where the model differs: by thing and id."""

    compared: dict[str, int] = field(default_factory=dict)
    differences: int = 0
    listed: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the model is what the services have."""
        return not self.differences

    def add(self, text: str) -> None:
        """Note a difference."""
        self.differences += 1
        if len(self.listed) < LISTED:
            self.listed.append(text)


async def compare(
    services: Mapping[str, Service], pools: Mapping[str, Pool], tracking: Pool
) -> Comparison:
    """The comparison, right now: on an installation at rest nothing may differ."""
    found = Comparison()
    seen: dict[str, int] = {}
    for name, service in services.items():
        for snapshot in service.snapshots:
            async for events in _pages(pools[name], snapshot):
                await _compare_page(found, tracking, events, seen)
    async with tracking.acquire() as conn:
        await _compare_numbers(found, conn, seen)
        for one in await checking.compare(conn):
            found.add(f"count: {one}")
    return found


async def _pages(pool: Pool, snapshot: Snapshot) -> AsyncIterator[Sequence[Event]]:
    """The present state of one kind of thing, in pages."""
    cursor: Any = None
    async with pool.acquire() as conn:
        while True:
            page = await snapshot.read(conn, cursor, CHUNK)
            if page.events:
                yield page.events
            if len(page.events) < CHUNK:
                return
            cursor = page.cursor


async def _compare_page(
    found: Comparison, tracking: Pool, events: Sequence[Event], seen: dict[str, int]
) -> None:
    wanted = {key: event for event in events for table, key in [_place(event)]}
    table, _ = _place(events[0])
    async with tracking.acquire() as conn:
        met = await _rows(conn, table, wanted)
        audiences = await _audiences(conn, wanted) if table is store.PACKAGES else {}
        revived = await _reinitialized(conn, wanted) if table is store.PROCESSES else {}
    found.compared[table.name] = found.compared.get(table.name, 0) + len(wanted)
    for key, event in wanted.items():
        row = met.get(key)
        id = "/".join(key)
        if row is None:
            if not _is_untold(event):
                found.add(f"{table.name} {id}: not in the model; it is {_status(event)}")
            continue
        seen[table.name] = seen.get(table.name, 0) + 1
        if isinstance(event, ProcessEvent):
            _revive(row, revived.get(event.campaign_id))
        differing = _differing(table, event, row)
        if isinstance(event, PackageEvent):
            audience = sorted(event.audience or ())
            if audiences.get(event.package_id, []) != audience:
                differing.append("audience")
        if differing:
            found.add(f"{table.name} {id}: {', '.join(differing)}")


def _place(event: Event) -> tuple[Table, tuple[str, ...]]:
    """The table and the key of the row that an event is about."""
    match event:
        case PackageEvent():
            return store.PACKAGES, (event.package_id,)
        case OrderEvent():
            return store.ORDERS, (event.order_id,)
        case CampaignEvent():
            return store.CAMPAIGNS, (event.campaign_id,)
        case ProcessEvent():
            return store.PROCESSES, (event.campaign_id, event.process_id)
        case EntityEvent():
            return store.ENTITIES, (event.entity_id,)
        case NotificationEvent():
            return store.NOTIFICATIONS, (event.notification_id,)
        case _:
            raise AssertionError(f"{event.TYPE} is the state of nothing in the model")


def _is_untold(event: Event) -> bool:
    """Whether no event has told of it yet: what has not begun is told by a snapshot only."""
    return isinstance(event, ProcessEvent | NotificationEvent) and event.status == "pending"


def _status(event: Event) -> str:
    return str(getattr(event, "status", "active" if getattr(event, "active", None) else "inactive"))


def _made(event: Event) -> Row:
    """The row that this state would make."""
    origin = Origin("", None, getattr(event, "changed_at", EARLIEST), None)
    match event:
        case PackageEvent():
            return domain.package(None, event, origin)
        case OrderEvent():
            return domain.order(None, event, origin)
        case CampaignEvent():
            return domain.campaign(None, event, origin)
        case ProcessEvent():
            return domain.process(None, event, origin)
        case EntityEvent():
            return domain.entity(None, event, origin)
        case NotificationEvent():
            return domain.notification(None, event, origin)
        case _:
            raise AssertionError(event)


_OWN = {*domain.CAUSE, "canceled_version", "canceled_by", "reinitialized_at"}
"""What only the model knows."""
_LATER = {"label", "comment", "parameters", "documents", "campaign_id", "approval_deadline"}


def _differing(table: Table, event: Event, row: Mapping[str, Any]) -> list[str]:
    """The columns that are not what this state says, each with both values."""
    wanted = _made(event).columns
    ignored = set(_OWN)
    if table is store.ORDERS:
        # A packed event moves the status only: of an order that only such told of, or told of
        # last, the rest comes with its next own event.
        ignored.add("terms_version")
        if not row["terms_version"]:
            ignored |= {*_LATER, "placed_at", "approved_at", "available_at"}
        elif row["terms_version"] < row["status_version"]:
            ignored.add("campaign_id")
    if table is store.NOTIFICATIONS:
        ignored |= {"cause", "caused_by"} | (
            {"at"} if not getattr(event, "sent_at", None) else set()
        )
    found = []
    for name in (*table.columns, *table.terms):
        if name in ignored or name not in wanted:
            continue
        want, met = _plain(wanted[name]), _plain(row[name])
        if want != met:
            found.append(f"{name} is {_short(met)} and should be {_short(want)}")
    return found


def _plain(value: Any) -> bytes:
    """A value as JSON, so that what was written and what was read compare."""
    return orjson.dumps(orjson.loads(to_json(value)), option=orjson.OPT_SORT_KEYS)


def _short(text: bytes) -> str:
    return text.decode()[:80]


def _revive(row: dict[str, Any], reinitialized_at: Any) -> None:
    """No event tells that a stopped process waits again: its campaign says when it came back."""
    if reinitialized_at and row["status"] == "stopped" and row["changed_at"] < reinitialized_at:
        row["status"] = "pending"
        row["version"] += 1
        row["changed_at"] = reinitialized_at
        row["detail"] = None


async def _rows(
    conn: Connection, table: Table, keys: Iterable[tuple[str, ...]]
) -> dict[tuple[str, ...], dict[str, Any]]:
    columns = zip(*keys, strict=True)
    wanted = ", ".join(f"${n}::text[]" for n in range(1, len(table.key) + 1))
    key = ", ".join(table.key)
    statement = (
        f"SELECT t.* FROM unnest({wanted}) AS k ({key}) JOIN model.{table.name} AS t USING ({key})"
    )
    found = await conn.fetch(statement, *map(list, columns))
    return {tuple(row[name] for name in table.key): dict(row) for row in found}


AUDIENCES = """
SELECT package_id, array_agg(entity_id ORDER BY entity_id) AS entities FROM model.audiences
WHERE package_id = ANY ($1::text[]) GROUP BY package_id
"""


async def _audiences(conn: Connection, keys: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    found = await conn.fetch(AUDIENCES, [key[0] for key in keys])
    return {row["package_id"]: row["entities"] for row in found}


REINITIALIZED = """
SELECT campaign_id, reinitialized_at FROM model.campaigns
WHERE campaign_id = ANY ($1::text[]) AND reinitialized_at IS NOT NULL
"""


async def _reinitialized(conn: Connection, keys: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    found = await conn.fetch(REINITIALIZED, [key[0] for key in keys])
    return {row["campaign_id"]: row["reinitialized_at"] for row in found}


async def _compare_numbers(found: Comparison, conn: Connection, seen: Mapping[str, int]) -> None:
    """Note rows that no service knows."""
    for table in store.TABLES:
        n = await conn.fetchval(f"SELECT count(*) FROM model.{table.name}")
        if n != seen.get(table.name, 0):
            found.add(
                f"{table.name}: {n - seen.get(table.name, 0):,} rows of which no service knows"
            )
