"""The rules of a package on its way through its life, each with its refusal."""

from datetime import timedelta

import pytest

from contracts.packages import (
    PackageApproved,
    PackageCanceled,
    PackagePublished,
    PackageReinitialized,
    PackageRejected,
    PackageSubmitted,
)
from services.packages.conditions import Campaign
from services.runtime.decision import Accepted, Unchanged
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
from tests.packages.then import event_of, refused

SECOND = timedelta(seconds=1)


class TestAnAudience:
    """Only the directory knows the entities, so its ids are not checked here."""

    def test_is_accepted_with_a_word(self) -> None:
        """The sender is told what comes of an entity that is not registered."""
        decision = decide(creation(audience=["OU1", "OU9"]))
        assert isinstance(decision, Accepted)
        assert (decision.message or "").startswith("its audience is not checked here")

    def test_that_is_added_to_is_accepted_with_the_same(self) -> None:
        """An edit of anything else says nothing of it."""
        known = package("published", audience=["OU1"])
        added = decide(edit(audience=["OU1", "OU9"]), known)
        other = decide(edit(label="other"), known)
        assert isinstance(added, Accepted)
        assert isinstance(other, Accepted)
        assert "not checked here" in (added.message or "")
        assert other.message is None


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
