"""What the runtime has stored for a test: effects, rows, and envelopes in the outbox."""

from dataclasses import dataclass
from typing import Any

from contracts import envelope, names
from contracts.envelope import Envelope
from tests.harness import Harness

KEPT = {kind: f"kept WHERE kind = '{kind}'" for kind in ("waiting", "parked")}
"""Waiting and parked messages are rows of one table."""


async def notes(harness: Harness) -> list[str]:
    """The notes of the effects, in order."""
    rows = await harness.pool.fetch("SELECT note FROM journal ORDER BY number")
    return [row["note"] for row in rows]


async def rows(harness: Harness, table: str, order: str = "1") -> list[dict[str, Any]]:
    """What a table holds, or of the kept messages those of a kind."""
    found = await harness.pool.fetch(f"SELECT * FROM {KEPT.get(table, table)} ORDER BY {order}")
    return [dict(row) for row in found]


@dataclass(frozen=True, slots=True)
class OutboxEnvelope:
    """One envelope in the outbox, and where it goes."""

    exchange: str
    routing_key: str
    partitionkey: str | None
    envelope: Envelope

    @property
    def data(self) -> dict[str, Any]:
        """The data of the envelope."""
        return self.envelope.data or {}

    @property
    def kind(self) -> str:
        """Its type, without the marks of Relais and of the version."""
        return self.envelope.type.split(".", 1)[1].rsplit(".", 1)[0]


async def outbox_envelopes(harness: Harness) -> list[OutboxEnvelope]:
    """Every envelope in the outbox, in order, also of those packed into one row."""
    found = []
    for row in await harness.pool.fetch("SELECT * FROM outbox ORDER BY id"):
        for element in envelope.read(row["body"]):
            assert isinstance(element, Envelope)
            found.append(
                OutboxEnvelope(row["exchange"], row["routing_key"], row["partitionkey"], element)
            )
    return found


async def events(harness: Harness, kind: str) -> list[OutboxEnvelope]:
    """The events of a kind, such as command.refused."""
    return [
        s for s in await outbox_envelopes(harness) if s.exchange == names.EVENTS and s.kind == kind
    ]


async def replies(harness: Harness) -> list[OutboxEnvelope]:
    """The answers that wait to be sent."""
    return [s for s in await outbox_envelopes(harness) if not s.exchange]
