"""What a notice says to the person who reads it: a subject line and a sentence or two. Pure."""

from datetime import datetime
from typing import NamedTuple

from contracts.orders import OrderState
from contracts.packages import PackageState


class Words(NamedTuple):
    """What a mail would show."""

    subject_line: str
    text: str


def package_available(package: PackageState) -> Words:
    """The package can be ordered, until when, and what its maker has to say."""
    last = package.registration_deadline or package.ends_at
    text = f"The package {_named(package)} can be ordered until {_day(last)}."
    if package.notification_message:
        text += f"\n\n{package.notification_message}"
    return Words(f"{package.label} can be ordered", text)


def package_rejected(package: PackageState, actor: str | None, comment: str | None) -> Words:
    """The package was sent back."""
    text = f"The package {_named(package)} was rejected{_by(actor, comment)}"
    return Words(f"{package.label} was rejected", text)


def package_canceled(package: PackageState, actor: str | None, comment: str | None) -> Words:
    """The package was withdrawn."""
    text = f"The package {_named(package)} was canceled{_by(actor, comment)}"
    return Words(f"{package.label} was canceled", text)


def order_decided(order: OrderState, actor: str | None, comment: str | None) -> Words:
    """The order was approved, rejected or canceled, as its status says."""
    text = f"Your order {order.label} ({order.order_id}) was {order.status}{_by(actor, comment)}"
    return Words(f"{order.label} was {order.status}", text)


def _named(package: PackageState) -> str:
    return f"{package.label} ({package.package_id})"


def _by(actor: str | None, comment: str | None) -> str:
    """The end of a sentence: by whom, and what they had to say."""
    by = f" by {actor}" if actor else ""
    said = (comment or "").strip()
    if not said:
        return f"{by}."
    return f"{by}: {said}" if said[-1] in ".!?…" else f"{by}: {said}."


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
