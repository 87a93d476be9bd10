"""The present state of campaigns and their processes, emitted again."""

import pytest

from contracts.campaigns import CampaignSnapshot, ProcessSnapshot
from contracts.operations import SnapshotCompleted
from tests.campaigns.given import creation, package_canceled, start
from tests.campaigns.harness import CampaignsHarness
from tests.conftest import PieceSizes

pytestmark = pytest.mark.servers


async def test_a_snapshot_is_each_campaign_and_process_as_its_row(
    harness: CampaignsHarness, piece_sizes: PieceSizes
) -> None:
    """With the same version, each once, in pieces; also processes that no event has told of."""
    await harness.send(creation("OP13", ["WKF1", "WKF2"]), creation("OP14", ["WKF1"]))
    await harness.send(start("OP13"), creation("OP15"))
    piece_sizes(1)

    *told, end = await harness.inner.snapshot()

    for id in ("OP13", "OP14", "OP15"):
        about = [e.body for e in told if e.envelope.subject == id]
        (one,) = [body for body in about if isinstance(body, CampaignSnapshot)]
        assert one.state == (await harness.campaign(id)).state
        found = {b.process_id: b.state for b in about if isinstance(b, ProcessSnapshot)}
        assert found == await harness.processes(id)
    assert isinstance(end.body, SnapshotCompleted)
    assert end.body.counts == {"campaign": 3, "process": 3}


async def test_a_snapshot_of_what_a_package_made_has_its_key(harness: CampaignsHarness) -> None:
    """All else has the campaign as its key, also where a package has canceled it."""
    await harness.send(creation("OP13", ["WKF1"]), creation("OP14", ["WKF1"]))
    await harness.pool.execute(
        "UPDATE campaigns SET package_id = 'CAT86', edition = 1, kind = 'child'"
        " WHERE campaign_id = 'OP14'"
    )
    await harness.send(package_canceled())
    await harness.run_jobs()

    *told, _ = await harness.inner.snapshot()

    assert [(e.envelope.subject, e.envelope.partitionkey) for e in told] == [
        ("OP13", "OP13"),
        ("OP14", "CAT86"),
        ("OP13", "OP13"),
        ("OP14", "CAT86"),
    ]
