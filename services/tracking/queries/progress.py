"""How far the read model is, and how far behind."""

from dataclasses import dataclass
from datetime import datetime

from services.runtime.service import Pool

# Workers of every service say every 10 s how they are, through the same lanes as all events.  How
# long that took from them to these tables is how long events take just now; where none has come
# for 15 s, nothing comes, and the model is as old as the last of them.
AS_OF = """
SELECT CASE WHEN max(handled_at) > now() - interval '15 s' THEN now() - max(handled_at - seen_at)
            FILTER (WHERE handled_at > now() - interval '15 s') ELSE max(seen_at) END AS as_of,
       now() AS now
FROM workers
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened before as_of is in the model; None where no worker has ever been seen."""

    as_of: datetime | None
    behind: float | None
    """Seconds."""


async def progress(pool: Pool) -> Progress:
    """How far the read model is just now."""
    row = await pool.fetchrow(AS_OF)
    assert row is not None
    if row["as_of"] is None:
        return Progress(None, None)
    as_of = min(row["as_of"], row["now"])
    return Progress(as_of, round((row["now"] - as_of).total_seconds(), 3))
