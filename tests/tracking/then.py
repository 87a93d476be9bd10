"""What tests hand to the reader, and what they read from its tables."""

import asyncio
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from contracts import names
from services.runtime.messages import item
from services.runtime.messages.item import Item, Origin
from services.tracking import checking
from tests.harness import Harness
from tests.tracking.histories import Told, raw

KEYS = {
    "packages": "package_id",
    "audiences": "package_id, entity_id",
    "due": "package_id, kind",
    "orders": "order_id",
    "campaigns": "campaign_id",
    "processes": "campaign_id, process_id",
    "entities": "entity_id",
    "notifications": "notification_id",
}
BESIDE = {
    "history": "event_id, source",
    "cancellations": "package_id, edition",
    "commands": "command_id",
    "parked": "service, number",
}


def items(harness: Harness, told: Iterable[Told]) -> list[Item]:
    """Events as the consumer hands them over."""
    found = []
    for one in told:
        origin = Origin(names.EVENTS, one.envelope.type)
        found += item.read(origin, raw(one), harness.service.routes)
    return found


async def feed(rng: Random, told: Sequence[Told], *harnesses: Harness, most: int = 40) -> None:
    """Hand these events over in batches of any size, to several workers at once."""

    async def work(harness: Harness, mine: list[Item]) -> None:
        at = 0
        while at < len(mine):
            size = rng.randint(1, most)
            answers = await harness.handle(mine[at : at + size])
            assert {answer.outcome for answer in answers if answer} == {"accepted"}
            at += size

    dealt = [items(h, told[n :: len(harnesses)]) for n, h in enumerate(harnesses)]
    await asyncio.gather(*(map(work, harnesses, dealt)))


async def feed_emitted(emitter: Harness, reader: Harness) -> None:
    """Hand over what a service has in its outbox, as the broker would."""
    rows = await emitter.pool.fetch("SELECT routing_key, body FROM outbox ORDER BY id")
    found: list[Item] = []
    for row in rows:
        origin = Origin(names.EVENTS, row["routing_key"])
        found += item.read(origin, row["body"], reader.service.routes)
    answers = await reader.handle(found)
    assert {answer.outcome for answer in answers if answer} == {"accepted"}


async def model(harness: Harness, schema: str = "model") -> dict[str, list[Any]]:
    """Every row of a model, by table."""
    return {name: await _rows(harness, f"{schema}.{name}", key) for name, key in KEYS.items()}


async def beside(harness: Harness) -> dict[str, list[Any]]:
    """Every row beside the model; when a command was visible is another moment each time."""
    found = {name: await _rows(harness, name, key) for name, key in BESIDE.items()}
    for row in found["commands"]:
        del row["visible_at"]
    return found


async def _rows(harness: Harness, table: str, key: str) -> list[Any]:
    statement = f"SELECT to_jsonb(t) AS row FROM {table} AS t ORDER BY {key}"
    return [record["row"] for record in await harness.pool.fetch(statement)]


async def differences(harness: Harness, schema: str = "model") -> list[str]:
    """Where the counts are not what count(*) says."""
    async with harness.pool.acquire() as conn:
        return [str(one) for one in await checking.compare(conn, schema)]
