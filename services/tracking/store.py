"""The tables that the reader writes: rows of a model by key, and all that is beside the model."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.message import to_json
from contracts.operations import SnapshotCompleted, WorkerSeen
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, MessageReleased
from contracts.packages import PackageEdition, PackageEvent
from services.runtime.service import Conflict, Connection
from services.tracking import history, rows
from services.tracking.history import Line
from services.tracking.rows import Count, Row

MODEL, NEXT = "model", "next"
"""The schema that is read, and the one that a rebuild fills."""

Columns = tuple[str, ...]
_CAUSE: Columns = tuple(rows.CAUSE)


@dataclass(frozen=True)
class Table:
    """One table of the model; terms are columns that are written only where they are newer."""

    name: str
    key: Columns
    columns: Columns
    counts: Callable[[dict[str, Any]], tuple[Count, ...]]
    terms: Columns = ()

    @property
    def lock(self) -> str:
        """Lock rows in the order of their keys."""
        names, key = ", ".join(self.key + self.columns), ", ".join(self.key)
        wanted = ", ".join(f"${n}::text[]" for n in range(1, len(self.key) + 1))
        return (
            f"SELECT {names} FROM unnest({wanted}) AS k ({key}) "
            f"JOIN model.{self.name} AS t USING ({key}) ORDER BY {key} FOR UPDATE OF t"
        )

    def save(self, *, terms: bool) -> str:
        """Store rows in their last state; $2 is whether they were there, and so are locked."""
        columns = self.columns + (self.terms if terms else ())
        names, key = ", ".join(self.key + columns), ", ".join(self.key)
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
        return (
            f"INSERT INTO model.{self.name} AS t ({names}) SELECT {names} "
            f"FROM json_populate_recordset(NULL::model.{self.name}, $1::text::json) ORDER BY {key} "
            f"ON CONFLICT ({key}) DO UPDATE SET {changes} WHERE $2"
        )


def _columns(text: str) -> Columns:
    return tuple(text.split())


PACKAGES = Table(
    "packages",
    ("package_id",),
    _columns("""label distribution_level campaign_id folder assigned_to status edition version
        starts_at ends_at created_at changed_at changed_by late_from closed_from audience_digest
        state""")
    + _CAUSE,
    rows.package_counts,
)
ORDERS = Table(
    "orders",
    ("order_id",),
    _columns("""package_id edition entity_id status status_version changed_at changed_by late_from
        placed_at approved_at available_at canceled_at terms_version""")
    + _CAUSE,
    rows.order_counts,
    _columns("label comment parameters documents campaign_id approval_deadline"),
)
CAMPAIGNS = Table(
    "campaigns",
    ("campaign_id",),
    _columns("""label kind distribution_level program status version package_id order_id parent_id
        changed_at changed_by state canceled_version canceled_by reinitialized_at""")
    + _CAUSE,
    rows.campaign_counts,
)
PROCESSES = Table(
    "processes",
    ("campaign_id", "process_id"),
    _columns("kind label channel status version detail changed_at") + _CAUSE,
    rows.uncounted,
)
ENTITIES = Table(
    "entities",
    ("entity_id",),
    _columns("label active mailbox channels version changed_at state") + _CAUSE,
    rows.entity_counts,
)
NOTIFICATIONS = Table(
    "notifications",
    ("notification_id",),
    _columns("""kind recipient_type recipient_id channel package_id edition order_id status
        attempts error at cause caused_by"""),
    rows.notification_counts,
)
TABLES = (PACKAGES, ORDERS, CAMPAIGNS, PROCESSES, ENTITIES, NOTIFICATIONS)
"""In the order in which they are locked."""


@dataclass(slots=True)
class Model:
    """The rows of one schema that a batch is about; terms are the states of changed packages."""

    schema: str
    rows: dict[str, dict[Any, Row]]
    stored: dict[str, frozenset[Any]]
    terms: dict[str, PackageEvent] = field(default_factory=dict)


# A switch to another model waits for the batches that write to this one, and they for the switch.
SHARE = "SELECT pg_advisory_xact_lock_shared(hashtext('relais.model'))"
FIND_REBUILD = "SELECT request_id FROM rebuilds WHERE state IN ('filling', 'copying', 'comparing')"


async def find_rebuild(conn: Connection) -> str | None:
    """The rebuild under way; none begins or ends before this transaction does."""
    await conn.execute(SHARE)
    found: str | None = await conn.fetchval(FIND_REBUILD)
    return found


def _in(schema: str, statement: str) -> str:
    return statement if schema == MODEL else statement.replace("model.", f"{schema}.")


async def lock(conn: Connection, schema: str, named: Mapping[Table, Collection[Any]]) -> Model:
    """Lock the rows of these keys, table by table."""
    model = Model(schema, {t.name: {} for t in TABLES}, {t.name: frozenset() for t in TABLES})
    for table in TABLES:
        if table not in named:
            continue
        single = len(table.key) == 1
        keys = [(key,) if single else key for key in named[table]]
        found = await conn.fetch(_in(schema, table.lock), *map(list, zip(*keys, strict=True)))
        for record in found:
            columns = dict(record)
            key = tuple(columns[name] for name in table.key)
            row = Row(columns, table.counts(columns))
            model.rows[table.name][key[0] if single else key] = row
        model.stored[table.name] = frozenset(model.rows[table.name])
    return model


async def save(conn: Connection, model: Model) -> None:
    """Store each changed row once, and what it adds to the counts."""
    counts: Counter[Count] = Counter()
    for table in TABLES:
        changed = {key: row for key, row in model.rows[table.name].items() if row.changed}
        await _save(conn, model, table, changed)
        for row in changed.values():
            for count, n in rows.deltas(row.counted, table.counts(row.columns)):
                counts[count] += n
    await _save_terms(conn, model)
    await save_counts(conn, model.schema, counts)


async def _save(conn: Connection, model: Model, table: Table, changed: Mapping[Any, Row]) -> None:
    stored = model.stored[table.name]
    kinds: defaultdict[tuple[bool, bool], list[dict[str, Any]]] = defaultdict(list)
    for key, row in changed.items():
        kinds[key in stored, row.terms or not table.terms].append(row.columns)
    for (is_stored, terms), found in kinds.items():
        statement = _in(model.schema, table.save(terms=terms))
        status = await conn.execute(statement, to_json(found).decode(), is_stored)
        if int(status.rpartition(" ")[2]) != len(found):
            raise Conflict(f"another worker made one of these {table.name} first")


CLEAR_AUDIENCES = "DELETE FROM model.audiences WHERE package_id = ANY ($1::text[])"
ADD_AUDIENCES = """
INSERT INTO model.audiences (package_id, entity_id)
SELECT package_id, entity_id FROM unnest($1::text[], $2::text[]) AS m (package_id, entity_id)
ORDER BY package_id, entity_id
"""
CLEAR_DUE = "DELETE FROM model.due WHERE package_id = ANY ($1::text[])"
ADD_DUE = """
INSERT INTO model.due (package_id, kind, at)
SELECT package_id, kind, at FROM unnest($1::text[], $2::text[], $3::timestamptz[])
    AS m (package_id, kind, at) ORDER BY package_id, kind
