"""All the SQL of the packages service."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from contracts.campaigns import CampaignKind
from contracts.cancellation import CampaignsReport, NotificationsReport, OrdersReport
from contracts.packages import PackageEdition, PackageState
from services.packages.conditions import Campaign
from services.packages.ledger import Cancellation
from services.runtime.decision import Cause
from services.runtime.service import Conflict, Connection, Row, as_json

# Columns are named as the fields; a field that has none fails the test of statements.
package_columns = ", ".join(PackageState.model_fields)

LOCK_PACKAGES = f"""
SELECT {package_columns}
FROM packages WHERE package_id = ANY ($1::text[]) ORDER BY package_id FOR UPDATE
"""


async def lock_packages(conn: Connection, ids: Iterable[str]) -> dict[str, PackageState]:
    """Lock packages in the order of their ids."""
    wanted = list(ids)
    rows = await conn.fetch(LOCK_PACKAGES, wanted) if wanted else []
    return {row["package_id"]: PackageState.model_validate(dict(row)) for row in rows}


NEXT_PACKAGES = f"""
SELECT {package_columns} FROM packages WHERE package_id > $1 ORDER BY package_id LIMIT $2
"""


async def next_packages(conn: Connection, after: str, size: int) -> list[PackageState]:
    """The next packages, by id."""
    rows = await conn.fetch(NEXT_PACKAGES, after, size)
    return [PackageState.model_validate(dict(row)) for row in rows]


# A row that was loaded is locked and cannot have moved. One that was not there and is now was made
# by another worker meanwhile: it is left alone.
SAVE_PACKAGES = """
INSERT INTO packages AS p (
    package_id, label, distribution_level, campaign_id, folder, description, documents,
    assigned_to, audience, starts_at, ends_at, available_at, registration_deadline,
    personalization_deadline, approval_mode, approval_period_days, reviewers, reminders,
    several_orders, start_targeting_on_order_approval, notification_message, max_documents,
    status, edition, version, approval_deadline, created_at, submitted_at, approved_at,
    published_at, canceled_at, changed_at, changed_by)
SELECT
    package_id, label, distribution_level, campaign_id, folder, description, documents,
    assigned_to, audience, starts_at, ends_at, available_at, registration_deadline,
    personalization_deadline, approval_mode, approval_period_days, reviewers, reminders,
    several_orders, start_targeting_on_order_approval, notification_message, max_documents,
    status, edition, version, approval_deadline, created_at, submitted_at, approved_at,
    published_at, canceled_at, changed_at, changed_by
FROM json_populate_recordset(NULL::packages, $1::text::json)
ORDER BY package_id
ON CONFLICT (package_id) DO UPDATE SET
    label = excluded.label, distribution_level = excluded.distribution_level,
    campaign_id = excluded.campaign_id, folder = excluded.folder,
    description = excluded.description, documents = excluded.documents,
    assigned_to = excluded.assigned_to, audience = excluded.audience,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    available_at = excluded.available_at,
    registration_deadline = excluded.registration_deadline,
    personalization_deadline = excluded.personalization_deadline,
    approval_mode = excluded.approval_mode,
    approval_period_days = excluded.approval_period_days, reviewers = excluded.reviewers,
    reminders = excluded.reminders, several_orders = excluded.several_orders,
    start_targeting_on_order_approval = excluded.start_targeting_on_order_approval,
    notification_message = excluded.notification_message,
    max_documents = excluded.max_documents, status = excluded.status,
    edition = excluded.edition, version = excluded.version,
    approval_deadline = excluded.approval_deadline, submitted_at = excluded.submitted_at,
    approved_at = excluded.approved_at, published_at = excluded.published_at,
    canceled_at = excluded.canceled_at, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by
WHERE excluded.created_at = p.created_at AND excluded.version > p.version
"""


async def save_packages(conn: Connection, packages: Sequence[PackageState]) -> None:
    """Store packages in their last state; raises Conflict where one was made twice."""
    if not packages:
        return
    status = await conn.execute(SAVE_PACKAGES, as_json(packages))
    if int(status.rpartition(" ")[2]) != len(packages):
        raise Conflict("another worker made one of these packages first")


FIND_CAMPAIGNS = """
SELECT campaign_id, version, kind, canceled, canceled_by_package, canceled_by_edition
FROM campaigns WHERE campaign_id = ANY ($1::text[]) ORDER BY campaign_id
"""


async def find_campaigns(conn: Connection, ids: Iterable[str]) -> dict[str, Campaign]:
    """The copies of these campaigns."""
    wanted = list(ids)
    rows = await conn.fetch(FIND_CAMPAIGNS, wanted) if wanted else []
    return {row["campaign_id"]: _campaign(row) for row in rows}


def _campaign(row: Row) -> Campaign:
    package = row["canceled_by_package"]
    return Campaign(
        row["campaign_id"],
        row["version"],
        CampaignKind(row["kind"]),
        row["canceled"],
        (package, row["canceled_by_edition"]) if package else None,
    )


SAVE_CAMPAIGNS = """
INSERT INTO campaigns AS c (campaign_id, version, kind, canceled, canceled_by_package,
                            canceled_by_edition)
SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::boolean[], $5::text[], $6::int[])
    AS m (campaign_id, version, kind, canceled, canceled_by_package, canceled_by_edition)
ORDER BY m.campaign_id
ON CONFLICT (campaign_id) DO UPDATE SET
    version = excluded.version, kind = excluded.kind, canceled = excluded.canceled,
    canceled_by_package = excluded.canceled_by_package,
    canceled_by_edition = excluded.canceled_by_edition
WHERE excluded.version > c.version
"""


async def save_campaigns(conn: Connection, campaigns: Sequence[Campaign]) -> None:
    """Store copies, each only where it is newer."""
    if not campaigns:
        return
    by = [c.canceled_by or (None, None) for c in campaigns]
    await conn.execute(
        SAVE_CAMPAIGNS,
        [c.campaign_id for c in campaigns],
        [c.version for c in campaigns],
        [c.kind for c in campaigns],
        [c.canceled for c in campaigns],
        [package for package, _ in by],
        [edition for _, edition in by],
    )


LOCK_CANCELLATIONS = """
SELECT c.package_id, c.edition, c.started_at, c.orders, c.campaigns, c.notifications,
       c.completed_at, c.cause
FROM cancellations c
JOIN unnest($1::text[], $2::int[]) AS m (package_id, edition) USING (package_id, edition)
ORDER BY c.package_id, c.edition FOR UPDATE OF c
"""


async def lock_cancellations(
    conn: Connection, lives: Iterable[PackageEdition]
) -> dict[PackageEdition, Cancellation]:
    """Lock the ledgers of these cancels."""
    wanted = list(lives)
    if not wanted:
        return {}
    rows = await conn.fetch(LOCK_CANCELLATIONS, [p for p, _ in wanted], [e for _, e in wanted])
    return {(row["package_id"], row["edition"]): cancellation(row) for row in rows}


def cancellation(row: Row) -> Cancellation:
    """A ledger as it stands in its row."""
    return Cancellation(
        package_id=row["package_id"],
        edition=row["edition"],
        started_at=row["started_at"],
        orders=_report(OrdersReport, row["orders"]),
        campaigns=_report(CampaignsReport, row["campaigns"]),
        notifications=_report(NotificationsReport, row["notifications"]),
        completed_at=row["completed_at"],
    )


def _report(kind: Any, value: dict[str, Any] | None) -> Any:
    return None if value is None else kind.model_validate(value)


OPEN_CANCELLATION = """
INSERT INTO cancellations (package_id, edition, started_at, due_at, cause)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (package_id, edition) DO NOTHING
"""


async def open_cancellations(
    conn: Connection, opened: Sequence[tuple[PackageEdition, datetime, datetime, Cause]]
) -> None:
    """Open ledgers: package and edition, start, the moment it counts as stalled, and cause."""
    if opened:
        rows = [
            (package_id, edition, started_at, due_at, asdict(cause))
            for (package_id, edition), started_at, due_at, cause in sorted(
                opened, key=lambda o: o[0]
            )
        ]
        await conn.executemany(OPEN_CANCELLATION, rows)


FILL_CANCELLATION = """
UPDATE cancellations
SET orders = $3, campaigns = $4, notifications = $5, completed_at = $6
WHERE package_id = $1 AND edition = $2
"""


async def fill_cancellations(conn: Connection, ledgers: Sequence[Cancellation]) -> None:
    """Store what has been reported."""
    rows = [
        (
            ledger.package_id,
            ledger.edition,
            _dump(ledger.orders),
            _dump(ledger.campaigns),
            _dump(ledger.notifications),
            ledger.completed_at,
        )
        for ledger in ledgers
    ]
    if rows:
        await conn.executemany(FILL_CANCELLATION, rows)


def _dump(report: Any) -> dict[str, Any] | None:
    return None if report is None else report.model_dump()


# Where the clock of the database is set back, a cancel is overdue when it would have been.
SET_BACK = """
UPDATE cancellations SET started_at = started_at - $1::interval, due_at = due_at - $1::interval
WHERE completed_at IS NULL
"""


STALLED = """
SELECT package_id, edition, started_at, orders, campaigns, notifications, completed_at, cause
FROM cancellations
WHERE completed_at IS NULL AND stalled_at IS NULL AND due_at <= $1
ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED
"""
MARK_STALLED = """
UPDATE cancellations SET stalled_at = $3 WHERE package_id = $1 AND edition = $2
"""


async def take_stalled(conn: Connection, now: datetime) -> list[tuple[Cancellation, Cause]]:
    """Mark the cancels that are overdue as announced, and return them with their cause."""
    rows = await conn.fetch(STALLED, now)
    await conn.executemany(MARK_STALLED, [(r["package_id"], r["edition"], now) for r in rows])
    return [(cancellation(row), Cause(**row["cause"])) for row in rows]
