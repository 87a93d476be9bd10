"""The story, act by act: what a central entity and its agencies do with packages."""

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
from services.cli.demo.cast import Cast, Part
from services.cli.demo.expected import Notice
from services.cli.demo.mailboxes import Read
from services.cli.demo.narrator import Narrator, Tell
from services.cli.demo.stage import Stage
from services.cli.following import Following, following
from services.cli.watch import show

ENCORE = 1_000
"""Orders that a package takes in its second life at most."""


@dataclass(slots=True)
class Story:
    """The story while it is told; read is what the mailboxes held."""

    stage: Stage
    cast: Cast
    narrator: Narrator
    read: Read

    async def register(self) -> None:
        """Make the entities known to everybody who needs them."""
        self.narrator.act("Agencies register")
        count = len(self.cast.entities)
        boxes = len(self.cast.mailboxes)
        with self.narrator.step(f"{count:,} entities, which read {boxes} mailboxes", count) as tell:
            await self.stage.send(self.cast.entities)
            await self._until_active(count, tell)

    async def _until_active(self, count: int, tell: Tell | None = None) -> None:
        """Wait until everybody knows that so many entities are active, no more and no less."""
        for service, statement in tables.ACTIVE.items():
            pool = self.stage.pools[service]

            async def known() -> int:
                return count - abs(count - int(await pool.fetchval(statement)))  # noqa: B023

            await self.stage.until(f"entities known to {service}", count, known, tell)

    async def offer(self) -> None:
        """Make campaigns and packages, and bring them to their audience."""
        self.narrator.act("The central entity offers packages")
        parts = self.cast.parts
        with self.narrator.step(f"{len(parts)} campaigns, the collaborative ones started"):
            await self._each(parts, lambda part: self._campaign(part))
            known = "SELECT count(*) FROM campaigns"
            await self.stage.until_found(
                "campaigns known to packages", "packages", known, len(parts)
            )
        levels = len({part.package.distribution_level for part in parts})
        with self.narrator.step(f"{len(parts)} packages of {levels} distribution levels created"):
            await self._each(parts, lambda part: self._do(part.package))
        await self._publish(parts, edition=1)

    async def _campaign(self, part: Part) -> None:
        id = part.campaign.campaign_id
        await self._do(part.campaign)
        if part.is_local:
            return
        await self._do(StartCampaign(campaign_id=id))
        for process in part.finished:
            await self._do(
                ReportProcess(
                    campaign_id=id, process_id=process, status=ProcessStatus.FINISHED, detail="sent"
                )
            )

    async def _publish(self, parts: Iterable[Part], edition: int) -> None:
        parts = list(parts)
        steps: tuple[type[PackageCommand], ...] = (SubmitPackage, ApprovePackage, PublishPackage)
        with self.narrator.step("submitted, approved and published"):
            for step in steps:
                await self._each(parts, lambda part, step=step: self._do(step(package_id=part.id)))  # type: ignore[misc]
            offered = "SELECT count(*) FROM offers WHERE status = 'published' AND edition = $1"
            count = len(parts)
            await self.stage.until_found(
                "offers known to orders", "orders", offered, count, edition
            )

    async def order(self, cast: Cast, edition: int) -> None:
        """Place orders; reject and approve some."""
        self.narrator.act("Agencies order" if edition == 1 else "Agencies order again")
        wanted = expected.before_cancel(cast, edition).orders
        imported = [part for part in cast.parts if part.imported and edition == 1]
        total = wanted.total() - sum(len(part.imported) for part in imported)
        approved = sum(len(cast.approvals(part, edition)) for part in cast.parts)

        async def as_wanted() -> int:
            found = await tables.rows(self.stage.pools, "orders", tables.ORDERS)
            return (found & wanted).total()

        with self.narrator.step(f"{total:,} orders placed, {approved:,} approved", total) as tell:
            for part in cast.parts:
                await self.stage.send(cast.order_commands(part, edition))
            await self.stage.until("orders as they should be", total, as_wanted, tell)
        # Only now: an imported order is in the way of one that its entity places.
        for part in imported:
            await self._import(part)

    async def _import(self, part: Part) -> None:
        """Bring in the orders that no command could place, straight into the orders table."""
        with self.narrator.step(
            f"{len(part.imported):,} more imported into the orders table, as from the system "
            "before: an entity orders a package once, and no command gets past that"
        ):
            ids, entities = zip(*self.cast.imports(part), strict=True)
            pool = self.stage.pools["orders"]
            await pool.execute(tables.IMPORT, ids, entities, part.id)
            # As after any import: the planner must not take the table for an empty one.
            await pool.execute("ANALYZE orders")

    async def leave(self) -> None:
        """Deactivate an entity, which may then not order any more."""
        leaver = self.cast.leaver
        await self._do(DeactivateEntity(entity_id=leaver))
        await self._until_active(len(self.cast.entities) - 1)
        late = self._late_order("ORD-late", leaver)
        sentence = await self.stage.refused(late, RefusalCode.ENTITY_INACTIVE)
        self.narrator.say(f"{leaver} is deactivated; its order is refused: {sentence}", "dim")

    async def return_(self) -> None:
        """Activate it again."""
        await self._do(ActivateEntity(entity_id=self.cast.leaver))
        await self._until_active(len(self.cast.entities))

    async def collect(self, what: str, wanted: set[Notice]) -> None:
        """Wait until these notices are sent, and read the mailboxes."""
        pool = self.stage.pools["notifications"]

        async def count() -> int:
            return int(await pool.fetchval(tables.NOTIFICATIONS_SENT))

        with self.narrator.step(
            f"{len(wanted):,} notices in the mailboxes so far", len(wanted)
        ) as tell:
            await self.stage.until(what, len(wanted), count, tell)
            await mailboxes.empty(self.stage.amqp_url, self.cast.mailboxes, self.read, tell)

    async def cancel(self) -> float:
        """Cancel every package at once; gives the seconds to the last completion."""
        parts = self.cast.parts
        self.narrator.act(f"The central entity cancels {len(parts)} packages")
        self.narrator.say(f"“{self.cast.comment}”", "italic")
        ids = [part.id for part in parts]
        url = self.stage.postgres["packages"]
        async with following(self.stage.amqp_url, url, ids) as follower:
            began = time.monotonic()
            headline = partial(self._standing, follower, began)
            showing = asyncio.create_task(show(follower, headline, self.narrator.console))
            try:
                await self._each(parts, lambda part: self._do(self._cancel(part)))
                await self._watch(showing)
            finally:
                showing.cancel()
        assert follower.finished is not None
        return follower.finished - began

    async def _watch(self, showing: "asyncio.Task[None]") -> None:
        while not (await asyncio.wait({showing}, timeout=1.0))[0]:
            self.stage.check()
        showing.result()

    def _standing(self, follower: Following, began: float) -> str:
        if not self.narrator.console.is_terminal:
            return ""
        complete = sum(cancel.is_complete for cancel in follower.cancels.values())
        seconds = (follower.finished or time.monotonic()) - began
        return f"{complete} of {len(follower.cancels)} complete after {seconds:.1f} s"

    def _cancel(self, part: Part) -> CancelPackage:
        return CancelPackage(package_id=part.id, comment=self.cast.comment)

    async def too_late(self) -> None:
        """Order what is canceled, and approve what was."""
        part = self.cast.parts[0]
        late = self._late_order("ORD-late-2", self.cast.entity_ids[0])
        sentence = await self.stage.refused(late, RefusalCode.NOT_OFFERED)
        self.narrator.say(f"a late order is refused: {sentence}", "dim")
        for order in self.cast.places(part, 1)[:1]:
            approval = ApproveOrder(order_id=order.order_id, package_id=part.id)
            await self.stage.refused(approval, RefusalCode.WRONG_STATUS)

    async def again(self) -> Cast:
        """Reinitialize packages, publish and order again; gives the cast of the second life."""
        self.narrator.act("The packages are used again")
        encore = self.encore()
        parts = encore.parts
        await self.return_()
        with self.narrator.step(f"{len(parts)} packages reinitialized, their campaigns with them"):
            await self._each(parts, lambda part: self._do(ReinitializePackage(package_id=part.id)))
            wanted = expected.before_cancel(encore, 2).campaigns

            async def reinitialized() -> int:
                found = await tables.rows(self.stage.pools, "campaigns", tables.CAMPAIGNS)
                return (found & wanted).total()

            await self.stage.until("campaigns reinitialized", wanted.total(), reinitialized)
        await self._publish(parts, edition=2)
        await self.order(encore, edition=2)
        return encore

    def encore(self) -> Cast:
        """The same packages again, without a crowd."""
        parts = tuple(replace(part, orders=part.orders[:ENCORE]) for part in self.cast.parts)
        return replace(self.cast, parts=parts)

    def _late_order(self, id: str, entity: str) -> PlaceOrder:
        package = self.cast.parts[0].id
        return PlaceOrder(order_id=id, package_id=package, entity_id=entity, label="Too late")

    async def _do(self, command: Command) -> None:
        await self.stage.do(command)

    async def _each(self, parts: Iterable[Part], do: Callable[[Part], Awaitable[None]]) -> None:
        await asyncio.gather(*(do(part) for part in parts))
