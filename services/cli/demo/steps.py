"""The steps of the scenario: what a central entity and its agencies do with packages."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from contracts.campaigns import ProcessStatus, ReportProcess, StartCampaign
from contracts.directory import ActivateEntity, DeactivateEntity
from contracts.message import Command
from contracts.orders import ApproveOrder, PlaceOrder
from contracts.outcomes import RefusalCode
from contracts.packages import (
    ApprovePackage,
    CancelPackage,
    PackageCommand,
    PublishPackage,
    ReinitializePackage,
    SubmitPackage,
)
from services.cli.demo import expected, mailboxes, tables
from services.cli.demo.driver import Driver
from services.cli.demo.expected import Notice
from services.cli.demo.following import Following, following
from services.cli.demo.mailboxes import Read
from services.cli.demo.output import Output, Progress
from services.cli.demo.scenario import Plan, Scenario
from services.cli.showing import show

MOST_ORDERS_AGAIN = 1_000
"""Orders that a package gets in its second edition at most."""


@dataclass(slots=True)
class Steps:
    """Runs the steps with a driver; read holds every notice of the mailboxes so far."""

    driver: Driver
    scenario: Scenario
    output: Output
    read: Read

    async def register(self) -> None:
        """Register the entities, and wait until every service knows them."""
        self.output.heading("Agencies register")
        count = len(self.scenario.entities)
        boxes = len(self.scenario.mailboxes)
        with self.output.step(
            f"{count:,} entities, which read {boxes} mailboxes", count
        ) as progress:
            await self.driver.send(self.scenario.entities)
            await self._until_active(count, progress)

    async def _until_active(self, count: int, progress: Progress | None = None) -> None:
        """Wait until every service knows exactly so many active entities."""
        for service, statement in tables.ACTIVE.items():
            pool = self.driver.pools[service]

            async def known() -> int:
                return count - abs(count - int(await pool.fetchval(statement)))  # noqa: B023

            await self.driver.until(f"entities known to {service}", count, known, progress)

    async def offer(self) -> None:
        """Create campaigns and packages, and publish the packages."""
        self.output.heading("The central entity offers packages")
        plans = self.scenario.plans
        with self.output.step(f"{len(plans)} campaigns, the collaborative ones started"):
            await self._each(plans, self._create_campaign)
            known = "SELECT count(*) FROM campaigns"
            await self.driver.until_found(
                "campaigns known to packages", "packages", known, len(plans)
            )
        levels = len({plan.package.distribution_level for plan in plans})
        with self.output.step(f"{len(plans)} packages of {levels} distribution levels created"):
            await self._each(plans, lambda plan: self._do(plan.package))
        await self._publish(plans, edition=1)

    async def _create_campaign(self, plan: Plan) -> None:
        id = plan.campaign.campaign_id
        await self._do(plan.campaign)
        if plan.is_local:
            return
        await self._do(StartCampaign(campaign_id=id))
        for process in plan.finished:
            await self._do(
                ReportProcess(
                    campaign_id=id, process_id=process, status=ProcessStatus.FINISHED, detail="sent"
                )
            )

    async def _publish(self, plans: Iterable[Plan], edition: int) -> None:
        plans = list(plans)
        steps: tuple[type[PackageCommand], ...] = (SubmitPackage, ApprovePackage, PublishPackage)
        with self.output.step("submitted, approved and published"):
            for step in steps:
                await self._each(plans, lambda plan, step=step: self._do(step(package_id=plan.id)))  # type: ignore[misc]
            offered = "SELECT count(*) FROM offers WHERE status = 'published' AND edition = $1"
            count = len(plans)
            await self.driver.until_found(
                "offers known to orders", "orders", offered, count, edition
            )

    async def order(self, scenario: Scenario, edition: int) -> None:
        """Place orders; reject and approve some."""
        self.output.heading("Agencies order" if edition == 1 else "Agencies order again")
        wanted = expected.before_cancel(scenario, edition).orders
        imported = [plan for plan in scenario.plans if plan.imported and edition == 1]
        total = wanted.total() - sum(len(plan.imported) for plan in imported)
        approved = sum(len(scenario.approvals(plan, edition)) for plan in scenario.plans)

        async def as_wanted() -> int:
            found = await tables.rows(self.driver.pools, "orders", tables.ORDERS)
            return (found & wanted).total()

        with self.output.step(f"{total:,} orders placed, {approved:,} approved", total) as progress:
            for plan in scenario.plans:
                await self.driver.send(scenario.order_commands(plan, edition))
            await self.driver.until("orders as they should be", total, as_wanted, progress)
        # Only now: an entity with an imported order could not place its own.
        for plan in imported:
            await self._import(plan)

    async def _import(self, plan: Plan) -> None:
        """Insert the orders that no command could place into the orders table."""
        with self.output.step(
            f"{len(plan.imported):,} more imported into the orders table, as from an earlier "
            "system: an entity orders a package once, so no command can place them"
        ):
            ids, entities = zip(*self.scenario.imports(plan), strict=True)
            pool = self.driver.pools["orders"]
            await pool.execute(tables.IMPORT, ids, entities, plan.id)
            # As after any import: else the planner plans for an empty table.
            await pool.execute("ANALYZE orders")

    async def deactivate(self) -> None:
        """Deactivate an entity, which may not order any more."""
        deactivated = self.scenario.deactivated
        await self._do(DeactivateEntity(entity_id=deactivated))
        await self._until_active(len(self.scenario.entities) - 1)
        late = self._late_order("ORD-late", deactivated)
        sentence = await self.driver.refused(late, RefusalCode.ENTITY_INACTIVE)
        self.output.line(f"{deactivated} is deactivated; its order is refused: {sentence}", "dim")

    async def activate(self) -> None:
        """Activate that entity again."""
        await self._do(ActivateEntity(entity_id=self.scenario.deactivated))
        await self._until_active(len(self.scenario.entities))

    async def collect(self, what: str, wanted: set[Notice]) -> None:
        """Wait until these notices are sent, and read the mailboxes."""
        pool = self.driver.pools["notifications"]

        async def count() -> int:
            return int(await pool.fetchval(tables.NOTIFICATIONS_SENT))

        with self.output.step(
            f"{len(wanted):,} notices in the mailboxes so far", len(wanted)
        ) as progress:
            await self.driver.until(what, len(wanted), count, progress)
            queues = self.scenario.mailboxes
            await mailboxes.drain(self.driver.amqp_url, queues, self.read, progress)

    async def cancel(self) -> float:
        """Cancel every package at once; return the seconds to the last completion."""
        plans = self.scenario.plans
        self.output.heading(f"The central entity cancels {len(plans)} packages")
        self.output.line(f"“{self.scenario.comment}”", "italic")
        ids = [plan.id for plan in plans]
        url = self.driver.postgres["packages"]
        async with following(self.driver.amqp_url, url, ids) as follower:
            began = time.monotonic()
            headline = partial(self._headline, follower, began)
            showing = asyncio.create_task(show(follower, headline, self.output.console))
            try:
                await self._each(plans, lambda plan: self._do(self._cancel(plan)))
                await self._finish(showing)
            finally:
                showing.cancel()
        assert follower.finished is not None
        return follower.finished - began

    async def _finish(self, showing: "asyncio.Task[None]") -> None:
        while not (await asyncio.wait({showing}, timeout=1.0))[0]:
            self.driver.check()
        showing.result()

    def _headline(self, follower: Following, began: float) -> str:
        if not self.output.console.is_terminal:
            return ""
        complete = sum(cancel.is_complete for cancel in follower.cancels.values())
        seconds = (follower.finished or time.monotonic()) - began
        return f"{complete} of {len(follower.cancels)} complete after {seconds:.1f} s"

    def _cancel(self, plan: Plan) -> CancelPackage:
        return CancelPackage(package_id=plan.id, comment=self.scenario.comment)

    async def too_late(self) -> None:
        """Order a canceled package, and approve a canceled order: both are refused."""
        plan = self.scenario.plans[0]
        late = self._late_order("ORD-late-2", self.scenario.entity_ids[0])
        sentence = await self.driver.refused(late, RefusalCode.NOT_OFFERED)
        self.output.line(f"a late order is refused: {sentence}", "dim")
        for order in self.scenario.places(plan, 1)[:1]:
            approval = ApproveOrder(order_id=order.order_id, package_id=plan.id)
            await self.driver.refused(approval, RefusalCode.WRONG_STATUS)

    async def again(self) -> Scenario:
        """Reinitialize packages, publish and order again; return what the second edition has."""
        self.output.heading("The packages are used again")
        second = self.second_edition()
        plans = second.plans
        await self.activate()
        with self.output.step(f"{len(plans)} packages reinitialized, their campaigns with them"):
            await self._each(plans, lambda plan: self._do(ReinitializePackage(package_id=plan.id)))
            wanted = expected.before_cancel(second, 2).campaigns

            async def reinitialized() -> int:
                found = await tables.rows(self.driver.pools, "campaigns", tables.CAMPAIGNS)
                return (found & wanted).total()

            await self.driver.until("campaigns reinitialized", wanted.total(), reinitialized)
        await self._publish(plans, edition=2)
        await self.order(second, edition=2)
        return second

    def second_edition(self) -> Scenario:
        """The same packages again, with fewer orders."""
        few = (
            replace(plan, orders=plan.orders[:MOST_ORDERS_AGAIN]) for plan in self.scenario.plans
        )
        return replace(self.scenario, plans=tuple(few))

    def _late_order(self, id: str, entity: str) -> PlaceOrder:
        package = self.scenario.plans[0].id
        return PlaceOrder(order_id=id, package_id=package, entity_id=entity, label="Too late")

    async def _do(self, command: Command) -> None:
        await self.driver.do(command)

    async def _each(self, plans: Iterable[Plan], do: Callable[[Plan], Awaitable[None]]) -> None:
        await asyncio.gather(*(do(plan) for plan in plans))
