"""The present state of entities, emitted again."""

from collections.abc import Awaitable, Callable

import pytest

from contracts.directory import EntityEvent, EntitySnapshot
from contracts.operations import SnapshotCompleted
from tests.conftest import PieceSizes
from tests.directory.given import GIVEN, deactivation, registration
from tests.harness import Harness

pytestmark = pytest.mark.servers


async def test_a_snapshot_is_each_entity_as_its_last_event_left_it(
    make_harness: Callable[[str], Awaitable[Harness]], piece_sizes: PieceSizes
) -> None:
    """Every field of it, with the same version, each once, in pieces."""
    directory = await make_harness("directory")
    for id in ("OU1", "OU2", "ou3"):
        await directory.send(registration(id, **GIVEN))
    await directory.send(deactivation())
    last = {e.subject: e.state for e in await directory.events(EntityEvent)}
    piece_sizes(2)

    *told, end = await directory.snapshot()

    assert all(isinstance(one.body, EntitySnapshot) for one in told)
    states = [one.body.state for one in told if isinstance(one.body, EntitySnapshot)]
    assert {state.entity_id: state for state in states} == last
    assert len(states) == len(last)
    assert isinstance(end.body, SnapshotCompleted)
    assert end.body.counts == {"entity": len(last)}
