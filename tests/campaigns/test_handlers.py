"""Commands about campaigns on a real database: what is kept, said and answered."""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any

import pytest

from contracts.campaigns import (
    CampaignCommand,
    CampaignCreated,
    CampaignEvent,
    CampaignFinished,
    ProcessState,
    ProcessStopped,
)
from contracts.message import Body
from contracts.outcomes import RefusalCode
from services.campaigns import handlers, store
from services.campaigns.world import ProcessKey
from services.runtime.decision import Accepted
from services.runtime.service import Connection, Transaction, jobs
from tests.campaigns.given import (
    ACTOR,
    NOW,
    cancel,
    creation,
    received,
    reinitialize,
    report,
    start,
    world,
)
from tests.campaigns.harness import CampaignsHarness
from tests.campaigns.then import outcome_of

pytestmark = pytest.mark.servers

IDS = ["WKF1", "WKF2"]


class TestACampaign:
    """Commands in, rows and events out."""

    async def test_is_kept_as_it_is_told(self, harness: CampaignsHarness) -> None:
        """The row of a campaign is the state of its last event, every field of it."""
        given: dict[str, Any] = {
            "program": "PR1",
            "starts_at": "2026-12-01T00:00:00Z",
            "ends_at": "2026-12-24T00:00:00Z",
            "max_documents": 3,
        }
        await harness.send(creation(processes=IDS, **given), actor=ACTOR)
        (created,) = await harness.events(CampaignCreated)
        assert (await harness.campaign()).state == created.state
        assert created.changed_by == ACTOR

    async def test_is_kept_as_it_is_told_at_every_step(self, harness: CampaignsHarness) -> None:
        """So it is after each command of its life, in batches of its own."""
        for command in (creation(processes=IDS), start(), cancel(), reinitialize(), start()):
            await harness.send(command)
            events = await harness.events(CampaignEvent)
            assert (await harness.campaign()).state == events[-1].state

    async def test_is_moved_with_its_processes(self, harness: CampaignsHarness) -> None:
        """Each process's row is the state of its last event."""
        await harness.send(creation(processes=IDS))
        await harness.send(start())
        assert await harness.statuses() == {"WKF1": "running", "WKF2": "running"}
        await harness.send(cancel())
        stopped = [event.state for event in await harness.events(ProcessStopped)]
        assert list((await harness.processes()).values()) == stopped
        await harness.send(reinitialize())
        assert await harness.statuses() == {"WKF1": "pending", "WKF2": "pending"}

    async def test_lives_a_whole_life_in_one_batch(self, harness: CampaignsHarness) -> None:
        """Every message finds what the messages before it left."""
        assert await harness.outcomes(
            creation(processes=IDS),
            start(),
            report("WKF1", "finished"),
            cancel(),
            report("WKF2", "finished"),
            reinitialize(),
            start(),
            report("WKF2", "failed"),
            cancel(),
        ) == [
            "accepted",
            "accepted",
            "accepted",
            "accepted",
            "process_stopped",
            "accepted",
            "accepted",
            "accepted",
            "wrong_status",
        ]
        assert await harness.status() == "finished"
        assert await harness.statuses() == {"WKF1": "finished", "WKF2": "failed"}

    async def test_keeps_the_order_of_its_events(self, harness: CampaignsHarness) -> None:
        """Everything said of one campaign has its key, the campaign first."""
        await harness.send(creation(processes=IDS))
        await harness.send(start())
        emitted = await harness.inner.emitted()
        assert {s.envelope.partitionkey for s in emitted} == {"OP13"}
        assert [s.envelope.type.split(".")[1:3] for s in emitted] == [
            ["campaign", "created"],
            ["campaign", "started"],
            ["process", "started"],
            ["process", "started"],
        ]

    async def test_waits_for_its_creation(self, harness: CampaignsHarness) -> None:
        """A command may overtake the creation a little."""
        patience = timedelta(minutes=1)
        assert await harness.send(start(), patience=patience) == [None]
        assert await harness.send(report("WKF1", "running"), patience=patience) == [None]


