"""How the present state of orders is read again."""

from typing import Any

from contracts.orders import OrderSnapshot
from services.orders import store
from services.runtime.service import Connection, Page, Snapshot


async def orders(conn: Connection, after: list[Any] | None, size: int) -> Page:
    """The next orders, package by package: those of one travel packed."""
    package_id, edition, entity_id, order_id = after or ("", 0, "", "")
    states = await store.next_orders(conn, (package_id, edition, entity_id, order_id), size)
    last = states[-1] if states else None
    cursor = [last.package_id, last.edition, last.entity_id, last.order_id] if last else after
    return Page([OrderSnapshot.of(state) for state in states], cursor)


SNAPSHOTS = (Snapshot("order", orders),)
