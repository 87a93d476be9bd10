"""Every command in every status: where it leads, or why it leads nowhere."""

import pytest

from contracts.packages import PackageCommand, PackageEvent, PackageState, PackageStatus
from services.runtime.decision import Accepted, Decision, Refused, Unchanged
from tests.packages.given import cancellation, decide, edit, life, package

STATUSES = tuple(PackageStatus)
MATRIX = """
in               | being_edited     pending_approval approved         rejected         published        canceled
-----------------+-------------------------------------------------------------------------------------------------------
edit             | being_edited     field_locked     field_locked     rejected         field_locked     wrong_status
edit_label       | being_edited     pending_approval approved         rejected         published        wrong_status
edit_nothing     | unchanged        unchanged        unchanged        unchanged        unchanged        unchanged
submit           | pending_approval unchanged        wrong_status     pending_approval wrong_status     wrong_status
approve          | wrong_status     approved         unchanged        wrong_status     wrong_status     wrong_status
approve_alone    | approved         approved         unchanged        wrong_status     wrong_status     wrong_status
reject           | wrong_status     rejected         wrong_status     unchanged        wrong_status     wrong_status
publish          | wrong_status     wrong_status     published        wrong_status     unchanged        wrong_status
cancel           | canceled         canceled         canceled         canceled         canceled         unchanged
reinitialize     | unchanged        wrong_status     wrong_status     wrong_status     being_edited     being_edited
reinitialize_now | unchanged        wrong_status     wrong_status     wrong_status     being_edited     cancellation_running
"""  # noqa: E501 - one line of the table is one command
"""edit: of the program of dates; edit_label: of what may always change; approve_alone: a package
without reviewers; reinitialize_now: before the cancel, where there is one, is complete."""


def cells() -> list[tuple[str, str, str]]:
    """Command, status and outcome of each cell."""
    head, _, *rows = MATRIX.strip().splitlines()
    statuses = head.partition("|")[2].split()
    assert statuses == list(STATUSES)
    found = []
    for row in rows:
        command, _, outcomes = row.partition("|")
        found += [
            (command.strip(), status, outcome)
            for status, outcome in zip(statuses, outcomes.split(), strict=True)
        ]
    return found


def command_of(name: str, state: PackageState) -> PackageCommand:
    """The command that a row of the matrix stands for."""
    match name:
        case "edit":
            return edit(available_at=None)
        case "edit_label":
            return edit(label="Spring windows")
        case "edit_nothing":
            return edit(label=state.label, audience=state.audience)
        case _:
            return life(name.partition("_")[0])


def outcome_of(decision: Decision) -> str:
    """A decision as a word of the matrix."""
    match decision:
        case Accepted(events=(PackageEvent(status=status),)):
            return status
        case Unchanged():
            return "unchanged"
        case Refused(code=code):
            return code
        case _:
            raise AssertionError(f"{decision!r} is none of the outcomes")


@pytest.mark.parametrize(("name", "status", "wanted"), cells(), ids=lambda word: str(word))
class TestACommand:
    """The one table of a package's life."""

    def test_leads_where_the_table_says(self, name: str, status: str, wanted: str) -> None:
        """Every status meets every command."""
        reviewers = None if name == "approve_alone" else package().reviewers
        state = package(status, reviewers=reviewers)
        complete = name != "reinitialize_now"
        ledgers = [cancellation(complete=complete)] if status == "canceled" else []
        decision = decide(command_of(name, state), state, ledgers=ledgers)
        assert outcome_of(decision) == wanted
