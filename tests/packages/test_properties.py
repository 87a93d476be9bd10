"""What holds of a package whatever is asked of it."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.campaigns import CampaignEvent
from contracts.message import Body
from contracts.packages import (
    PackageCanceled,
    PackageCommand,
    PackageEvent,
    PackageReinitialized,
    PackageState,
    PackageStatus,
)
from services.packages import handlers
from services.packages.handlers import World
from services.runtime.decision import Accepted, Decision, Refused, Unchanged
from tests.packages.given import (
    DAY,
    LIFE,
    NOW,
    REVIEWER,
    campaign_canceled,
    campaign_reinitialized,
    cancellation,
    creation,
    edit,
    life,
    package,
    received,
    reports,
    world,
)

MOMENTS = [NOW + n * DAY for n in (-5, -1, 0, 3, 5, 7, 10, 30, 45)]
LISTS = [["OU1"], ["OU1", "OU2"], ["OU2", "OU3"], ["OU3", "OU2", "OU1"]]

VALUES: dict[str, list[Any]] = {
    "label": ["Winter windows", "Spring windows"],
    "folder": [None, "Windows"],
    "audience": [None, *LISTS],
    "reviewers": [None],
    "starts_at": MOMENTS,
    "ends_at": MOMENTS,
    "available_at": [None, *MOMENTS],
    "registration_deadline": [None, *MOMENTS],
    "personalization_deadline": [None, *MOMENTS],
    "campaign_id": ["OP13", "OP7", "OP99"],
    "distribution_level": ["local", "collaborative_simple"],
}
expected = st.sampled_from([None, None, None, None, 1, 2, 5, 6])
one_field = st.sampled_from([(name, value) for name, some in VALUES.items() for value in some])
edits = st.builds(
    lambda changes, version: edit(expected_version=version, **dict(changes)),
    st.lists(one_field, max_size=3),
    expected,
)
lives = st.builds(
    lambda name, version: life(name, expected_version=version),
    st.sampled_from(sorted(LIFE)),
    expected,
)
commands: st.SearchStrategy[PackageCommand] = st.one_of(st.just(creation()), edits, lives, lives)
beginnings = st.one_of(
    st.none(),
    st.builds(
        lambda status, edition, reviewers: package(status, edition=edition, reviewers=reviewers),
        st.sampled_from(list(PackageStatus)),
        st.sampled_from([1, 2]),
        st.sampled_from([None, [REVIEWER]]),
    ),
)
"""A package in some status, or none yet."""


news: st.SearchStrategy[CampaignEvent] = st.one_of(
    st.builds(
        lambda version, by: campaign_canceled(version=version, by=by),
        st.integers(1, 6),
        st.sampled_from([None, ("CAT1", 1), ("CAT86", 1), ("CAT86", 2)]),
    ),
    st.builds(lambda version: campaign_reinitialized(version=version), st.integers(1, 6)),
)
heard = st.builds(
    lambda edition, at: reports(edition=edition)[at], st.integers(1, 3), st.integers(0, 2)
)
messages: st.SearchStrategy[list[Body]] = st.lists(
    st.one_of(commands, commands, commands, commands, news, heard), min_size=8, max_size=30
)


def begun(first: PackageState | None) -> World:
    """A world with this package in it, and with the ledger that it has when it is canceled."""
    if first is None:
        return world()
    ledgers = [cancellation(edition=first.edition, complete=False)]
    return world([first], ledgers=ledgers if first.status == "canceled" else [])


def step(known: World, body: Body, at: int) -> tuple[PackageState | None, Decision]:
    """The package before, and what is decided, an hour after the message before."""
    before = known.packages.get("CAT86")
    return before, handlers.handle(known, received(body, NOW + timedelta(hours=at)))


def events(decision: Decision) -> list[PackageEvent]:
    """The package events of a decision."""
    emitted = decision.events if isinstance(decision, Accepted) else ()
    return [event for event in emitted if isinstance(event, PackageEvent)]


class TestAnySequenceOfMessages:
    """Commands, reports and news of the campaign, in any order."""

    @given(beginnings, messages)
    @settings(max_examples=150, deadline=None)
    def test_moves_the_version_by_one_and_the_edition_never_back(
        self, first: PackageState | None, bodies: list[Body]
    ) -> None:
        """Each accepted command makes one event, which is the state of the package since."""
        known = begun(first)
        for at, body in enumerate(bodies):
            before, decision = step(known, body, at)
            after = known.packages.get("CAT86")
            if not (isinstance(body, PackageCommand) and isinstance(decision, Accepted)):
                assert after is before
                assert not events(decision)
                continue
            (event,) = events(decision)
            assert after == event.state
            assert event.version == (before.version + 1 if before else 1)
            is_new_life = isinstance(event, PackageReinitialized)
            assert event.edition == (before.edition + is_new_life if before else 1)
            assert (event.changed_at, event.changed_by) == (
                NOW + timedelta(hours=at),
                "m.durand",
            )

    @given(beginnings, messages)
    @settings(max_examples=100, deadline=None)
    def test_has_no_second_effect_when_repeated_at_once(
        self, first: PackageState | None, bodies: list[Body]
    ) -> None:
        """A repeat is unchanged or refused and changes nothing."""
        known = begun(first)
        for at, body in enumerate(bodies):
            step(known, body, at)
            ledgers = list(known.ledgers.values())
            before, decision = step(known, body, at)
            assert isinstance(decision, Unchanged | Refused), body
            assert known.packages.get("CAT86") is before
            assert list(known.ledgers.values()) == ledgers

    @given(beginnings, messages)
    @settings(max_examples=100, deadline=None)
    def test_keeps_dates_within_and_ledgers_one_a_cancel(
        self, first: PackageState | None, bodies: list[Body]
    ) -> None:
        """No edit leads to what no creation allows; no cancel is without its ledger."""
        known = begun(first)
        canceled = 0
        for at, body in enumerate(bodies):
            _, decision = step(known, body, at)
            canceled += sum(isinstance(event, PackageCanceled) for event in events(decision))
        assert len(known.opened) == canceled
        for state in known.packages.values():
            assert state.starts_at < state.ends_at
            for moment in (
                state.available_at,
                state.registration_deadline,
                state.personalization_deadline,
            ):
                assert moment is None or state.starts_at <= moment <= state.ends_at

    @given(beginnings, messages)
    @settings(max_examples=100, deadline=None)
    def test_never_takes_back_what_was_offered(
        self, first: PackageState | None, bodies: list[Body]
    ) -> None:
        """From submission to the end of an edition, audience and deadlines only grow."""
        known = begun(first)
        for at, body in enumerate(bodies):
            before, decision = step(known, body, at)
            for event in events(decision):
                if before is None or before.status in {"being_edited", "rejected"}:
                    continue
                assert event.starts_at == before.starts_at
                assert event.ends_at >= before.ends_at
                assert set(event.audience or ()) >= set(before.audience or ())
                assert (event.audience is None) == (before.audience is None)