class TestReports:
    """process.report is the busiest command."""

    async def test_finish_a_campaign_across_batches(self, harness: CampaignsHarness) -> None:
        """The last open process is found among those that no message of the batch names."""
        await harness.send(creation(processes=["WKF1", "WKF2", "WKF3"]))
        await harness.send(start())
        await harness.send(report("WKF1", "finished"), report("WKF2", "failed"))
        assert await harness.status() == "started"
        await harness.send(report("WKF3", "paused"))
        assert await harness.status() == "started"
        await harness.send(report("WKF3", "finished"))
        assert await harness.status() == "finished"
        (finished,) = await harness.events(CampaignFinished)
        assert (await harness.campaign()).state == finished.state

    async def test_finish_a_campaign_in_one_batch(self, harness: CampaignsHarness) -> None:
        """Only the last of them does, wherever it stands in the batch."""
        ids = [f"WKF{n}" for n in range(50)]
        await harness.send(creation(processes=ids))
        await harness.send(start())
        await harness.send(*(report(id, "finished") for id in ids), report("WKF0", "failed"))
        assert len(await harness.events(CampaignFinished)) == 1
        assert await harness.status() == "finished"

    async def test_of_two_campaigns_are_told_apart(self, harness: CampaignsHarness) -> None:
        """Process ids are their campaign's own."""
        await harness.send(creation("OP1", ["WKF1"]), creation("OP2", ["WKF1", "WKF2"]))
        await harness.send(start("OP1"), start("OP2"))
        await harness.send(report("WKF1", "finished", "OP1"), report("WKF1", "finished", "OP2"))
        assert (await harness.status("OP1"), await harness.status("OP2")) == ("finished", "started")

    async def test_keep_their_detail(self, harness: CampaignsHarness) -> None:
        """What the engine said last stands in the row, and goes with the next life."""
        await harness.send(creation(processes=IDS), start(), report("WKF1", "paused", detail="ink"))
        assert (await harness.processes())["WKF1"].detail == "ink"
        await harness.send(cancel())
        await harness.send(reinitialize())
        assert (await harness.processes())["WKF1"].detail is None

    async def test_of_an_unknown_process_are_refused_at_once(
        self, harness: CampaignsHarness
    ) -> None:
        """The campaign is known, so nothing is waited for."""
        await harness.send(creation(processes=IDS))
        (answer,) = await harness.send(report("WKF9", "running"), patience=timedelta(minutes=1))
        assert answer is not None
        assert answer.code == "unknown_process"

    async def test_done_twice_change_nothing_twice(self, harness: CampaignsHarness) -> None:
        """The same message again gets the same answer; the same status again is unchanged."""
        await harness.send(creation(processes=IDS), start())
        first = await harness.send(report("WKF1", "paused"), id="r1")
        assert await harness.send(report("WKF1", "paused"), id="r1") == first
        assert await harness.outcomes(report("WKF1", "paused")) == ["unchanged"]
        assert (await harness.processes())["WKF1"].version == 3


