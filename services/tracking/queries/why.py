"""What the tables know of why a thing is as it is: the thing, and its causes by key."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts import names
from services.runtime.service import Connection, Pool, Row
from services.tracking import history

MOST_HOPS = 10
"""So many events are walked at most."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about; owner is the entity whose it is, where it is one's."""

    kind: str
    id: str
    status: str
    owner: str | None = None
    package_id: str | None = None
    edition: int | None = None
    cause: str | None = None
    caused_by: str | None = None
    caused_at: datetime | None = None
    caused_actor: str | None = None
    notice: str | None = None
    """What a notification tells of."""
    detail: str | None = None
    """What else is known: an error, the message of a refusal."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the history: what happened, or what one cause did to many things."""

    event_id: str
    source: str
    at: datetime
    type: str
    kind: str
    subject: str
    package_id: str | None
    edition: int | None
    actor: str | None
    comment: str | None
    causationid: str | None
    correlationid: str | None
    status: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, as far as it is known: all but its id may be."""

    command_id: str
    type: str | None = None
    subject: str | None = None
    actor: str | None = None
    source: str | None = None
    comment: str | None = None
    at: datetime | None = None
    state: str | None = None
    outcome: str | None = None
    message: str | None = None


@dataclass(slots=True)
class Walk:
    """The causes of a thing, the latest first; asked is the command at the root.

    gap is whether steps between the root and what follows it are not known.
    """

    events: list[Event] = field(default_factory=list)
    asked: Asked | None = None
    gap: bool = False
    is_cut: bool = False


_CAUSE = "cause, caused_by, caused_at, caused_actor"
FIND_SUBJECT = {
    "package": f"""
SELECT package_id AS id, status, package_id, edition, {_CAUSE}
FROM model.packages WHERE package_id = $1""",
    "order": f"""
SELECT order_id AS id, status, entity_id AS owner, package_id, edition, {_CAUSE}
FROM model.orders WHERE order_id = $1""",
    "campaign": f"""
SELECT campaign_id AS id, status, package_id, {_CAUSE},
       (SELECT entity_id FROM model.orders AS o WHERE o.order_id = c.order_id) AS owner
FROM model.campaigns AS c WHERE campaign_id = $1""",
    # No event tells that a process waits: it does from the start, and again since its campaign
    # was reinitialized; what happened to that is the cause.
    "process": """
SELECT k.campaign_id || '/' || k.process_id AS id,
       CASE WHEN r.waits THEN 'pending' ELSE p.status END AS status, p.detail,
       (SELECT entity_id FROM model.orders AS o WHERE o.order_id = c.order_id) AS owner,
       CASE WHEN r.waits THEN c.cause ELSE p.cause END AS cause,
       CASE WHEN r.waits THEN c.caused_by ELSE p.caused_by END AS caused_by,
       CASE WHEN r.waits THEN c.caused_at ELSE p.caused_at END AS caused_at,
       CASE WHEN r.waits THEN c.caused_actor ELSE p.caused_actor END AS caused_actor
FROM (VALUES ($1::text, $2::text)) AS k (campaign_id, process_id)
     LEFT JOIN model.processes AS p USING (campaign_id, process_id)
     LEFT JOIN model.campaigns AS c USING (campaign_id)
     CROSS JOIN LATERAL (
         SELECT p.status IS NULL
                OR coalesce(p.status = 'stopped' AND p.changed_at < c.reinitialized_at, false)
     ) AS r (waits)
WHERE p.status IS NOT NULL OR c.state -> 'process_ids' ? k.process_id""",
    "entity": f"""
SELECT entity_id AS id, CASE WHEN active THEN 'active' ELSE 'inactive' END AS status,
       entity_id AS owner, {_CAUSE}
FROM model.entities WHERE entity_id = $1""",
    "notification": """
SELECT notification_id AS id, status, package_id, edition,
       CASE WHEN recipient_type = 'entity' THEN recipient_id END AS owner,
       cause, caused_by, at AS caused_at, kind AS notice, error AS detail
FROM model.notifications WHERE notification_id = $1""",
    "parked": """
SELECT service || '/' || number AS id, coalesce(how, 'parked') AS status, package_id,
       NULL AS cause, message_id AS caused_by, coalesce(released_at, parked_at) AS caused_at,
       reason AS notice, CASE WHEN how IS NULL THEN error ELSE comment END AS detail
