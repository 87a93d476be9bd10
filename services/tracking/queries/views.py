"""Views that people have saved, and proofs that they have sent in."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.runtime.service import Pool, Row

LIST_VIEWS = """
SELECT view_id, label, list, filter, version, changed_at FROM views
WHERE owner = $1 ORDER BY label, view_id LIMIT $2
"""


async def list_views(pool: Pool, owner: str, limit: int) -> Sequence[Row]:
    """The views of somebody, by label."""
    return await pool.fetch(LIST_VIEWS, owner, limit)


FIND_VIEW = """
SELECT view_id, label, list, filter, version, changed_at FROM views
WHERE owner = $1 AND view_id = $2
"""


async def find_view(pool: Pool, owner: str, view_id: str) -> Row | None:
    """One view of somebody."""
    return await pool.fetchrow(FIND_VIEW, owner, view_id)


# A new one, or the next version of the one that is there; $6 is the version that is expected.
SAVE_VIEW = """
INSERT INTO views AS v (owner, view_id, label, list, filter, changed_at)
SELECT $1, $2, $3, $4, $5, now()
WHERE (SELECT count(*) FROM views WHERE owner = $1 AND view_id <> $2) < $7
ON CONFLICT (owner, view_id) DO UPDATE SET
    label = excluded.label, list = excluded.list, filter = excluded.filter,
    version = v.version + 1, changed_at = excluded.changed_at
WHERE $6::integer IS NULL OR v.version = $6
RETURNING view_id, label, list, filter, version, changed_at
"""


async def save_view(
    pool: Pool,
    owner: str,
    view_id: str,
    values: tuple[str, str, Mapping[str, Any]],
    expected_version: int | None,
    most: int,
) -> Row | None:
    """Save a view; None where it has another version, or there are too many of them."""
    return await pool.fetchrow(SAVE_VIEW, owner, view_id, *values, expected_version, most)


DELETE_VIEW = "DELETE FROM views WHERE owner = $1 AND view_id = $2"


async def delete_view(pool: Pool, owner: str, view_id: str) -> bool:
    """Delete a view; whether there was one."""
    return await pool.execute(DELETE_VIEW, owner, view_id) != "DELETE 0"


ADD_PROOF = """
INSERT INTO proofs (proof_id, made_at, made_by, proved, report) VALUES ($1, now(), $2, $3, $4)
RETURNING proof_id, made_at, made_by, proved, report
"""
CLEAN_PROOFS = """
DELETE FROM proofs WHERE proof_id NOT IN (
    SELECT proof_id FROM proofs ORDER BY made_at DESC, proof_id DESC LIMIT $1)
"""
KEPT_PROOFS = 1_000


async def add_proof(
    pool: Pool, proof_id: str, made_by: str, proved: bool, report: Mapping[str, Any]
) -> Row:
    """Keep a proof, and the last thousand of them."""
    async with pool.acquire() as conn, conn.transaction():
        row = await conn.fetchrow(ADD_PROOF, proof_id, made_by, proved, report)
        await conn.execute(CLEAN_PROOFS, KEPT_PROOFS)
    assert row is not None
    return row


LIST_PROOFS = """
SELECT proof_id, made_at, made_by, proved, report FROM proofs
ORDER BY made_at DESC, proof_id DESC LIMIT $1
"""


async def list_proofs(pool: Pool, limit: int) -> Sequence[Row]:
    """Proofs, newest first."""
    return await pool.fetch(LIST_PROOFS, limit)
