"""How the present state of entities is read again."""

from contracts.directory import EntitySnapshot
from services.directory import store
from services.runtime.service import Connection, Page, Snapshot


async def entities(conn: Connection, after: str | None, size: int) -> Page:
    """The next entities, by id."""
    states = await store.next_entities(conn, after or "", size)
    cursor = states[-1].entity_id if states else after
    return Page([EntitySnapshot.of(state) for state in states], cursor)


SNAPSHOTS = (Snapshot("entity", entities),)
