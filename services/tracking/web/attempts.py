"""Attempts to sign in: limited by name and by address, in all processes together."""

import math
import uuid
from datetime import timedelta

from services.runtime.service import Pool
from services.tracking.web.problems import Problem

WINDOW = timedelta(minutes=15)
BY_NAME_AND_ADDRESS = 5
BY_NAME = 50
"""From all addresses: high, because whoever knows a name could lock its owner out."""
BY_ADDRESS = 50

CLEAN = "DELETE FROM sign_in_attempts WHERE at < now() - $1::interval"
ADD = "INSERT INTO sign_in_attempts (scope, id) SELECT scope, $2 FROM unnest($1::text[]) AS scope"
COUNT = """
SELECT scope, count(*) AS n, extract(epoch FROM min(at) + $2::interval - now()) AS seconds
FROM sign_in_attempts WHERE scope = ANY ($1::text[]) AND at > now() - $2::interval GROUP BY scope
"""
FORGET = "DELETE FROM sign_in_attempts WHERE id = $1"


async def begin(pool: Pool, name: str, address: str) -> uuid.UUID:
    """Count an attempt as failed until it is forgiven; raises Problem 429 past the limit."""
    limits = {
        f"name:{name} address:{address}": BY_NAME_AND_ADDRESS,
        f"name:{name}": BY_NAME,
        f"address:{address}": BY_ADDRESS,
    }
    attempt = uuid.uuid4()
    await pool.execute(CLEAN, WINDOW)
    # Counted first: of many at once none sees too few.
    await pool.execute(ADD, list(limits), attempt)
    rows = await pool.fetch(COUNT, list(limits), WINDOW)
    over = [row["seconds"] for row in rows if row["n"] > limits[row["scope"]]]
    if over:
        await pool.execute(FORGET, attempt)
        seconds = max(1, math.ceil(max(over)))
        raise Problem(
            429,
            "too_many_attempts",
            f"too many attempts to sign in have failed; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )
    return attempt


FORGIVE = "DELETE FROM sign_in_attempts WHERE id = $1 OR scope = $2"


async def forgive(pool: Pool, attempt: uuid.UUID, name: str, address: str) -> None:
    """Forget an attempt that has succeeded, and those before it from the same place."""
    await pool.execute(FORGIVE, attempt, f"name:{name} address:{address}")
