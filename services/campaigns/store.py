"""Every statement of the campaigns service.

Whoever changes a process holds the lock of its campaign, so processes need no lock of their own.
"""

from collections.abc import Collection, Iterable, Sequence

from contracts.campaigns import CampaignState, CanceledBy, ProcessState
from services.campaigns.transitions import Campaign
from services.campaigns.world import ProcessKey
from services.runtime.service import Conflict, Connection, Job, Row, as_json


class CampaignRow(CampaignState):
    """A campaign as it stands in its row."""

    edition: int | None = None
    canceled_by_package: str | None = None
    canceled_by_edition: int | None = None


# Columns are named as the fields; a field that has none fails the test of statements.
campaign_columns = ", ".join(CampaignRow.model_fields)
process_columns = ", ".join(ProcessState.model_fields)


def _campaign(row: Row) -> Campaign:
    package_id, edition = row["canceled_by_package"], row["canceled_by_edition"]
    by = CanceledBy(package_id=package_id, edition=edition) if package_id else None
    return Campaign(CampaignState.model_validate(dict(row)), row["edition"], by)


def _row(campaign: Campaign) -> CampaignRow:
    by = campaign.canceled_by
    return CampaignRow.model_construct(
        **dict(campaign.state),
        edition=campaign.edition,
        canceled_by_package=by.package_id if by else None,
        canceled_by_edition=by.edition if by else None,
    )


LOCK_CAMPAIGNS = f"""
SELECT {campaign_columns} FROM campaigns
WHERE campaign_id = ANY ($1::text[]) ORDER BY campaign_id FOR UPDATE
"""


async def lock_campaigns(conn: Connection, ids: Collection[str]) -> dict[str, Campaign]:
    """Lock campaigns in the order of their ids."""
    rows = await conn.fetch(LOCK_CAMPAIGNS, list(ids)) if ids else []
    return {row["campaign_id"]: _campaign(row) for row in rows}


# The package's own campaign, and those made for orders of the edition; $5: also the cursor's own.
LOCK_CONCERNED = f"""
SELECT {campaign_columns} FROM campaigns
WHERE campaign_id = ANY (ARRAY(
    SELECT $3::text WHERE $3 >= $4 AND ($3 > $4 OR $5)
    UNION ALL
    (SELECT campaign_id FROM campaigns
     WHERE package_id = $1 AND edition = $2 AND campaign_id >= $4 AND (campaign_id > $4 OR $5)
     ORDER BY campaign_id LIMIT $6)))
ORDER BY campaign_id LIMIT $6 FOR UPDATE
"""


async def lock_concerned(
    conn: Connection, job: Job, after: tuple[str, str | None], limit: int
) -> list[Campaign]:
    """Lock the next campaigns that a cancel has to visit, whatever their status, by id.

    Those behind a campaign; where a process of it is named, that campaign comes first again.
    """
    campaign_id, process_id = after
    of_job = (job.line, job.arguments["edition"], job.arguments["campaign_id"])
    rows = await conn.fetch(LOCK_CONCERNED, *of_job, campaign_id, process_id is not None, limit)
    return [_campaign(row) for row in rows]


# A child campaign belongs to its edition and stays as that left it.
LOCK_CANCELED_BY = f"""
SELECT {campaign_columns} FROM campaigns
WHERE canceled_by_package = $1 AND canceled_by_edition < $2 AND kind = 'reference'
ORDER BY campaign_id FOR UPDATE
"""


async def lock_canceled_by(conn: Connection, package_id: str, before: int) -> list[Campaign]:
    """Lock the reference campaigns that a cancel of an earlier edition canceled."""
    rows = await conn.fetch(LOCK_CANCELED_BY, package_id, before)
    return [_campaign(row) for row in rows]


# Two workers may create one id at once: a row that nobody could lock yet is the first one's.
SAVE_CAMPAIGNS = f"""
INSERT INTO campaigns AS c ({campaign_columns})
SELECT {campaign_columns}
FROM json_populate_recordset(NULL::campaigns, $1::text::json)
ORDER BY campaign_id
ON CONFLICT (campaign_id) DO UPDATE SET
    status = excluded.status, version = excluded.version, canceled_at = excluded.canceled_at,
    canceled_by_package = excluded.canceled_by_package,
    canceled_by_edition = excluded.canceled_by_edition,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by
WHERE c.campaign_id = ANY ($2::text[])
"""


async def save_campaigns(
    conn: Connection, campaigns: Sequence[Campaign], locked: Iterable[str]
) -> None:
    """Store campaigns in their last state; raises Conflict when one was created first.

    locked are the ids of those that were there before, and more.
    """
    if not campaigns:
        return
    rows = as_json(_row(campaign) for campaign in campaigns)
    status = await conn.execute(SAVE_CAMPAIGNS, rows, list(locked))
    if int(status.rpartition(" ")[2]) != len(campaigns):
        raise Conflict("another worker created one of these campaigns first")


