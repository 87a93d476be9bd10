"""Packages on a whole stack, made ready to be canceled; their completions are listened for."""

import asyncio
import itertools
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from contracts import names
from contracts.campaigns import CampaignKind, CreateCampaign, ProcessKind, ProcessSpec
from contracts.cancellation import CancellationCompleted
from contracts.directory import RegisterEntity
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    CreatePackage,
    DistributionLevel,
    PublishPackage,
)
from infra.local.stack import Stack, stack
from services.cli.demo import stage as demo
from services.runtime import broker
from services.runtime.broker import Publisher
from services.runtime.channel import Outgoing
from services.runtime.deliveries import Delivery
from services.runtime.service import installed
from tests.bench import drain, place, plain
from tests.bench.listening import listening
from tests.bench.place import Place
from tests.bench.upstream import ACTOR, outgoing

PATIENCE_SECONDS = 600.0
LEVEL = DistributionLevel.COLLABORATIVE_SIMPLE
PROCESSES = [
    ProcessSpec(process_id=f"WKF{n}", kind=ProcessKind.WORKFLOW, label=f"Workflow {n}")
    for n in range(4)
]


@dataclass
class Completions:
    """When each cancel was complete, and its report."""

    completed: dict[str, tuple[float, CancellationCompleted]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, delivery: Delivery) -> None:
        """One completion; they never come packed, since each is of a package of its own."""
        now = time.perf_counter()
        event = orjson.loads(delivery.body)
        report = CancellationCompleted.read(event["subject"], event["data"])
        self.completed[report.package_id] = (now, report)
        self.news.set()


@dataclass(frozen=True)
class Harness:
    """A running stack, and entities that read some mailboxes."""

    here: Place
    running: Stack
    demo: demo.Stage
    publisher: Publisher
    completions: Completions
    entities: Sequence[str]
    mailboxes: Sequence[str]
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def publish(self, audiences: Sequence[Sequence[str]]) -> list[str]:
        """Bring packages, each with a campaign of its own, to their audiences; their ids."""
        sent = "SELECT count(*) FROM notifications WHERE status = 'sent'"
        pool = self.demo.pools["notifications"]
        before = int(await pool.fetchval(sent))
        packages = [await self._publish(audience) for audience in audiences]
        notified = before + sum(len(audience) for audience in audiences)
        await self.demo.until_found("notifications sent", "notifications", sent, notified)
        return packages

    async def _publish(self, audience: Sequence[str]) -> str:
        number = next(self.numbers)
        package_id, campaign_id = f"CAT{number}", f"OP{number}"
        await self.demo.do(_campaign(campaign_id))
        await self.demo.do(_package(package_id, campaign_id, audience))
        await self.demo.do(ApprovePackage(package_id=package_id))
        await self.demo.do(PublishPackage(package_id=package_id))
        return package_id

    async def seed_orders(self, packages: Sequence[str], count: int) -> None:
        """Have so many open orders of each package, past what rules would allow an entity."""
        conn = await asyncpg.connect(self.running.postgres["orders"])
        try:
            for package_id in packages:
                await plain.seed_orders(conn, package_id, count, len(self.entities))
            await conn.execute("ANALYZE orders")
        finally:
            await conn.close()

    async def cancel(self, package_id: str) -> "Canceled":
        """Cancel a package, and wait until that is complete."""
        command = _cancel(package_id)
        began = time.perf_counter()
        await self.publisher.publish([command])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while package_id not in self.completions.completed:
                self.completions.news.clear()
                await self.completions.news.wait()
        ended, report = self.completions.completed[package_id]
        return Canceled(began, ended - began, report)

    async def waiting(self) -> int:
        """How many messages are in the mailboxes."""
        total = 0
        async with broker.connected(self.here.amqp_url, "bench") as connection:
            channel = await connection.channel()
            for name in self.mailboxes:
                queue = await channel.declare_queue(names.mailbox(name), passive=True)
                total += queue.declaration_result.message_count or 0
        return total

    async def empty(self) -> None:
        """Throw away what is in the mailboxes."""
        async with broker.connected(self.here.amqp_url, "bench") as connection:
            channel = await connection.channel()
            for name in self.mailboxes:
                queue = await channel.get_queue(names.mailbox(name), ensure=False)
                await queue.purge()


@dataclass(frozen=True, slots=True)
class Canceled:
    """When a cancel was published, the seconds until it was complete, and its report."""

    began: float
    seconds: float
    report: CancellationCompleted


@asynccontextmanager
async def harness(here: Place, *, entities: int, mailboxes: int) -> AsyncIterator[Harness]:
    """A stack with one worker of each service, and entities on it, while the block lasts."""
    completions = Completions()
    publisher = Publisher(here.amqp_url, "bench sender")
    members = [f"OU{n}" for n in range(entities)]
    boxes = [f"region{n}" for n in range(mailboxes)]
    async with (
        _stack(here) as running,
        demo.stage(here.amqp_url, running.postgres, ACTOR, lambda: running.wait(0)) as stage,
        drain.reading_events(here, CancellationCompleted.TYPE),
        listening(here.amqp_url, [drain.EVENTS], completions.take),
    ):
        try:
            await _register(stage, members, boxes)
            yield Harness(here, running, stage, publisher, completions, members, boxes)
        finally:
            await publisher.close()


@asynccontextmanager
async def _stack(here: Place) -> AsyncIterator[Stack]:
    """New databases and exchanges: what an earlier one left in them would be read here."""
    prefix = f"bench_{secrets.token_hex(4)}"
    async with place.exchanges(here, list(installed().values())):
        # Entered by a thread of its own, because it waits for processes.
        context = stack(here.servers, here.state / "stack", databases=prefix)
        running = await asyncio.to_thread(context.__enter__)
        try:
            yield running
        finally:
            await asyncio.to_thread(context.__exit__, None, None, None)
            for service in running.postgres:
                await place.drop(here, f"{prefix}_{service}")


async def _register(stage: demo.Stage, members: Sequence[str], boxes: Sequence[str]) -> None:
    await stage.send(
        [
            RegisterEntity(entity_id=one, label=f"Agency {one}", mailbox=boxes[n % len(boxes)])
            for n, one in enumerate(members)
        ]
    )
    known = "SELECT count(*) FROM entities"
    await stage.until_found("entities", "notifications", known, len(members))
    declared = "SELECT count(*) FROM mailboxes WHERE declared_at IS NOT NULL AND name <> 'central'"
    await stage.until_found("mailboxes", "notifications", declared, len(boxes))


def _campaign(campaign_id: str) -> CreateCampaign:
    return CreateCampaign(
        campaign_id=campaign_id,
        label="Spring",
        kind=CampaignKind.REFERENCE,
        distribution_level=LEVEL,
        processes=PROCESSES,
    )


def _package(package_id: str, campaign_id: str, audience: Sequence[str]) -> CreatePackage:
    now = datetime.now(UTC)
    return CreatePackage(
        package_id=package_id,
        label="Spring posters",
        distribution_level=LEVEL,
        campaign_id=campaign_id,
        audience=list(audience),
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=30),
    )


def _cancel(package_id: str) -> Outgoing:
    command = CancelPackage(package_id=package_id, comment="The supplier withdrew.")
    return outgoing(command, uuid.uuid4().hex)
