"""The campaigns service on a real database, and the rows of its tables."""

from collections.abc import Iterable
from typing import Any

from contracts.campaigns import ProcessState
from contracts.message import Body
from services.campaigns import store
from services.campaigns.transitions import Campaign
from services.runtime.decision import Answer
from services.runtime.tables import jobs
from tests.campaigns.given import campaign
from tests.harness import EventT, Harness


class CampaignsHarness:
    """A harness of the campaigns service with methods for its messages and tables."""

    def __init__(self, harness: Harness) -> None:
        """Nothing has been sent yet."""
        self.inner = harness
        self.pool = harness.pool

    async def send(self, *bodies: Body, **how: Any) -> list[Answer | None]:
        """Handle messages as one batch."""
        return await self.inner.send(*bodies, **how)

    async def outcomes(self, *bodies: Body) -> list[str]:
        """Handle messages as one batch; the outcome of each, or its code where it is refused."""
        answers = await self.inner.send(*bodies)
        return [(a.code or a.outcome) if a else "waiting" for a in answers]

    async def run_jobs(self) -> int:
        """Run the jobs of packages until there is none; the number of transactions."""
        return await self.inner.sweep(jobs.SWEEP)

    async def piece(self) -> bool:
        """Do the next piece of a job; whether there may be more right now."""
        return await self.inner.piece(jobs.SWEEP)

    async def events(self, kind: type[EventT]) -> list[EventT]:
        """The events of one kind since the last call, in order; forgets the others."""
        return await self.inner.events(kind)

    async def campaign(self, campaign_id: str = "OP13") -> Campaign:
        """A campaign as it stands in its row."""
        async with self.pool.acquire() as conn:
            return (await store.lock_campaigns(conn, [campaign_id]))[campaign_id]

    async def status(self, campaign_id: str = "OP13") -> str:
        """The status of a campaign."""
        return (await self.campaign(campaign_id)).state.status

    async def processes(self, campaign_id: str = "OP13") -> dict[str, ProcessState]:
        """The processes of a campaign as they stand in their rows, by id."""
        async with self.pool.acquire() as conn:
            found = await store.load_processes(conn, [campaign_id])
        return {process_id: process for (_, process_id), process in sorted(found.items())}

    async def statuses(self, campaign_id: str = "OP13") -> dict[str, str]:
        """The status of each process of a campaign, by id."""
        found = await self.processes(campaign_id)
        return {process_id: str(process.status) for process_id, process in found.items()}

    async def add_children(self, ids: Iterable[str], edition: int = 1) -> None:
        """Campaigns made for orders of CAT86, with one running process each."""
        children = [
            Campaign(
                campaign(
                    "started",
                    [f"WKF-{id}"],
                    campaign_id=id,
                    kind="child",
                    package_id="CAT86",
                    order_id=f"ORD-{id}",
                    parent_id="OP13",
                ).state,
                edition,
            )
            for id in ids
        ]
        processes = [
            ProcessState(
                process_id=f"WKF-{child.id}",
                campaign_id=child.id,
                kind="workflow",
                label="Step",
                status="running",
                version=2,
                changed_at=child.state.changed_at,
            )
            for child in children
        ]
        async with self.pool.acquire() as conn:
            await store.save_campaigns(conn, children, locked=())
            await store.save_processes(conn, processes)
