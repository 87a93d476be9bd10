"""The orders of a package in the table, and the events of a cancel."""

from collections import Counter
from typing import Any

from contracts.cancellation import CancellationProgressed, PackageOrdersCanceled
from contracts.orders import OrderRef, OrdersCanceled, OrderState
from services.orders import store
from tests.harness import Harness
from tests.orders.given import NOW

FILL = """
INSERT INTO orders (order_id, package_id, edition, entity_id, label, status, version, placed_at,
                    changed_at)
SELECT $1 || '-' || n, $1, $2, 'OU' || n % 7, 'Windows', $3, 4, $5, $5
FROM generate_series(1, $4) AS n
"""


async def fill(
    orders: Harness,
    count: int,
    status: str = "ordered",
    *,
    package_id: str = "CAT86",
    edition: int = 1,
    prefix: str = "",
) -> None:
    """Put so many orders of a package into the table, without a word."""
    statement = FILL.replace("SELECT $1 ||", f"SELECT '{prefix}' || $1 ||")
    await orders.pool.execute(statement, package_id, edition, status, count, NOW)


async def statuses(orders: Harness, package_id: str = "CAT86") -> Counter[tuple[int, str, int]]:
    """How many orders of a package have which edition, status and version."""
    rows = await orders.pool.fetch(
        "SELECT edition, status, version FROM orders WHERE package_id = $1", package_id
    )
    return Counter((row["edition"], row["status"], row["version"]) for row in rows)


async def stored(orders: Harness, order_id: str = "ORD1") -> OrderState:
    """An order as it stands in its table."""
    async with orders.pool.acquire() as conn, conn.transaction():
        return (await store.lock_orders(conn, [order_id]))[order_id]


class CancelEvents:
    """The events of the cancel of one package."""

    def __init__(self, emitted: list[Any], package_id: str = "CAT86") -> None:
        """Emitted: the events of a harness."""
        bodies = [one.body for one in emitted if one.body.subject == package_id]
        self.progress = [b for b in bodies if isinstance(b, CancellationProgressed)]
        self.packs = [b for b in bodies if isinstance(b, OrdersCanceled)]
        self.reports = [b for b in bodies if isinstance(b, PackageOrdersCanceled)]

    @property
    def orders(self) -> list[OrderRef]:
        """Every order in an orders.canceled event."""
        return [order for pack in self.packs for order in pack.orders]

    @property
    def counts(self) -> tuple[int, int]:
        """Those of the one report."""
        (report,) = self.reports
        return report.canceled, report.already_final
