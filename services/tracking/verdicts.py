"""What would become of a command, as far as the read model can tell. Pure.

The services decide, by rules of which these are the ones that rows of the read model can answer:
the status a thing must have, its version, a package that no longer takes orders, locked fields.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts import names
from contracts.campaigns import CampaignCommand, CampaignStatus, CreateCampaign, ReportProcess
from contracts.directory import (
    ActivateEntity,
    DeactivateEntity,
    EntityCommand,
    RegisterEntity,
)
from contracts.envelope import FieldError
from contracts.fields import Instant
from contracts.message import Command, same
from contracts.orders import EditOrder, OrderCommand, OrderStatus, PlaceOrder
from contracts.packages import (
    ApprovePackage,
    CreatePackage,
    EditPackage,
    PackageCommand,
    PackageState,
    PackageStatus,
    PublishPackage,
    ReinitializePackage,
)
from contracts.sentences import last_change, moment
from services.runtime.service import Row
from services.tracking.queries.subjects import Subjects

_P, _O, _C = PackageStatus, OrderStatus, CampaignStatus
_OPEN = frozenset({_O.ORDERED, _O.APPROVED, _O.AVAILABLE})
FREELY_EDITED = frozenset({_P.BEING_EDITED, _P.REJECTED})
EDITABLE = FREELY_EDITED | {_P.PENDING_APPROVAL, _P.APPROVED, _P.PUBLISHED}
ALWAYS_EDITABLE = frozenset(
    {"label", "folder", "description", "documents", "assigned_to", "notification_message"}
)
ONLY_LATER = frozenset({"ends_at", "registration_deadline", "personalization_deadline"})

ALLOWED: dict[str, frozenset[str]] = {
    "package.submit": FREELY_EDITED,
    "package.approve": frozenset({_P.PENDING_APPROVAL}),
    "package.reject": frozenset({_P.PENDING_APPROVAL}),
    "package.publish": frozenset({_P.APPROVED}),
    "package.cancel": frozenset(_P) - {_P.CANCELED},
    "package.reinitialize": frozenset({_P.PUBLISHED, _P.CANCELED}),
    "package.edit": EDITABLE,
    "order.edit": _OPEN,
    "order.approve": frozenset({_O.ORDERED}),
    "order.reject": frozenset({_O.ORDERED}),
    "order.cancel": _OPEN,
    "campaign.start": frozenset({_C.BEING_EDITED}),
    "campaign.cancel": frozenset({_C.BEING_EDITED, _C.STARTED}),
    "campaign.reinitialize": frozenset({_C.CANCELED}),
}
"""From which statuses a command is accepted."""

TARGET: dict[str, str] = {
    "package.submit": _P.PENDING_APPROVAL,
    "package.approve": _P.APPROVED,
    "package.reject": _P.REJECTED,
    "package.publish": _P.PUBLISHED,
    "package.cancel": _P.CANCELED,
    "package.reinitialize": _P.BEING_EDITED,
    "order.approve": _O.APPROVED,
    "order.reject": _O.REJECTED,
    "order.cancel": _O.CANCELED,
    "campaign.start": _C.STARTED,
    "campaign.cancel": _C.CANCELED,
    "campaign.reinitialize": _C.BEING_EDITED,
}
"""The status that a command leads to: who has it already is not changed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome to be expected: accepted, unchanged or refused."""

    outcome: str
    code: str | None = None
    message: str | None = None
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


def _refused(code: str, message: str, row: Row | None = None) -> Verdict:
    return Verdict("refused", code, message, row["version"] if row is not None else None)


def foretell(command: Command, known: Subjects) -> Verdict:
    """What would become of a command if it were decided now."""
    match command:
        case CreatePackage():
            return _create_package(command, known)
        case PackageCommand():
            return _package(command, known)
        case PlaceOrder():
            return _place(command, known)
        case OrderCommand():
            return _order(command, known)
        case CreateCampaign():
            row = known.campaigns.get(command.campaign_id)
            return _unused("campaign", command.campaign_id, row)
        case CampaignCommand():
            return _campaign(command, known)
        case RegisterEntity():
            return _unused("entity", command.entity_id, known.entities.get(command.entity_id))
        case EntityCommand():
            return _entity(command, known)
        case _:
            return Verdict("accepted", message="only the service that decides it can tell more")


def _unused(kind: str, id: str, row: Row | None) -> Verdict:
    if row is None:
        return Verdict("accepted")
    return _refused("already_exists", f"{kind} {id} exists already; use another id", row)


def _unknown(kind: str, id: str, how: str) -> Verdict:
    return _refused(f"unknown_{kind}", f"{kind} {id} is not known; {how} first")


def _create_package(command: CreatePackage, known: Subjects) -> Verdict:
    row = known.packages.get(command.package_id)
    if row is not None:
        return _unused("package", command.package_id, row)
    return _of_campaign(command.campaign_id, command.package_id, 1, known) or Verdict("accepted")


def _of_campaign(id: str, package_id: str, edition: int, known: Subjects) -> Verdict | None:
    campaign = known.campaigns.get(id)
    if campaign is None:
        return _unknown("campaign", id, "create it with campaign.create")
    by = campaign["canceled_by"] or {}
    own = by.get("package_id") == package_id and by.get("edition", edition) < edition
    if campaign["status"] == _C.CANCELED and not own:
        text = f"campaign {id} of package {package_id} is canceled; name another that is not"
        return _refused("campaign_canceled", text)
    return None


def _life(command: Command, kind: str, row: Row, allowed: Collection[str]) -> Verdict | None:
    """The checks that all commands about something with a status begin with."""
    name, status = names.short_type(command.wire_type), row["status"]
    about = f"{kind} {command.subject}"
    changed = last_change(row["changed_at"], row["changed_by"])
    if status == TARGET.get(name):
        text = f"{about} is {status} already, {changed}"
        return Verdict("unchanged", None, text, row["version"])
    expected = getattr(command, "expected_version", None)
    if expected is not None and expected != row["version"]:
        text = f"{about} has version {row['version']}, not {expected}; read it again"
        return _refused("version_conflict", text, row)
    if status not in allowed:
        text = f"{about} is {status}, {changed}; {name} is accepted from "
        return _refused("wrong_status", text + ", ".join(sorted(allowed)), row)
    return None


def _package(command: PackageCommand, known: Subjects) -> Verdict:
    row = known.packages.get(command.package_id)
    if row is None:
        return _unknown("package", command.package_id, "create it with package.create")
    if isinstance(command, EditPackage):
        return _edit_package(command, row, known)
    allowed = ALLOWED[names.short_type(command.wire_type)]
    if isinstance(command, ApprovePackage) and not row["state"].get("reviewers"):
        allowed = allowed | {_P.BEING_EDITED}
    if verdict := _life(command, "package", row, allowed):
        return verdict
    return _package_rules(command, row, known) or Verdict("accepted", version=row["version"] + 1)


def _package_rules(command: PackageCommand, row: Row, known: Subjects) -> Verdict | None:
    id, edition = command.package_id, row["edition"]
    match command:
        case ApprovePackage():
            level = row["distribution_level"]
            needed = ("collaborative_simple", "collaborative_by_form", "collaborative_by_campaign")
            if level in needed and row["audience_digest"] is None:
                text = f"package {id} of level {level} has no audience; give it one first"
                return _refused("audience_required", text, row)
            return _of_campaign(row["campaign_id"], id, edition, known)
        case PublishPackage():
            if known.as_of > row["ends_at"]:
                text = f"package {id} ended at {moment(row['ends_at'])}; give it a later ends_at"
                return _refused("wrong_status", text, row)
            return _of_campaign(row["campaign_id"], id, edition, known)
        case ReinitializePackage() if id in known.canceling:
            text = f"the cancel of edition {edition} of package {id} is not complete"
            return _refused("cancellation_running", text, row)
        case _:
            return None


def _edit_package(command: EditPackage, row: Row, known: Subjects) -> Verdict:
    state = PackageState.model_validate({**row["state"], "audience": None})
    changes = {
        name: value
        for name, value in command.changes.items()
        if name == "audience" or not same(getattr(state, name), value)
    }
    if not changes:
        text = f"package {command.package_id} has these values"
        return Verdict("unchanged", None, text, row["version"])
    if verdict := _life(command, "package", row, EDITABLE):
        return verdict
    if row["status"] not in FREELY_EDITED:
        locked = [name for name in sorted(changes) if _is_locked(name, changes[name], state)]
        if locked:
            text = f"{locked[0]} of package {command.package_id} is locked while it is "
            errors = tuple(FieldError(f"data.{name}", "is locked") for name in locked)
            return Verdict("refused", "field_locked", text + row["status"], row["version"], errors)
    return Verdict("accepted", version=row["version"] + 1)


def _is_locked(name: str, value: Any, state: PackageState) -> bool:
    if name in ALWAYS_EDITABLE or name == "audience":
        return False
    if name in ONLY_LATER:
        old: Instant | None = getattr(state, name)
        return not (value is None or (old is not None and value > old))
    return True


def _order(command: OrderCommand, known: Subjects) -> Verdict:
    row = known.orders.get(command.order_id)
    if row is None:
        return _unknown("order", command.order_id, "place it with order.place")
    if row["package_id"] != command.package_id:
        text = f"order {command.order_id} is one of package {row['package_id']}, not of "
        return _refused("invalid", text + command.package_id, row)
    allowed = ALLOWED[names.short_type(command.wire_type)]
    if verdict := _life(command, "order", row, allowed):
        return verdict
    if isinstance(command, EditOrder) and not command.changes:
        return Verdict("unchanged", None, "the command changes no field", row["version"])
    return Verdict("accepted", version=row["version"] + 1)


def _place(command: PlaceOrder, known: Subjects) -> Verdict:
    if (order := known.orders.get(command.order_id)) is not None:
        return _unused("order", command.order_id, order)
    package = known.packages.get(command.package_id)
    if package is None:
        return _unknown("package", command.package_id, "create it with package.create")
    entity = known.entities.get(command.entity_id)
    if entity is None:
        return _unknown("entity", command.entity_id, "register it with entity.register")
    about, who = f"package {command.package_id}", f"entity {command.entity_id}"
    if not entity["active"]:
        return _refused("entity_inactive", f"{who} is not active; activate it first")
    if problem := _not_offered(package, about, known.as_of):
        return problem
    pair = command.package_id, command.entity_id
    if package["audience_digest"] is not None and pair not in known.invited:
        return _refused("not_in_audience", f"{who} is not in the audience of {about}")
    several = package["distribution_level"] == "local" and package["state"].get("several_orders")
    if pair in known.ordered and not several:
        return _refused("already_ordered", f"{who} has an order of {about} already")
    return Verdict("accepted", version=1)


def _not_offered(package: Row, about: str, now: datetime) -> Verdict | None:
    if package["status"] != _P.PUBLISHED or not package["starts_at"] <= now <= package["ends_at"]:
        dates = f"from {moment(package['starts_at'])} to {moment(package['ends_at'])}"
        return _refused("not_offered", f"{about} is {package['status']}, {dates}")
    deadline = package["state"].get("registration_deadline")
    if deadline is not None and now > datetime.fromisoformat(deadline):
        return _refused("registration_closed", f"{about} took orders until {deadline}")
    return None


def _campaign(command: CampaignCommand, known: Subjects) -> Verdict:
    row = known.campaigns.get(command.campaign_id)
    if row is None:
        return _unknown("campaign", command.campaign_id, "create it with campaign.create")
    if isinstance(command, ReportProcess):
        return Verdict("accepted")
    allowed = ALLOWED[names.short_type(command.wire_type)]
    return _life(command, "campaign", row, allowed) or Verdict(
        "accepted", version=row["version"] + 1
    )


def _entity(command: EntityCommand, known: Subjects) -> Verdict:
    row = known.entities.get(command.entity_id)
    if row is None:
        return _unknown("entity", command.entity_id, "register it with entity.register")
    match command:
        case DeactivateEntity() if not row["active"]:
            text = f"entity {command.entity_id} is inactive already"
        case ActivateEntity() if row["active"]:
            text = f"entity {command.entity_id} is active already"
        case _:
            return Verdict("accepted", version=row["version"] + 1)
    return Verdict("unchanged", None, text, row["version"])
