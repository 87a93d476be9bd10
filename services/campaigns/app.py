"""The wiring of the campaigns service."""

from pathlib import Path

from services.campaigns import handlers, jobs, snapshots
from services.runtime.service import Service

SERVICE = Service(
    name="campaigns",
    routes=handlers.ROUTES,
    load=handlers.load,
    handle=handlers.handle,
    save=handlers.save,
    migrations=Path(__file__).parent / "sql",
    jobs=jobs.JOBS,
    snapshots=snapshots.SNAPSHOTS,
)
