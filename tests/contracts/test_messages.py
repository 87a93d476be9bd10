"""Models of messages: edits, events made of states, subjects and keys."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import catalogue, samples
from contracts.campaigns import CampaignCanceled, CanceledBy, ProcessStarted
from contracts.cancellation import (
    CampaignsReport,
    CancellationCompleted,
    NotificationsReport,
    PackageOrdersCanceled,
)
from contracts.directory import Channel, RegisterEntity, UpdateEntity
from contracts.message import Body, StateEvent
from contracts.notifications import Notice, NotificationSent
from contracts.orders import EditOrder, OrderPlaced, PlaceOrder
from contracts.packages import (
    ApprovalMode,
    CancelPackage,
    CreatePackage,
    EditPackage,
    PackageCanceled,
    PackageClosed,
    PackagePublished,
    PackageState,
    PackageStatus,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def data(wire_type: str) -> dict[str, object]:
    """The data of a golden sample."""
    content: dict[str, object] = orjson.loads(samples.sample(wire_type))["data"]
    return content


def samples_subject(kind: type[Body]) -> str:
    """The subject of a golden sample."""
    return str(orjson.loads(samples.sample(kind.TYPE))["subject"])


def by_pydantic(body: Body) -> object:
    """The data of a body as pydantic would write it."""
    return orjson.loads(body.__pydantic_serializer__.to_json(body))


STATE_EVENTS = [kind for kind in catalogue.EVENTS.values() if issubclass(kind, StateEvent)]
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
).map(lambda value: orjson.loads(orjson.dumps(value)))
PARAMETERS = st.dictionaries(TEXT, JSON, max_size=4)


@pytest.fixture
def published() -> PackageState:
    """The state of a published package."""
    return PackagePublished.read("CAT86", data(PackagePublished.TYPE)).state


class TestAnEdit:
    """A command whose absent fields mean unchanged."""

    def test_changes_the_fields_that_were_given(self) -> None:
        """Neither the subject nor the expected version is a change."""
        edit = EditPackage.read("CAT86", {"label": "Windows", "expected_version": 3})
        assert edit.model_fields_set == {"label"}
        assert edit.changes == {"label": "Windows"}

    def test_of_an_order_does_not_change_its_package(self) -> None:
        """The package of an order is part of its address."""
        edit = EditOrder.read("ORD29", {"package_id": "CAT86", "comment": None})
        assert edit.changes == {"comment": None}

    def test_changes_nothing_when_nothing_is_given(self) -> None:
        """An empty edit is valid; it is for the service to call it unchanged."""
        assert EditPackage.read("CAT86", None).changes == {}

    def test_clears_an_optional_field_with_null(self) -> None:
        """Null is told apart from absent."""
        assert EditPackage.read("CAT86", {"folder": None}).changes == {"folder": None}

    @pytest.mark.parametrize(
        "field", ["label", "distribution_level", "campaign_id", "starts_at", "ends_at"]
    )
    def test_refuses_null_on_a_required_field(self, field: str) -> None:
        """A required field cannot be cleared."""
        with pytest.raises(ValidationError):
            EditPackage.read("CAT86", {field: None})

    def test_brings_a_default_back_with_null(self) -> None:
        """What has a default is cleared to it."""
        package = EditPackage.read("CAT86", {"approval_mode": None, "approval_period_days": None})
        assert package.changes == {"approval_mode": ApprovalMode.MANUAL, "approval_period_days": 3}
        entity = UpdateEntity.read("OU3", {"channels": None})
        assert entity.changes == {"channels": [Channel.MAILBOX]}

    def test_is_written_without_what_was_not_given(self) -> None:
        """A sender's edit says no more than the sender did."""
        edit = EditPackage(package_id="CAT86", folder=None, expected_version=2)
        assert orjson.loads(edit.data_json()) == {"folder": None, "expected_version": 2}

    def test_keeps_the_changes_it_was_made_with_when_copied(self) -> None:
        """Reading what was written gives the same changes."""
        edit = EditPackage.read("CAT86", {"label": "Windows", "reviewers": []})
        again = EditPackage.read("CAT86", orjson.loads(edit.data_json()))
        assert again.changes == edit.changes == {"label": "Windows", "reviewers": None}


