"""How the present state of packages is read again."""

from contracts.packages import PackageSnapshot
from services.packages import store
from services.runtime.service import Connection, Page, Snapshot


async def packages(conn: Connection, after: str | None, size: int) -> Page:
    """The next packages, by id."""
    states = await store.next_packages(conn, after or "", size)
    cursor = states[-1].package_id if states else after
    return Page([PackageSnapshot.of(state) for state in states], cursor)


SNAPSHOTS = (Snapshot("package", packages),)
