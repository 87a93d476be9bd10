"""Makes the model again while it is read and written: a second one is filled, and takes its place.

asked -> filling: the schema next is there, events and snapshots go into both under the same fences.
filling -> copying: every service has emitted its state, and all of it has come; see copying.
copying -> comparing: what no snapshot tells has been copied.
comparing -> done: the counts agree with the rows, and next has been renamed to model.
Each step is one transaction, so that whoever comes next goes on where another was stopped.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts import envelope, names
from contracts.operations import ALL, RequestSnapshot
from services.runtime.decision import Cause
from services.runtime.service import Connection, Outgoing, Row, Transaction, Work, installed, jobs
from services.tracking import checking, copying, hints

SWEEP = "rebuild"
RUNNING = "('asked', 'filling', 'copying', 'comparing')"
SAYS = {
    "asked": "a worker of tracking begins it within seconds; is one running?",
    "filling": "services emit their present state",
    "copying": "what no snapshot tells is copied",
    "comparing": "the new counts are compared with the new rows",
    "done": "the model has been replaced",
    "failed": "the model stayed as it was",
    "abandoned": "the model stayed as it was",
}
"""What happens in each state, for people."""


class UnderWay(Exception):
    """There is a rebuild already."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is: of each service what it has emitted in all, and what has come of it."""

    request_id: str
    state: str
    asked_by: str | None
    started_at: datetime
    remark: str | None
    emitted: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    read: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def waits_for(self, services: Mapping[str, frozenset[str]]) -> list[str]:
        """The services that have more to say, each with what is missing."""
        found = []
        for service in sorted(services):
            counts = self.emitted.get(service)
            if counts is None:
                found.append(service)
                continue
            for thing, n in sorted(counts.items()):
                read = self.read.get((service, thing), 0)
                if read < n:
                    found.append(f"{service} ({thing}: {read:,} of {n:,})")
        return found


def senders() -> dict[str, frozenset[str]]:
    """The services that emit their state on request, and the things that each owns."""
    return {
        name: frozenset(snapshot.thing for snapshot in snapshots)
        for name, service in installed().items()
        if (snapshots := service.snapshots)
    }


ASK = """
INSERT INTO rebuilds (request_id, state, asked_by, started_at) VALUES ($1, 'asked', $2, now())
ON CONFLICT DO NOTHING
"""
FIND = f"""
SELECT request_id, state, asked_by, started_at, remark FROM rebuilds WHERE state IN {RUNNING}
"""


async def ask(conn: Connection, asked_by: str | None) -> str:
    """Ask for a rebuild, which a worker begins; gives its id.  Raises UnderWay where one runs."""
    request_id = f"rebuild-{secrets.token_hex(8)}"
    if await conn.execute(ASK, request_id, asked_by) == "INSERT 0 1":
        return request_id
    found = await conn.fetchrow(FIND)
    if found is None:
        # It has ended in this moment.
        return await ask(conn, asked_by)
    raise UnderWay(
        f"rebuild {found['request_id']} is under way since {found['started_at']:%Y-%m-%d %H:%M}Z "
        f"({found['state']}: {SAYS[found['state']]}); wait for its end, or abandon it"
    )


FIND_ONE = """
SELECT request_id, state, asked_by, started_at, remark FROM rebuilds WHERE request_id = $1
"""
FIND_EMITTED = "SELECT service, counts FROM snapshots_completed WHERE request_id = $1"
COUNT_READ = """
SELECT service, thing, sum(n)::bigint AS n FROM snapshots WHERE request_id = $1
GROUP BY service, thing
"""


async def find(conn: Connection, request_id: str) -> Progress | None:
    """How far a rebuild is."""
    row = await conn.fetchrow(FIND_ONE, request_id)
    return await _progress(conn, row) if row else None


FIND_LATEST = """
SELECT request_id, state, asked_by, started_at, remark FROM rebuilds
ORDER BY started_at DESC LIMIT 1
"""


