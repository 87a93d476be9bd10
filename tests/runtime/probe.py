"""A small service to try the runtime with: things that hold a sum, and a journal of effects.

Each message carries the outcome that it is to have; hooks make things fail.
"""

import asyncio
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from contracts.fields import Id, Text, Whole
from contracts.message import Command, Event
from contracts.outcomes import RefusalCode
from services.runtime.decision import (
    Decision,
    Loaded,
    Received,
    Refused,
    Unchanged,
    Unknown,
    accepted,
)
from services.runtime.service import Connection, Service, Transaction, routes

# Test runs that share a broker must not read each other's messages.
TOKEN = os.environ.get("PROBE_TOKEN") or secrets.token_hex(3)
MIGRATIONS = Path(__file__).parent / "sql"


class Add(Command):
    """Add to a thing, or whatever else `come_to` says."""

    TYPE: ClassVar[str] = f"relais.probe_{TOKEN}.add.v1"
    SUBJECT: ClassVar[str] = "thing_id"

    thing_id: Id
    note: Text = ""
    amount: Whole = 1
    needs: Id | None = None
    outcome: Literal["added", "unchanged", "refused"] = "added"
    pad: Text | None = None


class Reported(Event):
    """A fact from elsewhere that adds one to a thing."""

    TYPE: ClassVar[str] = f"relais.probe_{TOKEN}.reported.v1"
    SUBJECT: ClassVar[str] = "thing_id"

    thing_id: Id
    note: Text = ""


class Added(Event):
    """A thing holds more."""

    TYPE: ClassVar[str] = f"relais.probe_{TOKEN}.added.v1"
    SUBJECT: ClassVar[str] = "thing_id"

    thing_id: Id
    note: Text
    total: int
    version: int
    pad: Text | None = None


class Doubled(Event):
    """Emitted after Added where the amount is two."""

    TYPE: ClassVar[str] = f"relais.probe_{TOKEN}.doubled.v1"
    SUBJECT: ClassVar[str] = "thing_id"

    thing_id: Id
    note: Text


@dataclass
class Hooks:
    """What goes wrong, and what was seen.

    A message whose note is in failing raises, one in crashing ends the process; each of faults
    is raised once while loading.  While the gate is shut, loading waits.
    """

    failing: set[str] = field(default_factory=set)
    crashing: set[str] = field(default_factory=set)
    faults: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing holds the work up at first."""
        self.gate.set()


@dataclass(frozen=True)
class Thing:
    """A row."""

    thing_id: str
    total: int = 0
    version: int = 0


@dataclass
class World:
    """What a batch has loaded."""

    things: Loaded[str, Thing]
    journal: list[tuple[str, str]] = field(default_factory=list)


LOCK = """
SELECT thing_id, total, version FROM things WHERE thing_id = ANY($1) ORDER BY thing_id FOR UPDATE
"""
SAVE = """
INSERT INTO things (thing_id, total, version)
SELECT * FROM unnest($1::text[], $2::int[], $3::int[]) AS t (thing_id, total, version)
ORDER BY thing_id
ON CONFLICT (thing_id) DO UPDATE SET total = excluded.total, version = excluded.version
"""
WRITE = "INSERT INTO journal (thing_id, note) SELECT * FROM unnest($1::text[], $2::text[])"


def service(name: str, hooks: Hooks, drains: Sequence[str] = ()) -> Service:
    """A probe service of this name."""

    async def load(conn: Connection, batch: Sequence[Received]) -> World:
        hooks.batches.append(len(batch))
        await hooks.gate.wait()
        if hooks.faults:
            raise hooks.faults.pop(0)
        ids = {m.body.subject for m in batch}
        ids |= {m.body.needs for m in batch if isinstance(m.body, Add) and m.body.needs}
        rows = await conn.fetch(LOCK, list(ids))
        return World(Loaded((row["thing_id"], Thing(**dict(row))) for row in rows))

    def handle(world: World, received: Received) -> Decision:
        body = received.body
        assert isinstance(body, Add | Reported)
        if body.note in hooks.crashing:
            os._exit(9)
        if body.note in hooks.failing:
            raise LookupError(f"cannot handle {body.note!r}")
        return _decide(world, body)

    async def save(tx: Transaction, world: World) -> None:
        things = world.things.changed()
        await tx.conn.execute(
            SAVE,
            [t.thing_id for t in things],
            [t.total for t in things],
            [t.version for t in things],
        )
        await tx.conn.execute(WRITE, [id for id, _ in world.journal], [n for _, n in world.journal])
        tx.wake("probe")

    return Service(
        name=name,
        routes=routes(Add, Reported),
        load=load,
        handle=handle,
        save=save,
        migrations=MIGRATIONS,
        drains=drains,
    )


def _decide(world: World, body: Add | Reported) -> Decision:
    thing = world.things.get(body.thing_id) or Thing(body.thing_id)
    match body:
        case Add(needs=str(other)) if world.things.get(other) is None:
            return Unknown(RefusalCode.UNKNOWN_PACKAGE, f"{other} is not known; name one that is")
        case Add(outcome="unchanged"):
            return Unchanged(f"{thing.thing_id} is so already", version=thing.version)
        case Add(outcome="refused"):
            return Refused(RefusalCode.WRONG_STATUS, f"{thing.thing_id} is closed; open it first")
    return _add(world, thing, body)


def _add(world: World, thing: Thing, body: Add | Reported) -> Decision:
    amount = body.amount if isinstance(body, Add) else 1
    changed = Thing(thing.thing_id, thing.total + amount, thing.version + 1)
    world.things.put(thing.thing_id, changed)
    world.journal.append((thing.thing_id, body.note))
    event = Added(
        thing_id=thing.thing_id,
        note=body.note,
        total=changed.total,
        version=changed.version,
        pad=body.pad if isinstance(body, Add) else None,
    )
    if amount == 2:
        return accepted(event, Doubled(thing_id=thing.thing_id, note=body.note))
    return accepted(event)
