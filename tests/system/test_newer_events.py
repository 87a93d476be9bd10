"""An older worker takes what newer services say: nothing of it is parked."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from contracts import names, samples
from contracts.message import Event
from services.runtime.decision import Answer
from services.runtime.messages import item
from services.runtime.messages.item import Origin
from services.runtime.service import installed
from tests.contracts import newer
from tests.harness import Harness

pytestmark = pytest.mark.servers

READ = [
    pytest.param(service.name, wire_type, id=f"{service.name}-{wire_type}")
    for service in installed().values()
    for wire_type, kind in service.routes.items()
    if issubclass(kind, Event)
]


async def take(harness: Harness, wire_type: str, data: Any, number: int) -> Answer | None:
    """What becomes of an event, which comes with a version of its own."""
    envelope = orjson.loads(samples.sample(wire_type))
    envelope |= {"id": f"newer-{number}", "data": data, newer.NEW: {newer.NEW: []}}
    if isinstance(data.get("version"), int):
        data["version"] = number
    origin = Origin(names.EVENTS, wire_type)
    raw = orjson.dumps(envelope)
    items = item.read(origin, raw, harness.service.routes, datetime.now(UTC))
    [answer] = await harness.handle(items)
    return answer


class TestAServiceThatIsOlder:
    """Every service, with every event that it reads."""

    @pytest.mark.parametrize(("name", "wire_type"), READ)
    async def test_handles_what_it_does_not_know(
        self, name: str, wire_type: str, make_harness: Callable[[str], Awaitable[Harness]]
    ) -> None:
        """A field more at every level, then each enumeration with a new member, then all is known.

        What was stored of the new is read again with the next.
        """
        harness = await make_harness(name)
        kind = harness.service.routes[wire_type]
        usual = ("usual", newer.data(wire_type))
        for number, (what, data) in enumerate([*newer.versions(kind, wire_type), usual], 100):
            answer = await take(harness, wire_type, data, number)
            assert answer, what
            assert answer.outcome in {"accepted", "unchanged"}, (what, answer)
        assert await harness.pool.fetchval("SELECT count(*) FROM kept") == 0
        if any(sweep.name == "jobs" for sweep in harness.service.table_work):
            await harness.sweep("jobs")