async def find_latest(conn: Connection) -> Progress | None:
    """The rebuild under way, else the last that was."""
    row = await conn.fetchrow(FIND_LATEST)
    return await _progress(conn, row) if row else None


async def find_running(conn: Connection) -> Progress | None:
    """The rebuild under way."""
    row = await conn.fetchrow(FIND)
    return await _progress(conn, row) if row else None


async def _progress(conn: Connection, row: Row) -> Progress:
    emitted = await conn.fetch(FIND_EMITTED, row["request_id"])
    read = await conn.fetch(COUNT_READ, row["request_id"])
    return Progress(
        **dict(row),
        emitted={one["service"]: one["counts"] for one in emitted},
        read={(one["service"], one["thing"]): one["n"] for one in read},
    )


# A switch waits for the batches that write to the model, and they for the switch; see store.SHARE.
EXCLUDE = "SELECT pg_advisory_xact_lock(hashtext('relais.model'))"
MOVE = "UPDATE rebuilds SET state = $2, remark = coalesce($3, remark) WHERE request_id = $1"
END = """
UPDATE rebuilds SET state = $2, remark = $3, finished_at = now() WHERE request_id = $1
"""
DROP_NEXT = "DROP SCHEMA IF EXISTS next CASCADE"


async def abandon(conn: Connection) -> str | None:
    """Give the rebuild under way up; gives its id, None where there is none."""
    async with conn.transaction():
        found = await conn.fetchrow(f"{FIND} FOR UPDATE")
        if found is None:
            return None
        await conn.execute(EXCLUDE)
        await conn.execute(DROP_NEXT)
        await conn.execute(END, found["request_id"], "abandoned", "an operator gave it up")
    return str(found["request_id"])


CLAIM = f"""
SELECT request_id, state, asked_by FROM rebuilds WHERE state IN {RUNNING} FOR UPDATE SKIP LOCKED
"""
CLAIM_FIRST = """
SELECT request_id, state, asked_by FROM rebuilds WHERE state = 'first' FOR UPDATE SKIP LOCKED
"""


async def step(work: Work) -> bool:
    """Do the next step of the rebuild under way, if it can be done; one worker at a time."""
    async with work.publishing() as tx:
        row = await tx.conn.fetchrow(CLAIM)
        if row is None:
            return await _fill_first(tx)
        match row["state"]:
            case "asked":
                await _begin(tx, row["request_id"], row["asked_by"])
                return True
            case "filling":
                return await _go_on(tx, row["request_id"])
            case "comparing":
                await _compare(work, tx, row["request_id"])
                return True
            case _:
                return False


async def _fill_first(tx: Transaction) -> bool:
    """Ask for the state of all, once, when these tables are new: it fills the model itself."""
    row = await tx.conn.fetchrow(CLAIM_FIRST) if senders() else None
    if row is None:
        return False
    _request(tx, f"first-{secrets.token_hex(8)}", None)
    await tx.conn.execute(END, row["request_id"], "done", "the first state of all was asked for")
    return True


def _request(tx: Transaction, request_id: str, asked_by: str | None) -> None:
    """Send the request for the state of all; its id is that of the request."""
    command = RequestSnapshot(service=ALL, request_id=request_id)
    body = envelope.write(
        id=request_id,
        source=names.source("tracking"),
        type=command.wire_type,
        subject=command.subject,
        data_json=command.data_json(),
        time=tx.now,
        partitionkey=command.key,
        correlationid=request_id,
        actor=asked_by,
    )
    tx.send(
        Outgoing(
            exchange=names.COMMANDS,
            routing_key=command.wire_type,
            body=body,
            type=command.wire_type,
            message_id=request_id,
            correlation_id=request_id,
            content_type=names.CLOUDEVENT,
            app_id=names.source("tracking"),
            partitionkey=command.key,
        )
    )


