"""What may still be edited, and when."""

from datetime import datetime
from typing import Any

import pytest

from contracts.packages import PackageCreated, PackageEdited
from services.runtime.decision import Unchanged
from tests.packages.given import DAY, EVERYTHING, NOW, campaign, creation, decide, edit, package
from tests.packages.then import event_of, fields, refused

FREE = ("being_edited", "rejected")
LIMITED = ("pending_approval", "approved", "published")

ALWAYS = ("label", "folder", "description", "documents", "assigned_to", "notification_message")
CHANGED_LATER = ("audience", "ends_at", "registration_deadline", "personalization_deadline")


class TestAFreeEdit:
    """Of a package that is being edited or was rejected."""

    @pytest.mark.parametrize("status", FREE)
    def test_changes_any_field_but_the_id(self, status: str) -> None:
        """All at once, and nothing else than these."""
        state = package(status)
        event = event_of(decide(edit(**EVERYTHING), state))
        assert isinstance(event, PackageEdited)
        assert event.state.model_dump(include=set(EVERYTHING)) == edit(**EVERYTHING).model_dump(
            include=set(EVERYTHING)
        )
        rest = set(type(state).model_fields) - set(EVERYTHING)
        moved = {"version": 5, "changed_at": NOW, "changed_by": "m.durand"}
        kept = state.model_dump(include=rest) | moved
        assert event.state.model_dump(include=rest) == kept

    def test_knows_every_field(self) -> None:
        """The table above has each field of a creation."""
        assert set(EVERYTHING) == set(type(creation()).model_fields) - {"package_id"}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"starts_at": NOW + 40 * DAY}, "starts_at"),
            ({"ends_at": NOW + 6 * DAY, "available_at": None}, "personalization_deadline"),
            ({"available_at": NOW - 2 * DAY}, "available_at"),
            ({"registration_deadline": NOW + 31 * DAY}, "registration_deadline"),
            ({"distribution_level": "local"}, "campaign_id"),
            ({"campaign_id": "OP7"}, "campaign_id"),
            ({"several_orders": True}, "several_orders"),
        ],
    )
    def test_follows_the_rules_of_creation(self, changes: dict[str, Any], field: str) -> None:
        """They hold for the package as it would be."""
        decision = decide(edit(**changes), package())
        assert refused(decision).code == "invalid"
        assert fields(decision) == [f"data.{field}"]

    def test_is_refused_for_a_canceled_campaign(self) -> None:
        """Also where the campaign is not what is edited; another campaign heals it."""
        gone = campaign(canceled=True)
        assert refused(decide(edit(label="x"), package(), gone)).code == "campaign_canceled"
        event_of(decide(edit(campaign_id="OP14"), package(), gone, campaign("OP14")))

    def test_looks_past_a_cancel_by_an_earlier_edition(self) -> None:
        """A package just reinitialized can be edited before its campaign is."""
        event_of(decide(edit(label="x"), package(edition=2), campaign(by=("CAT86", 1))))

    def test_clears_an_optional_field_with_null(self) -> None:
        """And gives those with a default their default."""
        event = event_of(
            decide(
                edit(audience=None, approval_period_days=None, approval_mode=None),
                package(approval_period_days=8, approval_mode="automatic"),
            )
        )
        assert event.audience is None
        assert (event.approval_period_days, event.approval_mode) == (3, "manual")

    def test_replaces_lists_as_a_whole(self) -> None:
        """Nothing of the old one stays."""
        event = event_of(decide(edit(audience=["OU3"]), package(audience=["OU1", "OU2"])))
        assert event.audience == ["OU3"]


