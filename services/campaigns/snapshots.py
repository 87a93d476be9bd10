"""How the present state of campaigns and processes is read again.

What was made for a package has its key, as what that package causes there; all else has that of
its campaign.  Events that a command causes may have the other one: a reader tells by the version
which is newer.
"""

from contracts.campaigns import CampaignSnapshot, ProcessSnapshot
from services.campaigns import store
from services.runtime.service import Connection, Page, Snapshot


async def campaigns(conn: Connection, after: str | None, size: int) -> Page:
    """The next campaigns, by id."""
    states = await store.next_campaigns(conn, after or "", size)
    cursor = states[-1].campaign_id if states else after
    keys = [state.package_id or state.campaign_id for state in states]
    return Page([CampaignSnapshot.of(state) for state in states], cursor, keys)


async def processes(conn: Connection, after: list[str] | None, size: int) -> Page:
    """The next processes, by campaign and id."""
    campaign_id, process_id = after or ("", "")
    found = await store.next_of_all(conn, (campaign_id, process_id), size)
    last = found[-1][0] if found else None
    cursor = [last.campaign_id, last.process_id] if last else after
    keys = [package_id or state.campaign_id for state, package_id in found]
    return Page([ProcessSnapshot.of(state) for state, _ in found], cursor, keys)


SNAPSHOTS = (Snapshot("campaign", campaigns), Snapshot("process", processes))
