"""Every statement of the campaigns service.

Whoever changes a process holds the lock of its campaign, so processes need no lock of their own.
"""

from collections.abc import Collection, Iterable, Sequence

from contracts.campaigns import CampaignState, CanceledBy, ProcessState
from services.campaigns.jobs import Job, JobKey
from services.campaigns.transitions import Campaign
from services.campaigns.world import Life, ProcessKey
from services.runtime.messages.inbox import TakenMeanwhile
from services.runtime.postgres.database import Connection, Row, as_json


class CampaignRow(CampaignState):
    """A campaign as it stands in its row."""

    edition: int | None = None
    canceled_by_package: str | None = None
    canceled_by_edition: int | None = None


# Columns are named as the fields; a field that has none fails the test of statements.
campaign_columns = ", ".join(CampaignRow.model_fields)
process_columns = ", ".join(ProcessState.model_fields)
job_columns = ", ".join(Job.model_fields)


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
WHERE campaign_id IN (
    SELECT $3::text WHERE $3 >= $4 AND ($3 > $4 OR $5)
    UNION ALL
    (SELECT campaign_id FROM campaigns
     WHERE package_id = $1 AND edition = $2 AND campaign_id >= $4 AND (campaign_id > $4 OR $5)
     ORDER BY campaign_id LIMIT $6))
ORDER BY campaign_id LIMIT $6 FOR UPDATE
"""


async def lock_concerned(conn: Connection, job: Job, limit: int) -> list[Campaign]:
    """Lock the next campaigns that a cancel has to visit, whatever their status, by id."""
    rows = await conn.fetch(
        LOCK_CONCERNED,
        job.package_id,
        job.edition,
        job.campaign_id,
        job.after_campaign,
        job.after_process is not None,
        limit,
    )
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
    """Store campaigns in their last state; raises TakenMeanwhile when one was created first.

    locked are the ids of those that were there before, and more.
    """
    if not campaigns:
        return
    rows = as_json(_row(campaign) for campaign in campaigns)
    status = await conn.execute(SAVE_CAMPAIGNS, rows, list(locked))
    if int(status.rpartition(" ")[2]) != len(campaigns):
        raise TakenMeanwhile("another worker created one of these campaigns first")


COUNT_CONCERNED = """
SELECT m.package_id, m.edition, count(*) + coalesce(sum(cardinality(c.process_ids)), 0) AS count
FROM unnest($1::text[], $2::int[], $3::text[]) AS m (package_id, edition, campaign_id)
CROSS JOIN LATERAL (
    SELECT process_ids FROM campaigns WHERE campaign_id = m.campaign_id
    UNION ALL
    SELECT process_ids FROM campaigns WHERE package_id = m.package_id AND edition = m.edition) AS c
GROUP BY m.package_id, m.edition
"""


async def count_concerned(conn: Connection, cancels: Iterable[tuple[Life, str]]) -> dict[Life, int]:
    """How many campaigns and processes each cancel, given with its campaign, has to visit."""
    wanted = [(*life, campaign_id) for life, campaign_id in cancels]
    if not wanted:
        return {}
    package_ids, editions, campaign_ids = zip(*wanted, strict=True)
    rows = await conn.fetch(COUNT_CONCERNED, package_ids, editions, campaign_ids)
    return {(row["package_id"], row["edition"]): row["count"] for row in rows}


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
    conn: Connection, campaigns: Iterable[Campaign], job: Job, limit: int
) -> list[ProcessState]:
    """The next processes of these campaigns that a cancel has to visit, by key."""
    ids = [campaign.state.campaign_id for campaign in campaigns]
    after = job.after_campaign, job.after_process or ""
    return list(_processes(await conn.fetch(NEXT_PROCESSES, ids, *after, limit)).values())


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


FIND_JOBS = f"SELECT {job_columns} FROM jobs WHERE package_id = ANY ($1::text[])"


async def find_jobs(conn: Connection, package_ids: Collection[str]) -> dict[JobKey, Job]:
    """Every job of these packages, done or not."""
    rows = await conn.fetch(FIND_JOBS, list(package_ids)) if package_ids else []
    return {job.key: job for job in (Job.model_validate(dict(row)) for row in rows)}


ADD_JOBS = f"""
INSERT INTO jobs ({job_columns})
SELECT {job_columns} FROM json_populate_recordset(NULL::jobs, $1::text::json)
ORDER BY package_id, edition, kind
ON CONFLICT DO NOTHING
"""


async def add_jobs(conn: Connection, jobs: Sequence[Job]) -> None:
    """Add jobs; one that is there already stays as it is."""
    if jobs:
        await conn.execute(ADD_JOBS, as_json(jobs))


# The jobs of a package run in the order of its life: an edition begins with the return of the
# campaign and ends with its cancel.  Among packages the one least worked on goes first, so that
# a small cancel does not wait for a large one.
CLAIM_JOB = f"""
SELECT {job_columns} FROM jobs AS j
WHERE NOT done AND NOT EXISTS (
    SELECT 1 FROM jobs AS o
    WHERE o.package_id = j.package_id AND NOT o.done
      AND (o.edition, o.kind = 'cancel') < (j.edition, j.kind = 'cancel'))
ORDER BY visited LIMIT 1 FOR UPDATE OF j SKIP LOCKED
"""


async def claim_job(conn: Connection) -> Job | None:
    """Lock the job whose turn it is; None when there is none that nobody works on."""
    row = await conn.fetchrow(CLAIM_JOB)
    return None if row is None else Job.model_validate(dict(row))


SAVE_JOB = """
UPDATE jobs
SET after_campaign = $4, after_process = $5, visited = $6, campaigns = $7,
    processes_stopped = $8, too_late = $9, done = $10
WHERE package_id = $1 AND edition = $2 AND kind = $3
"""


async def save_job(conn: Connection, job: Job) -> None:
    """Store how far a job has got."""
    await conn.execute(
        SAVE_JOB,
        *job.key,
        job.after_campaign,
        job.after_process,
        job.visited,
        job.campaigns,
        job.processes_stopped,
        job.too_late,
        job.done,
    )


# Such a cancel came after the reinitialization that follows it, and has canceled anew.
REDO_REINITIALIZATIONS = """
UPDATE jobs SET done = false
WHERE package_id = $1 AND edition > $2 AND kind = 'reinitialize' AND done
"""


async def redo_reinitializations(conn: Connection, cancel: Job) -> None:
    """Let the reinitializations of later editions look again for what this cancel canceled."""
    await conn.execute(REDO_REINITIALIZATIONS, cancel.package_id, cancel.edition)
