"""A service emits its present state again, once for each request."""

import pytest

from contracts.operations import (
    RequestSnapshot,
)
from services.runtime.messages import operations
from tests.conftest import PieceSizes
from tests.harness import Harness
from tests.runtime.given import handle, item_of
from tests.runtime.probe import Add
from tests.runtime.telling import snapshots, telling
from tests.runtime.then import events, outbox_envelopes

pytestmark = pytest.mark.servers


class TestASnapshot:
    """A service emits its present state, once for each request."""

    async def test_is_of_every_row_once(self, harness: Harness, piece_sizes: PieceSizes) -> None:
        """In pieces, caused by the request, with the key that the service gives, then counted."""
        telling(harness)
        ids = [f"T{n}" for n in range(5)]
        await handle(harness, *(item_of(harness, Add(thing_id=id, note="n")) for id in ids))
        piece_sizes(2)
        request = RequestSnapshot(service="probe", request_id="r1")

        answer = await harness.ask(request, id="snap-1")
        assert answer.outcome == "accepted"
        assert await harness.sweep(operations.SWEEP) == 5

        assert await snapshots(harness) == ids
        told = [
            one for one in await outbox_envelopes(harness) if one.data.get("note") == "snapshot"
        ]
        assert {one.envelope.causationid for one in told} == {"snap-1"}
        assert {one.partitionkey for one in told} == {"k"}
        assert [one.data["version"] for one in told] == [1] * 5
        (end,) = await events(harness, "snapshot.completed")
        assert end.data == {
            "service": "probe",
            "request_id": "r1",
            "counts": {"none": 0, "thing": 5},
        }
        assert (end.partitionkey, end.envelope.causationid) == ("probe", "snap-1")

    async def test_is_asked_for_once(self, harness: Harness) -> None:
        """The same request again changes nothing, whoever sends it, also once it is done."""
        telling(harness)
        request = RequestSnapshot(service="probe", request_id="r1")
        await harness.ask(request)
        await harness.sweep(operations.SWEEP)
        answer = await harness.ask(request, source="/another")
        assert answer.outcome == "unchanged"
        await harness.sweep(operations.SWEEP)
        assert len(await events(harness, "snapshot.completed")) == 1

    async def test_goes_on_beside_another(self, harness: Harness, piece_sizes: PieceSizes) -> None:
        """Each has a cursor of its own, and neither waits for the other."""
        telling(harness)
        await handle(harness, *(item_of(harness, Add(thing_id=f"T{n}")) for n in range(4)))
        piece_sizes(1)
        await harness.ask(RequestSnapshot(service="probe", request_id="r1"))
        for _ in range(3):
            await harness.piece(operations.SWEEP)
        await harness.ask(RequestSnapshot(service="probe", request_id="r2"))
        await harness.sweep(operations.SWEEP)
        ends = await events(harness, "snapshot.completed")
        assert [end.data["counts"]["thing"] for end in ends] == [4, 4]
        assert len(await snapshots(harness)) == 8

    async def test_of_a_service_that_owns_nothing_is_complete(self, harness: Harness) -> None:
        """Whoever waits for all services hears of it as well."""
        await harness.ask(RequestSnapshot(service="probe", request_id="r1"))
        await harness.sweep(operations.SWEEP)
        (end,) = await events(harness, "snapshot.completed")
        assert end.data["counts"] == {}
