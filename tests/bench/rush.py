"""rush: a full queue of order.place, one message each; how fast one worker gets through it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from tests.bench import checkouts, draining, installation, peering, place, upstream
from tests.bench.drain import Load
from tests.bench.figures import Report
from tests.bench.place import Place

SHAPES = {"hot": 1, "spread": 1_000}
"""Packages that the orders are dealt out over."""

ADD_OFFERS = """
INSERT INTO offers (package_id, version, edition, status, distribution_level, campaign_id,
                    starts_at, ends_at, several_orders, audience_digest)
SELECT 'CAT' || n, 5, 1, 'published', 'collaborative_simple', 'OP1', $2, $3, false, 'of all'
FROM generate_series(0, $1 - 1) AS n
ON CONFLICT DO NOTHING
"""
ADD_ENTITIES = """
INSERT INTO entities (entity_id, version, active)
SELECT 'OU' || n, 1, true FROM generate_series($1::int, $2 - 1) AS n
ON CONFLICT DO NOTHING
"""
ADD_AUDIENCES = """
INSERT INTO audiences (package_id, entity_id)
SELECT 'CAT' || n % $3, 'OU' || n FROM generate_series($1::int, $2 - 1) AS n
"""


def load(messages: int, packages: int, first: int = 0) -> Load:
    """So many orders, each of an entity of its own in the audience of its package.

    first numbers them, so that databases can be used again: loads of one must not overlap.
    """
    last = first + messages

    async def seed(conn: asyncpg.Connection) -> None:
        now = datetime.now(UTC)
        starts_at, ends_at = now - timedelta(days=1), now + timedelta(days=30)
        await conn.execute(ADD_OFFERS, packages, starts_at, ends_at)
        await conn.execute(ADD_ENTITIES, first, last)
        await conn.execute(ADD_AUDIENCES, first, last, packages)

    orders = [upstream.order(n, packages) for n in range(first, last)]
    return Load("orders", orders, messages, seed)


async def rush(
    here: Place,
    report: Report,
    *,
    runs: int,
    messages: int,
    peer_messages: int,
    beside: Path | None = None,
) -> None:
    """Ours, the bare reading of the same messages, and peers, in turns."""
    sides = checkouts.chosen(beside)
    programs = _programs(report) if peer_messages else None
    async with installation.databases_of_each(here, sides) as ones:
        for _ in range(runs):
            for shape, packages in SHAPES.items():
                await draining.measure(here, report, shape, load(messages, packages), ones)
            if programs:
                await _peers(here, report, programs, peer_messages)
    for shape in SHAPES:
        draining.compare(report, shape, sides, ">= 0.4")
    for peer in (peering.NAIVE, *peering.OTHERS):
        report.compare("hot", peer.name, ">= 5")
    report.note("The goals are 9,000 a second hot and 6,500 spread on a quiet machine.")
    report.note("Peers do the same transaction a message, check no rule and publish no event.")


def _programs(report: Report) -> Path | None:
    report.console.print("installing the peers", style="dim")
    try:
        return peering.install()
    except peering.Uninstallable as error:
        report.note(f"The peers could not be installed; only the naive one ran: {error}")
        return Path(place.PROGRAMS)


async def _peers(here: Place, report: Report, programs: Path, messages: int) -> None:
    for peer in _able(programs):
        try:
            report.add(peer.name, await peering.rate(here, peer, programs, messages), "messages/s")
        except RuntimeError as error:
            report.note(f"{peer.name} did not get through: {error}")


def _able(programs: Path) -> Sequence[peering.Peer]:
    return (
        (peering.NAIVE, *peering.OTHERS)
        if programs.is_relative_to(peering.ENVIRONMENT)
        else (peering.NAIVE,)
    )
