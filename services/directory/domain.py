"""The rules of local entities. Pure: time comes in as a value."""

from datetime import datetime
from typing import Any

from contracts import names
from contracts.directory import (
    ActivateEntity,
    DeactivateEntity,
    EntityActivated,
    EntityCommand,
    EntityDeactivated,
    EntityRegistered,
    EntityState,
    EntityUpdated,
    RegisterEntity,
    UpdateEntity,
)
from contracts.envelope import FieldError
from contracts.message import differing
from contracts.outcomes import RefusalCode
from contracts.sentences import last_change, printable
from services.runtime.decision import Decision, Refused, Unchanged, Unknown, accepted


def decide(entity: EntityState | None, command: EntityCommand, *, now: datetime) -> Decision:
    """What becomes of a command about an entity; None when the entity is not known."""
    if refusal := _check_reserved(command):
        return refusal
    match command, entity:
        case RegisterEntity(), None:
            return _register(command, now)
        case RegisterEntity(), EntityState():
            return _already_exists(entity)
        case _, None:
            return _unknown(command)
        case UpdateEntity(), EntityState():
            return _update(entity, command, now)
        case DeactivateEntity(), EntityState(active=False):
            text = f"entity {entity.entity_id} is inactive already, {_changed(entity)}"
            return Unchanged(text, entity.version)
        case DeactivateEntity(), EntityState():
            change = _next(entity, now)
            return accepted(EntityDeactivated.of(entity, active=False, **change))
        case ActivateEntity(), EntityState(active=True):
            text = f"entity {entity.entity_id} is active already, {_changed(entity)}"
            return Unchanged(text, entity.version)
        case ActivateEntity(), EntityState():
            return accepted(EntityActivated.of(entity, active=True, **_next(entity, now)))
        case _:
            raise TypeError(f"no rule for {command!r}")


def _register(command: RegisterEntity, now: datetime) -> Decision:
    given = dict(command) | {"mailbox": command.mailbox or command.entity_id}
    state = EntityState.model_construct(**given, active=True, version=1, changed_at=now)
    return accepted(EntityRegistered.of(state))


def _update(entity: EntityState, command: UpdateEntity, now: datetime) -> Decision:
    wanted = command.changes
    if "mailbox" in wanted:
        wanted["mailbox"] = wanted["mailbox"] or entity.entity_id
    changes = differing(entity, wanted)
    if not changes:
        text = f"entity {entity.entity_id} has these values already"
        return Unchanged(text, entity.version)
    return accepted(EntityUpdated.of(entity, **changes, **_next(entity, now)))


def _changed(entity: EntityState) -> str:
    return last_change(entity.changed_at, None)


def _next(entity: EntityState, now: datetime) -> dict[str, Any]:
    return {"version": entity.version + 1, "changed_at": now}


def _check_reserved(command: EntityCommand) -> Refused | None:
    """The operators' mailbox is nobody else's, under neither name."""
    if command.entity_id == names.CENTRAL:
        text = f"must not be '{names.CENTRAL}', which is reserved for the operators; use another id"
        return _invalid("subject", text)
    if getattr(command, "mailbox", None) == names.CENTRAL:
        text = (
            f"must not be '{names.CENTRAL}', which is the operators' mailbox; "
            "use another name, or null for the entity's own id"
        )
        return _invalid("data.mailbox", text)
    return None


def _invalid(field: str, text: str) -> Refused:
    return Refused(RefusalCode.INVALID, f"{field} {text}", errors=(FieldError(field, text),))


def _already_exists(entity: EntityState) -> Refused:
    advice = "use entity.update to change it"
    if not entity.active:
        advice = "it is inactive; use entity.activate to let it order again"
    return Refused(
        RefusalCode.ALREADY_EXISTS,
        f"entity {entity.entity_id} is registered already, with the label "
        f"'{printable(entity.label)}'; {advice}, or register another id",
        entity.version,
    )


def _unknown(command: EntityCommand) -> Unknown:
    text = f"entity {command.entity_id} is not known; register it with entity.register first"
    return Unknown(RefusalCode.UNKNOWN_ENTITY, text)
