"""What a package may be created with, and as large as what."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.packages import (
    PackageCreated,
)
from services.runtime.decision import Unknown
from tests.packages.given import (
    DAY,
    NOW,
    campaign,
    creation,
    decide,
    edit,
    life,
    package,
)
from tests.packages.then import event_of, fields, refused

SECOND = timedelta(seconds=1)
HALF = [f"{n:060}" for n in range(9_000)]
HEAVY = [{"name": f"{n:0200}", "url": "é" * 2000} for n in range(100)]
"""An audience and documents that each fit, and not together."""


class TestCreation:
    """package.create."""

    def test_makes_a_package_that_is_being_edited(self) -> None:
        """Its life begins with edition 1 and version 1."""
        event = event_of(decide(creation()))
        assert isinstance(event, PackageCreated)
        assert (event.status, event.edition, event.version) == ("being_edited", 1, 1)
        assert (event.created_at, event.changed_at, event.changed_by) == (NOW, NOW, "m.durand")

    def test_keeps_every_field_of_the_command(self) -> None:
        """The state has what was asked for, and the defaults of what was not."""
        event = event_of(decide(creation(reminders=[{"days_after": 2}], folder="Windows")))
        terms = event.state.model_dump(include=set(type(creation()).model_fields))
        assert terms == creation(reminders=[{"days_after": 2}], folder="Windows").model_dump()
        assert (terms["approval_mode"], terms["approval_period_days"]) == ("manual", 3)

    def test_needs_an_unused_id(self) -> None:
        """The present version of the other package is told."""
        refusal = refused(decide(creation(), package(version=7)))
        assert (refusal.code, refusal.version) == ("already_exists", 7)

    def test_waits_for_its_campaign(self) -> None:
        """An unknown campaign may become known in a moment."""
        decision = decide(creation(campaign_id="OP99"))
        assert isinstance(decision, Unknown)
        assert decision.code == "unknown_campaign"

    @pytest.mark.parametrize("by", [None, ("CAT1", 1), ("CAT86", 1)])
    def test_needs_a_campaign_that_is_not_canceled(self, by: tuple[str, int] | None) -> None:
        """Whoever canceled it: a package that does not exist yet has no earlier edition."""
        refusal = refused(decide(creation(), None, campaign(canceled=True, by=by)))
        assert refusal.code == "campaign_canceled"

    @pytest.mark.parametrize(
        ("level", "kind", "fits"),
        [
            ("local", "template", True),
            ("local", "reference", False),
            ("collaborative_by_form", "reference", True),
            ("collaborative_by_campaign", "reference", True),
            ("collaborative_by_target_approval", "reference", True),
            ("collaborative_simple", "reference", True),
            ("collaborative_simple", "template", False),
            ("collaborative_simple", "child", False),
            ("local", "local", False),
        ],
    )
    def test_needs_a_campaign_of_its_kind(self, level: str, kind: str, fits: bool) -> None:
        """Local packages are made of templates, all others of reference campaigns."""
        decision = decide(creation(distribution_level=level), None, campaign(kind=kind))
        if fits:
            event_of(decision)
        else:
            assert refused(decision).code == "invalid"
            assert fields(decision) == ["data.campaign_id"]

    def test_allows_several_orders_to_local_packages_only(self) -> None:
        """Else the field is named."""
        local = {"distribution_level": "local", "campaign_id": "OP7"}
        event_of(decide(creation(several_orders=True, **local)))
        decision = decide(creation(several_orders=True))
        assert refused(decision).code == "invalid"
        assert fields(decision) == ["data.several_orders"]

    @pytest.mark.parametrize("length", [timedelta(0), -DAY])
    def test_needs_an_end_after_its_start(self, length: timedelta) -> None:
        """An empty span of time is none."""
        dates = dict.fromkeys(("available_at", "registration_deadline", "personalization_deadline"))
        decision = decide(creation(**dates, starts_at=NOW, ends_at=NOW + length))
        assert refused(decision).code == "invalid"
        assert fields(decision) == ["data.starts_at"]

    @pytest.mark.parametrize(
        "field", ["available_at", "registration_deadline", "personalization_deadline"]
    )
    @pytest.mark.parametrize(
        ("moment", "fits"),
        [
            (NOW - DAY, True),
            (NOW + 30 * DAY, True),
            (NOW - DAY - SECOND, False),
            (NOW + 30 * DAY + SECOND, False),
        ],
    )
    def test_needs_dates_within_its_own(self, field: str, moment: Any, fits: bool) -> None:
        """The first and the last moment count as within."""
        decision = decide(creation(**{field: moment}))
        if fits:
            event_of(decision)
        else:
            assert refused(decision).code == "invalid"
            assert fields(decision) == [f"data.{field}"]

    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"audience": [f"{n:064}" for n in range(16_000)]}, "audience"),
            ({"audience": HALF, "documents": HEAVY}, "audience"),
            ({"audience": HALF, "documents": HEAVY[:50]}, None),
        ],
    )
    def test_leaves_room_for_what_is_said_of_it(
        self, terms: dict[str, Any], field: str | None
    ) -> None:
        """Every event has the whole state and perhaps a comment, and a message holds 1 MiB."""
        for decision in (decide(creation(**terms)), decide(edit(**terms), package())):
            if field:
                assert refused(decision).code == "invalid"
                assert fields(decision) == [f"data.{field}"]
                continue
            state = event_of(decision).state
            comment = "\x01" * 3999 + "."
            canceled = event_of(decide(life("cancel", comment=comment), state))
            assert len(canceled.data_json()) < 1024 * 1024 - 4096

    def test_weighs_what_an_edit_leaves_as_it_is(self) -> None:
        """But names what the edit would change."""
        decision = decide(edit(documents=HEAVY), package(audience=HALF))
        assert fields(decision) == ["data.documents"]

    def test_may_be_followed_by_small_edits_however_large_it_is(self) -> None:
        """What does not make it larger is not weighed again."""
        state = package(audience=HALF, documents=HEAVY)
        event_of(decide(edit(label="Spring windows"), state))

    def test_names_every_wrong_date_at_once(self) -> None:
        """A sender need not find them one by one."""
        far = NOW + 99 * DAY
        decision = decide(creation(available_at=far, registration_deadline=far))
        assert fields(decision) == ["data.available_at", "data.registration_deadline"]
        assert refused(decision).message.count("2027-03-02T09:00:00Z") == 2
