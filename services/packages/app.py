"""The wiring of the packages service."""

from pathlib import Path

from contracts import names
from services.packages import handlers, snapshots, store, sweeps
from services.packages.settings import PackagesSettings
from services.runtime.service import Service

SERVICE = Service(
    name="packages",
    routes=handlers.ROUTES,
    load=handlers.load,
    handle=handlers.handle,
    save=handlers.save,
    migrations=Path(__file__).parent / "sql",
    sweeps=sweeps.SWEEPS,
    set_back=(store.SET_BACK,),
    drains=(names.UNROUTED,),
    settings=PackagesSettings,
    snapshots=snapshots.SNAPSHOTS,
)
