"""Each message is handled once: the inbox keeps its answer, written with its effect."""

from collections.abc import Iterable, Set

from contracts.envelope import FieldError
from services.runtime.decision import Answer, Identity
from services.runtime.postgres.database import Connection

FIND = """
SELECT i.source, i.id, i.outcome, i.code, i.message, i.version, i.errors
FROM unnest($1::text[], $2::text[]) AS m (source, id)
JOIN inbox i ON i.source = m.source AND i.id = m.id
UNION ALL
SELECT NULL, line, NULL, NULL, NULL, NULL, NULL FROM unnest($3::text[]) AS l (line)
WHERE EXISTS (SELECT FROM kept AS k WHERE k.line = l.line)
"""


async def find(
    conn: Connection, messages: Iterable[Identity], keys: Iterable[str]
) -> tuple[dict[Identity, Answer], Set[str]]:
    """The answers of those messages that were handled before, and the keys that have a line."""
    wanted, lines = list(messages), list(keys)
    if not wanted and not lines:
        return {}, set()
    found = await conn.fetch(
        FIND, [source for source, _ in wanted], [id for _, id in wanted], lines
    )
    answers = {
        (source, id): Answer(
            outcome, code, text, version, tuple(FieldError(**e) for e in errors or ())
        )
        for source, id, outcome, code, text, version, errors in found
        if source is not None
    }
    return answers, {line for source, line, *_ in found if source is None}
