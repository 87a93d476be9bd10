"""What the messages of a batch know, and what they come to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.directory import EntityEvent
from contracts.packages import PackageEdition
from services.notifications.domain import Happening, Key, PackageCopy
from services.notifications.retries import Retries
from services.runtime.decision import Cause, Loaded, Received


@dataclass(frozen=True, slots=True)
class News:
    """Something to be told, and why it happened."""

    happening: Happening
    cause: Cause


@dataclass(frozen=True, slots=True)
class FanOut:
    """A job: the recipients of a happening; audience None is every entity active at as_of."""

    happening: Happening
    audience: Sequence[str] | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch has seen of a cancel; started_at is None unless it saw the cancel itself."""

    cause: Cause
    started_at: datetime | None = None
    foreseen: int = 0
    orders_seen: int = 0
    orders_canceled: int | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity's last state of a batch, and the moment of it."""

    event: EntityEvent
    moment: datetime


@dataclass(slots=True)
class World:
    """canceled are the editions whose cancel has been handled.

    told are the entities, and operators those people with their labels, to be told of a
    happening right away; superseded is by package the last edition not to be offered any more.
    """

    packages: Loaded[str, PackageCopy]
    canceled: set[PackageEdition]
    now: datetime
    entities: dict[str, Entity] = field(default_factory=dict)
    news: dict[Key, News] = field(default_factory=dict)
    told: dict[Key, set[str]] = field(default_factory=dict)
    operators: dict[tuple[Key, str], str] = field(default_factory=dict)
    fan_outs: list[FanOut] = field(default_factory=list)
    seen: dict[PackageEdition, Seen] = field(default_factory=dict)
    superseded: dict[str, int] = field(default_factory=dict)
    retries: Retries = field(default_factory=Retries)
    moments: int = 0

    def moment(self) -> datetime:
        """Now, and later than the moment before: who was active is told apart within a batch."""
        self.moments += 1
        return self.now + timedelta(microseconds=self.moments)

    def tell(self, happening: Happening, received: Received, entities: Iterable[str] = ()) -> None:
        """Keep a happening, the newer of two under one key, and some who must hear of it."""
        self.told.setdefault(happening.key, set()).update(entities)
        known = self.news.get(happening.key)
        if known is None or known.happening.version < happening.version:
            self.news[happening.key] = News(happening, received.cause)

    def fan_out(self, happening: Happening, audience: Sequence[str] | None) -> None:
        """Leave many recipients of a happening to a job."""
        job = FanOut(happening, audience, self.moment())
        self.fan_outs.append(job)

    def seen_of(self, life: PackageEdition, received: Received) -> Seen:
        """What the messages before have seen of a cancel."""
        return self.seen.get(life) or Seen(received.cause)

    def supersede(self, life: PackageEdition) -> None:
        """Nobody is told any more that this edition, or one before it, can be ordered."""
        package_id, edition = life
        self.superseded[package_id] = max(edition, self.superseded.get(package_id, 0))
