"""One scenario on a stack: set up by commands, canceled, and verified by what it left behind."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from contracts import client, names
from contracts.client import Client
from contracts.message import Command
from contracts.outcomes import CommandOutcome, Outcome
from contracts.packages import CancelPackage, ReinitializePackage
from infra.local.stack import Stack
from services.cli import comparison
from services.cli.endpoints import Endpoints
from services.cli.proof import Proof, as_dict, prove
from services.runtime.amqp import broker
from services.runtime.postgres import database
from services.runtime.postgres.database import Pool, Row
from services.runtime.service import installed
from tests.eventually import eventually
from tests.faults import recorder, verification
from tests.faults.dataset import BEFORE, Dataset, Fate, Order, publication
from tests.faults.recorder import Recording
from tests.faults.verification import Tables, Verifier

PATIENCE = 60.0
"""Seconds that a step may take, also with workers that die."""

PROOF_TIMEOUT = 20.0


@dataclass
class Scenario:
    """A dataset on a stack.

    edition is the current edition of all its packages; each command is sent `times` times.
    """

    dataset: Dataset
    stack: Stack
    client: Client
    pools: dict[str, Pool]
    event_queue: str
    since: datetime
    edition: int = 1
    times: int = 1
    patience: float = PATIENCE
    raced: bool = False
    recorded: Recording = field(default_factory=Recording)
    notices: Recording = field(default_factory=Recording)

    @property
    def orders(self) -> list[Order]:
        """The orders of this edition."""
        return self.dataset.orders(self.edition)

    async def placed(self) -> None:
        """Entities, campaigns, packages and orders as they are before the cancel."""
        await self.offered()
        await self.order()

    async def offered(self) -> None:
        """Everything but orders."""
        await self.send([*self.dataset.registrations(), *self.dataset.campaigns()])
        # A command waits for what it names, but not for as long as a dead worker may take.
        await eventually(self.are_known, timeout=self.patience)
        await self.send(self.dataset.packages_made())
        await eventually(self.is_offered, timeout=self.patience)

    async def order(self) -> None:
        """Place the orders, and decide those that are decided before the cancel."""
        await self.send([command for order in self.orders for command in order.commands()])
        await eventually(self.are_placed, timeout=self.patience)
        await eventually(self.are_notified, timeout=self.patience)

    async def cancel(self) -> None:
        """Cancel every package, and wait until each is complete."""
        cancels = [
            CancelPackage(package_id=package, comment="withdrawn")
            for package in self.dataset.package_ids
        ]
        await asyncio.gather(*(self.do(command) for command in cancels))
        await eventually(self.are_complete, timeout=self.patience)

    async def race(self) -> None:
        """Cancel every package while orders of it come in."""
        self.raced = True
        late = [
            command
            for order in self.dataset.late_orders(self.edition)
            for command in order.commands()
        ]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.send(late))
            tasks.create_task(self.cancel())

    async def begin_again(self) -> None:
        """Reinitialize every package, bring it to its audience, and order again."""
        for package in self.dataset.package_ids:
            await self.do(ReinitializePackage(package_id=package))
            await self.send(list(publication(package)))
        self.edition += 1
        await eventually(self.is_offered, timeout=self.patience)
        await eventually(self.are_campaigns_back, timeout=self.patience)
        await self.order()

    async def verify(self, *, parked: int = 0) -> Verifier:
        """Prove that nothing is lost or done twice, and that so many messages are parked."""
        found = await self.proof()
        assert found.ok, as_dict(found)
        kept = [row for standing in found.services.values() for row in standing.parked]
        assert len(kept) == parked, kept
        await self.collect()
        tables = await self.tables()
        late = self.dataset.late_orders(self.edition) if self.raced else []
        verifier = verification.verify(
            self.dataset, self.edition, self.orders, late, tables, self.recorded, self.notices
        )
        assert not verifier.wrong, (verifier.lost, verifier.twice, verifier.wrong)
        await eventually(self.is_tracked, timeout=self.patience)
        return verifier

    async def is_tracked(self) -> bool:
        """Whether the read model is what the services' own tables say, of all on this stack."""
        found = await comparison.compare(installed(), self.pools, self.pools["tracking"])
        assert found.ok, (found.differences, found.listed[:10])
        return True

    async def proof(self) -> Proof:
        """The proof of `relais proof`, once nothing is on its way any more."""
        places = Endpoints(self.stack.amqp_url, self.stack.postgres, "the test")
        return await prove(places, self.since, PROOF_TIMEOUT)

    async def do(self, command: Command) -> CommandOutcome:
        """Have a command done, and not refused; asks again as long as it takes."""
        id = str(uuid.uuid4())
        outcomes = [
            await self.client.ask(command, id=id, timeout=self.patience) for _ in range(self.times)
        ]
        assert outcomes == [outcomes[0]] * self.times
        assert outcomes[0].outcome != Outcome.REFUSED, (command, outcomes[0].message)
        return outcomes[0]

    async def send(self, commands: Sequence[Command]) -> None:
        """Send commands without waiting for what becomes of them; all of them once, then again."""
        if self.times == 1:
            await self.client.send_many(commands, timeout=self.patience)
            return
        ids = [str(uuid.uuid4()) for _ in commands]
        for command, id in list(zip(commands, ids, strict=True)) * self.times:
            await self.client.send(command, id=id)

    async def collect(self) -> None:
        """Read the events published so far, and the notices in the mailboxes."""
        mailboxes = [names.mailbox(name) for name in self.dataset.mailboxes]
        async with broker.connected(self.stack.amqp_url, "faults") as connection:
            channel = await connection.channel()
            for message in await recorder.read(channel, self.event_queue):
                if is_of(self.dataset.token, message.headers.get(names.PARTITION_KEY)):
                    self.recorded.take(message.body)
            for mailbox in mailboxes:
                for message in await recorder.read(channel, mailbox):
                    self.notices.take(message.body)

    async def are_known(self) -> bool:
        """Whether entities and campaigns are known where the next commands look for them."""
        entities = [
            await self.count(service, KNOWN_ENTITIES, self.dataset.entity_ids)
            for service in ("orders", "notifications")
        ]
        campaigns = await self.count("packages", KNOWN_CAMPAIGNS, self.dataset.campaign_ids)
        wanted = [self.dataset.entities] * 2 + [self.dataset.packages]
        assert [*entities, campaigns] == wanted, (entities, campaigns)
        return True

    async def is_offered(self) -> bool:
        """Whether orders knows that every package can be ordered."""
        offers = await self.count("orders", OFFERS, self.dataset.package_ids, self.edition)
        return offers == self.dataset.packages

    async def are_campaigns_back(self) -> bool:
        """Whether every campaign is back from its cancel."""
        rows = await self.fetch("campaigns", CAMPAIGNS, self.dataset.campaign_ids)
        return {row["status"] for row in rows} == {"being_edited"}

    async def are_placed(self) -> bool:
        """Whether every order is as it should be before the cancel."""
        rows = await self.order_rows()
        wanted = {order.order_id: BEFORE[order.fate] for order in self.orders}
        other = {id: (rows.get(id), row) for id, row in wanted.items() if rows.get(id) != row}
        assert not other, f"{len(other)} orders are not as wanted: {list(other.items())[:5]}"
        return True

    async def are_notified(self) -> bool:
        """Whether every notice that is due before the cancel has been sent."""
        offered = len(self.dataset.audience) * self.dataset.packages
        decided = sum(order.fate is not Fate.LEFT for order in self.orders)
        sent = await self.count("notifications", SENT, self.dataset.package_ids, self.edition)
        assert sent == offered + decided, f"{sent} sent, and {offered} + {decided} wanted"
        return True

    async def are_complete(self) -> bool:
        """Whether the cancel of every package is complete."""
        rows = await self.fetch("packages", LEDGERS, self.dataset.package_ids, self.edition)
        done = {row["package_id"] for row in rows if row["completed_at"]}
        assert done == set(self.dataset.package_ids), [dict(row) for row in rows]
        return True

    async def tables(self) -> Tables:
        """What the services' tables have of this scenario."""
        packages, campaigns = self.dataset.package_ids, self.dataset.campaign_ids
        ledgers = await self.fetch("packages", LEDGERS, packages, self.edition)
        notified = await self.fetch(
            "notifications", NOTIFIED, packages, self.edition, "package_canceled"
        )
        return Tables(
            orders=await self.order_rows(),
            packages={
                row["package_id"]: (row["status"], row["edition"])
                for row in await self.fetch("packages", PACKAGES, packages)
            },
            campaigns={
                row["campaign_id"]: row["status"]
                for row in await self.fetch("campaigns", CAMPAIGNS, campaigns)
            },
            processes={
                (row["campaign_id"], row["process_id"]): row["status"]
                for row in await self.fetch("campaigns", PROCESSES, campaigns)
            },
            ledgers={row["package_id"]: dict(row) for row in ledgers},
            notified=Counter((row["recipient_id"], row["package_id"]) for row in notified),
        )

    async def order_rows(self) -> dict[str, tuple[str, int]]:
        """Status and version of every order of this scenario."""
        rows = await self.fetch("orders", ORDERS, self.dataset.package_ids)
        return {row["order_id"]: (row["status"], row["version"]) for row in rows}

    async def fetch(self, service: str, statement: str, *arguments: Any) -> list[Row]:
        """Rows of a service's table."""
        try:
            return await self.pools[service].fetch(statement, *arguments)
        except Exception as error:
            if database.is_transient(error):
                raise AssertionError(f"the database is away: {error!r}") from error
            raise

    async def count(self, service: str, statement: str, *arguments: Any) -> int:
        """A count in a service's table."""
        [[count]] = await self.fetch(service, statement, *arguments)
        return int(count)


