"""Commands as people type them."""

import pytest

from contracts.envelope import FieldError
from contracts.orders import PlaceOrder
from contracts.outcomes import CommandOutcome, Outcome, RefusalCode
from contracts.packages import CancelPackage, EditPackage
from services.cli import send
from services.cli.problems import USAGE, Problem


class TestType:
    """The type of a command."""

    def test_may_be_short(self) -> None:
        """`package.cancel` means the current version of that command."""
        assert send.command_class("package.cancel") is CancelPackage

    def test_may_be_full(self) -> None:
        """The wire name is taken as it is."""
        assert send.command_class("relais.package.cancel.v1") is CancelPackage

    @pytest.mark.parametrize("kind", ["relais.package.cancel", "package.cancel.v1"])
    def test_may_lack_its_prefix_or_its_version(self, kind: str) -> None:
        """There is just one command that it can mean."""
        assert send.command_class(kind) is CancelPackage

    def test_of_an_event_is_no_command(self) -> None:
        """Events are said by services, never sent."""
        with pytest.raises(Problem, match="no command"):
            send.command_class("relais.package.canceled.v1")

    def test_that_is_unknown_suggests_what_is_near(self) -> None:
        """A typo is answered with the word that was meant, and exit code 64."""
        with pytest.raises(Problem, match=r"package\.cancel") as caught:
            send.command_class("package.cancle")
        assert caught.value.exit_code == USAGE


class TestFields:
    """Fields given one by one."""

    def test_are_text(self) -> None:
        """What is no JSON is text as it stands."""
        made = send.command("package.cancel", "CAT86", None, ["comment=supplier withdrew"])
        assert made == CancelPackage(package_id="CAT86", comment="supplier withdrew")

    def test_are_json_where_they_read_as_such(self) -> None:
        """Numbers, null and lists are given as JSON."""
        made = send.command(
            "package.edit", "CAT86", None, ["expected_version=3", "folder=null", 'audience=["OU3"]']
        )
        assert isinstance(made, EditPackage)
        assert made.expected_version == 3
        assert made.changes == {"folder": None, "audience": ["OU3"]}

    @pytest.mark.parametrize("number", ["1e400", "0.1234567890123456789", "18446744073709551616"])
    def test_hold_no_number_that_would_become_another(self, number: str) -> None:
        """It is said before anything is sent, whichever way it is given."""
        fields = ["package_id=CAT86", "entity_id=7", f"label={number}"]
        parameters = f'{{"a": [{number}]}}'
        for data, given in (
            (f'{{"parameters": {parameters}}}', fields),
            (None, [*fields, f"parameters={parameters}"]),
        ):
            with pytest.raises(Problem, match=rf"a\.0 must be a number .*, not {number}") as caught:
                send.command("order.place", "ORD1", data, given)
            assert caught.value.exit_code == USAGE
        made = send.command("order.place", "ORD1", None, fields)
        assert isinstance(made, PlaceOrder)
        assert made.label == number

    def test_that_read_as_json_but_must_be_text_are_text(self) -> None:
        """A label may be a number, a comment may be the word true."""
        made = send.command(
            "order.place", "ORD1", None, ["package_id=CAT86", "entity_id=7", "label=5"]
        )
        assert isinstance(made, PlaceOrder)
        assert (made.entity_id, made.label) == ("7", "5")

    def test_may_hold_the_sign_that_ends_the_name(self) -> None:
        """Only the first = separates name and value."""
        made = send.command("package.cancel", "CAT86", None, ["comment=a=b"])
        assert made == CancelPackage(package_id="CAT86", comment="a=b")

    def test_that_are_null_are_not_text(self) -> None:
        """What cannot be cleared is not renamed to the word."""
        with pytest.raises(Problem, match=r"data\.label"):
            send.command("entity.update", "OU1", None, ["label=null"])

    def test_given_more_than_once_are_refused(self) -> None:
        """Nothing that was said is passed over."""
        with pytest.raises(Problem, match="comment: given by --field more than once"):
            send.command("package.cancel", "CAT1", None, ["comment=a", "comment=b"])

    def test_without_a_value_are_refused(self) -> None:
        """The error shows how a field is written."""
        with pytest.raises(Problem, match="name=value"):
            send.command("package.cancel", "CAT86", None, ["comment"])

    def test_join_data(self) -> None:
        """--data and --field may each give a part."""
        made = send.command(
            "package.cancel", "CAT86", '{"comment": "late"}', ["expected_version=2"]
        )
        assert made == CancelPackage(package_id="CAT86", comment="late", expected_version=2)

    def test_given_twice_are_refused(self) -> None:
        """Nobody has to guess which of two values counts."""
        with pytest.raises(Problem, match="leave one out"):
            send.command("package.cancel", "CAT86", '{"comment": "a"}', ["comment=b"])

    def test_of_an_edit_are_needed(self) -> None:
        """An edit of nothing is a slip, and its answer would say that all is as it should be."""
        with pytest.raises(Problem, match="no field to change is given; its fields are label,"):
            send.command("package.edit", "CAT86", None, ["expected_version=3"])

    def test_that_name_the_subject_are_told_where_it_stands(self) -> None:
        """The envelope is nothing that a person at a terminal has seen."""
        with pytest.raises(Problem) as caught:
            send.command("package.cancel", "CAT86", None, ["package_id=CAT87"])
        assert str(caught.value) == (
            "package_id is the SUBJECT argument (CAT86); leave --field package_id out"
        )


