"""Operators with a password: the accounts of an installation that has no provider of its own."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.runtime.service import Connection, Pool, Row
from services.tracking.web.roles import Caller, Role

SHORTEST = 12
LONGEST = 1_024
AT_ONCE = 2
"""Passwords that are hashed at one time: each takes 64 MiB."""

_hasher = PasswordHasher()
_hashing = asyncio.Semaphore(AT_ONCE)


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password)


@cache
def _of_nobody() -> str:
    """What a password is compared with where there is no account: it takes as long."""
    return hashed("nobody's")


def _fits(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False


ADD = """
INSERT INTO operators (name, password, role, entity) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING RETURNING name
"""


async def add(db: Connection | Pool, who: Caller, password: str) -> bool:
    """Make an account; False where there is one of that name."""
    kept = await asyncio.to_thread(hashed, password)
    return await db.fetchval(ADD, who.name, kept, who.role, who.entity) is not None


LIST = """
SELECT name, role, entity, created_at, disabled_at, last_sign_in_at FROM operators ORDER BY name
"""


async def list_(db: Connection | Pool) -> list[Row]:
    """All accounts."""
    return await db.fetch(LIST)


END_SESSIONS = "DELETE FROM sessions WHERE operator = $1"
DISABLE = """
UPDATE operators SET disabled_at = coalesce(disabled_at, now()) WHERE name = $1 RETURNING name
"""
ENABLE = "UPDATE operators SET disabled_at = NULL WHERE name = $1 RETURNING name"


async def disable(db: Connection | Pool, name: str) -> bool:
    """End an account and its sessions; False where there is none."""
    found = await db.fetchval(DISABLE, name)
    await db.execute(END_SESSIONS, name)
    return found is not None


async def enable(db: Connection | Pool, name: str) -> bool:
    """Let a disabled account sign in again; False where there is none."""
    return await db.fetchval(ENABLE, name) is not None


PASSWORD = "UPDATE operators SET password = $2 WHERE name = $1 RETURNING name"


async def set_password(db: Connection | Pool, name: str, password: str) -> bool:
    """Give an account another password, and end its sessions; False where there is none."""
    kept = await asyncio.to_thread(hashed, password)
    found = await db.fetchval(PASSWORD, name, kept)
    await db.execute(END_SESSIONS, name)
    return found is not None


ANY = "SELECT EXISTS (SELECT FROM operators WHERE disabled_at IS NULL)"


async def are_there(db: Connection | Pool) -> bool:
    """Whether anybody has an account that is not disabled."""
    found: bool = await db.fetchval(ANY)
    return found


FIND = "SELECT name, password, role, entity, disabled_at FROM operators WHERE name = $1"
SIGNED_IN = "UPDATE operators SET last_sign_in_at = now() WHERE name = $1"
REHASH = "UPDATE operators SET password = $3 WHERE name = $1 AND password = $2"


async def sign_in(pool: Pool, name: str, password: str) -> Caller | None:
    """Whose name and password these are; None takes as long, whatever is wrong."""
    of_nobody = await asyncio.to_thread(_of_nobody)
    row = await pool.fetchrow(FIND, name)
    kept = of_nobody if row is None else row["password"]
    async with _hashing:
        fits = await asyncio.to_thread(_fits, kept, password)
    if row is None or row["disabled_at"] is not None or not fits:
        return None
    if _hasher.check_needs_rehash(kept):
        await pool.execute(REHASH, name, kept, await asyncio.to_thread(hashed, password))
    await pool.execute(SIGNED_IN, name)
    return Caller(row["name"], Role(row["role"]), row["entity"])