class TestABatch:
    """A constant number of statements, whatever its size."""

    async def test_of_reports_takes_as_many_statements_as_one(
        self, harness: CampaignsHarness
    ) -> None:
        """Many campaigns and processes cost rows, never statements."""
        names = [f"OP{n}" for n in range(20)]
        await harness.send(*(creation(name, IDS) for name in names), *(start(n) for n in names))
        one = await statements(harness, [report("WKF1", "paused", "OP0")])
        many = [report(id, "failed", name) for name in names[1:] for id in IDS]
        assert await statements(harness, many) == one + 1  # these finish their campaigns

    async def test_of_large_campaigns_takes_as_many_statements_as_of_small_ones(
        self, harness: CampaignsHarness
    ) -> None:
        """A thousand processes are made, started and stopped like one."""
        for command in (creation, start, cancel, reinitialize):
            given = {"processes": ["WKF1"]} if command is creation else {}
            small = await statements(harness, [command("OP1", **given)])
            given = {"processes": [f"WKF{n}" for n in range(1000)]} if given else {}
            large = await statements(harness, [command("OP2", **given), command("OP3", **given)])
            assert large == small
        assert set((await harness.statuses("OP2")).values()) == {"pending"}

    async def test_that_moves_very_many_processes_is_decided_in_halves(
        self, harness: CampaignsHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It never has more of them in hand than a sweep; one large campaign goes alone."""
        names = ["OP1", "OP2", "OP3", "OP4"]
        await harness.send(
            *(creation(name, IDS) for name in names), creation("OP5", ["A", "B", "C"])
        )
        monkeypatch.setattr(jobs, "PIECE", 2)
        in_hand = []
        load_processes = store.load_processes

        async def load(conn: Connection, ids: Collection[str]) -> dict[ProcessKey, ProcessState]:
            in_hand.append(len(ids))
            return await load_processes(conn, ids)

        monkeypatch.setattr(store, "load_processes", load)

        assert (
            await harness.outcomes(*(start(name) for name in [*names, "OP5"])) == ["accepted"] * 5
        )
        assert in_hand == [1] * 5


async def statements(harness: CampaignsHarness, batch: Sequence[Body]) -> int:
    """How many statements load and save take for a batch; none of its messages is refused."""
    seen: list[str] = []
    async with harness.pool.acquire() as conn, conn.transaction():
        with conn.query_logger(lambda record: seen.append(record.query)):
            world = await handlers.load(conn, [received(body) for body in batch])
            decisions = [handlers.handle(world, received(body)) for body in batch]
            await handlers.save(Transaction(conn, NOW), world)
    assert all(isinstance(decision, Accepted) for decision in decisions)
    return len(seen)


class TestAnySequence:
    """However commands fall into batches, each finds what those before it left."""

    @pytest.mark.parametrize("seed", range(6))
    async def test_ends_alike_in_any_batches(self, harness: CampaignsHarness, seed: int) -> None:
        """The tables end as the rules alone would have it, and every answer is the same."""
        chance = random.Random(seed)
        commands = [any_command(chance) for _ in range(80)]
        known = world()
        wanted = [outcome_of(handlers.handle(known, received(command))) for command in commands]
        found: list[str] = []
        while len(found) < len(commands):
            size = chance.randint(1, 12)
            found += await harness.outcomes(*commands[len(found) :][:size])
        assert found == [w if w in REFUSALS else "accepted" for w in wanted]
        for campaign in known.campaigns.values():
            kept = await harness.campaign(campaign.id)
            assert (kept.state.status, kept.state.version) == (
                campaign.state.status,
                campaign.state.version,
            )
            assert {p.process_id: (p.status, p.version) for p in known.processes_of(campaign)} == {
                id: (p.status, p.version)
                for id, p in (await harness.processes(campaign.id)).items()
            }


REFUSALS = {"unchanged", *RefusalCode}


def any_command(chance: random.Random) -> CampaignCommand:
    """One of all commands, about one of two campaigns, most often a report."""
    campaign_id = chance.choice(["OP1", "OP2"])
    if chance.random() < 0.6:
        status = chance.choice(["running", "paused", "finished", "failed"])
        return report(chance.choice(IDS), status, campaign_id)
    if chance.random() < 0.1:
        return creation(campaign_id, IDS)
    moves: list[Callable[[str], CampaignCommand]] = [start, cancel, reinitialize]
    return chance.choice(moves)(campaign_id)


class TestTwoWorkers:
    """Commands without a partition key may meet in two workers at once."""

    async def test_create_a_campaign_once(self, harness: CampaignsHarness) -> None:
        """The second finds the first one's campaign, also where neither could lock a row before."""
        commands = [creation(processes=[f"WKF{n}"], label=f"Campaign {n}") for n in range(4)]
        answers = await asyncio.gather(*(harness.inner.ask(command) for command in commands))
        assert sorted(answer.outcome for answer in answers) == ["accepted"] + ["refused"] * 3
        (created,) = await harness.events(CampaignCreated)
        assert (await harness.campaign()).state == created.state
        assert list(await harness.processes()) == created.process_ids

    async def test_create_a_campaign_once_whatever_follows(self, harness: CampaignsHarness) -> None:
        """What the same batch does with the campaign does not make it older than the first."""
        batches = [[creation(processes=[f"WKF{n}"]), start(), cancel()][: n + 1] for n in range(3)]
        answers = await asyncio.gather(*(harness.send(*batch) for batch in batches))
        assert sorted(a[0].outcome for a in answers if a[0]) == ["accepted", "refused", "refused"]
        assert list(await harness.processes()) == (await harness.campaign()).state.process_ids

    async def test_finish_a_campaign_once(self, harness: CampaignsHarness) -> None:
        """Whoever reports the last process finds what the others reported."""
        ids = [f"WKF{n}" for n in range(8)]
        await harness.send(creation(processes=ids))
        await harness.send(start())
        await asyncio.gather(*(harness.inner.ask(report(id, "finished")) for id in ids))
        assert await harness.status() == "finished"
        assert len(await harness.events(CampaignFinished)) == 1