NEXT_CAMPAIGNS = f"""
SELECT {campaign_columns} FROM campaigns WHERE campaign_id > $1 ORDER BY campaign_id LIMIT $2
"""


async def next_campaigns(conn: Connection, after: str, size: int) -> list[CampaignState]:
    """The next campaigns, by id."""
    rows = await conn.fetch(NEXT_CAMPAIGNS, after, size)
    return [_campaign(row).state for row in rows]


COUNT_CONCERNED = """
SELECT count(*) + coalesce(sum(cardinality(process_ids)), 0) FROM (
    SELECT process_ids FROM campaigns WHERE campaign_id = $3
    UNION ALL
    SELECT process_ids FROM campaigns WHERE package_id = $1 AND edition = $2) AS c
"""


async def count_concerned(conn: Connection, job: Job) -> int:
    """How many campaigns and processes a cancel has to visit."""
    of_job = (job.line, job.arguments["edition"], job.arguments["campaign_id"])
    return int(await conn.fetchval(COUNT_CONCERNED, *of_job))


LOAD_PROCESSES = f"""
SELECT {process_columns} FROM processes WHERE campaign_id = ANY ($1::text[])
"""


async def load_processes(conn: Connection, ids: Collection[str]) -> dict[ProcessKey, ProcessState]:
    """All processes of these campaigns."""
    return _processes(await conn.fetch(LOAD_PROCESSES, list(ids)) if ids else [])


FIND_PROCESSES = f"""
SELECT {process_columns}
FROM unnest($1::text[], $2::text[]) AS m (campaign_id, process_id)
JOIN processes p USING (campaign_id, process_id)
"""


async def find_processes(
    conn: Connection, keys: Collection[ProcessKey]
) -> dict[ProcessKey, ProcessState]:
    """Those of these processes that exist."""
    if not keys:
        return {}
    return _processes(await conn.fetch(FIND_PROCESSES, *zip(*keys, strict=True)))


NEXT_PROCESSES = f"""
SELECT {process_columns} FROM processes
WHERE campaign_id = ANY ($1::text[]) AND (campaign_id, process_id) > ($2, $3)
ORDER BY campaign_id, process_id LIMIT $4
"""


async def next_processes(
    conn: Connection, campaign_ids: Sequence[str], after: ProcessKey, limit: int
) -> list[ProcessState]:
    """The next processes of these campaigns that a cancel has to visit, by key."""
    if not campaign_ids:
        return []
    rows = await conn.fetch(NEXT_PROCESSES, campaign_ids, *after, limit)
    return list(_processes(rows).values())


NEXT_OF_ALL = f"""
SELECT {process_columns}, (SELECT c.package_id FROM campaigns c
                           WHERE c.campaign_id = p.campaign_id) AS package_id
FROM processes p WHERE (campaign_id, process_id) > ($1, $2)
ORDER BY campaign_id, process_id LIMIT $3
"""


async def next_of_all(
    conn: Connection, after: ProcessKey, limit: int
) -> list[tuple[ProcessState, str | None]]:
    """The next processes by key, each with the package that its campaign was made for."""
    rows = await conn.fetch(NEXT_OF_ALL, *after, limit)
    return [(ProcessState.model_validate(dict(row)), row["package_id"]) for row in rows]


def _processes(rows: Iterable[Row]) -> dict[ProcessKey, ProcessState]:
    states = (ProcessState.model_validate(dict(row)) for row in rows)
    return {(state.campaign_id, state.process_id): state for state in states}


# One more than were named tells whether there are others, without a look at all of them.
FIND_OPEN = """
SELECT c.campaign_id, o.process_id
FROM unnest($1::text[], $2::int[]) AS c (campaign_id, named)
CROSS JOIN LATERAL (
    SELECT p.process_id FROM processes p
    WHERE p.campaign_id = c.campaign_id AND p.status IN ('pending', 'running', 'paused')
    LIMIT c.named + 1) AS o
"""


async def find_busy(conn: Connection, named: Collection[ProcessKey]) -> set[str]:
    """The campaigns of these processes that have open processes besides them."""
    counts: dict[str, int] = {}
    for campaign_id, _ in named:
        counts[campaign_id] = counts.get(campaign_id, 0) + 1
    if not counts:
        return set()
    rows = await conn.fetch(FIND_OPEN, list(counts), list(counts.values()))
    return {row["campaign_id"] for row in rows if tuple(row) not in named}


SAVE_PROCESSES = f"""
INSERT INTO processes ({process_columns})
SELECT {process_columns}
FROM json_populate_recordset(NULL::processes, $1::text::json)
ORDER BY campaign_id, process_id
ON CONFLICT (campaign_id, process_id) DO UPDATE SET
    status = excluded.status, version = excluded.version, detail = excluded.detail,
    changed_at = excluded.changed_at
"""


async def save_processes(conn: Connection, processes: Sequence[ProcessState]) -> None:
    """Store processes in their last state."""
    if processes:
        await conn.execute(SAVE_PROCESSES, as_json(processes))
