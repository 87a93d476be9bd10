"""The rules of placing an order, each with its refusal."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.orders import (
    OrderPlaced,
)
from contracts.packages import DistributionLevel
from services.runtime.decision import Unknown
from tests.orders.given import (
    DAY,
    NOW,
    decide,
    decide_about,
    documents,
    edit,
    life,
    offer,
    order,
    place,
    world,
)
from tests.orders.then import event_of, outcome_of, refused

SECOND = timedelta(seconds=1)
LOCAL = DistributionLevel.LOCAL


class TestPlacing:
    """order.place."""

    def test_makes_an_order_that_waits_for_approval(self) -> None:
        """Of the edition that is offered, with three days to decide."""
        known = world(offer(edition=3))
        event = event_of(decide(known, place(comment="two please", parameters={"size": 2})))
        assert isinstance(event, OrderPlaced)
        assert (event.status, event.edition, event.version) == ("ordered", 3, 1)
        assert (event.comment, event.parameters) == ("two please", {"size": 2})
        assert (event.placed_at, event.approval_deadline) == (NOW, NOW + 3 * DAY)
        assert (event.changed_at, event.changed_by) == (NOW, "m.durand")
        assert (event.campaign_id, event.approved_at, event.canceled_at) == (None, None, None)

    def test_needs_an_unused_id(self) -> None:
        """Also of an order of another package."""
        known = world(offer(), orders=[order(package_id="CAT1", version=6)])
        refusal = refused(decide(known, place()))
        assert (refusal.code, refusal.version) == ("already_exists", 6)

    def test_waits_for_its_package(self) -> None:
        """An unknown package may become known in a moment."""
        decision = decide(world(), place())
        assert isinstance(decision, Unknown)
        assert decision.code == "unknown_package"

    def test_waits_for_its_entity(self) -> None:
        """An unknown entity may become known in a moment."""
        decision = decide(world(offer()), place(entity_id="OU9"))
        assert isinstance(decision, Unknown)
        assert decision.code == "unknown_entity"

    def test_needs_an_active_entity(self) -> None:
        """A deactivated one places no more orders."""
        known = world(offer(), inactive=["OU9"])
        assert refused(decide(known, place(entity_id="OU9"))).code == "entity_inactive"

    @pytest.mark.parametrize(
        "status", ["being_edited", "pending_approval", "approved", "rejected", "canceled"]
    )
    def test_needs_a_published_package(self, status: str) -> None:
        """The status is told."""
        refusal = refused(decide(world(offer(status)), place()))
        assert refusal.code == "not_offered"
        assert status in refusal.message

    @pytest.mark.parametrize(
        ("now", "fits"),
        [
            (NOW - DAY - SECOND, False),
            (NOW - DAY, True),
            (NOW + 30 * DAY, True),
            (NOW + 30 * DAY + SECOND, False),
        ],
    )
    def test_needs_a_package_within_its_dates(self, now: Any, fits: bool) -> None:
        """The first and the last moment count as within."""
        assert outcome_of(decide(world(offer()), place(), now)) == (
            "ordered" if fits else "not_offered"
        )

    def test_is_told_its_dates_to_the_second(self) -> None:
        """Nobody reads the microseconds at which a package begins."""
        early = offer("approved", starts_at=NOW.replace(microsecond=678906))
        refusal = refused(decide(world(early), place()))
        assert "from 2026-11-23T09:00:00Z to" in refusal.message

    @pytest.mark.parametrize(("late", "fits"), [(timedelta(0), True), (SECOND, False)])
    def test_ends_with_the_registration_deadline(self, late: timedelta, fits: bool) -> None:
        """Its last moment is within."""
        deadline = NOW + 5 * DAY
        known = world(offer(registration_deadline=deadline))
        wanted = "ordered" if fits else "registration_closed"
        assert outcome_of(decide(known, place(), deadline + late)) == wanted

    def test_is_for_the_audience(self) -> None:
        """Where there is one."""
        known = world(offer(audience=["OU1"]), audience=["OU1"])
        assert refused(decide(known, place(entity_id="OU2"))).code == "not_in_audience"
        assert outcome_of(decide(known, place())) == "ordered"

    @pytest.mark.parametrize("status", ["ordered", "approved", "available"])
    def test_is_done_once(self, status: str) -> None:
        """Per entity and edition."""
        known = world(offer(), orders=[order(status)])
        assert refused(decide(known, place(order_id="ORD2"))).code == "already_ordered"
        assert outcome_of(decide(known, place(order_id="ORD2", entity_id="OU2"))) == "ordered"

    @pytest.mark.parametrize("status", ["rejected", "canceled"])
    def test_may_be_done_again_after_a_no(self, status: str) -> None:
        """Rejected and canceled orders do not count."""
        known = world(offer(), orders=[order(status)])
        assert outcome_of(decide(known, place(order_id="ORD2"))) == "ordered"

    def test_may_be_done_again_in_the_next_edition(self) -> None:
        """An order of the edition before does not count."""
        known = world(offer(edition=2), orders=[order("approved")])
        assert outcome_of(decide(known, place(order_id="ORD2"))) == "ordered"

    @pytest.mark.parametrize(
        ("level", "several", "fits"),
        [
            (LOCAL, True, True),
            (LOCAL, False, False),
            (DistributionLevel.COLLABORATIVE_SIMPLE, True, False),
        ],
    )
    def test_may_be_done_several_times_where_a_local_package_allows_it(
        self, level: DistributionLevel, several: bool, fits: bool
    ) -> None:
        """No other package may."""
        about = offer(distribution_level=level, several_orders=several)
        known = world(about, orders=[order()])
        wanted = "ordered" if fits else "already_ordered"
        assert outcome_of(decide(known, place(order_id="ORD2"))) == wanted

    @pytest.mark.parametrize(
        ("own", "campaigns", "count", "fits"),
        [
            (2, None, 2, True),
            (2, None, 3, False),
            (2, 9, 3, False),
            (9, 2, 3, True),
            (0, 9, 1, False),
            (None, 2, 2, True),
            (None, 2, 3, False),
            (None, 0, 1, False),
            (None, 0, 0, True),
            (None, None, 50, True),
        ],
    )
    def test_takes_as_many_documents_as_the_package_allows(
        self, own: int | None, campaigns: int | None, count: int, fits: bool
    ) -> None:
        """Else as its campaign does, else any number; zero is a number."""
        known = world(offer(max_documents=own), limits={"OP13": campaigns})
        decision = decide(known, place(documents=documents(count)))
        assert outcome_of(decision) == ("ordered" if fits else "too_many_documents")

    @pytest.mark.parametrize(("length", "fits"), [(979_000, True), (981_000, False)])
    def test_leaves_room_for_what_is_said_of_it(self, length: int, fits: bool) -> None:
        """Every event has the whole order and perhaps a comment, and a message holds 1 MiB."""
        parameters = {"text": "x" * length}
        known = world(offer(), orders=[order(order_id="ORD2", entity_id="OU2")])
        for command in (
            place(parameters=parameters),
            edit(order_id="ORD2", parameters=parameters),
        ):
            decision = decide(known, command)
            if not fits:
                assert refused(decision).code == "invalid"
                assert [e.field for e in refused(decision).errors] == ["data.parameters"]
                continue
            state = event_of(decision).state
            rejected = life("reject", order_id=state.order_id, comment="\x01" * 3999 + ".")
            event = event_of(decide_about(state, rejected))
            assert len(event.data_json()) < 1024 * 1024 - 4096

    def test_of_a_later_one_is_refused_within_the_same_world(self) -> None:
        """What the messages before made counts."""
        known = world(offer())
        assert outcome_of(decide(known, place())) == "ordered"
        assert outcome_of(decide(known, place(order_id="ORD2"))) == "already_ordered"
        assert outcome_of(decide(known, life("reject"))) == "rejected"
        assert outcome_of(decide(known, place(order_id="ORD3"))) == "ordered"


class TestTheOrderOfRules:
    """Which of several refusals of order.place is told."""

    def test_is_that_of_their_page(self) -> None:
        """Each of these is healed in turn, and the next one appears."""
        taken = order("approved", order_id="ORD2")
        wrong: dict[str, Any] = {
            "status": "canceled",
            "registration_deadline": NOW - SECOND,
            "audience": ["OU7"],
            "max_documents": 0,
        }
        command = place(documents=documents(1))
        seen = [outcome_of(decide(world(), command))]
        about = offer(**wrong)
        seen.append(outcome_of(decide(world(about, entities=[], orders=[taken]), command)))
        seen.append(
            outcome_of(decide(world(about, entities=[], inactive=["OU1"], orders=[taken]), command))
        )
        for heal in ({}, {"status": "published"}, {"registration_deadline": None}):
            wrong |= heal
            seen.append(outcome_of(decide(world(offer(**wrong), orders=[taken]), command)))
        known = world(offer(**wrong), orders=[taken], audience=["OU1"])
        seen.append(outcome_of(decide(known, command)))
        seen.append(outcome_of(decide(world(offer(**wrong), audience=["OU1"]), command)))
        assert seen == [
            "unknown_package",
            "unknown_entity",
            "entity_inactive",
            "not_offered",
            "registration_closed",
            "not_in_audience",
            "already_ordered",
            "too_many_documents",
        ]

    def test_looks_at_the_id_first(self) -> None:
        """Also where package and entity are unknown."""
        known = world(orders=[order()], entities=[])
        assert outcome_of(decide(known, place())) == "already_exists"
