"""Readers take events of newer services; commands are held to the letter."""

import copy
import pickle
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from contracts.catalogue import COMMANDS, EVENTS, NOTIFICATIONS
from contracts.envelope import field_errors
from contracts.message import Body
from contracts.outcomes import CommandOutcome
from contracts.packages import PackageStatus
from tests.contracts import newer

READ: dict[str, type[Body]] = {**EVENTS, **NOTIFICATIONS, CommandOutcome.TYPE: CommandOutcome}
NEWER = [
    pytest.param(kind, wire_type, name, data, id=f"{wire_type}-{name}")
    for wire_type, kind in READ.items()
    for name, data in newer.versions(kind, wire_type)
    # The wire name of a notice is made of its kind.
    if not (wire_type in NOTIFICATIONS and name == "kind")
]
CHOICES = [
    pytest.param(kind, newer.subject(wire_type), path, id=f"{wire_type}-{path}")
    for wire_type, kind in COMMANDS.items()
    for path in newer.members(kind, newer.data(wire_type))
]


class TestAnEvent:
    """Of a service that is newer than its reader."""

    @pytest.mark.parametrize(("kind", "wire_type", "name", "data"), NEWER)
    def test_is_read(self, kind: type[Body], wire_type: str, name: str, data: Any) -> None:
        """New fields are ignored, new members of an enumeration are passed on."""
        body = kind.read(newer.subject(wire_type), data)
        expected = newer.data(wire_type) if name == "fields" else data
        assert orjson.loads(body.data_json()) == expected

    def test_has_enumerations(self) -> None:
        """The cases above are not empty."""
        assert len(NEWER) > 100
        assert len(CHOICES) >= 5

    def test_has_reminders_of_a_new_kind(self) -> None:
        """They are ignored."""
        wire_type = "relais.package.submitted.v1"
        data = newer.data(wire_type) | {"reminders": [{"weekly": "monday"}, {"days_after": 2}]}
        body = EVENTS[wire_type].read(newer.subject(wire_type), data)
        assert [r.days_after for r in getattr(body, "reminders", [])] == [None, 2]

    @pytest.mark.parametrize("status", ["", "a\0b", "x" * 65, "\x1b[2J", 7, None, ["published"]])
    def test_has_no_status_that_is_no_word(self, status: Any) -> None:
        """What no table could keep or nobody could show is no member of anything."""
        wire_type = "relais.package.submitted.v1"
        with pytest.raises(ValidationError):
            EVENTS[wire_type].read("CAT86", newer.data(wire_type) | {"status": status})


class TestACommand:
    """A typo never passes."""

    @pytest.mark.parametrize(("kind", "subject", "path"), CHOICES)
    def test_is_refused_for_a_choice_nobody_knows(
        self, kind: type[Body], subject: str, path: newer.Path
    ) -> None:
        """The choices there are are named."""
        data = newer.replaced(newer.data(kind.TYPE), path)
        with pytest.raises(ValidationError) as caught:
            kind.read(subject, data)
        [error] = field_errors(caught.value)
        assert error.field == ".".join(map(str, path))
        assert error.message.startswith("must be one of ")
        assert error.message.endswith(", not 'brand_new'")

    def test_is_refused_for_the_name_of_a_choice(self) -> None:
        """Names are not values."""
        data = newer.data("relais.package.create.v1") | {"approval_mode": "MANUAL"}
        with pytest.raises(ValidationError):
            COMMANDS["relais.package.create.v1"].read("CAT86", data)


class TestAMemberThatIsNotKnown:
    """It is a member all the same, of its enumeration and of no other."""

    def test_is_itself_and_nothing_else(self) -> None:
        """Compared, hashed and written as its word."""
        member = PackageStatus("archived")
        assert isinstance(member, PackageStatus)
        assert (member, str(member), member.value) == ("archived", "archived", "archived")
        assert member == PackageStatus("archived")
        assert member in {"archived"}
        assert member not in set(PackageStatus)
        assert PackageStatus("published") is PackageStatus.PUBLISHED

    @pytest.mark.parametrize("member", [PackageStatus("brand_new"), PackageStatus.CANCELED])
    def test_is_copied(self, member: PackageStatus) -> None:
        """Like any other; what is copied knows no name of it."""
        assert copy.deepcopy(member) == copy.copy(member) == member
        assert type(pickle.loads(pickle.dumps(member))) is PackageStatus
