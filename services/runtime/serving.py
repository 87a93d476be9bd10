"""A process that serves what a service has for the web; any number of them, beside its workers."""

import asyncio
import signal
from functools import partial

import structlog
import uvloop

from services.runtime import settings, telemetry, web
from services.runtime.postgres import database, migrate
from services.runtime.service import Served, Service

log = structlog.get_logger()

POOL = 10


def run(service: Service) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = settings.load(settings.Settings)
    if service.settings is not None:
        settings.load(service.settings)
    telemetry.configure(service.name, config.log_level)
    uvloop.run(_serve(service, config))


async def _serve(service: Service, config: settings.Settings) -> None:
    assert service.web is not None, f"{service.name} has nothing for the web"
    url = settings.Current(partial(settings.database_url, service.name))
    name = f"relais {service.name} web"
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with web.bound(config.http_host, config.http_port) as door:
        async with database.checked(url, name) as conn:
            await migrate.check(conn, migrate.found(service.name, service.migrations))
        async with database.pool(url, name, POOL, any_plan=True) as pool:
            served = Served(service.name, pool, settings.Current(settings.amqp_url))
            async with service.web(served) as site:
                server = web.server(service.name, site.unready, site=site.app)
                serving = asyncio.create_task(server.serve([door]))
                host, port = door.getsockname()[:2]
                log.info("serving", http=f"{host}:{port}")
                stopped = asyncio.create_task(stopping.wait())
                await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
                site.end()
                server.should_exit = True
                await serving
    log.info("stopped")