class TestCheck:
    """The check before anything is sent."""

    def test_tells_every_error_at_once(self) -> None:
        """One look is enough to put a command right."""
        with pytest.raises(Problem) as caught:
            send.command("package.cancel", "CAT 86", '{"coment": "typo"}', [])
        text = str(caught.value)
        assert "data.comment is required" in text
        assert "data.coment is not a field of this message" in text
        assert "subject must be an id" in text
        assert caught.value.exit_code == USAGE

    def test_names_the_fields_there_are(self) -> None:
        """A typo is answered with the field that was meant, and with the others."""
        with pytest.raises(Problem, match=r"perhaps comment; its fields are comment, expected_"):
            send.command("package.cancel", "CAT86", None, ["coment=typo"])

    def test_names_the_values_of_a_choice_that_is_missing(self) -> None:
        """Who does not know a field does not know its values either."""
        with pytest.raises(Problem) as caught:
            send.command("campaign.create", "OP13", None, [])
        text = str(caught.value)
        assert "data.distribution_level is required; one of local, collaborative_by_form" in text
        assert "data.kind is required; one of template, reference" in text

    def test_ends_with_a_sample(self) -> None:
        """One look at a good one says more than every error."""
        with pytest.raises(Problem, match=r"contracts/samples/relais\.package\.cancel\.v1\.json"):
            send.command("package.cancel", "CAT86", None, [])

    def test_keeps_what_is_wrong_inside_a_value(self) -> None:
        """A list with a slip in it is no text."""
        with pytest.raises(Problem, match=r"data\.documents\.0\.url is required"):
            send.command("package.edit", "CAT86", None, ['documents=[{"name": "a"}]'])

    @pytest.mark.parametrize(("id", "source"), [("", "/cli"), ("x" * 129, "/cli"), (None, "")])
    def test_wants_an_id_and_a_source_that_an_envelope_holds(
        self, id: str | None, source: str
    ) -> None:
        """What is given is never passed over, so an empty one is no missing one."""
        with pytest.raises(Problem, match="must have 1 to 128 characters"):
            send.check(send.Manner(source, id, None, wait=True, timeout=1))

    @pytest.mark.parametrize("data", ["{", "[]", '"text"'])
    def test_wants_an_object(self, data: str) -> None:
        """Data is one JSON object."""
        with pytest.raises(Problem, match="JSON"):
            send.command("package.cancel", "CAT86", data, [])


class TestOutcome:
    """What is printed of an outcome."""

    def test_that_is_invalid_tells_each_error_once(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Its message is nothing but its errors."""
        errors = [FieldError("data.a", "is wrong"), FieldError("data.b", "is too")]
        outcome = CommandOutcome(
            about="CAT86",
            outcome=Outcome.REFUSED,
            code=RefusalCode.INVALID,
            message="data.a is wrong; data.b is too",
            errors=errors,
        )
        send._print_outcome(outcome, as_json=False)
        out = capsys.readouterr().out
        assert [out.count(error.message) for error in errors] == [1, 1]

    def test_keeps_the_sentence_that_no_error_says(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A refusal says why, and its errors where: both are shown."""
        outcome = CommandOutcome(
            about="CAT86",
            outcome=Outcome.REFUSED,
            code=RefusalCode.FIELD_LOCKED,
            message="package CAT86 is published; cancel it first",
            errors=[FieldError("data.audience", "is locked")],
        )
        send._print_outcome(outcome, as_json=False)
        out = capsys.readouterr().out
        assert "package CAT86 is published; cancel it first" in out
        assert "  data.audience is locked" in out