"""


async def _save_terms(conn: Connection, model: Model) -> None:
    """What tables beside that of packages hold of their states: audiences, what is due."""
    if not model.terms:
        return
    ids = sorted(model.terms)
    due = [(id, kind, at) for id in ids for kind, at in rows.due(model.terms[id]).items()]
    await conn.execute(_in(model.schema, CLEAR_DUE), ids)
    if due:
        await conn.execute(_in(model.schema, ADD_DUE), *map(list, zip(*due, strict=True)))
    moved = [id for id in ids if model.rows["packages"][id].audience_moved]
    if moved:
        await conn.execute(_in(model.schema, CLEAR_AUDIENCES), moved)
    pairs = [(id, entity) for id in moved for entity in model.terms[id].audience or ()]
    if pairs:
        await conn.execute(_in(model.schema, ADD_AUDIENCES), *map(list, zip(*pairs, strict=True)))


# Sessions differ in their shards, unless there are more of them than shards.
ADD_COUNTS = """
INSERT INTO model.counts AS c (list, scope, status, shard, n)
SELECT list, scope, status,
       CASE WHEN scope LIKE 'package:%' THEN 0
            WHEN scope = '' THEN pg_backend_pid() % 16 ELSE pg_backend_pid() % 4 END, n
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS m (list, scope, status, n)
ORDER BY list, scope, status
ON CONFLICT (list, scope, status, shard) DO UPDATE SET n = c.n + excluded.n
"""


async def save_counts(conn: Connection, schema: str, changes: Mapping[Count, int]) -> None:
    """Add to the counts what a transaction changed."""
    moved = [(*count, n) for count, n in changes.items() if n]
    if moved:
        await conn.execute(_in(schema, ADD_COUNTS), *map(list, zip(*moved, strict=True)))


_LINE = tuple(Line.__slots__)
ADD_LINES = f"""
INSERT INTO history AS h ({", ".join(_LINE)})
SELECT {", ".join(_LINE)} FROM json_populate_recordset(NULL::history, $1::text::json)
ORDER BY event_id, source
ON CONFLICT (event_id, source) DO UPDATE
SET count = h.count + excluded.count, at = least(h.at, excluded.at)
WHERE h.event_id LIKE '%/%'
"""


async def save_lines(conn: Connection, lines: Iterable[Line]) -> None:
    """Add what happened; what is there already stays, and parts of one fan-out are one row."""
    found = [{name: getattr(line, name) for name in _LINE} for line in lines]
    if found:
        await conn.execute(ADD_LINES, to_json(found).decode())


_RISING = _columns("""canceled_at stalled_at completed_at changed_at orders_done orders_expected
    campaigns_done campaigns_expected notifications_done notifications_expected""")
_ONCE = _columns("""canceled_by comment cause orders_report campaigns_report notifications_report
    waiting_for seconds""")
_LEDGER = ("package_id", "edition", *_RISING, *_ONCE)
SAVE_LEDGERS = f"""
INSERT INTO cancellations AS c ({", ".join(_LEDGER)})
SELECT {", ".join(_LEDGER)} FROM json_populate_recordset(NULL::cancellations, $1::text::json)
ORDER BY package_id, edition
ON CONFLICT (package_id, edition) DO UPDATE SET
    {", ".join(f"{n} = greatest(c.{n}, excluded.{n})" for n in _RISING)},
    {", ".join(f"{n} = coalesce(c.{n}, excluded.{n})" for n in _ONCE)}
