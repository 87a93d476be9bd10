"""What holds of orders whatever is asked of them, and whatever becomes of their package."""

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.message import Body
from contracts.orders import OrderCommand, OrderEvent, OrderPlaced, OrderState
from contracts.packages import PackageEvent
from services.orders import domain
from services.orders.handlers import World
from services.runtime.decision import Accepted, Decision, Refused, Unchanged
from tests.orders.given import (
    NOW,
    canceled,
    deactivated,
    decide,
    documents,
    edit,
    life,
    offer,
    place,
    published,
    registered,
    reinitialized,
    world,
)

IDS = ("ORD1", "ORD2", "ORD3")
MOVES = {
    ("ordered", "ordered"),
    ("ordered", "approved"),
    ("ordered", "rejected"),
    ("ordered", "canceled"),
    ("approved", "approved"),
    ("approved", "canceled"),
}
"""Every step that a command may take an order, from status to status."""

ids = st.sampled_from(IDS)
entities = st.sampled_from(["OU1", "OU2"])
expected = st.sampled_from([None, None, None, 1, 2, 3])
places = st.builds(
    lambda order_id, entity_id, count: place(
        order_id=order_id, entity_id=entity_id, documents=documents(count)
    ),
    ids,
    entities,
    st.integers(0, 2),
)
edits = st.builds(
    lambda order_id, version, label, comment: edit(
        order_id=order_id, expected_version=version, label=label, comment=comment
    ),
    ids,
    expected,
    st.sampled_from(["Windows", "Doors"]),
    st.sampled_from([None, "two please"]),
)
lives = st.builds(
    lambda name, order_id, version: life(name, order_id=order_id, expected_version=version),
    st.sampled_from(["approve", "reject", "cancel"]),
    ids,
    expected,
)
# A life of the package has versions of its own: the first 4 to 6, the second 14 to 16, and so on.
editions = st.integers(1, 3)
packages: st.SearchStrategy[PackageEvent] = st.one_of(
    st.builds(
        lambda edition, audience: published(
            edition=edition, version=10 * edition - 6, audience=audience
        ),
        editions,
        st.sampled_from([None, ["OU1"], ["OU1", "OU2"]]),
    ),
    st.builds(lambda edition: canceled(edition=edition, version=10 * edition - 5), editions),
    st.builds(
        lambda edition: reinitialized(edition=edition + 1, version=10 * edition - 4), editions
    ),
)
news = st.builds(
    lambda make, entity_id, version: make(entity_id, version=version),
    st.sampled_from([registered, deactivated]),
    entities,
    st.integers(2, 5),
)
commands: st.SearchStrategy[OrderCommand] = st.one_of(places, edits, lives)
messages: st.SearchStrategy[list[Body]] = st.lists(
    st.one_of(commands, commands, commands, packages, news), min_size=8, max_size=40
)


def begun() -> World:
    """A world in which the first edition is offered to everybody."""
    return world(offer(max_documents=1))


def states(known: World) -> dict[str, OrderState]:
    """Every order as it stands."""
    return {one.order_id: one for one in known.orders.values()}


def step(known: World, body: Body, at: int) -> Decision:
    """Decide one message, an hour after the one before."""
    return decide(known, body, NOW + timedelta(hours=at))


class TestAnySequenceOfMessages:
    """Commands, and news of the package and of entities, in any order."""

    @given(messages)
    @settings(max_examples=150, deadline=None)
    def test_moves_orders_one_step_and_one_version_at_a_time(self, bodies: list[Body]) -> None:
        """Each accepted command makes one event, which is the state of the order since."""
        known = begun()
        for at, body in enumerate(bodies):
            before = states(known)
            decision = step(known, body, at)
            after = states(known)
            if not (isinstance(body, OrderCommand) and isinstance(decision, Accepted)):
                assert after == before
                continue
            (event,) = decision.events
            assert isinstance(event, OrderEvent)
            assert after == before | {event.order_id: event}
            old = before.get(event.order_id)
            if old is None:
                assert isinstance(event, OrderPlaced)
                assert event.version == 1
                continue
            assert event.version == old.version + 1
            assert (old.status, event.status) in MOVES
            fixed = ("package_id", "edition", "entity_id", "placed_at", "approval_deadline")
            assert all(getattr(event, name) == getattr(old, name) for name in fixed)

    @given(messages)
    @settings(max_examples=100, deadline=None)
    def test_has_no_second_effect_when_repeated_at_once(self, bodies: list[Body]) -> None:
        """A repeat is unchanged or refused and changes nothing."""
        known = begun()
        for at, body in enumerate(bodies):
            step(known, body, at)
            before = states(known), list(known.offers.values()), list(known.jobs.new)
            assert isinstance(step(known, body, at), Unchanged | Refused), body
            assert before == (states(known), list(known.offers.values()), known.jobs.new)

    @given(messages)
    @settings(max_examples=100, deadline=None)
    def test_leaves_an_entity_one_open_order_an_edition(self, bodies: list[Body]) -> None:
        """Of a package that is not local."""
        known = begun()
        for at, body in enumerate(bodies):
            step(known, body, at)
            held = Counter(
                (one.edition, one.entity_id)
                for one in known.orders.values()
                if one.status in domain.OPEN
            )
            assert max(held.values(), default=1) == 1

    @given(messages)
    @settings(max_examples=100, deadline=None)
    def test_lets_nothing_happen_to_a_canceled_edition(self, bodies: list[Body]) -> None:
        """From the cancel on its orders are neither placed nor changed, whatever follows."""
        known = begun()
        gone: dict[int, dict[str, OrderState]] = {}
        for at, body in enumerate(bodies):
            step(known, body, at)
            for edition in (job.place for job in known.jobs.new):
                found = {id: one for id, one in states(known).items() if one.edition == edition}
                assert gone.setdefault(edition, found) == found

    @given(messages)
    @settings(max_examples=100, deadline=None)
    def test_never_takes_the_copy_of_the_package_back(self, bodies: list[Body]) -> None:
        """Neither its version, nor its edition, nor a cancel that was seen."""
        known = begun()
        copy = known.offers.get("CAT86")
        assert copy
        for at, body in enumerate(bodies):
            step(known, body, at)
            now = known.offers.get("CAT86")
            assert now
            assert now.version >= copy.version
            assert now.edition >= copy.edition
            assert set(now.canceled_editions) >= set(copy.canceled_editions)
            assert set(now.canceled_editions) == {job.place for job in known.jobs.new}
            copy = now
