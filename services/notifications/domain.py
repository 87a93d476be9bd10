"""What others must hear of, and when it is no longer news. Pure: everything comes in as a value."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contracts.notifications import (
    Notice,
    NotificationKind,
    OrderInfo,
    PackageInfo,
    Recipient,
    RecipientType,
)
from contracts.orders import OrderApproved, OrderCanceled, OrderDecided, OrderRejected
from contracts.packages import (
    DistributionLevel,
    PackageCanceled,
    PackageDecided,
    PackageEdited,
    PackageEdition,
    PackageEvent,
    PackagePublished,
    PackageRejected,
    PackageStatus,
    audience_digest,
)
from services.notifications import wording
from services.notifications.wording import Words

Kind = NotificationKind

NAMESPACE = uuid.UUID("6f1d6a0e-4a3c-5d0b-9d53-2f6a7c1e8b90")
"""Of the ids of notifications; another one would tell everybody everything again."""


NOBODY = Recipient(type=RecipientType.ENTITY, id="-", label="-")


class Key(NamedTuple):
    """What a recipient is told at most once: a kind of news about a subject in one edition.

    happening is empty where once an edition is enough, else the version that caused it.
    """

    kind: NotificationKind
    subject: str
    edition: int
    happening: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened, and what all notices of it share.

    notice is the data of the notice as JSON, without its id and its recipient; None as long as
    only orders of a cancel are known, and not the cancel itself.
    """

    key: Key
    package_id: str
    order_id: str | None
    version: int
    happened_at: datetime
    notice: str | None


class PackageCopy(PackageInfo):
    """What notifications keep of a package: what a notice shows, and what tells changes."""

    version: int
    audience_digest: str | None


def copy_of(event: PackageEvent) -> PackageCopy:
    """The copy of a package as an event leaves it."""
    return PackageCopy.model_construct(
        **_info(event).__dict__,
        version=event.version,
        audience_digest=audience_digest(event.audience),
    )


def is_over(known: PackageCopy | None, life: PackageEdition, canceled: bool) -> bool:
    """Whether nobody should be told any more that this edition can be ordered."""
    return canceled or (known is not None and known.edition > life[1])


def is_widened(known: PackageCopy | None, event: PackageEdited) -> bool:
    """Whether a published package has an audience of which somebody may not have been told."""
    if event.status is not PackageStatus.PUBLISHED:
        return False
    return known is None or (known.edition, known.audience_digest) != (
        event.edition,
        audience_digest(event.audience),
    )


def is_local(package: PackageInfo | PackageEvent) -> bool:
    """Whether orders outlive the cancel of this package, of which then nobody is told."""
    return package.distribution_level is DistributionLevel.LOCAL


def is_void(event: OrderDecided, known: PackageCopy | None, canceled: bool) -> bool:
    """Whether an order was canceled with its package before its entity could hear of this."""
    if not canceled or not isinstance(event, OrderApproved):
        return False
    return known is None or not is_local(known)


def told_of_cancel(event: PackageCanceled) -> list[str] | None:
    """Whom a cancel tells, besides those whose orders it cancels; None is every active entity."""
    if is_local(event) or event.published_at is None:
        return []
    return event.audience


def of_package(event: PackageDecided, actor: str | None) -> Happening:
    """What a publication, a rejection or a cancel is to those who are told of it."""
    comment = event.decision_comment
    match event:
        case PackagePublished() | PackageEdited():
            key = Key(Kind.PACKAGE_AVAILABLE, event.package_id, event.edition, "")
            words = wording.package_available(event)
        case PackageRejected():
            version = str(event.version)
            key = Key(Kind.PACKAGE_REJECTED, event.package_id, event.edition, version)
            words = wording.package_rejected(event, actor, comment)
        case PackageCanceled():
            key = cancel_key((event.package_id, event.edition))
            words = wording.package_canceled(event, actor, comment)
        case other:
            raise TypeError(f"nobody is told of {other!r}")
    return _happening(key, event, words, _info(event), None, actor)


ORDER_KINDS: dict[type[OrderDecided], NotificationKind] = {
    OrderApproved: Kind.ORDER_APPROVED,
    OrderRejected: Kind.ORDER_REJECTED,
    OrderCanceled: Kind.ORDER_CANCELED,
}


def of_order(event: OrderDecided, package: PackageInfo | None, actor: str | None) -> Happening:
    """What the decision about an order is to its entity."""
    kind = ORDER_KINDS[type(event)]
    key = Key(kind, event.order_id, event.edition, str(event.version))
    words = wording.order_decided(event, actor, event.decision_comment)
    if package is not None and package.edition != event.edition:
        package = package.model_copy(update={"edition": event.edition})
    order = OrderInfo.model_construct(
        order_id=event.order_id, label=event.label, status=event.status
    )
    return _happening(key, event, words, package, order, actor)


def cancel_key(life: PackageEdition) -> Key:
    """The key of the news that a package was canceled."""
    return Key(Kind.PACKAGE_CANCELED, *life, "")


def awaited(life: PackageEdition, now: datetime) -> Happening:
    """A cancel of which only the orders are known so far."""
    return Happening(cancel_key(life), life[0], None, 0, now, None)


def _happening(
    key: Key,
    event: PackageDecided | OrderDecided,
    words: Words,
    package: PackageInfo | None,
    order: OrderInfo | None,
    actor: str | None,
) -> Happening:
    notice = Notice.model_construct(
        notification_id="-",
        recipient=NOBODY,
        kind=key.kind,
        subject_line=words.subject_line,
        text=words.text,
        package=package,
        order=order,
        comment=event.decision_comment,
        actor=actor,
        happened_at=event.changed_at,
    )
    return Happening(
        key=key,
        package_id=event.package_id,
        order_id=order.order_id if order else None,
        version=event.version,
        happened_at=event.changed_at,
        notice=notice.model_dump_json(exclude={"notification_id", "recipient"}),
    )


def _info(event: PackageEvent) -> PackageInfo:
    return PackageInfo.model_construct(
        **{name: getattr(event, name) for name in PackageInfo.model_fields}
    )


def ids_of(key: Key) -> Callable[[str, str, str], str]:
    """The ids of the notifications of a happening: of recipient type, recipient and channel.

    Each is the uuid5 of all that makes it the same notification; what they share is hashed once.
    """
    about = "/".join((key.kind, key.subject, str(key.edition), key.happening))
    shared = hashlib.sha1(NAMESPACE.bytes + about.encode(), usedforsecurity=False)

    def id_of(recipient_type: str, recipient_id: str, channel: str) -> str:
        whole = shared.copy()
        whole.update(f"/{recipient_type}/{recipient_id}/{channel}".encode())
        return uuid.UUID(bytes=whole.digest()[:16], version=5).hex

    return id_of
