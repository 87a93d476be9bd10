"""All services on databases of their own: what one emits the others handle, without lanes."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.campaigns import CampaignKind, CreateCampaign
from contracts.directory import RegisterEntity
from contracts.message import Command
from contracts.packages import ApprovePackage, CreatePackage, DistributionLevel, PublishPackage
from services.runtime.decision import Answer
from services.runtime.messages import item
from services.runtime.messages.item import Item, Origin
from tests.harness import Emitted, Harness
from tests.notifications.harness import BrokerHarness, with_broker

MakeHarness = Callable[[str], Awaitable[Harness]]
SERVICES = ("directory", "campaigns", "packages", "orders", "notifications")


class Installation:
    """Commands go in at the service that reads them; tracking has seen every event after each."""

    def __init__(
        self, services: dict[str, Harness], notifications: BrokerHarness, tracking: Harness
    ) -> None:
        self.services = services
        self.notifications = notifications
        self.tracking = tracking
        self.mailbox = f"west-{secrets.token_hex(4)}"

    async def do(self, command: Command, *, actor: str | None = "m.durand", **how: Any) -> Answer:
        """Have a command decided, and all that follows from it."""
        (service,) = (s for s in self.services.values() if command.wire_type in s.service.routes)
        answer = await service.ask(command, actor=actor, **how)
        await self.spread()
        return answer

    async def spread(self) -> None:
        """Hand on what services have emitted until none emits more."""
        while True:
            found = [e for service in self.services.values() for e in await service.emitted()]
            if not found:
                return
            for harness in (*self.services.values(), self.tracking):
                await self.hand(harness, found)
            for name in ("campaigns", "orders"):
                await self.services[name].sweep("jobs")
            await self.notifications.open_mailboxes()
            await self.notifications.deliver()

    async def hand(self, harness: Harness, emitted: list[Emitted]) -> None:
        """Let a service handle events of others as one batch."""
        items = [_item(harness, one) for one in emitted if _is_for(harness, one)]
        if items:
            await harness.handle(items)


def _is_for(harness: Harness, one: Emitted) -> bool:
    own = one.envelope.source == f"/relais/{harness.service.name}"
    return one.envelope.type in harness.service.routes and not own


def _item(harness: Harness, one: Emitted) -> Item:
    raw = one.envelope.model_dump_json(exclude_none=True).encode()
    (read,) = item.read(Origin("relais.events", one.envelope.type), raw, harness.service.routes)
    return read


@asynccontextmanager
async def installed(make: MakeHarness, amqp_url: str) -> AsyncIterator[Installation]:
    """Every service with empty tables; its mailboxes go with it."""
    services = {name: await make(name) for name in SERVICES}
    async with with_broker(services["notifications"], amqp_url) as notifications:
        yield Installation(services, notifications, await make("tracking"))


LEVEL = DistributionLevel.COLLABORATIVE_SIMPLE


def campaign(id: str = "OP13") -> CreateCampaign:
    """A reference campaign with one workflow."""
    return CreateCampaign(
        campaign_id=id,
        label="Spring",
        kind=CampaignKind.REFERENCE,
        distribution_level=LEVEL,
        processes=[{"process_id": "WKF7", "kind": "workflow", "label": "Mailing"}],
    )


def package(id: str = "CAT86", campaign_id: str = "OP13", **terms: Any) -> CreatePackage:
    """A package that is offered from yesterday to next month to OU3 and OU4."""
    now = datetime.now(UTC)
    dates: dict[str, Any] = {"starts_at": now - timedelta(1), "ends_at": now + timedelta(30)}
    given = {"label": "Spring posters", "audience": ["OU3", "OU4"], **dates, **terms}
    return CreatePackage(package_id=id, distribution_level=LEVEL, campaign_id=campaign_id, **given)


async def published(here: Installation, id: str = "CAT86") -> None:
    """OU3 and OU4 may order a package of the campaign OP13."""
    for entity in ("OU3", "OU4"):
        register = RegisterEntity(entity_id=entity, label=entity, mailbox=here.mailbox)
        await here.do(register, actor="directory.tool")
    await here.do(campaign())
    await here.do(package(id))
    await here.do(ApprovePackage(package_id=id))
    await here.do(PublishPackage(package_id=id))
