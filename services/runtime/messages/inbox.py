"""Each message is handled once: the inbox keeps its answer, written with its effect."""

from collections.abc import Iterable

from contracts.envelope import FieldError
from services.runtime.decision import Answer, Identity
from services.runtime.postgres.database import Connection

FIND = """
SELECT i.source, i.id, i.outcome, i.code, i.message, i.version, i.errors
FROM unnest($1::text[], $2::text[]) AS m (source, id)
JOIN inbox i ON i.source = m.source AND i.id = m.id
"""


async def find(conn: Connection, messages: Iterable[Identity]) -> dict[Identity, Answer]:
    """The answers of those messages that were handled before."""
    wanted = list(messages)
    if not wanted:
        return {}
    rows = await conn.fetch(FIND, [source for source, _ in wanted], [id for _, id in wanted])
    return {
        (source, id): Answer(
            outcome, code, text, version, tuple(FieldError(**e) for e in errors or ())
        )
        for source, id, outcome, code, text, version, errors in rows
    }