class TestACreation:
    """A command that makes something."""

    def test_takes_the_defaults_of_the_interface(self) -> None:
        """Approval is manual within 3 days, and an entity has a mailbox, unless said otherwise."""
        package = CreatePackage.read(
            "CAT86",
            {
                "label": "Windows",
                "distribution_level": "local",
                "campaign_id": "OP13",
                "starts_at": "2026-12-01T08:00:00+01:00",
                "ends_at": "2026-12-31T08:00:00+01:00",
            },
        )
        assert (package.approval_mode, package.approval_period_days) == (ApprovalMode.MANUAL, 3)
        assert RegisterEntity.read("OU3", {"label": "Lyon"}).channels == [Channel.MAILBOX]

    def test_takes_null_for_absent(self) -> None:
        """An optional field that is null says nothing."""
        entity = RegisterEntity.read("OU3", {"label": "Lyon", "channels": None, "notify": None})
        assert (entity.channels, entity.notify) == ([Channel.MAILBOX], None)

    def test_counts_an_audience_once(self) -> None:
        """An id that is given twice is in the audience once, in the order given."""
        edit = EditPackage.read("CAT86", {"audience": ["OU4", "OU3", "OU4"]})
        assert edit.audience == ["OU4", "OU3"]

    def test_says_null_for_what_is_empty(self) -> None:
        """Empty lists and objects are null, so that there is one way to say nothing."""
        order = PlaceOrder.read(
            "ORD29",
            {
                "package_id": "CAT86",
                "entity_id": "OU3",
                "label": "Windows",
                "parameters": {},
                "documents": [],
            },
        )
        assert (order.parameters, order.documents) == (None, None)

    def test_is_in_utc_whatever_the_offset(self) -> None:
        """A time is kept as the moment it is."""
        edit = EditPackage.read("CAT86", {"starts_at": "2026-11-23T13:00:00+01:00"})
        assert edit.starts_at == NOON
        assert orjson.loads(edit.data_json()) == {"starts_at": "2026-11-23T12:00:00Z"}


class TestAStateEvent:
    """An event that is the whole state of its subject."""

    def test_is_made_of_a_state_and_its_changes(self, published: PackageState) -> None:
        """What is not changed is as it was."""
        event = PackageCanceled.of(
            published, decision_comment="gone", status=PackageStatus.CANCELED, version=6
        )
        assert (event.status, event.version, event.decision_comment) == ("canceled", 6, "gone")
        assert event.label == published.label

    def test_leaves_the_state_it_was_made_of_alone(self, published: PackageState) -> None:
        """A state is a value."""
        PackageCanceled.of(published, status=PackageStatus.CANCELED)
        assert published.status is PackageStatus.PUBLISHED

    def test_gives_the_state_after_it(self, published: PackageState) -> None:
        """The state has no field that only the event has."""
        event = PackageCanceled.of(published, decision_comment="gone", version=6)
        assert type(event.state) is PackageState
        assert event.state == published.model_copy(update={"version": 6})

    def test_reads_as_it_was_written(self, published: PackageState) -> None:
        """An event made without validation is the event that a reader gets."""
        event = PackageClosed.of(published, changed_at=NOON)
        assert PackageClosed.read("CAT86", orjson.loads(event.data_json())) == event

    def test_has_its_own_fields_at_their_defaults(self, published: PackageState) -> None:
        """A comment that nobody gave is null."""
        assert PackageCanceled.of(published).decision_comment is None

    def test_made_of_another_event_takes_only_its_state(self, published: PackageState) -> None:
        """The comment of one decision is not that of the next."""
        first = PackageCanceled.of(published, decision_comment="gone")
        assert PackageClosed.of(first) == PackageClosed.of(published)
        assert PackagePublished.of(first).decision_comment is None

    def test_refuses_a_field_that_it_does_not_have(self, published: PackageState) -> None:
        """A typo in code never passes silently."""
        with pytest.raises(TypeError, match="PackageClosed has no fields"):
            PackageClosed.of(published, decision_comment="closed", edtion=2)

    def test_carries_what_canceled_a_campaign(self) -> None:
        """A value beside the state is read and written with it."""
        event = CampaignCanceled.read("OP13", data(CampaignCanceled.TYPE))
        assert event.canceled_by == CanceledBy(package_id="CAT86", edition=1)
        assert CampaignCanceled.of(event.state).canceled_by is None

    @pytest.mark.parametrize("kind", STATE_EVENTS)
    def test_is_written_as_pydantic_writes_it(self, kind: type[StateEvent[Any]]) -> None:
        """The faster way to JSON says the same."""
        event = kind.read(samples_subject(kind), data(kind.TYPE))
        assert orjson.loads(event.data_json()) == by_pydantic(event)

    @given(parameters=PARAMETERS, comment=st.none() | TEXT, at=MOMENTS)
    def test_is_written_as_pydantic_writes_it_whatever_it_holds(
        self, parameters: dict[str, Any], comment: str | None, at: datetime
    ) -> None:
        """Odd numbers, odd texts and odd moments included."""
        values = {**data(OrderPlaced.TYPE), "parameters": parameters, "comment": comment}
        event = OrderPlaced.of(
            OrderPlaced.read(str(values["order_id"]), values), changed_at=at.replace(tzinfo=UTC)
        )
        assert orjson.loads(event.data_json()) == by_pydantic(event)
        assert OrderPlaced.read(event.subject, orjson.loads(event.data_json())) == event