"""


async def save_ledgers(
    conn: Connection, ledgers: Mapping[PackageEdition, Mapping[str, Any]]
) -> None:
    """Add to the ledgers of cancels what is new."""
    found = [
        {"package_id": package_id, "edition": edition, **part}
        for (package_id, edition), part in ledgers.items()
    ]
    if found:
        await conn.execute(SAVE_LEDGERS, to_json(found).decode())


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a command; about and type are given where its event tells them."""

    command_id: str
    outcome: str
    at: datetime
    about: str | None = None
    type: str | None = None
    event: CommandRefused | CommandUnchanged | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of its row."""
        refused = self.event if isinstance(self.event, CommandRefused) else None
        return {
            "command_id": self.command_id,
            "type": self.type,
            "subject": self.about,
            "outcome": self.outcome,
            "decided_at": self.at,
            "code": refused.code if refused else None,
            "message": self.event.message if self.event else None,
            "errors": refused.errors if refused else None,
        }


# A command of somebody else is kept only where it came to nothing: else its events tell of it.
# The answer to its sender is final, the event of the same says the same.
SAVE_DECIDED = """
WITH decided AS (
    SELECT * FROM json_populate_recordset(NULL::commands, $1::text::json)
), ours AS (
    UPDATE commands AS c
    SET state = 'decided', outcome = coalesce(c.outcome, d.outcome),
        decided_at = coalesce(c.decided_at, d.decided_at), code = coalesce(c.code, d.code),
        message = coalesce(c.message, d.message), errors = coalesce(c.errors, d.errors),
        visible_at = coalesce(c.visible_at, $2)
    FROM decided AS d WHERE c.command_id = d.command_id RETURNING c.command_id
)
INSERT INTO commands (command_id, type, subject, state, created_at, decided_at, outcome, code,
                      message, errors, visible_at)
SELECT command_id, type, subject, 'decided', decided_at, decided_at, outcome, code, message,
       errors, $2
FROM decided AS d
WHERE type IS NOT NULL AND NOT EXISTS (SELECT FROM ours AS o WHERE o.command_id = d.command_id)
ORDER BY command_id
ON CONFLICT DO NOTHING
"""


async def save_decided(conn: Connection, decided: Iterable[Decided], now: datetime) -> None:
    """Note what became of commands."""
    found = [one.columns for one in decided]
    if found:
        await conn.execute(SAVE_DECIDED, to_json(found).decode(), now)


# A number is given once: what is released is never parked again, whatever comes late.
SAVE_PARKED = """
INSERT INTO parked AS p (service, number, reason, message_id, type, package_id, error, error_kind,
                         attempts, parked_at, body, body_bytes)
