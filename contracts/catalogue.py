"""Every message there is: wire name to class."""

from types import ModuleType

from pydantic import ValidationError

from contracts import (
    campaigns,
    cancellation,
    directory,
    notifications,
    orders,
    outcomes,
    packages,
)
from contracts.envelope import Broken, FieldError, field_errors
from contracts.message import Body, Command, Event
from contracts.notifications import NOTICE_TYPES, Notice

_OWNERS = (
    directory,
    campaigns,
    packages,
    cancellation,
    orders,
    notifications,
    outcomes,
)


def _messages(module: ModuleType) -> list[type[Body]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Body)
        and value.__module__ == module.__name__
        and "TYPE" in vars(value)
    ]


_ALL = [message for module in _OWNERS for message in _messages(module)]

COMMANDS: dict[str, type[Command]] = {m.TYPE: m for m in _ALL if issubclass(m, Command)}
EVENTS: dict[str, type[Event]] = {
    m.TYPE: m for m in _ALL if issubclass(m, Event) and m is not outcomes.CommandOutcome
}
NOTIFICATIONS: dict[str, type[Notice]] = dict.fromkeys(NOTICE_TYPES.values(), Notice)


def every_error(broken: Broken) -> tuple[FieldError, ...]:
    """What is wrong with the envelope of a command, and with its data as well."""
    data = broken.raw.get("data") or {}
    command = COMMANDS.get(str(broken.raw.get("type")))
    if command is None or not isinstance(data, dict):
        return broken.errors
    try:
        command.read("-", data)
    except ValidationError as error:
        return broken.errors + field_errors(error)
    return broken.errors