FROM parked WHERE service = $1 AND number = $2""",
}
KINDS = (*FIND_SUBJECT, "command")
PARTS = {"process": 2, "parked": 2}
"""Of how many parts, with `/` between them, the id of a kind consists; else of one."""


async def find_subject(pool: Pool, kind: str, parts: tuple[Any, ...]) -> Subject | None:
    """The thing asked about, if there is one."""
    row = await pool.fetchrow(FIND_SUBJECT[kind], *parts)
    return Subject(kind, **row) if row is not None else None


_EVENT = """event_id, source, at, type, kind, subject, package_id, edition, actor, comment,
       causationid, correlationid, status, count"""
FIND_EVENTS = f"""
SELECT {_EVENT} FROM history WHERE event_id = ANY ($1::text[]) ORDER BY event_id, source
"""


async def find_event(conn: Connection | Pool, event_id: str, *folded: str) -> Event | None:
    """An event by its id, else the first of these ids of fan-outs that there is."""
    wanted = [event_id, *folded]
    rows = [Event(**row) for row in await conn.fetch(FIND_EVENTS, wanted)]
    return min(rows, key=lambda event: wanted.index(event.event_id), default=None)


# After a rebuild rows do not know their causes; the history keeps what set a status.
FIND_LATEST = f"""
SELECT {_EVENT} FROM history
WHERE kind = $1 AND subject = $2 AND type = ANY ($3::text[])
ORDER BY at DESC, version DESC LIMIT 1
"""
FIND_FIRST = f"""
SELECT {_EVENT} FROM history WHERE causationid = $1
ORDER BY kind = 'message', at, version, event_id LIMIT 1
"""


async def find_first_of(conn: Connection | Pool, cause: str) -> Event | None:
    """The first event that a command has caused."""
    return _event(await conn.fetchrow(FIND_FIRST, cause))


def _event(row: Row | None) -> Event | None:
    return Event(**row) if row is not None else None


# One event of a fan-out is found as the row of all of them, by what belongs together.
FIND_PACKED = f"""
SELECT {_EVENT} FROM history
WHERE package_id = $1 AND kind = 'orders' AND correlationid = $2 AND at <= $3
ORDER BY at DESC, event_id LIMIT 1
"""


async def find_packed(pool: Pool, event: Event) -> Event | None:
    """What was done to many orders, and one part of which has caused this event."""
    if event.kind == "orders" or event.package_id is None or event.correlationid is None:
        return None
    place = event.package_id, event.correlationid, event.at
    return _event(await pool.fetchrow(FIND_PACKED, *place))


FIND_COMMAND = """
SELECT command_id, type, subject, actor, source, data ->> 'comment' AS comment,
       created_at AS at, state, outcome, message
FROM commands WHERE command_id = $1
"""


async def find_command(conn: Connection | Pool, command_id: str) -> Asked | None:
    """A command that was sent over HTTP, or that came to nothing."""
    row = await conn.fetchrow(FIND_COMMAND, command_id)
    return Asked(**row) if row is not None else None


_LEADING = {
    ("package", "being_edited"): ("package.created", "package.reinitialized"),
    ("package", "pending_approval"): ("package.submitted",),
    ("order", "ordered"): ("order.placed",),
    ("order", "approved"): ("order.approved", "order.placed"),
    ("campaign", "being_edited"): ("campaign.created", "campaign.reinitialized"),
    ("process", "running"): ("process.started",),
    ("process", "pending"): ("campaign.created", "campaign.reinitialized"),
    ("entity", "active"): ("entity.registered", "entity.activated"),
    ("entity", "inactive"): ("entity.deactivated",),
}
_PACKED = {
    "approved": "orders.placed",
    "available": "orders.available",
    "canceled": "orders.canceled",
}


def types_of(kind: str, status: str) -> list[str]:
    """The types of events that lead to a status."""
    return list(map(names.wire_type, _LEADING.get((kind, status), (f"{kind}.{status}",))))


def folded_ids(subject: Subject) -> list[str]:
    """The ids of the rows in which a fan-out that changed this thing may stand."""
    kinds = types_of(subject.kind, subject.status)
    if subject.kind == "order" and subject.status in _PACKED:
        kinds.append(names.wire_type(_PACKED[subject.status]))
    return [f"{subject.caused_by}/{kind}" for kind in kinds] if subject.caused_by else []


async def walk(pool: Pool, subject: Subject) -> Walk:
    """The causes of a thing to the root, each found by its key."""
    found = Walk()
    event = await _first(pool, subject)
    if event is None:
        # Its own event is not known, yet what caused that may be.
        await _follow(pool, found, subject.caused_by, None)
        return found
    found.events.append(event)
    await _follow(pool, found, event.causationid, event.correlationid)
    return found


async def _first(pool: Pool, subject: Subject) -> Event | None:
    if subject.cause is not None:
        return await find_event(pool, subject.cause, *folded_ids(subject))
    if subject.kind == "parked":
        return None
    wanted = types_of(subject.kind, subject.status)
    return _event(await pool.fetchrow(FIND_LATEST, subject.kind, subject.id, wanted))


async def _follow(pool: Pool, found: Walk, cause: str | None, correlation: str | None) -> None:
    """Walk on from the id that something was caused by, until a command or the end of records."""
    while cause is not None:
        if not history.is_event_id(cause):
            found.asked = await _asked(pool, found, cause)
            return
        if len(found.events) >= MOST_HOPS:
            found.is_cut = True
            return
        event = await find_event(pool, cause)
        if event is None and found.events:
            event = await find_packed(pool, found.events[-1])
        if event is None:
            await _leap(pool, found, correlation)
            return
        found.events.append(event)
        cause, correlation = event.causationid, event.correlationid


async def _leap(pool: Pool, found: Walk, correlation: str | None) -> None:
    """Go on at the root: what belongs together bears the id of the command that began it.

    An event that was one of a fan-out has no row of its own, and nothing leads on from its id.
    """
    found.gap = True
    if correlation is None or history.is_event_id(correlation):
        return
    root = await find_first_of(pool, correlation)
    if root is None:
        return
    if root not in found.events:
        found.events.append(root)
    found.asked = await _asked(pool, found, correlation)


async def _asked(pool: Pool, found: Walk, command_id: str) -> Asked:
    known = await find_command(pool, command_id)
    if known is not None:
        return known
    first = found.events[-1] if found.events else await find_first_of(pool, command_id)
    if first is None:
        return Asked(command_id)
    return Asked(command_id, actor=first.actor, at=first.at)
