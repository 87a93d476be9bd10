"""Fixed sets of orders that one command is for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import catalogue
from contracts.message import Command
from services.runtime.service import Pool


@dataclass(frozen=True, slots=True)
class Batch:
    """One command for each of these orders: pairs of an order and its package."""

    id: str
    sender: str
    type: str
    data: Mapping[str, Any]
    orders: Sequence[tuple[str, str]]

    def commands(self) -> Iterator[tuple[str, Command]]:
        """Each with its id, which is the same however often it is sent."""
        kind = catalogue.COMMANDS[self.type]
        for number, (order_id, package_id) in enumerate(self.orders):
            command = kind.read(order_id, {"package_id": package_id, **self.data})
            yield f"{self.id}.{number}", command


ADD = """
INSERT INTO batches (batch_id, sender, type, data, orders, created_at)
VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT DO NOTHING RETURNING batch_id
"""
CLEAN = "DELETE FROM batches WHERE created_at < now() - interval '1 day'"


async def add(pool: Pool, batch: Batch) -> bool:
    """Keep a batch for a day; False where its id is used."""
    # Neither has a space.
    pairs = [" ".join(pair) for pair in batch.orders]
    await pool.execute(CLEAN)
    values = batch.id, batch.sender, batch.type, dict(batch.data), pairs
    return await pool.fetchval(ADD, *values) is not None


FIND = "SELECT batch_id, sender, type, data, orders FROM batches WHERE batch_id = $1"


async def find(pool: Pool, id: str) -> Batch | None:
    """A batch by its id."""
    row = await pool.fetchrow(FIND, id)
    if row is None:
        return None
    pairs = [(order, package) for order, package in (pair.split(" ") for pair in row["orders"])]
    return Batch(row["batch_id"], row["sender"], row["type"], row["data"], pairs)


SENT = "UPDATE batches SET sent_at = coalesce(sent_at, now()) WHERE batch_id = $1"


async def sent(pool: Pool, id: str) -> None:
    """The commands of a batch are stored."""
    await pool.execute(SENT, id)


MATCHING = """
SELECT order_id, package_id FROM model.orders AS o
WHERE ($1::text IS NULL OR package_id = $1)
  AND ($2::integer IS NULL OR edition = $2)
  AND ($3::text IS NULL OR entity_id = $3)
  AND ($4::text[] IS NULL OR status = ANY ($4))
  AND ($5::boolean IS NULL OR $5 = (late_from IS NOT NULL AND late_from <= now()))
  AND ($6::timestamptz IS NULL OR placed_at >= $6)
  AND ($7::timestamptz IS NULL OR placed_at < $7)
  AND ($8::text[] IS NULL OR order_id = ANY ($8))
  AND ($9::text IS NULL OR entity_id = $9)
  AND ($10::text IS NULL OR EXISTS (
      SELECT FROM model.entities AS e WHERE e.entity_id = o.entity_id
      AND e.state -> 'order_reviewers' @> jsonb_build_array(jsonb_build_object('id', $10))))
ORDER BY package_id, order_id LIMIT $11
"""
_FIELDS = ("package", "edition", "entity", "status", "late", "placed_from", "placed_to", "ids")


async def matching(
    pool: Pool,
    wanted: Mapping[str, Any],
    limit: int,
    *,
    entity: str | None = None,
    reviewer: str | None = None,
) -> list[tuple[str, str]]:
    """Orders that match a filter, each with its package; of an entity or a reviewer alone."""
    values = (wanted[name] for name in _FIELDS)
    rows = await pool.fetch(MATCHING, *values, entity, reviewer, limit)
    return [(row["order_id"], row["package_id"]) for row in rows]
