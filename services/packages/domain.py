"""The rules of a package's life. Pure: time and everything else comes in as a value."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, assert_never

from contracts import names
from contracts.envelope import FieldError
from contracts.message import differing
from contracts.outcomes import RefusalCode
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    CreatePackage,
    DistributionLevel,
    EditPackage,
    PackageApproved,
    PackageCanceled,
    PackageCommand,
    PackageCreated,
    PackageEdited,
    PackagePublished,
    PackageReinitialized,
    PackageRejected,
    PackageState,
    PackageStatus,
    PackageSubmitted,
    PublishPackage,
    ReinitializePackage,
    RejectPackage,
    SubmitPackage,
)
from contracts.sentences import last_change, printable
from services.packages import conditions
from services.packages.conditions import Campaign
from services.runtime.decision import Accepted, Decision, Refused, Unchanged, accepted

Status = PackageStatus

LifeCommand = (
    SubmitPackage
    | ApprovePackage
    | RejectPackage
    | PublishPackage
    | CancelPackage
    | ReinitializePackage
)
"""Commands that move a package from one status to another."""

ALLOWED: dict[type[PackageCommand], frozenset[Status]] = {
    SubmitPackage: frozenset({Status.BEING_EDITED, Status.REJECTED}),
    ApprovePackage: frozenset({Status.PENDING_APPROVAL}),
    RejectPackage: frozenset({Status.PENDING_APPROVAL}),
    PublishPackage: frozenset({Status.APPROVED}),
    CancelPackage: frozenset(Status) - {Status.CANCELED},
    ReinitializePackage: frozenset({Status.PUBLISHED, Status.CANCELED}),
}
TARGET: dict[type[PackageCommand], Status] = {
    SubmitPackage: Status.PENDING_APPROVAL,
    ApprovePackage: Status.APPROVED,
    RejectPackage: Status.REJECTED,
    PublishPackage: Status.PUBLISHED,
    CancelPackage: Status.CANCELED,
    ReinitializePackage: Status.BEING_EDITED,
}
FREELY_EDITED = frozenset({Status.BEING_EDITED, Status.REJECTED})
EDITED_WITHIN_LIMITS = frozenset({Status.PENDING_APPROVAL, Status.APPROVED, Status.PUBLISHED})
ALWAYS_EDITABLE = frozenset(
    {"label", "folder", "description", "documents", "assigned_to", "notification_message"}
)
ONLY_LATER = frozenset({"ends_at", "registration_deadline", "personalization_deadline"})
NEED_AUDIENCE = frozenset(
    {
        DistributionLevel.COLLABORATIVE_SIMPLE,
        DistributionLevel.COLLABORATIVE_BY_FORM,
        DistributionLevel.COLLABORATIVE_BY_CAMPAIGN,
    }
)


def create(
    package: PackageState | None,
    command: CreatePackage,
    campaign: Campaign | None,
    *,
    now: datetime,
    actor: str | None,
) -> Decision:
    """Make a package of an unused id for a campaign that fits."""
    if package is not None:
        return Refused(
            RefusalCode.ALREADY_EXISTS,
            f"package {package.package_id} exists already, with the label "
            f"'{printable(package.label)}'; use another id, or package.edit to change it",
            package.version,
        )
    terms = command.model_dump()
    refusal = conditions.check(command, campaign, command.package_id, edition=1)
    if refusal := refusal or conditions.check_size(command, command.model_fields_set):
        return refusal
    state = PackageState(
        **terms,
        status=Status.BEING_EDITED,
        edition=1,
        version=1,
        created_at=now,
        changed_at=now,
        changed_by=actor,
    )
    return accepted(PackageCreated.of(state), message=_unchecked(command.audience))


def edit(
    package: PackageState,
    command: EditPackage,
    campaign: Campaign | None,
    *,
    now: datetime,
    actor: str | None,
) -> Decision:
    """Change some fields; campaign is the one the package has after the edit."""
    changes = differing(package, command.changes)
    if campaign is None and "campaign_id" in changes:
        return conditions.unknown_campaign(changes["campaign_id"])
    if not changes:
        text = f"package {package.package_id} has these values, {_changed(package)}"
        return Unchanged(text, package.version)
    if refusal := _conflict(package, command.expected_version):
        return refusal
    if package.status in EDITED_WITHIN_LIMITS:
        if refusal := next(_locked(package, changes), None):
            return refusal
    elif package.status not in FREELY_EDITED:
        editable = sorted(FREELY_EDITED | EDITED_WITHIN_LIMITS)
        return _wrong_status(package, "package.edit", editable)
    edited = PackageEdited.of(
        package, version=package.version + 1, changed_at=now, changed_by=actor, **changes
    )
    message = _unchecked(changes.get("audience"))
    return _check_edited(package, edited, campaign, changes) or accepted(edited, message=message)


def _unchecked(audience: list[str] | None) -> str | None:
    """What a sender has to know who gives an audience: only the directory knows the entities."""
    if not audience:
        return None
    return (
        "its audience is not checked here: an entity that is not registered is offered nothing, "
        "and its notices fail as unknown_entity"
    )


def _check_edited(
    package: PackageState,
    edited: PackageEdited,
    campaign: Campaign | None,
    changes: dict[str, Any],
) -> Refused | None:
    """The rules of creation hold for an edit; the campaign is looked at where it may change."""
    if package.status in FREELY_EDITED:
        refusal = conditions.check(edited, campaign, package.package_id, package.edition)
    else:
        refusal = conditions.check_dates(edited)
    return refusal or conditions.check_size(edited, changes)


def _locked(package: PackageState, changes: dict[str, Any]) -> Iterator[Refused]:
    """What may not change any more once a package has been submitted."""
    for name, value in sorted(changes.items()):
        if name in ALWAYS_EDITABLE:
            continue
        if name in ONLY_LATER:
            old = getattr(package, name)
            # No deadline is the latest there is.
            if value is None or (old is not None and value > old):
                continue
            yield _field_locked(package, name, f"only a later time than {conditions.shown(old)}")
        elif name == "audience":
            if package.audience and value and set(value) >= set(package.audience):
                continue
            yield _field_locked(package, name, "only the full list with entities added")
        else:
            yield _field_locked(package, name, "no change of it")


def _field_locked(package: PackageState, name: str, accepted_: str) -> Refused:
    text = (
        f"{name} of package {package.package_id} is locked while the package is "
        f"{package.status}; {accepted_} is accepted"
    )
    errors = (FieldError(f"data.{name}", "is locked"),)
    return Refused(RefusalCode.FIELD_LOCKED, text, package.version, errors)


def decide(
    package: PackageState,
    command: LifeCommand,
    campaign: Campaign | None,
    *,
    cancel_running: bool,
    now: datetime,
    actor: str | None,
) -> Decision:
    """Move a package through its life; cancel_running: an earlier cancel is not complete."""
    kind = type(command)
    if package.status == TARGET[kind]:
        return Unchanged(
            f"package {package.package_id} is {package.status} already, {_changed(package)}",
            package.version,
        )
    if refusal := _conflict(package, command.expected_version):
        return refusal
    allowed = _allowed(package, command)
    if package.status not in allowed:
        return _wrong_status(package, names.short_type(command.wire_type), sorted(allowed))
    if refusal := _check_rules(package, command, campaign, cancel_running, now):
        return refusal
    return _move(package, command, now, actor)


def _allowed(package: PackageState, command: LifeCommand) -> frozenset[Status]:
    if isinstance(command, ApprovePackage) and not package.reviewers:
        # Nobody is there to submit it to.
        return ALLOWED[ApprovePackage] | {Status.BEING_EDITED}
    return ALLOWED[type(command)]


def _check_rules(
    package: PackageState,
    command: LifeCommand,
    campaign: Campaign | None,
    cancel_running: bool,
    now: datetime,
) -> Refused | None:
    match command:
        case ApprovePackage():
            return _check_audience(package) or _check_campaign_alive(package, campaign)
        case PublishPackage():
            return _check_campaign_alive(package, campaign) or _check_not_over(package, now)
        case ReinitializePackage() if cancel_running:
            return Refused(
                RefusalCode.CANCELLATION_RUNNING,
                f"the cancel of edition {package.edition} of package {package.package_id} is not "
                "complete; reinitialize it after package.cancellation_completed",
                package.version,
            )
        case _:
            return None


def _move(
    package: PackageState, command: LifeCommand, now: datetime, actor: str | None
) -> Accepted:
    changed: dict[str, Any] = {
        "version": package.version + 1,
        "changed_at": now,
        "changed_by": actor,
        "decision_comment": command.comment,
        "status": TARGET[type(command)],
    }
    match command:
        case SubmitPackage():
            deadline = now + timedelta(days=package.approval_period_days)
            event = PackageSubmitted.of(
                package, submitted_at=now, approval_deadline=deadline, **changed
            )
            return accepted(event)
        case ApprovePackage():
            return accepted(PackageApproved.of(package, approved_at=now, **changed))
        case RejectPackage():
            return accepted(PackageRejected.of(package, approval_deadline=None, **changed))
        case PublishPackage():
            return accepted(PackagePublished.of(package, published_at=now, **changed))
        case CancelPackage():
            return accepted(PackageCanceled.of(package, canceled_at=now, **changed))
        case ReinitializePackage():
            again = dict.fromkeys(
                ("approval_deadline", "submitted_at", "approved_at", "published_at", "canceled_at")
            )
            edition = package.edition + 1
            return accepted(PackageReinitialized.of(package, edition=edition, **again, **changed))
    assert_never(command)


def _check_audience(package: PackageState) -> Refused | None:
    if package.distribution_level not in NEED_AUDIENCE or package.audience:
        return None
    return Refused(
        RefusalCode.AUDIENCE_REQUIRED,
        f"package {package.package_id} of level {package.distribution_level} has no audience; "
        "give it one with package.edit and approve it then",
        package.version,
    )


def _check_campaign_alive(package: PackageState, campaign: Campaign | None) -> Refused | None:
    if campaign is None or conditions.is_alive(campaign, package.package_id, package.edition):
        return None
    return conditions.campaign_canceled(package.package_id, campaign, package.version)


def _check_not_over(package: PackageState, now: datetime) -> Refused | None:
    if now <= package.ends_at:
        return None
    return Refused(
        RefusalCode.WRONG_STATUS,
        f"package {package.package_id} ended at {conditions.shown(package.ends_at)}; "
        "give it a later ends_at and publish it then",
        package.version,
    )


def _conflict(package: PackageState, expected: int | None) -> Refused | None:
    if expected is None or expected == package.version:
        return None
    return Refused(
        RefusalCode.VERSION_CONFLICT,
        f"package {package.package_id} has version {package.version}, not {expected}; "
        "read it again and decide again",
        package.version,
    )


def _wrong_status(package: PackageState, command: str, allowed: list[Status]) -> Refused:
    return Refused(
        RefusalCode.WRONG_STATUS,
        f"package {package.package_id} is {package.status}, {_changed(package)}; {command} is "
        f"accepted from {', '.join(allowed)}",
        package.version,
    )


def _changed(package: PackageState) -> str:
    return last_change(package.changed_at, package.changed_by)
