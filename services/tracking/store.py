"""The tables of the model, by key: rows in their last state, and the counts of them.

What is beside the model, and stays when it is made again, is in journal.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from contracts.message import to_json
from contracts.packages import PackageEvent
from services.runtime.service import Conflict, Connection
from services.tracking import counts, domain, packed
from services.tracking.counts import Count
from services.tracking.domain import Row
from services.tracking.packed import Pack
from services.tracking.schemas import MODEL, NEXT, within

__all__ = ["MODEL", "NEXT"]

Columns = tuple[str, ...]
_CAUSE: Columns = tuple(domain.CAUSE)


@dataclass(frozen=True, eq=False)
class Table:
    """One table of the model; terms are columns that are never loaded, only written where newer."""

    name: str
    key: Columns
    columns: Columns
    counts: Callable[[dict[str, Any]], tuple[Count, ...]]
    terms: Columns = ()

    @cached_property
    def lock(self) -> str:
        """Lock rows in the order of their keys, which come as lines: ids have no line end."""
        names, key = ", ".join(self.key + self.columns), ", ".join(self.key)
        wanted = ", ".join(
            f"string_to_array(${n}::text, E'\\n')" for n in range(1, len(self.key) + 1)
        )
        order = ", ".join(f"t.{name}" for name in self.key)
        return (
            f"SELECT {names} FROM unnest({wanted}) AS k ({key}) "
            f"JOIN model.{self.name} AS t USING ({key}) ORDER BY {order} FOR UPDATE OF t"
        )

    @cached_property
    def insert(self) -> str:
        """Store rows that were not there: fewer than given where another worker was first."""
        key = ", ".join(self.key)
        names = ", ".join(self.key + self.columns + self.terms)
        return (
            f"INSERT INTO model.{self.name} ({names}) SELECT {names} FROM {self._rows} "
            f"ORDER BY {key} ON CONFLICT ({key}) DO NOTHING"
        )

    @cached_property
    def update(self) -> str:
        """Store rows that are locked, in their last state."""
        return self._update(self.columns)

    @cached_property
    def update_all(self) -> str:
        """The same with their terms."""
        return self._update(self.columns + self.terms)

    def _update(self, columns: Columns) -> str:
        changes = ", ".join(f"{name} = m.{name}" for name in columns)
        same = " AND ".join(f"t.{name} = m.{name}" for name in self.key)
        return f"UPDATE model.{self.name} AS t SET {changes} FROM {self._rows} WHERE {same}"

    @property
    def _rows(self) -> str:
        return f"json_populate_recordset(NULL::model.{self.name}, (SELECT $1::text::json)) AS m"

    @property
    def statements(self) -> dict[str, str]:
        """All that is ever asked of it, by name."""
        return {
            "lock": self.lock,
            "insert": self.insert,
            "update": self.update,
            "update_all": self.update_all,
        }


def _columns(text: str) -> Columns:
    return tuple(text.split())


PACKAGES = Table(
    "packages",
    ("package_id",),
    _columns("""label distribution_level campaign_id folder assigned_to status edition version
        starts_at ends_at created_at changed_at changed_by late_from closed_from
        audience_digest""")
    + _CAUSE,
    counts.package_counts,
    ("state",),
)
ORDERS = Table(
    "orders",
    ("order_id",),
    _columns("""package_id edition entity_id status status_version changed_at changed_by late_from
        placed_at approved_at available_at canceled_at terms_version""")
    + _CAUSE,
    counts.order_counts,
    _columns("label comment parameters documents campaign_id approval_deadline"),
)
CAMPAIGNS = Table(
    "campaigns",
    ("campaign_id",),
    _columns("""label kind distribution_level program status version package_id order_id parent_id
        changed_at changed_by canceled_version canceled_by reinitialized_at""")
    + _CAUSE,
    counts.campaign_counts,
    ("state",),
)
PROCESSES = Table(
    "processes",
    ("campaign_id", "process_id"),
    _columns("kind label channel status version detail changed_at") + _CAUSE,
    counts.uncounted,
)
ENTITIES = Table(
    "entities",
    ("entity_id",),
    _columns("label active mailbox channels version changed_at") + _CAUSE,
    counts.entity_counts,
    ("state",),
)
NOTIFICATIONS = Table(
    "notifications",
    ("notification_id",),
    _columns("""kind recipient_type recipient_id channel package_id edition order_id status
        attempts error at cause caused_by"""),
    counts.notification_counts,
)
TABLES = (PACKAGES, ORDERS, CAMPAIGNS, PROCESSES, ENTITIES, NOTIFICATIONS)
"""In the order in which they are locked."""


@dataclass(slots=True)
class Model:
    """The rows of one schema that a batch is about; terms are the states of changed packages.

    packs are the packed events whose orders are not among the rows.
    """

    schema: str
    rows: dict[str, dict[Any, Row]]
    stored: dict[str, frozenset[Any]]
    terms: dict[str, PackageEvent] = field(default_factory=dict)
    packs: list[Pack] = field(default_factory=list)


# A switch to another model waits for the batches that write to this one, and they for the switch.
SHARE = "SELECT pg_advisory_xact_lock_shared(hashtext('relais.model'))"
FIND_REBUILD = "SELECT request_id FROM rebuilds WHERE state IN ('filling', 'copying', 'comparing')"


async def find_rebuild(conn: Connection) -> str | None:
    """The rebuild under way; none begins or ends before this transaction does."""
    await conn.execute(SHARE)
    found: str | None = await conn.fetchval(FIND_REBUILD)
    return found


async def lock(conn: Connection, schema: str, named: Mapping[Table, Collection[Any]]) -> Model:
    """Lock the rows of these keys, table by table."""
    model = Model(schema, {t.name: {} for t in TABLES}, {t.name: frozenset() for t in TABLES})
    for table in TABLES:
        if table not in named:
            continue
        single = len(table.key) == 1
        keys = [(key,) if single else key for key in named[table]]
        # As text: the driver looks long at each element of an array.
        lines = map("\n".join, zip(*keys, strict=True))
        found = await conn.fetch(within(schema, table.lock), *lines)
        for record in found:
            columns = dict(record)
            key = tuple(columns[name] for name in table.key)
            row = Row(columns, table.counts(columns))
            model.rows[table.name][key[0] if single else key] = row
        model.stored[table.name] = frozenset(model.rows[table.name])
    return model


@dataclass(frozen=True, slots=True)
class Write:
    """Rows of one table, as the JSON that a statement stores."""

    table: str
    statement: str
    rows: str
    count: int


def writes(model: Model) -> tuple[list[Write], Counter[Count]]:
    """What is to be stored of the rows that changed, and what that adds to the counts."""
    found: list[Write] = []
    moved: Counter[Count] = Counter()
    for table in TABLES:
        stored = model.stored[table.name]
        kinds: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for key, row in model.rows[table.name].items():
            if not row.changed:
                continue
            update = table.update_all if row.terms else table.update
            kinds[update if key in stored else table.insert].append(row.columns)
            for count, n in counts.deltas(row.counted, table.counts(row.columns)):
                moved[count] += n
        for statement, rows in kinds.items():
            asked = within(model.schema, statement)
            found.append(Write(table.name, asked, to_json(rows).decode(), len(rows)))
    return found, moved


async def save(
    conn: Connection, model: Model, found: Sequence[Write], moved: Counter[Count]
) -> None:
    """Store each changed row once, and what it adds to the counts."""
    for write in found:
        status = await conn.execute(write.statement, write.rows)
        if int(status.rpartition(" ")[2]) != write.count:
            raise Conflict(f"another worker made one of these {write.table} first")
    await _save_terms(conn, model)
    for pack in model.packs:
        moved.update(await packed.save(conn, model.schema, pack))
    await save_counts(conn, model.schema, moved)


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
    due = [(id, kind, at) for id in ids for kind, at in domain.due(model.terms[id]).items()]
    await conn.execute(within(model.schema, CLEAR_DUE), ids)
    if due:
        await conn.execute(within(model.schema, ADD_DUE), *map(list, zip(*due, strict=True)))
    moved = [id for id in ids if model.rows["packages"][id].audience_moved]
    if moved:
        await conn.execute(within(model.schema, CLEAR_AUDIENCES), moved)
    pairs = [(id, entity) for id in moved for entity in model.terms[id].audience or ()]
    if pairs:
        await conn.execute(
            within(model.schema, ADD_AUDIENCES), *map(list, zip(*pairs, strict=True))
        )


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
        await conn.execute(within(schema, ADD_COUNTS), *map(list, zip(*moved, strict=True)))
