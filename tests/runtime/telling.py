"""A probe that tells its present state."""

from dataclasses import replace
from typing import Any

from services.runtime.service import Connection, Page, Snapshot
from tests.harness import Harness
from tests.runtime.probe import Added
from tests.runtime.then import events

THINGS = """
SELECT thing_id, total, version FROM things WHERE thing_id > $1 ORDER BY thing_id LIMIT $2
"""


async def things(conn: Connection, after: str | None, size: int) -> Page:
    """The things of the probe as events."""
    found = await conn.fetch(THINGS, after or "", size)
    states = [Added(note="snapshot", **dict(row)) for row in found]
    return Page(states, states[-1].thing_id if states else after, ["k"] * len(states))


async def nothing(_: Connection, __: Any, ___: int) -> Page:
    """A thing of which there is none."""
    return Page([])


def telling(harness: Harness, *drains: str) -> Harness:
    """The probe with something to tell of its present state."""
    told = (Snapshot("none", nothing), Snapshot("thing", things))
    harness.service = replace(harness.service, snapshots=told, drains=drains)
    return harness


async def snapshots(harness: Harness) -> list[str]:
    """The things of which the state was emitted again, in order."""
    found = await events(harness, Added.TYPE.removeprefix("relais.").removesuffix(".v1"))
    return [one.envelope.subject for one in found if one.data["note"] == "snapshot"]