SELECT service, number, reason, message_id, type, package_id, error, error_kind, attempts,
       parked_at, body, body_bytes
FROM json_populate_recordset(NULL::parked, $1::text::json) ORDER BY service, number
ON CONFLICT (service, number) DO UPDATE SET
    reason = excluded.reason, message_id = excluded.message_id, type = excluded.type,
    package_id = excluded.package_id, error = excluded.error, error_kind = excluded.error_kind,
    attempts = excluded.attempts, parked_at = excluded.parked_at, body = excluded.body,
    body_bytes = excluded.body_bytes
WHERE excluded.attempts > p.attempts
"""
SAVE_RELEASED = """
INSERT INTO parked AS p (service, number, released_at, how, comment)
SELECT service, number, released_at, how, comment
FROM json_populate_recordset(NULL::parked, $1::text::json) ORDER BY service, number
ON CONFLICT (service, number) DO UPDATE SET
    released_at = excluded.released_at, how = excluded.how, comment = excluded.comment
WHERE p.released_at IS NULL
"""


async def save_parked(
    conn: Connection,
    parked: Sequence[MessageParked],
    released: Sequence[tuple[MessageReleased, datetime]],
) -> None:
    """Note which messages services keep, and which they keep no more."""
    latest = {(e.service, e.number): e for e in sorted(parked, key=lambda e: e.attempts)}
    found = [
        {**event.__dict__, "error_kind": history.error_kind(event.error)}
        for event in latest.values()
    ]
    if found:
        await conn.execute(SAVE_PARKED, to_json(found).decode())
    gone = {(e.service, e.number): {**e.__dict__, "released_at": at} for e, at in released}
    if gone:
        await conn.execute(SAVE_RELEASED, to_json(list(gone.values())).decode())


SAVE_WORKERS = """
INSERT INTO workers AS w (service, instance, seen_at, state)
SELECT service, instance, seen_at, state
FROM json_populate_recordset(NULL::workers, $1::text::json) ORDER BY service, instance
ON CONFLICT (service, instance) DO UPDATE
SET seen_at = excluded.seen_at, state = excluded.state, handled_at = excluded.handled_at
WHERE excluded.seen_at > w.seen_at
"""


async def save_workers(conn: Connection, workers: Sequence[tuple[WorkerSeen, datetime]]) -> None:
    """Note how workers are."""
    latest = {(e.service, e.instance): (e, at) for e, at in sorted(workers, key=lambda w: w[1])}
    found = [
        {"service": e.service, "instance": e.instance, "seen_at": at, "state": e.__dict__}
        for e, at in latest.values()
    ]
    if found:
        await conn.execute(SAVE_WORKERS, to_json(found).decode())


SAVE_SNAPSHOTS = """
INSERT INTO snapshots AS s (request_id, service, thing, shard, n)
SELECT $1, service, thing, pg_backend_pid() % 16, n
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS m (service, thing, n)
ORDER BY service, thing
ON CONFLICT (request_id, service, thing, shard) DO UPDATE SET n = s.n + excluded.n
"""


async def save_snapshots(
    conn: Connection, request_id: str, counts: Mapping[tuple[str, str], int]
) -> None:
    """Count the snapshots of a rebuild that have come, by source and type."""
    found = [
        (source.rpartition("/")[2], type_.split(".")[1], n) for (source, type_), n in counts.items()
    ]
    if found:
        await conn.execute(SAVE_SNAPSHOTS, request_id, *map(list, zip(*found, strict=True)))


SAVE_COMPLETED = """
INSERT INTO snapshots_completed (request_id, service, counts)
SELECT request_id, service, counts
FROM json_populate_recordset(NULL::snapshots_completed, $1::text::json)
ORDER BY request_id, service
ON CONFLICT DO NOTHING
"""


async def save_completed(conn: Connection, completed: Sequence[SnapshotCompleted]) -> None:
    """Note which services have emitted all of a snapshot."""
    if completed:
        await conn.execute(SAVE_COMPLETED, to_json([e.__dict__ for e in completed]).decode())
