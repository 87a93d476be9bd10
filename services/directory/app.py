"""The wiring of the directory service."""

from pathlib import Path

from services.directory import handlers, snapshots
from services.runtime.service import Service

SERVICE = Service(
    name="directory",
    routes=handlers.ROUTES,
    load=handlers.load,
    handle=handlers.handle,
    save=handlers.save,
    migrations=Path(__file__).parent / "sql",
    snapshots=snapshots.SNAPSHOTS,
)