DROP_OLD = "DROP SCHEMA IF EXISTS old CASCADE"
# As LIKE leaves them out: the storage parameters of each table, its key and its indexes by name.
COPIES = """
SELECT statement FROM (
    SELECT 1 AS n, format('CREATE TABLE next.%I (LIKE model.%I INCLUDING ALL EXCLUDING INDEXES)%s',
                          c.relname, c.relname,
                          ' WITH (' || array_to_string(c.reloptions, ', ') || ')') AS statement
    FROM pg_class AS c WHERE c.relnamespace = 'model'::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT 2, format('ALTER TABLE next.%I ADD CONSTRAINT %I %s', c.relname, o.conname,
                     pg_get_constraintdef(o.oid))
    FROM pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid
    WHERE c.relnamespace = 'model'::regnamespace AND o.contype IN ('p', 'u')
    UNION ALL
    SELECT 3, replace(pg_get_indexdef(i.indexrelid), ' ON model.', ' ON next.')
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'model'::regnamespace AND c.relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_constraint AS o WHERE o.conindid = i.indexrelid)
) AS m ORDER BY n
"""


async def _begin(tx: Transaction, request_id: str, asked_by: str | None) -> None:
    """Make the second schema, into which all events go from the end of this transaction on."""
    conn = tx.conn
    if not senders():
        text = "no installed service emits its state; the model would be empty"
        await conn.execute(END, request_id, "failed", text)
        return
    await conn.execute(f"{DROP_NEXT}; {DROP_OLD}; CREATE SCHEMA next")
    for row in await conn.fetch(COPIES):
        await conn.execute(row[0])
    # No batch waits while the tables are made: none looks for them yet.
    await conn.execute(EXCLUDE)
    await conn.execute(MOVE, request_id, "filling", None)
    _request(tx, request_id, asked_by)


async def _go_on(tx: Transaction, request_id: str) -> bool:
    """Begin to copy once every service has said it all, and all of it has come."""
    progress = await find(tx.conn, request_id)
    if progress is None or progress.waits_for(senders()):
        return False
    known = await jobs.find(tx.conn, [request_id])
    known.add(copying.COPY.job(request_id, 1, Cause(correlationid=request_id)))
    await tx.conn.execute(MOVE, request_id, "copying", None)
    await known.store(tx)
    return True


COUNT_NEXT = """
SELECT (SELECT count(*) FROM next.packages) AS package, (SELECT count(*) FROM next.orders) AS order,
       (SELECT count(*) FROM next.campaigns) AS campaign,
       (SELECT count(*) FROM next.processes) AS process,
       (SELECT count(*) FROM next.entities) AS entity,
       (SELECT count(*) FROM next.notifications) AS notification
"""
SWITCH = "ALTER SCHEMA model RENAME TO old; ALTER SCHEMA next RENAME TO model"


async def _compare(work: Work, tx: Transaction, request_id: str) -> None:
    """Let the second schema take the place of the first, where it is right."""
    progress = await find(tx.conn, request_id)
    assert progress is not None
    async with work.pool.acquire() as conn:
        wrong = [str(one) for one in await checking.compare(conn, "next")]
        async with conn.transaction():
            await conn.execute(checking.ANY_PLAN)
            rows = await conn.fetchrow(COUNT_NEXT, timeout=checking.PATIENCE)
    assert rows is not None
    for service, counts in progress.emitted.items():
        for thing, n in counts.items():
            if rows.get(thing, n) < n:
                wrong.append(f"{service} emitted {n:,} of {thing}, there are {rows[thing]:,} rows")
    await tx.conn.execute(EXCLUDE)
    if wrong:
        await tx.conn.execute(DROP_NEXT)
        await tx.conn.execute(END, request_id, "failed", "; ".join(wrong[:20]))
        return
    await tx.conn.execute(SWITCH)
    await tx.conn.execute(END, request_id, "done", None)
    hints.waiting.add(hints.ANYTHING)
    tx.wake(hints.NAME)


HAS_OLD = "SELECT to_regnamespace('old') IS NOT NULL"


async def drop_old(work: Work) -> bool:
    """Drop what has been replaced, once nobody reads it any more."""
    async with work.pool.acquire() as conn:
        if await conn.fetchval(HAS_OLD):
            await conn.execute(DROP_OLD)
    return False
