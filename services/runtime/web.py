"""Health, readiness, metrics and version over HTTP, in the worker's own loop."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from importlib import metadata

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from services.runtime import telemetry
from services.runtime.settings import ConfigurationError

GRACE_SECONDS = 5
"""How long the end of a server waits for answers under way."""


class _Server(uvicorn.Server):
    """The worker owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound(host: str, port: int) -> socket.socket:
    """A socket at this address, 0 for any port; raises ConfigurationError where it cannot be had.

    Bound before anything else begins: the server's own complaint would be one line in a log.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"RELAIS_HTTP_PORT {port} cannot be had on RELAIS_HTTP_HOST {host}: {error.strerror}; "
            "choose another port, 0 for any, or an address of this machine"
        ) from None


def server(
    service: str,
    unready: Callable[[], list[str]],
    remarks: Callable[[], list[str]] = list,
    site: ASGIApp | None = None,
) -> uvicorn.Server:
    """Health, readiness, metrics and version; unready gives the reasons, none when all is well.

    remarks is what else to know, though all is well.  site answers everything else.
    """

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", "service": service})

    async def readyz(_: Request) -> Response:
        reasons = unready()
        telemetry.READY.set(not reasons)
        status = "unready" if reasons else "ready"
        said = {"reasons": reasons, "remarks": remarks()}
        body = {"status": status, "service": service, **said}
        return JSONResponse(body, 503 if reasons else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def version(_: Request) -> Response:
        return JSONResponse({"service": service, "version": metadata.version("relais")})

    pages = (healthz, readyz, metrics, version)
    routes: list[BaseRoute] = [Route(f"/{page.__name__}", page) for page in pages]
    if site is not None:
        routes.append(Mount("/", site))
    config = uvicorn.Config(
        Starlette(routes=routes),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config)
