"""API tokens: what programs prove with who they are.

A token is a random secret of 256 bits, so its digest needs no salt and no slow hash.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from services.runtime.service import Connection, Pool, Row
from services.tracking.web.roles import Caller, Role

PREFIX = "relais_"
"""By it those who look for lost secrets know one of ours."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that has just been made; the secret is nowhere else."""

    token_id: str
    secret: str


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


ADD = """
INSERT INTO tokens (token_id, digest, name, role, entity, ends_at) VALUES ($1, $2, $3, $4, $5, $6)
"""


async def add(
    db: Connection | Pool, who: Caller, ends_at: datetime | None = None, *, replaces: bool = False
) -> Token:
    """Make a token; one that replaces withdraws all others of its name."""
    if replaces:
        await withdraw(db, who.name)
    made = Token(secrets.token_hex(4), PREFIX + secrets.token_urlsafe(32))
    await db.execute(
        ADD, made.token_id, digest(made.secret), who.name, who.role, who.entity, ends_at
    )
    return made


LIST = """
SELECT token_id, name, role, entity, created_at, ends_at, withdrawn_at, last_used_at,
       CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn'
            WHEN ends_at <= now() THEN 'ended' ELSE 'valid' END AS state
FROM tokens ORDER BY created_at, token_id
"""


async def list_(db: Connection | Pool) -> list[Row]:
    """Every token there ever was, without its secret."""
    return await db.fetch(LIST)


WITHDRAW = """
UPDATE tokens SET withdrawn_at = now()
WHERE (token_id = $1 OR name = $1) AND withdrawn_at IS NULL RETURNING token_id
"""


async def withdraw(db: Connection | Pool, which: str) -> list[str]:
    """Withdraw the token of this id, or all of this name; the ids of those withdrawn now."""
    return [row["token_id"] for row in await db.fetch(WITHDRAW, which)]


FIND = """
SELECT name, role, entity, withdrawn_at IS NOT NULL AS withdrawn,
       coalesce(ends_at <= now(), false) AS ended,
       coalesce(last_used_at < now() - interval '1 minute', true) AS unseen
FROM tokens WHERE digest = $1
"""
USE = "UPDATE tokens SET last_used_at = now() WHERE digest = $1"


async def find(pool: Pool, secret: str) -> Caller | str:
    """Who holds a secret, or a sentence that says why nobody may use it."""
    key = digest(secret)
    row = await pool.fetchrow(FIND, key)
    if row is None:
        return "the token is nobody's"
    if row["withdrawn"]:
        return f"the token of {row['name']} was withdrawn"
    if row["ended"]:
        return f"the token of {row['name']} has ended"
    if row["unseen"]:
        await pool.execute(USE, key)
    return Caller(row["name"], Role(row["role"]), row["entity"])
