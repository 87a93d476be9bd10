"""The directory on a real database: what is kept, what is said, and what is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from contracts.directory import (
    EntityActivated,
    EntityDeactivated,
    EntityEvent,
    EntityRegistered,
    EntityState,
    EntityUpdated,
)
from contracts.outcomes import CommandRefused, CommandUnchanged
from services.directory import store
from tests.directory.given import GIVEN, activation, deactivation, registration, update
from tests.harness import Harness

pytestmark = pytest.mark.servers

MakeHarness = Callable[[str], Awaitable[Harness]]


async def kept(harness: Harness, entity_id: str = "OU3") -> EntityState | None:
    """An entity as it stands in its row."""
    async with harness.pool.acquire() as conn:
        return (await store.lock_entities(conn, [entity_id])).get(entity_id)


class TestTheDirectory:
    """Commands in, rows and events out."""

    async def test_keeps_what_it_says(self, make_harness: MakeHarness) -> None:
        """The row of an entity is the state of its last event, every field of it."""
        directory = await make_harness("directory")
        await directory.send(
            registration(**GIVEN), update(notify=None, label="Agence"), deactivation()
        )
        events = await directory.events(EntityEvent)
        assert [type(e) for e in events] == [EntityRegistered, EntityUpdated, EntityDeactivated]
        assert await kept(directory) == events[-1].state

    async def test_reads_back_every_field(self, make_harness: MakeHarness) -> None:
        """A later batch finds what an earlier one stored, down to the last field."""
        directory = await make_harness("directory")
        await directory.send(registration(**GIVEN))
        (registered,) = await directory.events(EntityRegistered)
        assert await kept(directory) == registered.state
        answer = await directory.ask(update(**GIVEN))
        assert (answer.outcome, answer.version) == ("unchanged", 1)

    async def test_gives_every_event_the_entitys_key(self, make_harness: MakeHarness) -> None:
        """Who keeps a copy gets what happened to one entity in order."""
        directory = await make_harness("directory")
        await directory.send(registration(), deactivation(), activation())
        emitted = await directory.emitted()
        assert [(s.envelope.partitionkey, s.envelope.subject) for s in emitted] == [
            ("OU3", "OU3")
        ] * 3
        assert isinstance(emitted[-1].body, EntityActivated)

    async def test_answers_with_the_version_of_the_entity(self, make_harness: MakeHarness) -> None:
        """Accepted, unchanged and refused alike tell where the entity stands."""
        directory = await make_harness("directory")
        answers = await directory.send(
            registration(), deactivation(), deactivation(), registration()
        )
        assert [(a.outcome, a.version) for a in answers if a] == [
            ("accepted", 1),
            ("accepted", 2),
            ("unchanged", 2),
            ("refused", 2),
        ]
        emitted = await directory.emitted()
        assert isinstance(emitted[-2].body, CommandUnchanged)
        assert isinstance(emitted[-1].body, CommandRefused)

    async def test_does_a_repeated_message_once(self, make_harness: MakeHarness) -> None:
        """The same message again gets the same answer and has no second effect."""
        directory = await make_harness("directory")
        first = await directory.ask(registration(), id="m1")
        again = await directory.ask(registration(), id="m1")
        assert first == again
        assert len(await directory.events(EntityEvent)) == 1

    async def test_lets_a_command_wait_for_its_entity(self, make_harness: MakeHarness) -> None:
        """A change may overtake the registration a little."""
        directory = await make_harness("directory")
        assert await directory.send(deactivation(), patience=timedelta(minutes=1)) == [None]

    async def test_refuses_central_at_once(self, make_harness: MakeHarness) -> None:
        """What can never be registered is not waited for."""
        directory = await make_harness("directory")
        (answer,) = await directory.send(deactivation("central"), patience=timedelta(minutes=1))
        assert answer is not None
        assert answer.code == "invalid"

    async def test_takes_a_thousand_entities_in_one_batch(self, make_harness: MakeHarness) -> None:
        """A region registers at once."""
        directory = await make_harness("directory")
        answers = await directory.send(
            *(registration(f"OU{n}", mailbox="REGION1") for n in range(1000))
        )
        assert all(a and a.outcome == "accepted" for a in answers)
        assert await directory.pool.fetchval("SELECT count(*) FROM entities") == 1000


class TestTwoWorkers:
    """Commands without a partition key may meet in two workers at once."""

    async def test_register_an_entity_once(self, make_harness: MakeHarness) -> None:
        """The second finds the first one's entity, also where neither could lock a row before."""
        directory = await make_harness("directory")
        answers = await asyncio.gather(
            *(directory.ask(registration(label=f"Agence {n}")) for n in range(4))
        )
        assert sorted(answer.outcome for answer in answers) == ["accepted"] + ["refused"] * 3
        (registered,) = await directory.events(EntityRegistered)
        assert await kept(directory) == registered.state

    async def test_register_an_entity_once_whatever_follows(
        self, make_harness: MakeHarness
    ) -> None:
        """What the same batch does with the entity does not make it older than the first."""
        directory = await make_harness("directory")
        batches = [[registration(label=f"Agence {n}"), deactivation()][: n + 1] for n in range(2)]
        answers = await asyncio.gather(*(directory.send(*batch) for batch in batches))
        assert sorted(a[0].outcome for a in answers if a[0]) == ["accepted", "refused"]
        (registered,) = await directory.events(EntityRegistered)
        entity = await kept(directory)
        assert entity is not None
        assert entity.label == registered.label
