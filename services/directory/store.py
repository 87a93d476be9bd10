"""Every statement of the directory service."""

from collections.abc import Iterable, Sequence

from contracts.directory import EntityState
from services.runtime.service import Conflict, Connection, as_json

# Columns are named as the fields; a field that has none fails the test of statements.
entity_columns = ", ".join(EntityState.model_fields)

LOCK_ENTITIES = f"""
SELECT {entity_columns}
FROM entities WHERE entity_id = ANY ($1::text[]) ORDER BY entity_id FOR UPDATE
"""


async def lock_entities(conn: Connection, ids: Iterable[str]) -> dict[str, EntityState]:
    """Lock entities in the order of their ids."""
    rows = await conn.fetch(LOCK_ENTITIES, list(ids))
    return {row["entity_id"]: EntityState.model_validate(dict(row)) for row in rows}


NEXT_ENTITIES = f"""
SELECT {entity_columns} FROM entities WHERE entity_id > $1 ORDER BY entity_id LIMIT $2
"""


async def next_entities(conn: Connection, after: str, size: int) -> list[EntityState]:
    """The next entities, by id."""
    rows = await conn.fetch(NEXT_ENTITIES, after, size)
    return [EntityState.model_validate(dict(row)) for row in rows]


# Two workers may register one id at once: a row that nobody could lock yet is the first one's.
SAVE_ENTITIES = """
INSERT INTO entities AS e (
    entity_id, label, email, language, channels, mailbox, webhook_url, notify,
    order_reviewers, campaign_reviewers, active, version, changed_at)
SELECT
    entity_id, label, email, language, channels, mailbox, webhook_url, notify,
    order_reviewers, campaign_reviewers, active, version, changed_at
FROM json_populate_recordset(NULL::entities, $1::text::json)
ORDER BY entity_id
ON CONFLICT (entity_id) DO UPDATE SET
    label = excluded.label, email = excluded.email, language = excluded.language,
    channels = excluded.channels, mailbox = excluded.mailbox, webhook_url = excluded.webhook_url,
    notify = excluded.notify, order_reviewers = excluded.order_reviewers,
    campaign_reviewers = excluded.campaign_reviewers, active = excluded.active,
    version = excluded.version, changed_at = excluded.changed_at
WHERE e.entity_id = ANY ($2::text[])
"""


async def save_entities(
    conn: Connection, entities: Sequence[EntityState], locked: Iterable[str]
) -> None:
    """Store entities in their last state; raises Conflict when one was registered first.

    locked are the ids of those that were there before.
    """
    if not entities:
        return
    status = await conn.execute(SAVE_ENTITIES, as_json(entities), list(locked))
    if int(status.rpartition(" ")[2]) != len(entities):
        raise Conflict("another worker registered one of these entities first")
