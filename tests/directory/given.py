"""What tests of the directory begin with, and a way to decide one message without a database."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from contracts.directory import (
    ActivateEntity,
    DeactivateEntity,
    EntityCommand,
    EntityState,
    RegisterEntity,
    UpdateEntity,
)
from contracts.envelope import Envelope
from contracts.message import Body
from services.directory import handlers
from services.directory.handlers import World
from services.runtime.decision import Decision, Loaded, Received

EARLIER = datetime(2026, 11, 22, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

REVIEWER = {"id": "p-martin", "label": "Paule Martin", "email": "p.martin@example.org"}

GIVEN: dict[str, Any] = {
    "label": "Agence de Lyon",
    "email": "lyon@example.org",
    "language": "fr",
    "channels": ["mailbox", "email"],
    "mailbox": "REGION1",
    "webhook_url": "https://lyon.example.org/hook",
    "notify": [REVIEWER],
    "order_reviewers": [REVIEWER],
    "campaign_reviewers": [REVIEWER],
}
"""An entity that says everything of itself."""


def registration(entity_id: str = "OU3", **given: Any) -> RegisterEntity:
    """The command that registers an entity that says nothing but its label, and this."""
    return RegisterEntity(**({"entity_id": entity_id, "label": "Agence de Lyon"} | given))


def update(entity_id: str = "OU3", **changes: Any) -> UpdateEntity:
    """The command that changes some fields of an entity."""
    return UpdateEntity(**({"entity_id": entity_id} | changes))


def deactivation(entity_id: str = "OU3") -> DeactivateEntity:
    """The command that lets an entity place no more orders."""
    return DeactivateEntity(entity_id=entity_id)


def activation(entity_id: str = "OU3") -> ActivateEntity:
    """The command that lets an entity place orders again."""
    return ActivateEntity(entity_id=entity_id)


def entity(**changes: Any) -> EntityState:
    """An active entity of version 4 with every field given, and these changes."""
    known = {"entity_id": "OU3", "active": True, "version": 4, "changed_at": EARLIER}
    return EntityState(**(GIVEN | known | changes))


def world(entities: Iterable[EntityState] = ()) -> World:
    """A world of these entities."""
    return World(Loaded((e.entity_id, e) for e in entities), frozenset())


def received(body: Body) -> Received:
    """A message as the service sees it."""
    envelope = Envelope(
        specversion="1.0", id="1", source="/test", type=body.wire_type, subject=body.subject
    )
    return Received(envelope, body, NOW)


def decide(command: EntityCommand, *entities: EntityState) -> Decision:
    """Decide one command where these entities are known."""
    return handlers.handle(world(entities), received(command))
