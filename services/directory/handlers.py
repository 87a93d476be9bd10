"""What the directory service does with the messages of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.directory import (
    ActivateEntity,
    DeactivateEntity,
    EntityCommand,
    EntityEvent,
    EntityState,
    RegisterEntity,
    UpdateEntity,
)
from services.directory import domain, store
from services.runtime.decision import Accepted, Decision, Loaded, Received
from services.runtime.service import Connection, Transaction, routes

ROUTES = routes(RegisterEntity, UpdateEntity, DeactivateEntity, ActivateEntity)


@dataclass(slots=True)
class World:
    """What the messages of a batch are decided against; locked were there before it."""

    entities: Loaded[str, EntityState]
    locked: frozenset[str]


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the entities these messages name."""
    named = {r.body.entity_id for r in batch if isinstance(r.body, EntityCommand)}
    entities = await store.lock_entities(conn, named)
    return World(Loaded(entities), frozenset(entities))


def handle(world: World, received: Received) -> Decision:
    """Decide one message against the world as the messages before it left it."""
    command = received.body
    if not isinstance(command, EntityCommand):
        raise TypeError(f"directory does not read {command!r}")
    decision = domain.decide(world.entities.get(command.entity_id), command, now=received.now)
    if isinstance(decision, Accepted):
        for event in decision.events:
            assert isinstance(event, EntityEvent)
            world.entities.put(event.entity_id, event.state)
    return decision


async def save(tx: Transaction, world: World) -> None:
    """Store each changed entity once, in its last state."""
    await store.save_entities(tx.conn, world.entities.changed(), world.locked)
