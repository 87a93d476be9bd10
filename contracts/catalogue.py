"""Every message there is: wire name to class."""

from types import ModuleType

from contracts import (
    campaigns,
    cancellation,
    directory,
    notifications,
    operations,
    orders,
    outcomes,
    packages,
)
from contracts.message import Body, Command, Event
from contracts.notifications import NOTICE_TYPES, Notice

_OWNERS = (
    directory,
    campaigns,
    packages,
    cancellation,
    orders,
    notifications,
    operations,
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
