"""The ledger of a cancel: who is done with it, and who is waited for."""

from typing import Any

from services.runtime.service import Pool, Row

SERVICES = ("orders", "campaigns", "notifications")

FIND = """
SELECT c.*, p.edition AS present_edition, p.label
FROM cancellations AS c
LEFT JOIN model.packages AS p USING (package_id)
WHERE package_id = $1 AND c.edition <= coalesce($2::int, 2147483647)
    AND ($2::int IS NULL OR c.edition = $2::int)
ORDER BY c.edition DESC LIMIT 1
"""


async def find(pool: Pool, package_id: str, edition: int | None) -> Row | None:
    """The ledger of an edition, or the latest of a package."""
    return await pool.fetchrow(FIND, package_id, edition)


EDITIONS = """
SELECT edition FROM cancellations WHERE package_id = $1 ORDER BY edition DESC LIMIT 100
"""


async def editions(pool: Pool, package_id: str) -> list[int]:
    """The editions of a package that were canceled, the latest first."""
    return [row["edition"] for row in await pool.fetch(EDITIONS, package_id)]


PARKED = """
SELECT service, number, reason, type, error, parked_at FROM parked
WHERE package_id = $1 AND released_at IS NULL
ORDER BY parked_at, service, number LIMIT 20
"""


async def parked(pool: Pool, package_id: str) -> list[Row]:
    """Parked messages about a package, which may be what its cancel waits for."""
    return await pool.fetch(PARKED, package_id)


def parts(row: Row) -> dict[str, dict[str, Any]]:
    """What each service has done of the cancel; one that has reported is done with all of it."""
    return {service: _part(row, service) for service in SERVICES}


def _part(row: Row, service: str) -> dict[str, Any]:
    done, expected = row[f"{service}_done"], row[f"{service}_expected"]
    report = row[f"{service}_report"]
    if report is not None and expected is not None:
        done = expected
    return {"done": done, "expected": expected, "report": report}


def waiting_for(row: Row) -> list[str]:
    """The services that have not reported yet."""
    if row["completed_at"] is not None:
        return []
    return [service for service in SERVICES if row[f"{service}_report"] is None]
