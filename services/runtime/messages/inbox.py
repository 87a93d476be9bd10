"""Each message is handled once: the inbox keeps its answer, written with its effect."""

from collections.abc import Iterable, Set
from datetime import datetime

from contracts.envelope import FieldError
from services.runtime.decision import Answer, Identity, Use
from services.runtime.postgres.database import Connection

# A message that waits has no row in the inbox yet, but uses its id all the same.
# Behind a SELECT the planner does not see the arrays: it makes one plan for all, which saves more
# time of a lone message than the other tables take.
FIND = """
SELECT m.source, m.id, k.type, k.subject, k.content, k.kept_at, NULL AS outcome, NULL, NULL,
       NULL::integer, NULL::jsonb
FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS m (source, id)
JOIN kept k ON k.source = m.source AND k.id = m.id AND k.kind = 'waiting'
UNION ALL
SELECT m.source, m.id, i.type, i.subject, i.digest, i.received_at, i.outcome, i.code, i.message,
       i.version, i.errors
FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS m (source, id)
JOIN inbox i ON i.source = m.source AND i.id = m.id
UNION ALL
SELECT NULL, line, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM unnest((SELECT $3::text[])) AS l (line)
WHERE EXISTS (SELECT FROM kept AS k WHERE k.line = l.line)
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, now(), NULL, NULL, NULL, NULL, NULL
"""


async def find(
    conn: Connection, messages: Iterable[Identity], keys: Iterable[str] = ()
) -> tuple[dict[Identity, Use], Set[str], datetime]:
    """What those messages were used for that came before, the keys that have a line, and now.

    One that waits has no answer.
    """
    wanted, lines = list(messages), list(keys)
    rows = await conn.fetch(FIND, [source for source, _ in wanted], [id for _, id in wanted], lines)
    now = rows.pop()["kept_at"]
    uses: dict[Identity, Use] = {}
    for source, id, type_, subject, content, at, outcome, code, text, version, errors in rows:
        if source is None:
            continue
        use = Use((source, id), type_, subject, content, at)
        if outcome is not None:
            told = tuple(FieldError(**e) for e in errors or ())
            use.answer = Answer(outcome, code, text, version, told)
        if use.answer or use.identity not in uses:
            uses[use.identity] = use
    return uses, {line for source, line, *_ in rows if source is None}, now


# It is sent again: whoever reads its type by now has to find it new.
FORGET_UNKNOWN = """
DELETE FROM inbox i USING kept k
WHERE k.number = $1 AND i.source = k.source AND i.id = k.id AND i.code = 'unknown_type'
"""
