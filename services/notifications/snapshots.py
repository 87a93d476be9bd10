"""How the present state of notifications is read again."""

from typing import Any

from services.notifications import notices, states
from services.notifications.delivery import RowKey
from services.runtime.service import Connection, Page, Snapshot


async def notifications(conn: Connection, after: list[Any] | None, size: int) -> Page:
    """The next notifications, happening by happening: those about one package travel packed."""
    found = await states.next_states(conn, RowKey(*(after or states.FIRST)), size)
    cursor = list(found[-1].row) if found else after
    return Page([notices.snapshot(state) for state in found], cursor)


SNAPSHOTS = (Snapshot("notification", notifications),)
