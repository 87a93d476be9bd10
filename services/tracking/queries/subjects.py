"""What the read model knows of the things that commands are about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.campaigns import CampaignCommand
from contracts.message import Command
from contracts.orders import OrderCommand, PlaceOrder
from contracts.packages import CreatePackage, PackageCommand
from services.runtime.service import Connection, Pool, Row

Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Rows of the read model by id, and the moment at which they were read.

    canceling are packages whose cancel is not complete; ordered are pairs of a package and an
    entity that has an order of its present edition; invited the same of audiences.
    """

    as_of: datetime
    packages: Rows
    orders: Rows
    campaigns: Rows
    entities: Rows
    canceling: frozenset[str]
    ordered: frozenset[tuple[str, str]]
    invited: frozenset[tuple[str, str]]


PACKAGES = """
SELECT package_id, label, status, edition, version, distribution_level, campaign_id, starts_at,
       ends_at, changed_at, changed_by, audience_digest, state
FROM model.packages WHERE package_id = ANY ($1::text[])
"""
ORDERS = """
SELECT order_id, package_id, edition, entity_id, status, changed_at, changed_by, campaign_id,
       greatest(status_version, terms_version) AS version
FROM model.orders WHERE order_id = ANY ($1::text[])
"""
CAMPAIGNS = """
SELECT campaign_id, label, kind, distribution_level, status, version, changed_at, changed_by,
       canceled_by
FROM model.campaigns WHERE campaign_id = ANY ($1::text[])
"""
ENTITIES = """
SELECT entity_id, label, active, version, changed_at
FROM model.entities WHERE entity_id = ANY ($1::text[])
"""
CANCELING = """
SELECT c.package_id FROM cancellations AS c JOIN model.packages AS p USING (package_id, edition)
WHERE c.package_id = ANY ($1::text[]) AND c.completed_at IS NULL
"""
ORDERED = """
SELECT DISTINCT o.package_id, o.entity_id
FROM unnest($1::text[], $2::text[]) AS w (package_id, entity_id)
JOIN model.packages AS p ON p.package_id = w.package_id
JOIN model.orders AS o ON o.package_id = w.package_id AND o.edition = p.edition
                      AND o.entity_id = w.entity_id
                      AND o.status IN ('ordered', 'approved', 'available')
"""
INVITED = """
SELECT a.package_id, a.entity_id
FROM unnest($1::text[], $2::text[]) AS w (package_id, entity_id)
JOIN model.audiences AS a ON a.package_id = w.package_id AND a.entity_id = w.entity_id
"""
NOW = "SELECT now()"


async def load(pool: Pool, commands: Iterable[Command]) -> Subjects:
    """Read what these commands are about, as it is at one moment."""
    named = _Named()
    for command in commands:
        named.add(command)
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        as_of = await conn.fetchval(NOW)
        orders = await _rows(conn, ORDERS, "order_id", named.orders)
        named.packages |= {row["package_id"] for row in orders.values()}
        packages = await _rows(conn, PACKAGES, "package_id", named.packages)
        named.campaigns |= {row["campaign_id"] for row in packages.values()}
        canceling = await conn.fetch(CANCELING, sorted(packages))
        pairs = [list(side) for side in zip(*sorted(named.pairs), strict=True)] or [[], []]
        return Subjects(
            as_of=as_of,
            packages=packages,
            orders=orders,
            campaigns=await _rows(conn, CAMPAIGNS, "campaign_id", named.campaigns),
            entities=await _rows(conn, ENTITIES, "entity_id", named.entities),
            canceling=frozenset(row["package_id"] for row in canceling),
            ordered=await _pairs(conn, ORDERED, pairs),
            invited=await _pairs(conn, INVITED, pairs),
        )


async def _rows(conn: Connection, statement: str, key: str, ids: Iterable[str]) -> Rows:
    wanted = sorted(set(ids))
    return {row[key]: row for row in await conn.fetch(statement, wanted)} if wanted else {}


async def _pairs(
    conn: Connection, statement: str, pairs: list[list[str]]
) -> frozenset[tuple[str, str]]:
    rows = await conn.fetch(statement, *pairs) if pairs[0] else []
    return frozenset((row["package_id"], row["entity_id"]) for row in rows)


class _Named:
    """The ids that commands name."""

    def __init__(self) -> None:
        self.packages: set[str] = set()
        self.orders: set[str] = set()
        self.campaigns: set[str] = set()
        self.entities: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()

    def add(self, command: Any) -> None:
        match command:
            case OrderCommand():
                self.orders.add(command.order_id)
                self.packages.add(command.package_id)
                if isinstance(command, PlaceOrder):
                    self.entities.add(command.entity_id)
                    self.pairs.add((command.package_id, command.entity_id))
            case PackageCommand():
                self.packages.add(command.package_id)
                if isinstance(command, CreatePackage):
                    self.campaigns.add(command.campaign_id)
            case CampaignCommand():
                self.campaigns.add(command.campaign_id)
            case _ if type(command).SUBJECT == "entity_id":
                self.entities.add(command.subject)
            case _ if type(command).SUBJECT == "package_id":
                self.packages.add(command.subject)
            case _:
                pass
