"""The catalogue is the list of messages of the public interface, and every message has a sample."""

from contracts import names, samples
from contracts.catalogue import COMMANDS, EVENTS, NOTIFICATIONS
from contracts.message import Command, Event
from contracts.outcomes import CommandOutcome, RefusalCode
from tests.contracts import interface


def wire(name: str) -> str:
    """The wire name in full."""
    return f"relais.{name}.v1"


class TestTheCatalogue:
    """What messages there are."""

    def test_has_every_command_and_no_other(self) -> None:
        """The commands are those of the public interface."""
        assert sorted(COMMANDS) == sorted(map(wire, interface.COMMANDS))
        assert all(issubclass(message, Command) for message in COMMANDS.values())

    def test_has_every_event_and_no_other(self) -> None:
        """The events are those of the public interface."""
        assert sorted(EVENTS) == sorted(map(wire, interface.EVENTS))
        assert all(issubclass(message, Event) for message in EVENTS.values())

    def test_has_every_notice_and_no_other(self) -> None:
        """The notifications to mailboxes are those of the public interface."""
        assert sorted(NOTIFICATIONS) == sorted(
            wire(f"notification.{kind}") for kind in interface.NOTICES
        )

    def test_names_no_message_twice(self) -> None:
        """No wire name is both a command's, an event's or a notice's."""
        assert not (COMMANDS.keys() & EVENTS.keys()) | (EVENTS.keys() & NOTIFICATIONS.keys())

    def test_knows_every_refusal_code(self) -> None:
        """The codes of refusals are those of the public interface."""
        assert sorted(RefusalCode) == sorted(interface.CODES)

    def test_has_one_sample_for_each_message(self) -> None:
        """Every message has one golden sample, and no sample is astray."""
        every = COMMANDS.keys() | EVENTS.keys() | NOTIFICATIONS.keys() | {CommandOutcome.TYPE}
        assert samples.wire_types() == sorted(every)


class TestNames:
    """How message types are written for people."""

    def test_of_a_type_is_short_and_back(self) -> None:
        """Both forms name the same message."""
        assert names.short_type("relais.package.cancel.v1") == "package.cancel"
        assert names.wire_type("package.cancel") == "relais.package.cancel.v1"
        assert names.wire_type("relais.package.cancel.v1") == "relais.package.cancel.v1"
