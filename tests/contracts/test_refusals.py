"""What a command is refused for, and the sentence that says so."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.campaigns import CreateCampaign, ReportProcess
from contracts.catalogue import COMMANDS, EVENTS
from contracts.directory import RegisterEntity
from contracts.envelope import field_errors
from contracts.message import Body
from contracts.notifications import RetryNotifications
from contracts.operations import DiscardParked, ReplaceParked, RequestSnapshot, RetryParked
from contracts.orders import ApproveOrder, CancelOrder, PlaceOrder
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    CreatePackage,
    EditPackage,
    PackageCanceled,
    RejectPackage,
)

NAIVE = "2026-11-23T09:00:00"
TIME = (
    "must be an RFC 3339 time with an offset and at most 6 decimals, "
    "such as 2026-11-23T09:00:00Z, not "
)
WITHIN = "must be from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z, not "
AN_ID = "must be an id of 1 to 64 of A-Z a-z 0-9 _ -, not "
PLACE = {"package_id": "CAT86", "entity_id": "OU3", "label": "Windows"}
CREATE = {
    "label": "Windows",
    "distribution_level": "local",
    "campaign_id": "OP13",
    "starts_at": "2026-12-01T08:00:00Z",
    "ends_at": "2026-12-31T08:00:00Z",
}
CAMPAIGN = {"label": "Windows", "kind": "reference", "distribution_level": "local"}
PROCESS = {"process_id": "WKF7", "kind": "workflow", "label": "Targeting"}
DEEP: list[Any] = []
for _ in range(40):
    DEEP = [DEEP]


def refusals(message: type[Body], data: dict[str, Any] | None) -> dict[str, str]:
    """What is wrong with this data, by field; nothing when it is valid."""
    try:
        message.read("CAT86", data)
    except ValidationError as error:
        return {e.field: e.message for e in field_errors(error)}
    return {}


CASES: list[tuple[type[Body], dict[str, Any], str, str]] = [
    # absent and null where something is required
    (CancelPackage, {}, "comment", "is required"),
    (CancelPackage, {"comment": None}, "comment", "must be text, not null"),
    (CancelPackage, {"comment": ""}, "comment", "must not be blank"),
    (
        PlaceOrder,
        PLACE | {"label": "\udcff"},
        "label",
        "must be text without half of a character, not '\\udcff'",
    ),
    (RejectPackage, {"comment": " \n\t"}, "comment", "must not be blank"),
    (CancelPackage, {"comment": "\u00a0\u2003\u3000"}, "comment", "must not be blank"),
    (CancelPackage, {"comment": "\u200b\ufeff\u2060\u00ad"}, "comment", "must not be blank"),
    (CancelPackage, {"comment": "\u202e\u2066\u2028\u0085"}, "comment", "must not be blank"),
    (CancelPackage, {"comment": "\u3164\u2800\uffa0\ufe0f"}, "comment", "must not be blank"),
    (EditPackage, {"label": "\u200b"}, "label", "must not be blank"),
    (EditPackage, {"label": None}, "label", "must be text, not null"),
    (EditPackage, {"label": ""}, "label", "must not be empty"),
    (EditPackage, {"campaign_id": None}, "campaign_id", "must be text, not null"),
    (EditPackage, {"starts_at": None}, "starts_at", TIME + "null"),
    # ids
    (EditPackage, {"campaign_id": "OP 13"}, "campaign_id", AN_ID + "'OP 13'"),
    (EditPackage, {"campaign_id": ""}, "campaign_id", AN_ID + "''"),
    (EditPackage, {"campaign_id": "OP13\n"}, "campaign_id", AN_ID + "'OP13\\n'"),
    (EditPackage, {"campaign_id": "é"}, "campaign_id", AN_ID + "'é'"),
    (EditPackage, {"campaign_id": "x" * 65}, "campaign_id", AN_ID + f"'{'x' * 65}'"),
    (EditPackage, {"campaign_id": 13}, "campaign_id", "must be text, not 13"),
    (ApproveOrder, {}, "package_id", "is required"),
    # times
    (EditPackage, {"starts_at": NAIVE}, "starts_at", TIME + f"'{NAIVE}'"),
    (EditPackage, {"starts_at": "2026-11-23"}, "starts_at", TIME + "'2026-11-23'"),
    (EditPackage, {"starts_at": NAIVE + ".1234567Z"}, "starts_at", TIME + f"'{NAIVE}.1234567Z'"),
    (EditPackage, {"ends_at": "2026-02-30T09:00:00Z"}, "ends_at", TIME + "'2026-02-30T09:00:00Z'"),
    (EditPackage, {"ends_at": "2026-11-23 09:00Z"}, "ends_at", TIME + "'2026-11-23 09:00Z'"),
    (EditPackage, {"ends_at": NAIVE + "+25:00"}, "ends_at", TIME + f"'{NAIVE}+25:00'"),
    *(
        (EditPackage, {"ends_at": outside}, "ends_at", f"{WITHIN}'{outside}'")
        for outside in (
            "0001-01-01T00:00:00+01:00",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "1970-01-01T00:59:59+01:00",
            "9999-12-31T23:59:59.000001Z",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:00:00-01:00",
        )
    ),
    (
        EditPackage,
        {"reminders": [{"at": "0001-01-01T00:00:00Z"}]},
        "reminders.0.at",
        f"{WITHIN}'0001-01-01T00:00:00Z'",
    ),
    (EditPackage, {"ends_at": 1795424400}, "ends_at", TIME + "1795424400"),
    # numbers and booleans
    (EditPackage, {"expected_version": "3"}, "expected_version", "must be a whole number, not '3'"),
    (EditPackage, {"expected_version": 3.0}, "expected_version", "must be a whole number, not 3.0"),
    (
        EditPackage,
        {"expected_version": True},
        "expected_version",
        "must be a whole number, not true",
    ),
    (EditPackage, {"expected_version": 0}, "expected_version", "must be at least 1, not 0"),
    (EditPackage, {"max_documents": -1}, "max_documents", "must be at least 0, not -1"),
    (
        EditPackage,
        {"max_documents": 2**31},
        "max_documents",
        f"must be at most {2**31 - 1}, not {2**31}",
    ),
    (EditPackage, {"max_documents": 1e30}, "max_documents", "must be a whole number, not 1e+30"),
    (EditPackage, {"approval_period_days": 0}, "approval_period_days", "must be at least 1, not 0"),
    (
        EditPackage,
        {"approval_period_days": 366},
        "approval_period_days",
        "must be at most 365, not 366",
    ),
    (EditPackage, {"several_orders": "yes"}, "several_orders", "must be true or false, not 'yes'"),
    (EditPackage, {"several_orders": 1}, "several_orders", "must be true or false, not 1"),
    # words
    (
        EditPackage,
        {"approval_mode": "auto"},
        "approval_mode",
        "must be one of manual or automatic, not 'auto'",
    ),
    (
        EditPackage,
        {"distribution_level": "LOCAL"},
        "distribution_level",
        "must be one of local, collaborative_by_form, collaborative_by_campaign, "
        "collaborative_by_target_approval or collaborative_simple, not 'LOCAL'",
    ),
    (
        CreateCampaign,
        CAMPAIGN | {"kind": "child"},
        "kind",
        "must be one of template or reference, not 'child'",
    ),
    (
        ReportProcess,
        {"process_id": "WKF7", "status": "stopped"},
        "status",
        "must be one of running, paused, finished or failed, not 'stopped'",
    ),
    # texts
    (EditPackage, {"label": "x" * 201}, "label", "must have at most 200 characters, not 201"),
    (EditPackage, {"label": "a\0b"}, "label", "must not contain NUL"),
    (EditPackage, {"folder": "a\0b"}, "folder", "must not contain NUL"),
    (EditPackage, {"label": ["x"]}, "label", "must be text, not a list"),
    (
        CancelPackage,
        {"comment": "x" * 4001},
        "comment",
        "must have at most 4000 characters, not 4001",
    ),
    (ApprovePackage, {"comment": "\0"}, "comment", "must not contain NUL"),
    (ApprovePackage, {"comment": {}}, "comment", "must be text, not an object"),
    (
        RegisterEntity,
        {"label": "Lyon", "email": "lyon"},
        "email",
        "must be an e-mail address, not 'lyon'",
    ),
    (
        RegisterEntity,
        {"label": "Lyon", "webhook_url": "ftp://x"},
        "webhook_url",
        "must be an http or https address, not 'ftp://x'",
    ),
    # lists and objects
    (EditPackage, {"audience": []}, "audience", "must not be empty"),
    (EditPackage, {"audience": "OU3"}, "audience", "must be a list, not 'OU3'"),
    (EditPackage, {"audience": ["OU3", "OU 4"]}, "audience.1", AN_ID + "'OU 4'"),
    (
        EditPackage,
        {"audience": [f"OU{n}" for n in range(51_000)]},
        "audience",
        "must have at most 50000 items, not 51000",
    ),
    (EditPackage, {"documents": [{"name": "a"}]}, "documents.0.url", "is required"),
    (EditPackage, {"documents": ["a"]}, "documents.0", "must be an object, not 'a'"),
    (
        EditPackage,
        {"documents": [{"name": "a", "url": "b"}] * 101},
        "documents",
        "must have at most 100 items, not 101",
    ),
    (EditPackage, {"assigned_to": {"label": "Marie"}}, "assigned_to.id", "is required"),
    (EditPackage, {"reminders": [{}]}, "reminders.0", "must have either days_after or at"),
    (
        EditPackage,
        {"reminders": [{"days_after": 1, "at": "2026-11-23T09:00:00Z"}]},
        "reminders.0",
        "must have either days_after or at",
    ),
    (RegisterEntity, {"label": "Lyon", "channels": []}, "channels", "must not be empty"),
    (
        RegisterEntity,
        {"label": "Lyon", "channels": ["fax"]},
        "channels.0",
        "must be one of mailbox, email or webhook, not 'fax'",
    ),
    (
        CreateCampaign,
        CAMPAIGN | {"processes": [PROCESS, PROCESS]},
        "processes",
        "must have distinct process ids; 'WKF7' is there twice",
    ),
    (PlaceOrder, PLACE | {"parameters": []}, "parameters", "must be an object, not a list"),
    (PlaceOrder, PLACE | {"parameters": {"a": ["\0"]}}, "parameters", "must not contain NUL"),
    (PlaceOrder, PLACE | {"parameters": {"a\0": 1}}, "parameters", "must not contain NUL"),
    (
        PlaceOrder,
        PLACE | {"parameters": {"a": DEEP}},
        "parameters",
        "must not be nested deeper than 32 levels",
    ),
    # what operators ask of services
    (RetryParked, {}, "", "must have either numbers or all_of"),
    (
        RetryParked,
        {"numbers": [1], "all_of": {"until": "2026-11-23T09:00:00Z"}},
        "",
        "must have either numbers or all_of",
    ),
    (RetryParked, {"numbers": []}, "numbers", "must not be empty"),
    (RetryParked, {"numbers": [0]}, "numbers.0", "must be at least 1, not 0"),
    (RetryParked, {"numbers": ["7"]}, "numbers.0", "must be a whole number, not '7'"),
    (
        RetryParked,
        {"numbers": list(range(1, 1002))},
        "numbers",
        "must have at most 1000 items, not 1001",
    ),
    (RetryParked, {"all_of": {"reason": "failed"}}, "all_of.until", "is required"),
    (RetryParked, {"all_of": {"until": NAIVE}}, "all_of.until", TIME + f"'{NAIVE}'"),
    (
        RetryParked,
        {"all_of": {"until": "2026-11-23T09:00:00Z", "service": "orders"}},
        "all_of.service",
        "is not a field of this message",
    ),
    (DiscardParked, {"numbers": [1]}, "comment", "is required"),
    (DiscardParked, {"numbers": [1], "comment": " "}, "comment", "must not be blank"),
    (ReplaceParked, {"number": 1, "comment": "x"}, "body", "is required"),
    (ReplaceParked, {"number": 1, "body": 7, "comment": "x"}, "body", "must be text, not 7"),
    (RequestSnapshot, {}, "request_id", "is required"),
    (RequestSnapshot, {"request_id": ""}, "request_id", "must not be empty"),
    (RetryNotifications, {}, "", "must have either notification_ids or failed"),
    (RetryNotifications, {"failed": False}, "failed", "must be true or left out, not false"),
    (
        RetryNotifications,
        {"notification_ids": ["a b"]},
        "notification_ids.0",
        AN_ID + "'a b'",
    ),
    (RetryNotifications, {"failed": True, "edition": 0}, "edition", "must be at least 1, not 0"),
    # fields that are not there
    (CancelPackage, {"comment": "x", "coment": "y"}, "coment", "is not a field of this message"),
    (
        EditPackage,
        {"documents": [{"name": "a", "url": "b", "size": 3}]},
        "documents.0.size",
        "is not a field of this message",
    ),
    (
        CancelOrder,
        {"package_id": "CAT86", "entity_id": "OU3"},
        "entity_id",
        "is not a field of this message",
    ),
    (
        CancelPackage,
        {"comment": "x", "package_id": "CAT86"},
        "package_id",
        "is the subject of the envelope, and not given in the data as well",
    ),
]


class TestACommand:
    """Each limit of the public interface."""

    @pytest.mark.parametrize(("message", "data", "field", "sentence"), CASES)
    def test_is_refused_with_a_sentence(
        self, message: type[Body], data: dict[str, Any], field: str, sentence: str
    ) -> None:
        """The one field that is wrong is named, with the value met and what would be accepted."""
        assert refusals(message, data) == {field: sentence}

    def test_is_refused_for_everything_at_once(self) -> None:
        """A sender sees all the errors of a command in one answer."""
        found = refusals(PlaceOrder, {"package_id": "x y", "order_id": "ORD29", "labell": "a"})
        assert sorted(found) == ["entity_id", "label", "labell", "order_id", "package_id"]

    def test_is_refused_with_a_hundred_errors_at_most(self) -> None:
        """An answer stays small however much is wrong."""
        found = refusals(EditPackage, {"audience": ["x y"] * 50_000})
        assert len(found) == 101
        assert found[""] == "has 49900 more errors, not listed"

    def test_is_answered_in_words_that_can_be_stored(self) -> None:
        """Neither the field nor the value of a sentence has a character that Postgres refuses."""
        found = refusals(CancelPackage, {"comment": 1, "a\0" * 200: "b", "b": "\0"})
        assert not any("\0" in field + sentence for field, sentence in found.items())
        assert max(map(len, found)) < 200

    @pytest.mark.parametrize("message", COMMANDS.values())
    def test_refuses_a_field_that_it_does_not_have(self, message: type[Body]) -> None:
        """A typo never passes silently, in any command."""
        assert refusals(message, {"typo": 1})["typo"] == "is not a field of this message"

    @pytest.mark.parametrize("message", COMMANDS.values())
    def test_refuses_its_subject_in_the_data(self, message: type[Body]) -> None:
        """The subject stands in one place, in any command."""
        assert message.SUBJECT in refusals(message, {message.SUBJECT: "CAT86"})


class TestWhatIsAccepted:
    """The other side of each limit."""

    @pytest.mark.parametrize(
        ("message", "data"),
        [
            (CreatePackage, CREATE),
            (CreatePackage, CREATE | {"label": "x" * 200, "description": "", "folder": None}),
            (CreatePackage, CREATE | {"starts_at": "2026-12-01t08:00:00.123456+14:00"}),
            (
                CreatePackage,
                CREATE | {"approval_period_days": 365, "reminders": [{"days_after": 0}]},
            ),
            (CreatePackage, CREATE | {"audience": [f"OU{n}" for n in range(50_000)]}),
            (CancelPackage, {"comment": "é" * 4000, "expected_version": None}),
            (CancelPackage, {"comment": "\u200b.\u200b"}),
            (CancelPackage, {"comment": "\U0001f6ab"}),
            (CancelPackage, {"comment": "取消"}),
            (ApprovePackage, None),
            (ApprovePackage, {"comment": " "}),
            (PlaceOrder, PLACE | {"parameters": {"a": "\\u0000", "b": [None, 1.5, {"c": []}]}}),
            (EditPackage, {"campaign_id": "x" * 64}),
            (CreateCampaign, CAMPAIGN | {"processes": []}),
            (RetryParked, {"numbers": [2**63 - 1] * 1000}),
            (RetryParked, {"all_of": {"until": "2026-11-23T09:00:00Z"}, "comment": ""}),
            (RequestSnapshot, {"request_id": "x" * 128}),
            (RetryNotifications, {"failed": True}),
            (RetryNotifications, {"notification_ids": ["a"], "failed": None, "edition": None}),
        ],
    )
    def test_stands_at_the_limit(self, message: type[Body], data: dict[str, Any] | None) -> None:
        """What the public interface allows is not refused."""
        assert refusals(message, data) == {}


class TestAnEvent:
    """Events grow; commands do not."""

    @pytest.mark.parametrize("message", EVENTS.values())
    def test_ignores_a_field_that_it_does_not_know(self, message: type[Body]) -> None:
        """An older reader takes a newer event."""
        assert "surprise" not in refusals(message, {"surprise": 1})

    def test_without_its_state_is_broken(self) -> None:
        """What a state must have is missed in an event as well."""
        assert refusals(PackageCanceled, None)["package_id"] == "is required"
