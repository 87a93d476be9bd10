"""Packages on a whole stack, made ready to be canceled; their completions are listened for."""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
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
from services.cli.demo import driver as demo
from services.runtime.amqp import broker
from services.runtime.amqp.frames import Outgoing
from services.runtime.amqp.publisher import Publisher
from services.runtime.amqp.reader import Delivery
from tests.bench import drain, installation, plain
from tests.bench.checkouts import OURS, Checkout
from tests.bench.installation import Installation
from tests.bench.listening import listening
from tests.bench.place import Place
from tests.bench.upstream import ACTOR, outgoing

PATIENCE_SECONDS = 600.0
LEVEL = DistributionLevel.COLLABORATIVE_SIMPLE
PROCESSES = [
    ProcessSpec(process_id=f"WKF{n}", kind=ProcessKind.WORKFLOW, label=f"Workflow {n}")
    for n in range(4)
]

FIRST_PACKAGE = 100_000
"""Numbers from here on: those of rush, which may use the same databases, are below."""

LAST_HAPPENING = "SELECT coalesce(max(happening_id), 0) FROM happenings"
SENT_SINCE = "SELECT count(*) FROM notifications WHERE status = 'sent' AND happening_id > $1"


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

    one: Installation
    stack: Stack
    demo: demo.Driver
    publisher: Publisher
    completions: Completions
    entities: Sequence[str]
    mailboxes: Sequence[str]
    numbers: "itertools.count[int]"

    @property
    def here(self) -> Place:
        """Its servers."""
        return self.one.here

    async def publish(
        self, audiences: Sequence[Sequence[str]], numbers: Sequence[int] = ()
    ) -> list[str]:
        """Bring packages, each with a campaign of its own, to their audiences; their ids.

        They have the next numbers where none are given.
        """
        before = await self.demo.pools["notifications"].fetchval(LAST_HAPPENING)
        numbers = numbers or [next(self.numbers) for _ in audiences]
        numbered = zip(numbers, audiences, strict=True)
        packages = [await self._publish(number, audience) for number, audience in numbered]
        notified = sum(len(audience) for audience in audiences)
        await self.demo.until_found(
            "notifications sent", "notifications", SENT_SINCE, notified, before
        )
        return packages

    async def _publish(self, number: int, audience: Sequence[str]) -> str:
        package_id, campaign_id = f"CAT{number}", f"OP{number}"
        await self.demo.do(_campaign(campaign_id))
        await self.demo.do(_package(package_id, campaign_id, audience))
        await self.demo.do(ApprovePackage(package_id=package_id))
        await self.demo.do(PublishPackage(package_id=package_id))
        return package_id

    async def seed_orders(self, packages: Sequence[str], count: int) -> None:
        """Have so many open orders of each package, past what rules would allow an entity."""
        conn = await asyncpg.connect(self.stack.postgres["orders"])
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
async def harness(
    here: Place, *, entities: int, mailboxes: int, checkout: Checkout = OURS
) -> AsyncIterator[Harness]:
    """A new installation with one worker of each service, and entities, while the block lasts."""
    async with (
        installation.databases(here, checkout) as one,
        running(one, entities=entities, mailboxes=mailboxes) as harness,
    ):
        yield harness


@asynccontextmanager
async def running(
    one: Installation, *, entities: int, mailboxes: int, by_way_of: str = ""
) -> AsyncIterator[Harness]:
    """The workers of an installation, which may have packages already, while the block lasts.

    by_way_of is the URL by which its workers find the broker, where it is another.
    """
    here, completions = one.here, Completions()
    publisher = Publisher(here.amqp_url, "bench sender")
    members = [f"OU{n}" for n in range(entities)]
    boxes = [f"region{n}" for n in range(mailboxes)]
    async with (
        _stack(one, by_way_of or here.amqp_url) as stack,
        demo.connect(here.amqp_url, stack.postgres, ACTOR, lambda: stack.wait(0)) as steps,
        drain.reading_events(here, CancellationCompleted.TYPE),
        listening(here.amqp_url, [drain.EVENTS], completions.take),
    ):
        try:
            await _register(steps, members, boxes)
            known = await steps.pools["packages"].fetchval("SELECT count(*) FROM packages")
            numbers = itertools.count(FIRST_PACKAGE + known)
            yield Harness(one, stack, steps, publisher, completions, members, boxes, numbers)
        finally:
            await publisher.close()


@asynccontextmanager
async def _stack(one: Installation, amqp_url: str) -> AsyncIterator[Stack]:
    """Workers on a broker with nothing of Relais on it: what others left there would be read."""
    here = one.here
    async with installation.empty_broker(here):
        # Entered by a thread of its own, because it waits for processes.
        context = stack(
            replace(here.servers, amqp_url=amqp_url),
            here.state / f"stack{one.checkout.suffix}",
            workers=dict.fromkeys(one.postgres, 1),
            databases=one.prefix,
            command=one.checkout.command,
            environment=one.settings,
        )
        started = await asyncio.to_thread(context.__enter__)
        try:
            yield started
        finally:
            await asyncio.to_thread(context.__exit__, None, None, None)


async def _register(steps: demo.Driver, members: Sequence[str], boxes: Sequence[str]) -> None:
    """Let every service know the entities, and the broker their mailboxes."""
    known = "SELECT count(*) FROM entities"
    if await steps.pools["notifications"].fetchval(known) < len(members):
        await steps.send(
            [
                RegisterEntity(entity_id=one, label=f"Agency {one}", mailbox=boxes[n % len(boxes)])
                for n, one in enumerate(members)
            ]
        )
    await steps.until_found("entities", "notifications", known, len(members))
    declared = "SELECT count(*) FROM mailboxes WHERE declared_at IS NOT NULL AND name <> 'central'"
    await steps.until_found("mailboxes", "notifications", declared, len(boxes))


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
