"""The rules of creation, approval, publication and reinitialization, each with its refusal."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.envelope import FieldError
from contracts.packages import (
    PackageApproved,
    PackageCanceled,
    PackageCreated,
    PackagePublished,
    PackageReinitialized,
    PackageRejected,
    PackageSubmitted,
)
from services.packages.domain import Campaign
from services.runtime.decision import Unchanged, Unknown
from tests.packages.given import (
    DAY,
    NOW,
    campaign,
    cancellation,
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
            comment = "\x01" * 4000
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


class TestSubmission:
    """package.submit."""

    @pytest.mark.parametrize("status", ["being_edited", "rejected"])
    def test_sets_the_approval_deadline(self, status: str) -> None:
        """It counts from the moment of decision, in the days that the package gives."""
        state = package(status, approval_period_days=10)
        event = event_of(decide(life("submit"), state))
        assert isinstance(event, PackageSubmitted)
        assert (event.submitted_at, event.approval_deadline) == (NOW, NOW + 10 * DAY)

    def test_needs_no_audience(self) -> None:
        """That is asked when it is approved."""
        event_of(decide(life("submit"), package(audience=None)))


class TestApproval:
    """package.approve."""

    def test_tells_when(self) -> None:
        """And keeps the comment beside the state."""
        event = event_of(decide(life("approve", comment="fine"), package("pending_approval")))
        assert isinstance(event, PackageApproved)
        assert (event.approved_at, event.decision_comment) == (NOW, "fine")

    @pytest.mark.parametrize(
        ("level", "is_needed"),
        [
            ("collaborative_simple", True),
            ("collaborative_by_form", True),
            ("collaborative_by_campaign", True),
            ("collaborative_by_target_approval", False),
            ("local", False),
        ],
    )
    def test_needs_an_audience(self, level: str, is_needed: bool) -> None:
        """Three of the levels are for somebody in particular."""
        state = package("pending_approval", distribution_level=level, audience=None)
        decision = decide(life("approve"), state)
        if is_needed:
            assert refused(decision).code == "audience_required"
        else:
            event_of(decision)

    def test_asks_for_the_audience_before_the_campaign(self) -> None:
        """Rules are looked at in the order of their page."""
        state = package("pending_approval", audience=None)
        assert refused(decide(life("approve"), state, campaign(canceled=True))).code == (
            "audience_required"
        )

    @pytest.mark.parametrize("reviewed", [True, False])
    def test_names_the_statuses_that_would_do(self, reviewed: bool) -> None:
        """A package without reviewers is approved as it is edited, too."""
        state = package("rejected", **({} if reviewed else {"reviewers": None}))
        refusal = refused(decide(life("approve"), state))
        assert refusal.code == "wrong_status"
        assert ("being_edited" in refusal.message) is not reviewed
        assert "pending_approval" in refusal.message


class TestRejection:
    """package.reject."""

    def test_tells_why(self) -> None:
        """The comment is required and handed on; nothing waits for an approval any more."""
        state = package("pending_approval", approval_deadline=NOW + DAY)
        event = event_of(decide(life("reject", comment="too blue"), state))
        assert isinstance(event, PackageRejected)
        assert (event.decision_comment, event.approval_deadline) == ("too blue", None)


class TestPublication:
    """package.publish."""

    def test_tells_when(self) -> None:
        """Also before the package starts: the command is explicit."""
        state = package("approved", starts_at=NOW + DAY)
        event = event_of(decide(life("publish"), state))
        assert isinstance(event, PackagePublished)
        assert event.published_at == NOW

    @pytest.mark.parametrize(("after", "fits"), [(timedelta(0), True), (SECOND, False)])
    def test_is_refused_past_the_end(self, after: timedelta, fits: bool) -> None:
        """The last moment is within."""
        state = package("approved")
        decision = decide(life("publish"), state, now=state.ends_at + after)
        if fits:
            event_of(decision)
        else:
            assert refused(decision).code == "wrong_status"

    def test_asks_for_the_campaign_before_the_end(self) -> None:
        """Rules are looked at in the order of their page."""
        state = package("approved")
        decision = decide(life("publish"), state, campaign(canceled=True), now=NOW + 99 * DAY)
        assert refused(decision).code == "campaign_canceled"


ALIVE: list[tuple[str, Campaign, bool]] = [
    ("it lives", campaign(), True),
    ("somebody canceled it", campaign(canceled=True), False),
    ("another package canceled it", campaign(by=("CAT1", 1)), False),
    ("an earlier edition canceled it", campaign(by=("CAT86", 1)), True),
    ("the edition before canceled it", campaign(by=("CAT86", 2)), True),
    ("this edition canceled it", campaign(by=("CAT86", 3)), False),
]


@pytest.mark.parametrize(
    ("name", "status"), [("approve", "pending_approval"), ("publish", "approved")]
)
@pytest.mark.parametrize(("why", "met", "fits"), ALIVE, ids=[why for why, _, _ in ALIVE])
class TestACanceledCampaign:
    """Of a package of edition 3."""

    def test_is_looked_past_only_where_an_earlier_edition_canceled_it(
        self, name: str, status: str, why: str, met: Campaign, fits: bool
    ) -> None:
        """It is reinitialized with the package, and that news may still be on its way."""
        decision = decide(life(name), package(status, edition=3), met)
        if fits:
            event_of(decision)
        else:
            assert refused(decision).code == "campaign_canceled", why


class TestACancel:
    """package.cancel."""

    def test_tells_why_and_when(self) -> None:
        """Whether the edition had been published stays to be seen: others rely on it."""
        state = package("published", published_at=NOW - DAY)
        event = event_of(decide(life("cancel"), state))
        assert isinstance(event, PackageCanceled)
        assert (event.canceled_at, event.decision_comment) == (NOW, "supplier withdrew")
        assert (event.published_at, event.edition) == (NOW - DAY, 1)

    def test_of_a_package_of_a_canceled_campaign_is_accepted(self) -> None:
        """A cancel asks nothing of the campaign."""
        event_of(decide(life("cancel"), package("published"), campaign(canceled=True)))

    def test_twice_is_unchanged(self) -> None:
        """Two operators may cancel at once; the second is told the version there is."""
        decision = decide(life("cancel", expected_version=3), package("canceled", version=5))
        assert isinstance(decision, Unchanged)
        assert decision.version == 5


class TestReinitialization:
    """package.reinitialize."""

    def test_begins_the_next_edition(self) -> None:
        """The version goes on; what the edition before has been through is forgotten."""
        names = ("submitted_at", "approved_at", "published_at", "approval_deadline")
        moments = dict.fromkeys(names, NOW - DAY)
        state = package("canceled", edition=2, version=9, canceled_at=NOW - DAY, **moments)
        decision = decide(
            life("reinitialize"), state, ledgers=[cancellation(edition=2, complete=True)]
        )
        event = event_of(decision)
        assert isinstance(event, PackageReinitialized)
        assert (event.status, event.edition, event.version) == ("being_edited", 3, 10)
        assert event.canceled_at is None
        assert {name: getattr(event, name) for name in moments} == dict.fromkeys(moments)
        assert event.created_at == state.created_at

    def test_waits_for_no_cancel_where_there_is_none(self) -> None:
        """A published package is reinitialized as it stands."""
        assert event_of(decide(life("reinitialize"), package("published"))).edition == 2

    def test_is_refused_while_the_cancel_runs(self) -> None:
        """The edition named is the one that is being canceled."""
        state = package("canceled", edition=2)
        running = [cancellation(edition=1, complete=True), cancellation(edition=2, complete=False)]
        refusal = refused(decide(life("reinitialize"), state, ledgers=running))
        assert refusal.code == "cancellation_running"
        assert "edition 2" in refusal.message

    def test_of_a_package_being_edited_is_unchanged(self) -> None:
        """It is where the command would bring it, with whatever edition."""
        decision = decide(life("reinitialize"), package("being_edited", edition=4))
        assert isinstance(decision, Unchanged)


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
        assert message == ("package CAT86 is rejected; package.publish is accepted from approved")

    def test_of_a_field_names_it_in_errors_as_well(self) -> None:
        """Path and sentence."""
        decision = decide(creation(starts_at=NOW + 99 * DAY))
        (error,) = refused(decision).errors
        assert isinstance(error, FieldError)
        assert refused(decision).message == f"{error.field} {error.message}"
