"""The wiring of the notifications service."""

from pathlib import Path

from services.notifications import clock, handlers, jobs, snapshots, sweeps
from services.runtime.service import Service

SERVICE = Service(
    name="notifications",
    routes=handlers.ROUTES,
    load=handlers.load,
    handle=handlers.handle,
    save=handlers.save,
    migrations=Path(__file__).parent / "sql",
    jobs=jobs.JOBS,
    sweeps=sweeps.SWEEPS,
    set_back=clock.SET_BACK,
    snapshots=snapshots.SNAPSHOTS,
)
