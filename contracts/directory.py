"""What is said to and by the directory about local entities."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from contracts.fields import (
    Email,
    Flag,
    Id,
    Instant,
    Label,
    Language,
    Name,
    Version,
    WebhookUrl,
)
from contracts.message import ABSENT, Command, Edit, StateEvent
from contracts.values import Known, OpenEnum, Operators, Value


class Channel(OpenEnum):
    """A way to reach an entity."""

    MAILBOX = "mailbox"
    EMAIL = "email"
    WEBHOOK = "webhook"


def _or_mailbox(value: Any) -> Any:
    return [Channel.MAILBOX] if value is None else value


def _distinct(channels: list[Channel]) -> list[Channel]:
    return list(dict.fromkeys(channels))


Channels = Annotated[
    list[Channel],
    Field(min_length=1, max_length=10),
    AfterValidator(_distinct),
    BeforeValidator(_or_mailbox),
]
KnownChannels = Annotated[
    list[Known[Channel]],
    Field(min_length=1, max_length=10),
    AfterValidator(_distinct),
    BeforeValidator(_or_mailbox),
]


def _default_channels() -> list[Channel]:
    return [Channel.MAILBOX]


class EntityCommand(Command):
    """A command about one entity."""

    SUBJECT: ClassVar[str] = "entity_id"

    entity_id: Id


class RegisterEntity(EntityCommand):
    """Make an entity known; without a mailbox of its own name it reads the one named as itself."""

    TYPE: ClassVar[str] = "relais.entity.register.v1"

    label: Label
    email: Email | None = None
    language: Language | None = None
    channels: KnownChannels = Field(default_factory=_default_channels)
    mailbox: Id | None = None
    webhook_url: WebhookUrl | None = None
    notify: Operators = None
    order_reviewers: Operators = None
    campaign_reviewers: Operators = None


class UpdateEntity(EntityCommand, Edit):
    """Change some fields of an entity."""

    TYPE: ClassVar[str] = "relais.entity.update.v1"
    ADDRESS: ClassVar[frozenset[str]] = frozenset({"entity_id"})

    label: Label = ABSENT
    email: Email | None = None
    language: Language | None = None
    channels: KnownChannels = Field(default_factory=_default_channels)
    mailbox: Id | None = None
    webhook_url: WebhookUrl | None = None
    notify: Operators = None
    order_reviewers: Operators = None
    campaign_reviewers: Operators = None


class DeactivateEntity(EntityCommand):
    """Let an entity place no more orders."""

    TYPE: ClassVar[str] = "relais.entity.deactivate.v1"


class ActivateEntity(EntityCommand):
    """Let an entity place orders again."""

    TYPE: ClassVar[str] = "relais.entity.activate.v1"


class EntityState(Value):
    """Everything that others may know of an entity."""

    entity_id: Id
    label: Name
    email: Email | None = None
    language: Language | None = None
    channels: Channels = Field(default_factory=_default_channels)
    mailbox: Id
    webhook_url: WebhookUrl | None = None
    notify: Operators = None
    order_reviewers: Operators = None
    campaign_reviewers: Operators = None
    active: Flag
    version: Version
    changed_at: Instant


class EntityEvent(EntityState, StateEvent[EntityState]):
    """Something happened to an entity; this is its state since."""

    STATE = EntityState
    SUBJECT: ClassVar[str] = "entity_id"


class EntityRegistered(EntityEvent):
    """An entity is known."""

    TYPE: ClassVar[str] = "relais.entity.registered.v1"


class EntityUpdated(EntityEvent):
    """Some fields of an entity changed."""

    TYPE: ClassVar[str] = "relais.entity.updated.v1"


class EntityDeactivated(EntityEvent):
    """An entity places no more orders."""

    TYPE: ClassVar[str] = "relais.entity.deactivated.v1"


class EntityActivated(EntityEvent):
    """An entity places orders again."""

    TYPE: ClassVar[str] = "relais.entity.activated.v1"


class EntitySnapshot(EntityEvent):
    """The present state of an entity, for a reader that begins; only on request."""

    TYPE: ClassVar[str] = "relais.entity.snapshot.v1"
