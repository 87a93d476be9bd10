"""The wiring of the tracking service."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from services.runtime.service import Served, Service, Site
from services.tracking import copying, handlers, hints, sweeps
from services.tracking.settings import TrackingSettings


def web(served: Served) -> AbstractAsyncContextManager[Site]:
    """The HTTP API; what it imports is nothing that a worker has to wait for."""
    from services.tracking.web.app import site

    return site(served)


SERVICE = Service(
    name="tracking",
    routes=handlers.ROUTES,
    load=handlers.load,
    handle=handlers.handle,
    save=handlers.save,
    migrations=Path(__file__).parent / "sql",
    jobs=(copying.COPY,),
    sweeps=sweeps.SWEEPS,
    fanouts=(hints.EXCHANGE,),
    settings=TrackingSettings,
    web=web,
)
