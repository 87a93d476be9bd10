"""What the sixth service does with the messages of one batch."""

from collections.abc import Sequence

from services.runtime.decision import Accepted, Decision, Received
from services.runtime.service import Connection, Transaction, routes

from . import domain, store
from .messages import Greet, Greeted

ROUTES = routes(Greet)
World = dict[str, int]


async def load(conn: Connection, batch: Sequence[Received]) -> World:
    """Lock the guests these messages name."""
    return await store.lock(conn, {received.body.subject for received in batch})


def handle(world: World, received: Received) -> Decision:
    """Decide one message against the world as the messages before it left it."""
    command = received.body
    assert isinstance(command, Greet)
    decision = domain.decide(world.get(command.guest_id, 0), command)
    if isinstance(decision, Accepted):
        for event in decision.events:
            assert isinstance(event, Greeted)
            world[event.guest_id] = event.version
    return decision


async def save(tx: Transaction, world: World) -> None:
    """Store the guests in their last state."""
    await store.save(tx.conn, world)