KNOWN_ENTITIES = "SELECT count(*) FROM entities WHERE entity_id = ANY ($1)"
KNOWN_CAMPAIGNS = "SELECT count(*) FROM campaigns WHERE campaign_id = ANY ($1)"
OFFERS = """
SELECT count(*) FROM offers
WHERE package_id = ANY ($1) AND edition = $2 AND status = 'published'
"""
ORDERS = "SELECT order_id, status, version FROM orders WHERE package_id = ANY ($1)"
PACKAGES = "SELECT package_id, status, edition FROM packages WHERE package_id = ANY ($1)"
CAMPAIGNS = "SELECT campaign_id, status FROM campaigns WHERE campaign_id = ANY ($1)"
PROCESSES = "SELECT campaign_id, process_id, status FROM processes WHERE campaign_id = ANY ($1)"
LEDGERS = """
SELECT package_id, orders, campaigns, notifications, completed_at FROM cancellations
WHERE package_id = ANY ($1) AND edition = $2
"""
NOTIFIED = """
SELECT n.recipient_id, n.package_id FROM notifications n JOIN happenings h USING (happening_id)
WHERE n.package_id = ANY ($1) AND h.edition = $2 AND h.kind = $3 AND n.status = 'sent'
"""
SENT = """
SELECT count(*) FROM notifications n JOIN happenings h USING (happening_id)
WHERE n.package_id = ANY ($1) AND h.edition = $2 AND n.status = 'sent'
"""


def is_of(token: str, key: object) -> bool:
    """Whether a partition key is one of this scenario's."""
    return isinstance(key, str) and key.startswith(token)


@asynccontextmanager
async def new_scenario(
    stack: Stack, *, times: int = 1, patience: float = PATIENCE, **sizes: int
) -> AsyncIterator[Scenario]:
    """A scenario with ids of its own on a stack, while the block lasts."""
    dataset = Dataset(f"W{token_hex(3)}", **sizes)
    amqp_url = stack.amqp_url
    async with AsyncExitStack() as opened:
        pools = {
            service: await opened.enter_async_context(database.pool(url, "faults", size=2))
            for service, url in stack.postgres.items()
        }
        queue = await opened.enter_async_context(
            recorder.recording(amqp_url, f"faults.{dataset.token}")
        )
        sender = await opened.enter_async_context(client.connect(amqp_url, source="/faults"))
        yield Scenario(
            dataset, stack, sender, pools, queue, datetime.now(UTC), times=times, patience=patience
        )
        await recorder.delete(amqp_url, [names.mailbox(name) for name in dataset.mailboxes])
