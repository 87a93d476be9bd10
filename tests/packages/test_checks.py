"""Which of several refusals is told, and how."""

import pytest

from contracts.envelope import FieldError
from contracts.sentences import last_change
from services.runtime.decision import Unchanged, Unknown
from tests.packages.given import (
    DAY,
    NOW,
    cancellation,
    creation,
    decide,
    edit,
    life,
    package,
)
from tests.packages.then import refused

CHANGED = last_change(NOW - DAY, None)


class TestTheOrderOfChecks:
    """Which of several refusals is told."""

    def test_what_is_unknown_comes_first(self) -> None:
        """Nothing else can be said of it, and it waits."""
        for command in (edit(label="x", expected_version=9), life("cancel", expected_version=9)):
            decision = decide(command)
            assert isinstance(decision, Unknown)
            assert decision.code == "unknown_package"

    def test_an_existing_id_comes_before_the_campaign(self) -> None:
        """The package is looked at first."""
        refusal = refused(decide(creation(campaign_id="OP99"), package()))
        assert refusal.code == "already_exists"

    def test_an_unknown_campaign_comes_before_the_version(self) -> None:
        """Also where the field is locked."""
        command = edit(campaign_id="OP99", expected_version=1)
        for status in ("being_edited", "published", "canceled"):
            assert refused(decide(command, package(status))).code == "unknown_campaign"

    @pytest.mark.parametrize("name", ["submit", "approve", "reject", "publish", "cancel"])
    def test_unchanged_comes_before_the_version(self, name: str) -> None:
        """Who asks for what is already so is not told to read again."""
        target = {
            "submit": "pending_approval",
            "approve": "approved",
            "reject": "rejected",
            "publish": "published",
            "cancel": "canceled",
        }[name]
        decision = decide(life(name, expected_version=1), package(target))
        assert isinstance(decision, Unchanged)

    def test_an_edit_that_changes_nothing_comes_before_the_version(self) -> None:
        """Also of a package that cannot be edited."""
        for status in ("being_edited", "published", "canceled"):
            command = edit(label="Winter windows", expected_version=1)
            assert isinstance(decide(command, package(status)), Unchanged)

    @pytest.mark.parametrize("name", ["submit", "reject", "publish", "reinitialize"])
    def test_the_version_comes_before_the_status(self, name: str) -> None:
        """The present version is told."""
        wrong = {"submit": "published", "reject": "published"}.get(name, "rejected")
        refusal = refused(decide(life(name, expected_version=3), package(wrong)))
        assert (refusal.code, refusal.version) == ("version_conflict", 4)
        assert refused(decide(life(name, expected_version=4), package(wrong))).code == (
            "wrong_status"
        )

    def test_the_version_comes_before_a_locked_field(self) -> None:
        """And the status before it, too."""
        command = edit(starts_at=NOW, expected_version=3)
        assert refused(decide(command, package("published"))).code == "version_conflict"
        assert refused(decide(edit(starts_at=NOW), package("canceled"))).code == "wrong_status"

    def test_the_version_comes_before_a_running_cancel(self) -> None:
        """Both would be true."""
        running = [cancellation(complete=False)]
        for expected, code in ((3, "version_conflict"), (4, "cancellation_running")):
            command = life("reinitialize", expected_version=expected)
            assert refused(decide(command, package("canceled"), ledgers=running)).code == code

    def test_the_status_comes_before_the_rules(self) -> None:
        """An approval from nowhere does not ask for an audience."""
        decision = decide(life("approve"), package("rejected", audience=None))
        assert refused(decision).code == "wrong_status"


class TestARefusal:
    """What is said to the person who reads it."""

    def test_names_the_thing_its_value_and_what_would_do(self) -> None:
        """In one sentence, without a stop."""
        message = refused(decide(life("publish"), package("rejected"))).message
        assert message == (
            f"package CAT86 is rejected, {CHANGED}; package.publish is accepted from approved"
        )

    def test_says_when_and_by_whom_it_was_changed(self) -> None:
        """Also where nothing is left to do: an operator sees who was first."""
        canceled = package("canceled").model_copy(update={"changed_by": "m.du\x1brand"})
        decision = decide(life("cancel"), canceled)
        assert isinstance(decision, Unchanged)
        assert decision.message == (
            f"package CAT86 is canceled already, {CHANGED} by m.du\\x1brand"
        )

    def test_of_a_field_names_it_in_errors_as_well(self) -> None:
        """Path and sentence."""
        decision = decide(creation(starts_at=NOW + 99 * DAY))
        (error,) = refused(decision).errors
        assert isinstance(error, FieldError)
        assert refused(decision).message == f"{error.field} {error.message}"
