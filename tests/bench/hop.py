"""hop: one edit of each of many packages; what a service does with a command and its event."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from contracts.packages import EditPackage
from services.runtime.amqp.frames import Outgoing
from tests.bench import checkouts, draining, installation
from tests.bench.drain import Load
from tests.bench.figures import Report
from tests.bench.place import Place
from tests.bench.upstream import outgoing

ADD_PACKAGES = """
INSERT INTO packages (package_id, label, distribution_level, campaign_id, starts_at, ends_at,
                      approval_mode, approval_period_days, status, edition, version, created_at,
                      changed_at)
SELECT 'CAT' || n, 'Spring posters', 'collaborative_simple', 'OP1', $2, $3, 'manual', 3,
       'being_edited', 1, 1, $2, $2
FROM generate_series(0, $1 - 1) AS n
"""
ADD_CAMPAIGN = """
INSERT INTO campaigns (campaign_id, version, kind, canceled) VALUES ('OP1', 1, 'reference', false)
"""


async def hop(
    here: Place, report: Report, *, runs: int, messages: int, beside: Path | None = None
) -> None:
    """Ours and the bare reading of the same commands, in turns."""
    sides = checkouts.chosen(beside)
    async with installation.databases_of_each(here, sides) as ones:
        for _ in range(runs):
            await draining.measure(here, report, "edits", load(messages), ones)
    draining.compare(report, "edits", sides)
    report.note("The goal is 6,000 a second.")


def load(messages: int) -> Load:
    """An edit of each of so many packages."""

    async def seed(conn: asyncpg.Connection) -> None:
        now = datetime.now(UTC)
        await conn.execute(ADD_CAMPAIGN)
        await conn.execute(ADD_PACKAGES, messages, now, now + timedelta(days=30))

    return Load("packages", [_edit(number) for number in range(messages)], messages, seed)


def _edit(number: int) -> Outgoing:
    command = EditPackage(
        package_id=f"CAT{number}", label=f"Spring posters {number}", description="On thick paper."
    )
    return outgoing(command, f"edit-{number}")
