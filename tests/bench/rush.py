"""rush: a full queue of order.place, one message each; how fast one worker gets through it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from contracts import names
from services.runtime.channel import Outgoing
from services.runtime.service import installed
from tests.bench import consume, drain, orders, peering, place
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
"""
ADD_ENTITIES = """
INSERT INTO entities (entity_id, version, active)
SELECT 'OU' || n, 1, true FROM generate_series(0, $1 - 1) AS n
"""
ADD_AUDIENCES = """
INSERT INTO audiences (package_id, entity_id)
SELECT 'CAT' || n % $2, 'OU' || n FROM generate_series(0, $1 - 1) AS n
"""


def load(messages: int, packages: int) -> Load:
    """So many orders, each of an entity of its own in the audience of its package."""

    async def seed(conn: asyncpg.Connection) -> None:
        now = datetime.now(UTC)
        starts_at, ends_at = now - timedelta(days=1), now + timedelta(days=30)
        await conn.execute(ADD_OFFERS, packages, starts_at, ends_at)
        await conn.execute(ADD_ENTITIES, messages)
        await conn.execute(ADD_AUDIENCES, messages, packages)

    return Load("orders", [outgoing(n, packages) for n in range(messages)], messages, seed)


def outgoing(number: int, packages: int) -> Outgoing:
    """One order as an upstream system sends it."""
    placed = orders.place(number, packages)
    return Outgoing(
        exchange=names.COMMANDS,
        routing_key=orders.TYPE,
        body=placed.body,
        type=orders.TYPE,
        message_id=placed.id,
        content_type=names.CLOUDEVENT,
        app_id=orders.SOURCE,
        partitionkey=placed.package_id,
    )


async def rush(
    here: Place, report: Report, *, runs: int, messages: int, peer_messages: int
) -> None:
    """Ours, the bare reading of the same messages, and peers, in turns."""
    programs = _programs(report) if peer_messages else None
    for _ in range(runs):
        for shape, packages in SHAPES.items():
            await _ours(here, report, shape, load(messages, packages))
        if programs:
            await _peers(here, report, programs, peer_messages)
    for shape, goal in (("hot", ">= 10,000/s"), ("spread", ">= 7,000/s")):
        report.compare(shape, f"{shape} read only", f">= 0.4 ({shape} {goal})")
    for peer in (peering.NAIVE, *peering.OTHERS):
        report.compare("hot", peer.name, ">= 4")
    report.note("Peers do the same transaction a message, check no rule and publish no event.")


async def _ours(here: Place, report: Report, shape: str, given: Load) -> None:
    drained = await drain.drain(here, given)
    report.add(shape, drained.rate, "messages/s")
    report.add(f"{shape} processor", drained.cpu_us, "µs/message")
    report.add(f"{shape} memory", drained.peak_mb, "MB")
    report.add(f"{shape} read only", await read_only(here, given), "messages/s")


async def read_only(here: Place, given: Load) -> float:
    """How fast the same messages are read from the same lanes and acknowledged."""
    service = installed()[given.service]
    queues = place.reader(service).queues
    async with place.exchanges(here, [service]):
        await drain.fill(here.amqp_url, given.messages)
        await drain.settle(here)
        seconds = consume.apart(here, queues, len(given.messages))
    return given.elements / seconds


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
