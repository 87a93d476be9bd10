"""Every command about an entity that is not known, active or inactive."""

import pytest

from contracts.directory import EntityCommand, EntityState
from services.runtime.decision import Accepted, Decision, Refused, Unchanged
from tests.directory.given import activation, deactivation, decide, entity, registration, update

MATRIX = """
of an entity   | unknown        active                inactive
---------------+--------------------------------------------------
register       | registered     already_exists        already_exists
register_same  | registered     already_exists        already_exists
update         | unknown_entity updated               updated
update_nothing | unknown_entity unchanged             unchanged
deactivate     | unknown_entity deactivated           unchanged
activate       | unknown_entity unchanged             activated
"""
"""register_same: with the data that the entity has; update_nothing: with values that it has."""


def cells() -> list[tuple[str, str, str]]:
    """Command, what the entity is, and outcome of each cell."""
    head, _, *rows = MATRIX.strip().splitlines()
    states = head.partition("|")[2].split()
    found = []
    for row in rows:
        command, _, outcomes = row.partition("|")
        found += [
            (command.strip(), state, outcome)
            for state, outcome in zip(states, outcomes.split(), strict=True)
        ]
    return found


def command_of(name: str, known: EntityState) -> EntityCommand:
    """The command that a row of the matrix stands for."""
    match name:
        case "register":
            return registration(label="Agence de Paris")
        case "register_same":
            return registration(label=known.label, mailbox=known.mailbox)
        case "update":
            return update(label="Agence de Paris")
        case "update_nothing":
            return update(label=known.label, notify=known.notify)
        case "deactivate":
            return deactivation()
        case _:
            return activation()


def outcome_of(decision: Decision) -> str:
    """A decision as a word of the matrix."""
    match decision:
        case Accepted(events=(event,)):
            return event.wire_type.split(".")[2]
        case Unchanged():
            return "unchanged"
        case Refused(code=code):
            return code
        case _:
            raise AssertionError(f"{decision!r} is none of the outcomes")


@pytest.mark.parametrize(("name", "state", "wanted"), cells(), ids=str)
class TestACommand:
    """The one table of an entity's life."""

    def test_leads_where_the_table_says(self, name: str, state: str, wanted: str) -> None:
        """Every kind of entity meets every command."""
        known = entity(active=state == "active")
        decision = decide(command_of(name, known), *([] if state == "unknown" else [known]))
        assert outcome_of(decision) == wanted
