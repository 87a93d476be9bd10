"""A worker says how it is, and comes to no harm by it."""

import asyncio
from typing import Any

import pytest

from contracts.operations import WorkerSeen
from services.runtime import telemetry
from services.runtime.amqp.lanes import taken
from services.runtime.amqp.publisher import Publisher
from services.runtime.messages import heartbeat
from tests.eventually import eventually
from tests.runtime.environment import Environment, Recorder, effects, recording_events
from tests.runtime.probe import Add
from tests.runtime.running import RunWorker


class TestTheLanesOfASlot:
    """What the broker gives to whom, while these slots are held."""

    def test_are_all_of_them_where_it_is_alone(self) -> None:
        """Whatever its number."""
        assert taken(0, [0], 4) == [0, 1, 2, 3]
        assert taken(3, [3], 4) == [0, 1, 2, 3]

    @pytest.mark.parametrize("slots", [[0, 1], [0, 1, 2], [1, 4], [0, 1, 2, 3, 4, 5, 6, 7]])
    def test_are_shared_out(self, slots: list[int]) -> None:
        """Each lane is one slot's, also where some slots are not held."""
        given = [lane for slot in slots for lane in taken(slot, slots, 8)]
        assert sorted(given) == list(range(8))


def seen(recorder: Recorder, env: Environment) -> list[dict[str, Any]]:
    """What workers of this service have said."""
    return [e.data or {} for e in recorder.envelopes() if e.subject == env.service.name]


@pytest.mark.servers
class TestAHeartbeat:
    """At the start, now and then, and at the end."""

    async def test_says_how_the_worker_is(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Everything about it that somebody who looks after it wants to know."""
        monkeypatch.setattr(heartbeat, "EVERY", 0.2)
        async with recording_events(env, WorkerSeen.TYPE) as recorder:
            async with run_worker() as worker:
                await worker.ready()
                await env.send(Add(thing_id="A", note="n"))
                await effects(env, 1)
                await eventually(lambda: any(s["last_batch_at"] for s in seen(recorder, env)))
                found = seen(recorder, env)[-1]
            await eventually(lambda: seen(recorder, env)[-1]["lanes"] == [])

        assert (found["service"], found["instance"]) == (env.service.name, telemetry.instance())
        assert (found["slot"], found["lanes"]) == (0, list(range(env.lanes)))
        assert (found["ready"], found["waiting_for"]) == (True, [])
        assert (found["outbox"], found["waiting"], found["parked"]) == (0, 0, 0)
        last = seen(recorder, env)[-1]
        assert (last["ready"], last["waiting_for"]) == (False, ["it is stopping"])
        assert last["started_at"] == found["started_at"]

    async def test_is_kept_by_nobody(self, run_worker: RunWorker, env: Environment) -> None:
        """Its key is the service, and it has no place in the outbox, nor in the proof."""
        async with recording_events(env, WorkerSeen.TYPE) as recorder:
            async with run_worker() as worker:
                await worker.ready()
            await eventually(lambda: seen(recorder, env))
        mine = [d for d in recorder.deliveries if env.service.name.encode() in d.body]
        assert {d.headers()["partitionkey"] for d in mine} == {env.service.name}
        assert await env.db.fetchval("SELECT count(*) FROM emitted") == 0

    @pytest.mark.parametrize("how", ["hangs", "fails"])
    async def test_that_nobody_takes_stops_nothing(
        self, run_worker: RunWorker, env: Environment, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        """Messages are handled, and the worker ends in order."""
        monkeypatch.setattr(heartbeat, "EVERY", 0.05)
        monkeypatch.setattr(heartbeat, "FIRST_AFTER", 0.0)
        monkeypatch.setattr(heartbeat, "LAST_WITHIN", 0.1)
        tried: list[str] = []
        publish = Publisher.publish

        async def stubborn(self: Publisher, messages: Any, queues: Any = None) -> Any:
            if messages and messages[0].type == WorkerSeen.TYPE:
                tried.append(how)
                if how == "fails":
                    raise RuntimeError("no")
                await asyncio.Event().wait()
            return await publish(self, messages, queues)

        monkeypatch.setattr(Publisher, "publish", stubborn)
        async with run_worker() as worker:
            await worker.ready()
            await eventually(lambda: tried)
            await env.send(Add(thing_id="A", note="n"))
            await effects(env, 1)
        assert tried
