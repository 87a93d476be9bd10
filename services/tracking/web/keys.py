"""Keys that all processes share, made by whoever needs one first."""

import secrets

from services.runtime.service import Pool

BYTES = 32

MAKE = "INSERT INTO keys (name, key) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
FIND = "SELECT key FROM keys WHERE name = $1"


async def load(pool: Pool, name: str) -> bytes:
    """The key of this name."""
    await pool.execute(MAKE, name, secrets.token_bytes(BYTES))
    key: bytes = await pool.fetchval(FIND, name)
    return key