class TestALimitedEdit:
    """Of a package that was submitted, approved or published."""

    @pytest.mark.parametrize("status", LIMITED)
    @pytest.mark.parametrize("field", sorted(set(EVERYTHING) - set(CHANGED_LATER)))
    def test_changes_what_binds_nobody(self, status: str, field: str) -> None:
        """Every other field is locked, and named."""
        state = package(status, audience=["OU1"])
        decision = decide(edit(**{field: EVERYTHING[field]}), state)
        if field in ALWAYS:
            assert event_of(decision).status == status
            return
        assert refused(decision).code == "field_locked"
        assert fields(decision) == [f"data.{field}"]
        assert field in refused(decision).message

    @pytest.mark.parametrize("status", LIMITED)
    @pytest.mark.parametrize(
        ("field", "old", "new", "fits"),
        [
            ("ends_at", NOW + 30 * DAY, NOW + 31 * DAY, True),
            ("ends_at", NOW + 30 * DAY, NOW + 29 * DAY, False),
            ("registration_deadline", NOW + 5 * DAY, NOW + 6 * DAY, True),
            ("registration_deadline", NOW + 5 * DAY, NOW + 4 * DAY, False),
            ("registration_deadline", NOW + 5 * DAY, None, True),
            ("registration_deadline", None, NOW + 6 * DAY, False),
            ("personalization_deadline", NOW + 5 * DAY, NOW + 6 * DAY, True),
            ("personalization_deadline", NOW + 5 * DAY, NOW + 4 * DAY, False),
            ("personalization_deadline", NOW + 5 * DAY, None, True),
            ("personalization_deadline", None, NOW + 6 * DAY, False),
        ],
    )
    def test_lets_time_be_given_and_not_taken(
        self, status: str, field: str, old: datetime | None, new: datetime | None, fits: bool
    ) -> None:
        """No deadline is the latest there is."""
        decision = decide(edit(**{field: new}), package(status, **{field: old}))
        if fits:
            assert getattr(event_of(decision), field) == new
        else:
            assert refused(decision).code == "field_locked"
            assert fields(decision) == [f"data.{field}"]

    @pytest.mark.parametrize("status", LIMITED)
    @pytest.mark.parametrize(
        ("old", "new", "fits"),
        [
            (["OU1", "OU2"], ["OU1", "OU2", "OU3"], True),
            (["OU1", "OU2"], ["OU3", "OU2", "OU1"], True),
            (["OU1", "OU2"], ["OU2", "OU3"], False),
            (["OU1", "OU2"], ["OU1"], False),
            (["OU1", "OU2"], None, False),
            (None, ["OU1"], False),
        ],
    )
    def test_lets_the_audience_grow(
        self, status: str, old: list[str] | None, new: list[str] | None, fits: bool
    ) -> None:
        """The full list is given; nobody is left out whom the package was offered to."""
        decision = decide(edit(audience=new), package(status, audience=old))
        if fits:
            assert event_of(decision).audience == new
        else:
            assert refused(decision).code == "field_locked"
            assert fields(decision) == ["data.audience"]

    def test_keeps_the_order_of_dates(self) -> None:
        """A deadline may become later, not later than the end."""
        command = edit(registration_deadline=NOW + 31 * DAY)
        decision = decide(command, package("published"))
        assert refused(decision).code == "invalid"
        assert fields(decision) == ["data.registration_deadline"]
        both = edit(registration_deadline=NOW + 31 * DAY, ends_at=NOW + 40 * DAY)
        event_of(decide(both, package("published")))

    def test_of_a_locked_field_changes_nothing_else(self) -> None:
        """An edit is accepted as a whole or not at all."""
        decision = decide(edit(label="x", starts_at=NOW), package("published"))
        assert fields(decision) == ["data.starts_at"]

    def test_does_not_ask_for_the_campaign(self) -> None:
        """A published package whose campaign was canceled can still be explained."""
        event_of(decide(edit(description="x"), package("published"), campaign(canceled=True)))

    def test_of_a_locked_field_to_its_present_value_is_no_change(self) -> None:
        """A sender may send the whole form back."""
        state = package("published")
        command = edit(label="x", starts_at=state.starts_at, campaign_id=state.campaign_id)
        assert event_of(decide(command, state)).label == "x"


class TestAnEditOfNothing:
    """Values equal to the present ones."""

    def test_is_unchanged(self) -> None:
        """Whatever their number; the version stays."""
        created = event_of(decide(creation()))
        assert isinstance(created, PackageCreated)
        same = creation().model_dump(exclude={"package_id"})
        decision = decide(edit(**same), created.state)
        assert isinstance(decision, Unchanged)
        assert decision.version == 1

    def test_may_name_no_field_at_all(self) -> None:
        """Nothing is asked, and nothing is wrong."""
        assert isinstance(decide(edit(), package()), Unchanged)
