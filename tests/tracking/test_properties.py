"""What holds of the rows, the history and the ledgers whatever the order of events."""

from dataclasses import asdict
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.message import to_json
from services.runtime.decision import Received
from services.tracking import handlers, store
from services.tracking.handlers import World
from services.tracking.store import Model
from tests.tracking.histories import BEGIN, Told, history, read, snapshots

seeds = st.integers(0, 2**32)
# A history is a number; to look for a smaller number helps nobody.
some = settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])


def world() -> World:
    """A reader that knows nothing yet."""
    rows: dict[str, Any] = {table.name: {} for table in store.TABLES}
    return World([Model(store.MODEL, rows, {})], None)


def fold(told: list[Told]) -> World:
    """What these events make, one after the other."""
    made = world()
    for one in told:
        handlers.handle(made, Received(one.envelope, one.event, BEGIN + timedelta(days=99)))
    return made


def rows_of(made: World) -> Any:
    """Every row of the model, as JSON."""
    (model,) = made.models
    found = {
        name: sorted(
            (repr(key), to_json(dict(sorted(row.columns.items())))) for key, row in rows.items()
        )
        for name, rows in model.rows.items()
    }
    return {**found, "terms": sorted((id, to_json(e.state)) for id, e in model.terms.items())}


def lines_of(made: World, *, counted: bool = True) -> Any:
    """Every line of the history; what was handled twice counts twice in a fold."""
    left_out = set() if counted else {"count"}
    return sorted(
        to_json({k: v for k, v in asdict(line).items() if k not in left_out})
        for line in made.lines.values()
    )


def ledgers_of(made: World) -> Any:
    """Every ledger."""
    return {life: to_json(dict(sorted(ledger.items()))) for life, ledger in made.ledgers.items()}


class TestAnyOrderOfEvents:
    """Shuffled, and repeated."""

    @given(seeds, st.randoms(use_true_random=False))
    @some
    def test_makes_the_same_rows_history_and_ledgers(self, seed: int, rng: Random) -> None:
        """As the order in which they happened."""
        told = [read(one) for one in history(Random(seed), 60).told]
        ordered = fold(told)
        shuffled = rng.sample(told, len(told))
        other = fold(shuffled)
        assert rows_of(other) == rows_of(ordered)
        assert lines_of(other) == lines_of(ordered)
        assert ledgers_of(other) == ledgers_of(ordered)

    @given(seeds, st.randoms(use_true_random=False))
    @some
    def test_may_repeat_what_it_likes(self, seed: int, rng: Random) -> None:
        """The inbox knows repeats; were it emptied, only the size of a fold would change."""
        told = [read(one) for one in history(Random(seed), 60).told]
        ordered = fold(told)
        again = rng.sample(told + told, 2 * len(told))
        other = fold(again)
        assert rows_of(other) == rows_of(ordered)
        assert lines_of(other, counted=False) == lines_of(ordered, counted=False)
        assert ledgers_of(other) == ledgers_of(ordered)

    @given(seeds, st.randoms(use_true_random=False))
    @some
    def test_may_have_snapshots_among_it(self, seed: int, rng: Random) -> None:
        """They bring what packed events have not told, and are no cause of anything."""
        made = history(Random(seed), 60)
        told = [read(one) for one in made.told]
        more = [read(one) for one in snapshots(made, "rebuild")]
        ordered = fold(told + more)
        other = fold(rng.sample(told + more, len(told + more)))
        assert rows_of(other) == rows_of(ordered)
        assert lines_of(other) == lines_of(fold(told))

    @given(seeds, st.randoms(use_true_random=False))
    @some
    def test_ends_at_the_states_of_the_services(self, seed: int, rng: Random) -> None:
        """Each status, version and edition is the last one there was."""
        made = history(Random(seed), 60)
        told = [read(one) for one in made.told]
        (model,) = fold(rng.sample(told, len(told))).models
        assert {
            id: (r.columns["status"], r.columns["edition"], r.columns["version"])
            for id, r in model.rows["packages"].items()
        } == {id: (s.status, s.edition, s.version) for id, s in made.packages.items()}
        assert {
            id: (r.columns["status"], r.columns["status_version"], r.columns["entity_id"])
            for id, r in model.rows["orders"].items()
        } == {id: (s.status, s.version, s.entity_id) for id, s in made.orders.items()}
        assert {id: r.columns["status"] for id, r in model.rows["campaigns"].items()} == {
            id: s.status for id, s in made.campaigns.items()
        }
        assert {id: r.columns["active"] for id, r in model.rows["entities"].items()} == {
            id: s.active for id, s in made.entities.items()
        }
        assert {
            id: (r.columns["status"], r.columns["attempts"])
            for id, r in model.rows["notifications"].items()
        } == {id: (s.status, s.attempts) for id, s in made.notifications.items()}
