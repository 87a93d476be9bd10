"""What operators ask of running services: every service hears it, one answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import pytest

from contracts import envelope, names
from contracts.client import Client
from contracts.directory import EntitySnapshot, RegisterEntity
from contracts.envelope import Envelope
from contracts.operations import RequestSnapshot, RetryParked, SnapshotCompleted, WorkerSeen
from infra.local.stack import Stack
from services.runtime import declared
from tests.eventually import eventually

pytestmark = pytest.mark.servers


@asynccontextmanager
async def hearing(running: Stack, *types: str) -> AsyncIterator[list[Envelope]]:
    """The events of these types, from now on."""
    heard: list[Envelope] = []

    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        heard.extend(e for e in envelope.read(message.body) if isinstance(e, Envelope))

    connection = await aio_pika.connect(running.amqp_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for type_ in types:
            await queue.bind(names.EVENTS, type_)
        await queue.consume(take, no_ack=True)
        yield heard


class TestAnOperation:
    """Over the broker, with all services there are."""

    @pytest.mark.parametrize("service", declared.names())
    async def test_is_answered_by_its_service(self, upstream: Client, service: str) -> None:
        """Each answers for itself."""
        outcome = await upstream.ask(RetryParked(service=service, numbers=[10**9]))
        assert (outcome.outcome, outcome.code) == ("refused", "wrong_status")
        assert f"{service} has no parked message 1000000000" in (outcome.message or "")

    async def test_for_nobody_is_refused_with_the_names(self, upstream: Client) -> None:
        """By one service."""
        outcome = await upstream.ask(RetryParked(service="ordres", numbers=[1]))
        assert (outcome.outcome, outcome.code) == ("refused", "invalid")
        assert "tracking, not 'ordres'" in (outcome.message or "")

    async def test_to_all_is_done_by_each(self, upstream: Client, running: Stack) -> None:
        """The present state of everything comes, and each service says that it was all."""
        await upstream.ask(RegisterEntity(entity_id="OU77", label="Lyon"))
        async with hearing(running, SnapshotCompleted.TYPE, EntitySnapshot.TYPE) as heard:
            command = RequestSnapshot(service="all", request_id="r-77")
            for _ in range(2):
                assert (await upstream.ask(command, id="ask-77")).outcome == "accepted"
            every = set(declared.names())

            def complete() -> bool:
                ends = [e.subject for e in heard if e.type == SnapshotCompleted.TYPE]
                return sorted(ends) == sorted(every)

            await eventually(complete, timeout=60)
        assert {e.causationid for e in heard} == {"ask-77"}
        assert "OU77" in {e.subject for e in heard if e.type == EntitySnapshot.TYPE}

    async def test_is_not_needed_to_see_the_workers(self, running: Stack) -> None:
        """Each says how it is by itself."""
        async with hearing(running, WorkerSeen.TYPE) as heard:
            every = set(declared.names())
            await eventually(lambda: {e.subject for e in heard} >= every, timeout=60)
        assert all((e.data or {})["ready"] for e in heard)
        assert all((e.data or {})["lanes"] for e in heard)