class TestAnEvent:
    """A fact that readers of any age must understand."""

    def test_ignores_fields_that_are_new_to_its_reader(self) -> None:
        """Events grow by addition, also inside their values."""
        grown = data(PackageCanceled.TYPE)
        grown |= {"mood": "sad", "documents": [{"name": "a", "url": "b", "pages": 3}]}
        event = PackageCanceled.read("CAT86", grown)
        assert b"mood" not in event.data_json()
        assert b"pages" not in event.data_json()

    def test_is_about_the_subject_of_its_envelope(self) -> None:
        """A state of something else is no state of the subject."""
        with pytest.raises(ValidationError, match="CAT87"):
            PackageCanceled.read("CAT87", data(PackageCanceled.TYPE))

    def test_of_a_notification_is_kept_in_order_by_its_package(self) -> None:
        """Without a package by its recipient."""
        event = NotificationSent.read("OU3", data(NotificationSent.TYPE))
        assert event.key == "CAT86"
        assert NotificationSent.of(event.state, package_id=None).key == "OU3"

    def test_of_a_process_is_about_its_campaign(self) -> None:
        """The subject of a process event is the campaign, the version the process's."""
        assert ProcessStarted.read("OP13", data(ProcessStarted.TYPE)).subject == "OP13"

    def test_of_a_completed_cancel_has_the_reports_in_full(self) -> None:
        """A report that arrived as an event is told as the value it is."""
        report = PackageOrdersCanceled(package_id="CAT86", edition=1, canceled=3, already_final=0)
        done = CancellationCompleted(
            package_id="CAT86",
            edition=1,
            orders=report,
            campaigns=CampaignsReport(campaigns=1, processes_stopped=2, too_late=0),
            notifications=NotificationsReport(notified=3, superseded=0, failed=0),
            seconds=0.25,
        )
        assert orjson.loads(done.data_json())["orders"] == {"canceled": 3, "already_final": 0}


class TestANotice:
    """What a mailbox receives."""

    def test_is_named_by_its_kind_and_addressed_to_its_recipient(self) -> None:
        """Every kind has its wire name; the subject is who is told."""
        wire_type = "relais.notification.package_canceled.v1"
        notice = Notice.read("OU3", data(wire_type))
        assert (notice.wire_type, notice.subject, notice.key) == (wire_type, "OU3", "CAT86")

    def test_without_a_package_is_kept_in_order_by_its_recipient(self) -> None:
        """A notice need not be about a package."""
        notice = Notice.read(
            "OU3", data("relais.notification.package_canceled.v1") | {"package": None}
        )
        assert notice.key == "OU3"


class TestACommand:
    """A wish."""

    def test_is_kept_in_order_by_what_it_is_about(self) -> None:
        """Commands about an order are kept in order by its package."""
        order = PlaceOrder.read(
            "ORD29", {"package_id": "CAT86", "entity_id": "OU3", "label": "Windows"}
        )
        assert (order.subject, order.key) == ("ORD29", "CAT86")
        assert CancelPackage(package_id="CAT86", comment="gone").key == "CAT86"

    def test_refuses_a_typo_in_code_too(self) -> None:
        """A command that a sender makes has only the fields of its message."""
        with pytest.raises(ValidationError):
            CancelPackage.model_validate({"package_id": "CAT86", "comment": "gone", "coment": ""})
