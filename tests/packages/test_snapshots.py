"""The present state of packages, emitted again."""

import pytest

from contracts.operations import SnapshotCompleted
from contracts.packages import PackageEvent, PackageSnapshot
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.packages.given import creation, life

pytestmark = pytest.mark.servers


async def test_a_snapshot_is_each_package_as_its_last_event_left_it(
    packages: Harness, piece_sizes: PieceSizes
) -> None:
    """Every field of it, with the same version and key, each once, in pieces."""
    for id in ("CAT1", "CAT2", "cat-3"):
        await packages.send(creation(package_id=id), actor="m.durand")
    await packages.send(life("submit", package_id="CAT1"))
    last = {e.subject: e.state for e in await packages.events(PackageEvent)}
    piece_sizes(2)

    *told, end = await packages.snapshot()

    states = [one.body.state for one in told if isinstance(one.body, PackageSnapshot)]
    assert {state.package_id: state for state in states} == last
    assert len(states) == len(told) == len(last)
    assert all(one.envelope.partitionkey == one.envelope.subject for one in told)
    assert isinstance(end.body, SnapshotCompleted)
    assert end.body.counts == {"package": 3}


async def test_a_snapshot_takes_no_more_than_fits(packages: Harness) -> None:
    """Packages may be large: a piece that is too much is done in smaller ones."""
    audience = [f"OU{n}-{'x' * 50}" for n in range(14_000)]
    for n in range(25):
        await packages.send(creation(package_id=f"CAT{n}", audience=audience))

    *told, end = await packages.snapshot()

    assert len({one.envelope.subject for one in told}) == len(told) == 25
    assert isinstance(end.body, SnapshotCompleted)
    assert end.body.counts == {"package": 25}
